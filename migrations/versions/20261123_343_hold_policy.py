"""A hold that a rule raised says which version of that rule it was."""

from alembic import op

revision = "20261123_343"
down_revision = "20261123_342"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(
        # The column is new and empty: what is checked holds for every row there is.
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.hold ADD COLUMN policy TEXT,"
        " ADD CONSTRAINT hold_policy_not_blank_check CHECK (btrim(policy) <> ''),"
        " ADD CONSTRAINT hold_policy_of_its_rule_check CHECK (policy IS NULL OR by_rule IS NOT NULL)"
    )
