"""What a prescriber is to countersign is asked all morning: the orders by word of mouth are found by an index."""

from alembic import op

revision = "20261122_145"
down_revision = "20261122_144"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    # Orders are written a few times a day: whoever writes one waits for a moment.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX medication_order_spoken_idx ON clinic.medication_order (programme_id, countersign_by)"
        " WHERE verbal_by IS NOT NULL"
    )
