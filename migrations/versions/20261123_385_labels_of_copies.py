"""A copy of a record keeps the labels with which it was prepared; copies from before have none, and stay as they are."""

from alembic import op

revision = "20261123_385"
down_revision = "20261123_376"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute("ALTER TABLE clinic.record_copy ADD COLUMN labels JSONB")
