"""A programme's overdue check-ins are counted in the index alone: it names the client, too, whose programme is asked."""

from alembic import op

revision = "20261123_390"
down_revision = "20261123_385"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    # Hundreds of thousands of rows at most: whoever completes a check-in waits for a moment.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX check_in_waiting_overdue_idx ON clinic.check_in_waiting"
        " (programme_id, grace_ends_at, check_in_id) INCLUDE (client_id)"
    )
    op.execute(
        "-- squawk-ignore require-concurrent-index-deletion\n"
        "DROP INDEX clinic.check_in_waiting_programme_id_grace_ends_at_check_in_id_idx"
    )
