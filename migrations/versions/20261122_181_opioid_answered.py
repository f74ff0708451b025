"""An order of naltrexone says when the last opioid was used, or why none is known.

Orders of before say neither, and stay as they were signed: the check holds for whatever is written from now on.
"""

from alembic import op

revision = "20261122_181"
down_revision = "20261122_180"

STATEMENTS = (
    "ALTER TABLE clinic.medication_order ADD COLUMN no_opioid_known TEXT",
    """
    ALTER TABLE clinic.medication_order ADD CONSTRAINT medication_order_last_opioid_is_answered_check
        CHECK (num_nonnulls(last_opioid_on, no_opioid_known) = CASE medicine WHEN 'naltrexone' THEN 1 ELSE 0 END) NOT VALID
    """,
    """
    ALTER TABLE clinic.medication_order ADD CONSTRAINT medication_order_no_opioid_known_not_blank_check
        CHECK (btrim(no_opioid_known) <> '') NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.medication_order VALIDATE CONSTRAINT medication_order_no_opioid_known_not_blank_check
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in STATEMENTS:
        op.execute(statement)
