"""Check-ins that closure days move: at nobody's wish, and their grace also where they were due already."""

from alembic import op

revision = "20261122_223"
down_revision = "20261122_187"

CHANGED = {
    "asked_by": "asked_by IN ('client', 'provider', 'closure')",
    "to_a_later_time": "grace_ends_at >= due_at AND (due_at > recorded_at OR asked_by = 'closure')",
}
"""Each allows what it allowed before, and closures."""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for name, check in CHANGED.items():
        constraint = f"check_in_move_{name}_check"
        op.execute(
            f"""
            -- squawk-ignore ban-drop-constraint
            ALTER TABLE clinic.check_in_move DROP CONSTRAINT {constraint}
            """
        )
        op.execute(f"ALTER TABLE clinic.check_in_move ADD CONSTRAINT {constraint} CHECK ({check}) NOT VALID")
        op.execute(
            f"""
            -- squawk-ignore constraint-missing-not-valid
            ALTER TABLE clinic.check_in_move VALIDATE CONSTRAINT {constraint}
            """
        )
