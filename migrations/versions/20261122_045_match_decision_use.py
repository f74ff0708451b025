"""A records lead's word lets one registration through, and no second one of the same day."""

from alembic import op

revision = "20261122_045"
down_revision = "20261122_044"

TABLE = """
    CREATE TABLE clinic.match_decision_use (
        decision_id UUID NOT NULL,
        client_id UUID NOT NULL,
        CONSTRAINT match_decision_use_pkey PRIMARY KEY (decision_id),
        CONSTRAINT match_decision_use_decision_id_fkey FOREIGN KEY(decision_id) REFERENCES clinic.match_decision (id),
        CONSTRAINT match_decision_use_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
"""

COMMENT = "Which registration a word of the records lead let through; the key lets it through one."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(TABLE)
    op.execute(f"comment on table clinic.match_decision_use is $${COMMENT}$$")
