"""A planned handover can be cancelled, and is kept where those are that a discharge took back."""

from alembic import op

revision = "20261122_124"
down_revision = "20261122_123"

COMMENT = "Handovers that did not take place, as they stood: cancelled, or planned for after what became the discharge."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(f"comment on table clinic.responsibility_taken_back is $${COMMENT}$$")
