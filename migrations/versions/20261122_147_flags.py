"""Flags: allergies, pregnancy and interacting medicines, raised and ended by rows that never change."""

from alembic import op

revision = "20261122_147"
down_revision = "20261122_146"

TABLES = (
    """
    CREATE TABLE clinic.flag (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        what TEXT NOT NULL,
        since DATE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT flag_pkey PRIMARY KEY (id),
        CONSTRAINT flag_id_since_key UNIQUE (id, since),
        CONSTRAINT flag_kind_check CHECK (kind IN ('allergy', 'pregnancy', 'sedative', 'qt_prolonging',
                'cyp3a4_inducer', 'cyp3a4_inhibitor')),
        CONSTRAINT flag_what_not_blank_check CHECK (btrim(what) <> ''),
        CONSTRAINT flag_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT flag_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT flag_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.flag_end (
        flag_id UUID NOT NULL,
        since DATE NOT NULL,
        ended_on DATE NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT flag_end_pkey PRIMARY KEY (flag_id),
        CONSTRAINT flag_end_after_its_beginning_check CHECK (ended_on >= since),
        CONSTRAINT flag_end_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT flag_end_flag_fkey FOREIGN KEY(flag_id, since) REFERENCES clinic.flag (id, since),
        CONSTRAINT flag_end_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEX = "CREATE INDEX flag_client_id_idx ON clinic.flag (client_id)"

COMMENTS = {
    "flag": "What whoever orders or gives a medicine should see first: shown, and never a reason to refuse.",
    "flag_end": "From which day on a flag counts no longer, and why: once for each.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, INDEX):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
