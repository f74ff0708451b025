"""Calendars that their owners read elsewhere, by a secret address of which the digest is kept.

An older version of the service knows no such address and answers that there is nothing there.
"""

from alembic import op

revision = "20261123_302"
down_revision = "20261123_283"

TABLES = (
    """
    CREATE TABLE clinic.calendar_feed (
        id UUID NOT NULL,
        staff_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        token_digest BYTEA NOT NULL,
        made_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT calendar_feed_pkey PRIMARY KEY (id),
        CONSTRAINT calendar_feed_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT calendar_feed_staff_id_number_key UNIQUE (staff_id, number),
        CONSTRAINT calendar_feed_token_digest_key UNIQUE (token_digest),
        CONSTRAINT calendar_feed_number_check CHECK (number >= 1),
        CONSTRAINT calendar_feed_token_digest_check CHECK (octet_length(token_digest) = 32),
        CONSTRAINT calendar_feed_a_person_check CHECK (staff_id <> '00000000-0000-7000-8000-000000000001'::uuid)
    )
    """,
    """
    CREATE TABLE clinic.calendar_feed_revocation (
        feed_id UUID NOT NULL,
        revoked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT calendar_feed_revocation_pkey PRIMARY KEY (feed_id),
        CONSTRAINT calendar_feed_revocation_feed_id_fkey FOREIGN KEY(feed_id) REFERENCES clinic.calendar_feed (id)
    )
    """,
)

COMMENTS = {
    "calendar_feed": "A calendar of somebody's own, found by the SHA-256 of the secret in its address.",
    "calendar_feed_revocation": "That the address of a calendar shows nothing any more.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for table in TABLES:
        op.execute(table)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
