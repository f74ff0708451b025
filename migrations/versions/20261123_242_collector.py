"""Who collected what was handed out: the client, somebody else by name, or nobody said.

To an older version of the service no name means the client, as before; a name it can no longer keep, and nothing is handed out.
"""

from alembic import op

revision = "20261123_242"
down_revision = "20261123_241"

CHECKS = {
    "collector": "collector IN ('client', 'other', 'not_said')",
    "other_is_named": "(collector = 'other') = (collected_by IS NOT NULL)",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("ALTER TABLE clinic.take_home_dispense ADD COLUMN collector TEXT DEFAULT 'client' NOT NULL")
    op.execute("UPDATE clinic.take_home_dispense SET collector = 'other' WHERE collected_by IS NOT NULL")
    for name, condition in CHECKS.items():
        constraint = f"take_home_dispense_{name}_check"
        op.execute(f"ALTER TABLE clinic.take_home_dispense ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID")
        op.execute(
            "-- squawk-ignore constraint-missing-not-valid\n"
            f"ALTER TABLE clinic.take_home_dispense VALIDATE CONSTRAINT {constraint}"
        )
