"""Patient notices: the versions of each programme, and that a client was given one; rows that never change."""

from alembic import op

revision = "20261123_364"
down_revision = "20261123_371"

TABLES = (
    """
    CREATE TABLE clinic.patient_notice (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        title TEXT NOT NULL,
        version TEXT NOT NULL,
        in_force_from DATE NOT NULL,
        text_sha256 BYTEA NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT patient_notice_pkey PRIMARY KEY (id),
        CONSTRAINT patient_notice_day_key UNIQUE (programme_id, in_force_from),
        CONSTRAINT patient_notice_version_key UNIQUE (programme_id, version),
        CONSTRAINT patient_notice_whole_key UNIQUE (id, programme_id),
        CONSTRAINT patient_notice_title_not_blank_check CHECK (btrim(title) <> ''),
        CONSTRAINT patient_notice_version_not_blank_check CHECK (btrim(version) <> ''),
        CONSTRAINT patient_notice_text_sha256_check CHECK (octet_length(text_sha256) = 32),
        CONSTRAINT patient_notice_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT patient_notice_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.patient_notice_given (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        notice_id UUID NOT NULL,
        given_at TIMESTAMP WITH TIME ZONE NOT NULL,
        manner TEXT NOT NULL,
        acknowledgement TEXT NOT NULL,
        why_not TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT patient_notice_given_pkey PRIMARY KEY (id),
        CONSTRAINT patient_notice_given_notice_fkey FOREIGN KEY(notice_id, programme_id)
            REFERENCES clinic.patient_notice (id, programme_id),
        CONSTRAINT patient_notice_given_manner_check CHECK (manner IN ('paper', 'electronic', 'read_aloud')),
        CONSTRAINT patient_notice_given_acknowledgement_check
            CHECK (acknowledgement IN ('signed', 'declined', 'unable', 'not_asked')),
        CONSTRAINT patient_notice_given_why_not_not_blank_check CHECK (btrim(why_not) <> ''),
        CONSTRAINT patient_notice_given_signed_or_why_not_check
            CHECK ((acknowledgement = 'signed') = (why_not IS NULL)),
        CONSTRAINT patient_notice_given_not_in_the_future_check CHECK (given_at <= recorded_at),
        CONSTRAINT patient_notice_given_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT patient_notice_given_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT patient_notice_given_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX patient_notice_given_client_id_notice_id_idx ON clinic.patient_notice_given (client_id, notice_id)",
    """
    CREATE TABLE clinic.patient_notice_taken_back (
        given_id UUID NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT patient_notice_taken_back_pkey PRIMARY KEY (given_id),
        CONSTRAINT patient_notice_taken_back_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT patient_notice_taken_back_given_id_fkey FOREIGN KEY(given_id)
            REFERENCES clinic.patient_notice_given (id),
        CONSTRAINT patient_notice_taken_back_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

COMMENTS = {
    "patient_notice": "A version of a programme's notice to its clients; in force from its day until another one's day comes.",
    "patient_notice_given": (
        "That a client was given a version of their programme's notice, and whether they signed that they have it."
    ),
    "patient_notice_taken_back": "That a record of a notice given was a mistake, and why: once for each.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
