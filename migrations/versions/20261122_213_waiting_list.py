"""The waiting list: how urgent an admission is, since when somebody waits, and why somebody does not any more."""

from alembic import op

revision = "20261122_213"
down_revision = "20261122_212"

TABLE = """
    CREATE TABLE clinic.waiting_word (
        client_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        since TIMESTAMP WITH TIME ZONE,
        priority TEXT,
        left_why TEXT,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT waiting_word_pkey PRIMARY KEY (client_id, version),
        CONSTRAINT waiting_word_version_check CHECK (version >= 1),
        CONSTRAINT waiting_word_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT waiting_word_priority_check CHECK (priority IN ('urgent', 'soon', 'routine')),
        CONSTRAINT waiting_word_left_why_check
            CHECK (left_why IN ('elsewhere', 'declined', 'unreachable', 'other')),
        CONSTRAINT waiting_word_waits_or_left_check CHECK ((priority IS NULL) <> (left_why IS NULL)),
        CONSTRAINT waiting_word_waits_since_check CHECK ((priority IS NULL) = (since IS NULL)),
        CONSTRAINT waiting_word_not_in_the_future_check CHECK (since <= recorded_at),
        CONSTRAINT waiting_word_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT waiting_word_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""

COMMENT = "What was said of a client's waiting for admission. The newest counts until the next admission."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    op.execute(f"comment on table clinic.waiting_word is $${COMMENT}$$")
