"""A relative who sat in a session with a client has a line in the client's account, in the order in which it was recorded."""

from alembic import op

revision = "20261123_375"
down_revision = "20261123_384"

STEPS = (
    "ALTER TABLE clinic.session_relative_line ADD COLUMN told_id UUID",
    # As if it had been made when the register was taken.
    """
    UPDATE clinic.session_relative_line line SET told_id = uuidv7(register.taken_at - clock_timestamp())
    FROM clinic.therapy_session_register register
    WHERE register.session_id = line.session_id AND register.version = line.version
      AND line.comes_as = 'with_client' AND line.minutes > 0
    """,
    # The lines of relatives in registers: hundreds, and all of them were filled above.
    """
    ALTER TABLE clinic.session_relative_line
        -- squawk-ignore constraint-missing-not-valid
        ADD CONSTRAINT session_relative_line_told_with_client_check
        CHECK ((told_id IS NOT NULL) = (comes_as = 'with_client' AND minutes > 0))
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX session_relative_line_told_idx ON clinic.session_relative_line (client_id, told_id)
        WHERE told_id IS NOT NULL
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in STEPS:
        op.execute(statement)
