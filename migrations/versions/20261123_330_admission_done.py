"""What belongs to an admission and was done, and what of that was recorded by mistake."""

from alembic import op

revision = "20261123_330"
down_revision = "20261123_311"

TABLES = (
    """
    CREATE TABLE clinic.admission_done (
        id UUID NOT NULL,
        episode_id UUID NOT NULL,
        duty TEXT NOT NULL,
        done_on DATE NOT NULL,
        done_by TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT admission_done_pkey PRIMARY KEY (id),
        CONSTRAINT admission_done_duty_check CHECK (duty IN ('examination', 'assessment')),
        CONSTRAINT admission_done_done_by_not_blank_check CHECK (btrim(done_by) <> ''),
        CONSTRAINT admission_done_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT admission_done_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.admission_done_taken_back (
        admission_done_id UUID NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT admission_done_taken_back_pkey PRIMARY KEY (admission_done_id),
        CONSTRAINT admission_done_taken_back_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT admission_done_taken_back_admission_done_id_fkey
            FOREIGN KEY(admission_done_id) REFERENCES clinic.admission_done (id),
        CONSTRAINT admission_done_taken_back_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)
INDEX = "CREATE INDEX admission_done_episode_id_idx ON clinic.admission_done (episode_id)"
COMMENTS = {
    "admission_done": "What belongs to an admission and was done: on which local day, and by whom.",
    "admission_done_taken_back": (
        "That a record of what belongs to an admission was a mistake, and why: once for each."
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in (*TABLES, INDEX):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
