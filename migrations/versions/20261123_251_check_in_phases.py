"""Phases of check-in plans: how often later, beside how often at first; and which phase a check-in belongs to.

An older version of the service makes the check-ins of the first phase alone, which ends where the second begins.
"""

from alembic import op

revision = "20261123_251"
down_revision = "20261123_242"

TABLE = """
    CREATE TABLE clinic.check_in_plan_phase (
        plan_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        number SMALLINT NOT NULL,
        every SMALLINT NOT NULL,
        unit TEXT NOT NULL,
        weekday TEXT,
        month_day SMALLINT,
        starts_on DATE NOT NULL,
        ends_on DATE,
        grace_days SMALLINT NOT NULL,
        grace_rule TEXT,
        early_days SMALLINT NOT NULL,
        CONSTRAINT check_in_plan_phase_pkey PRIMARY KEY (plan_id, version, number),
        CONSTRAINT check_in_plan_phase_version_fkey FOREIGN KEY(plan_id, version)
            REFERENCES clinic.check_in_plan_version (plan_id, version),
        CONSTRAINT check_in_plan_phase_after_the_first_check CHECK (number >= 2),
        CONSTRAINT check_in_plan_phase_counts_check CHECK (every >= 1 AND grace_days >= 0 AND early_days >= 0),
        CONSTRAINT check_in_plan_phase_weeks_name_a_weekday_check CHECK ((weekday IS NOT NULL) = (unit = 'weeks')),
        CONSTRAINT check_in_plan_phase_months_name_a_day_check CHECK ((month_day IS NOT NULL) = (unit = 'months')),
        CONSTRAINT check_in_plan_phase_month_day_check CHECK (month_day BETWEEN 1 AND 31),
        CONSTRAINT check_in_plan_phase_ends_on_check CHECK (ends_on >= starts_on),
        CONSTRAINT check_in_plan_phase_unit_check CHECK (unit IN ('days', 'weeks', 'months')),
        CONSTRAINT check_in_plan_phase_weekday_check CHECK (weekday IN
            ('monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'))
    )
"""

COMMENT = "How often a version of a plan asks in the phases after its first, which stands in the version itself."

COLUMN = (
    "ALTER TABLE clinic.check_in ADD COLUMN later_phase SMALLINT",
    """
    ALTER TABLE clinic.check_in ADD CONSTRAINT check_in_later_phase_fkey
    FOREIGN KEY(plan_id, plan_version, later_phase)
    REFERENCES clinic.check_in_plan_phase (plan_id, version, number) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.check_in VALIDATE CONSTRAINT check_in_later_phase_fkey
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(TABLE)
    op.execute(f"comment on table clinic.check_in_plan_phase is $${COMMENT}$$")
    for statement in COLUMN:
        op.execute(statement)
