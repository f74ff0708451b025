"""A prescriber can be told of a missed dose before the next one is given: such a task is about an order and no dose."""

from alembic import op

revision = "20261122_182"
down_revision = "20261122_181"

ABOUT = (
    "CASE kind WHEN 'telephone_pharmacy' THEN hold_id IS NOT NULL AND order_id IS NOT NULL AND dose_id IS NULL"
    " ELSE num_nonnulls(dose_id, order_id) >= 1 AND hold_id IS NULL END"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE clinic.medication_task DROP CONSTRAINT medication_task_about_check"
    )
    op.execute(
        f"ALTER TABLE clinic.medication_task ADD CONSTRAINT medication_task_about_check CHECK ({ABOUT}) NOT VALID"
    )
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.medication_task VALIDATE CONSTRAINT medication_task_about_check"
    )
