"""The guests of a programme on a day, found by their host.

The dosing queue begins with the clients of one programme and its guests of the day; stays of past years are passed over.
"""

from alembic import op

revision = "20261123_280"
down_revision = "20261123_300"

# Stays are few and the lock is short; CONCURRENTLY cannot run in the transaction of a migration.
INDEX = """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX guest_stay_host_idx ON clinic.guest_stay USING gist (host_programme_id, period)
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(INDEX)
