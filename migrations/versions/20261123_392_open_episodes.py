"""Who is in care is found in an index of the open episodes, and not among all that ever were."""

from alembic import op

revision = "20261123_392"
down_revision = "20261123_374"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    # Tens of thousands of rows at most: whoever is admitted waits for a moment.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX episode_open_idx ON clinic.episode (client_id) INCLUDE (id) WHERE upper_inf(period)"
    )
