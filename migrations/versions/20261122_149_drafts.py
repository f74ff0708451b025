"""What was ordered and not signed is asked for all morning: the orders of a programme are found by their first day."""

from alembic import op

revision = "20261122_149"
down_revision = "20261122_167"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    # Orders are written a few times a day: whoever writes one waits for a moment.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX medication_order_programme_id_starts_on_idx ON clinic.medication_order (programme_id, starts_on)"
    )
