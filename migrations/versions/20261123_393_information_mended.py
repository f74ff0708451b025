"""What was told about a client is said to be in confidence afterwards, or taken back as a mistake."""

from alembic import op

revision = "20261123_393"
down_revision = "20261123_344"

COMMENTS = {
    "family_information_confided": "That something had been told in confidence, said after it was recorded: once for each.",
    "family_information_taken_back": "That something recorded as told about a client was a mistake, and why: once for each.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for table, comment in COMMENTS.items():
        op.execute(
            f"""
            CREATE TABLE clinic.{table} (
                information_id UUID NOT NULL,
                reason TEXT NOT NULL,
                recorded_by UUID NOT NULL,
                recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
                CONSTRAINT {table}_pkey PRIMARY KEY (information_id),
                CONSTRAINT {table}_reason_not_blank_check CHECK (btrim(reason) <> ''),
                CONSTRAINT {table}_information_id_fkey FOREIGN KEY(information_id) REFERENCES clinic.family_information (id),
                CONSTRAINT {table}_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
            )
            """
        )
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
