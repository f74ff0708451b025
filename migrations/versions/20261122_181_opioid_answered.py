"""An order of naltrexone says when the last opioid was used, or why none is known.

Orders of before say neither, and stay as they were signed: that one of the two is said is asked of whoever writes an order.
"""

from alembic import op

revision = "20261122_181"
down_revision = "20261122_180"

CHECKS = {
    "last_opioid_is_answered_once": (
        "num_nonnulls(last_opioid_on, no_opioid_known) <= CASE medicine WHEN 'naltrexone' THEN 1 ELSE 0 END"
    ),
    "no_opioid_known_not_blank": "btrim(no_opioid_known) <> ''",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("ALTER TABLE clinic.medication_order ADD COLUMN no_opioid_known TEXT")
    for name, condition in CHECKS.items():
        constraint = f"medication_order_{name}_check"
        op.execute(f"ALTER TABLE clinic.medication_order ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID")
        op.execute(
            "-- squawk-ignore constraint-missing-not-valid\n"
            f"ALTER TABLE clinic.medication_order VALIDATE CONSTRAINT {constraint}"
        )
