"""What a discharge takes back is kept: handovers and covers planned for later, as they were arranged."""

from alembic import op

revision = "20261122_044"
down_revision = "20261122_043"

TABLES = (
    """
    CREATE TABLE clinic.responsibility_taken_back (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        episode_id UUID NOT NULL,
        counsellor_id UUID NOT NULL,
        period TSTZRANGE NOT NULL,
        note TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        taken_back_by UUID NOT NULL,
        taken_back_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT responsibility_taken_back_pkey PRIMARY KEY (id),
        CONSTRAINT responsibility_taken_back_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT responsibility_taken_back_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT responsibility_taken_back_counsellor_id_fkey FOREIGN KEY(counsellor_id)
            REFERENCES clinic.staff (id),
        CONSTRAINT responsibility_taken_back_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT responsibility_taken_back_taken_back_by_fkey FOREIGN KEY(taken_back_by)
            REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.cover_taken_back (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        counsellor_id UUID NOT NULL,
        period TSTZRANGE NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        taken_back_by UUID NOT NULL,
        taken_back_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT cover_taken_back_pkey PRIMARY KEY (id),
        CONSTRAINT cover_taken_back_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT cover_taken_back_counsellor_id_fkey FOREIGN KEY(counsellor_id) REFERENCES clinic.staff (id),
        CONSTRAINT cover_taken_back_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT cover_taken_back_taken_back_by_fkey FOREIGN KEY(taken_back_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX responsibility_taken_back_client_id_idx ON clinic.responsibility_taken_back (client_id)",
    "CREATE INDEX cover_taken_back_client_id_idx ON clinic.cover_taken_back (client_id)",
)

COMMENTS = {
    "responsibility_taken_back": "Handovers for a moment after which the client turned out to have been discharged, as they stood.",
    "cover_taken_back": "Covers that a discharge ended before their time, as they were arranged.",
    "cover": "Who stands in for the responsible counsellor, from when to when; it ends by itself or with a discharge.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    op.execute("grant update (period), delete on clinic.cover to caseload_app")
