"""${message.capitalize() if message else ""}: why it is needed, and what an older version of the service sees."""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    # A lock that is not had at once is given up: the clinic works on and the migration is tried again.
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    ${upgrades if upgrades else "pass"}
