"""How many clients a counsellor is meant to have at most: a warning, never a refusal."""

from alembic import op

revision = "20261122_211"
down_revision = "20261122_210"

STATEMENTS = (
    """
    CREATE TABLE clinic.caseload_ceiling (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        counsellor_id UUID,
        ceiling SMALLINT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT caseload_ceiling_pkey PRIMARY KEY (id),
        CONSTRAINT caseload_ceiling_ceiling_check CHECK (ceiling BETWEEN 1 AND 500),
        CONSTRAINT caseload_ceiling_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT caseload_ceiling_counsellor_id_fkey FOREIGN KEY(counsellor_id) REFERENCES clinic.staff (id),
        CONSTRAINT caseload_ceiling_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE INDEX caseload_ceiling_programme_id_counsellor_id_id_idx ON clinic.caseload_ceiling (programme_id,
    counsellor_id, id)
    """,
)

COMMENT = "From how many clients on a supervisor is warned: of one counsellor, or of everybody. The newest word counts."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(f"comment on table clinic.caseload_ceiling is $${COMMENT}$$")
