"""Take-homes that had been handed out on paper: late, with a reason, and an exception where a rule stood in the way.

An older version of the service writes none of these columns: what it hands out is neither late nor an exception.
"""

from alembic import op

revision = "20261122_187"
down_revision = "20261122_186"

COLUMNS = (
    "ALTER TABLE clinic.take_home_dispense ADD COLUMN rules TEXT[] DEFAULT '{}' NOT NULL",
    "ALTER TABLE clinic.take_home_dispense ADD COLUMN late_reason TEXT",
    "ALTER TABLE clinic.take_home_dispense ADD COLUMN recorded_by UUID",
    "ALTER TABLE clinic.take_home_dispense ADD COLUMN recorded_at TIMESTAMP WITH TIME ZONE",
    "ALTER TABLE clinic.take_home_dispense ADD COLUMN is_exception BOOLEAN DEFAULT false NOT NULL",
    "ALTER TABLE clinic.take_home_unit ADD COLUMN is_exception BOOLEAN DEFAULT false NOT NULL",
    """
    -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
    ALTER TABLE clinic.take_home_dispense ADD CONSTRAINT take_home_dispense_exception_key UNIQUE (id, is_exception)
    """,
)

CONSTRAINTS = {
    "take_home_dispense": {
        "take_home_dispense_recorded_by_fkey": "FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)",
        "take_home_dispense_late_says_why_check": (
            "CHECK (num_nonnulls(late_reason, recorded_by, recorded_at) IN (0, 3))"
        ),
        "take_home_dispense_not_in_the_future_check": "CHECK (dispensed_at <= recorded_at)",
        "take_home_dispense_exception_was_handed_out_check": (
            "CHECK (is_exception = (cardinality(rules) > 0) AND (NOT is_exception OR late_reason IS NOT NULL))"
        ),
        "take_home_dispense_late_reason_not_blank_check": "CHECK (btrim(late_reason) <> '')",
    },
    "take_home_unit": {
        "take_home_unit_exception_fkey": (
            "FOREIGN KEY(dispense_id, is_exception) REFERENCES clinic.take_home_dispense (id, is_exception)"
        ),
        "take_home_unit_decided_check": "CHECK (is_closure OR decision_id IS NOT NULL OR is_exception)",
    },
}

ONE_PER_PART = (
    "-- squawk-ignore require-concurrent-index-deletion\nDROP INDEX clinic.take_home_unit_one_per_part_key",
    # Handed out a few times a day: whoever hands out waits for a moment.
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE UNIQUE INDEX take_home_unit_one_per_part_key ON clinic.take_home_unit (client_id, for_on, part,
    replaces_id) NULLS NOT DISTINCT WHERE NOT is_exception
    """,
    # What is read of units counts the exceptions too, for which the index above is of no use.
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX take_home_unit_client_id_for_on_part_idx ON clinic.take_home_unit (client_id, for_on, part)
    """,
)

WHAT = "CHECK (what IN ('observed', 'given', 'vomited', 'spilled', 'not_given', 'taken_home'))"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in COLUMNS:
        op.execute(statement)
    # It is made anew below, with the units that were handed out although nobody had decided.
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE clinic.take_home_unit DROP CONSTRAINT take_home_unit_decided_check"
    )
    for table, constraints in CONSTRAINTS.items():
        for name, condition in constraints.items():
            op.execute(f"ALTER TABLE clinic.{table} ADD CONSTRAINT {name} {condition} NOT VALID")
            op.execute(
                f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.{table} VALIDATE CONSTRAINT {name}"
            )
    op.execute(
        "-- squawk-ignore ban-drop-constraint\nALTER TABLE clinic.downtime_line DROP CONSTRAINT downtime_line_what_check"
    )
    op.execute(f"ALTER TABLE clinic.downtime_line ADD CONSTRAINT downtime_line_what_check {WHAT} NOT VALID")
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.downtime_line VALIDATE CONSTRAINT downtime_line_what_check"
    )
    for statement in ONE_PER_PART:
        op.execute(statement)
