"""What is seen before a dose is one act: the scale that was filled in with it, and the hold that it raised."""

from alembic import op

revision = "20261122_167"
down_revision = "20261122_163"

COLUMNS = """
    ALTER TABLE clinic.pre_dose_observation
        ADD COLUMN observation_id UUID,
        ADD COLUMN observation_version SMALLINT,
        ADD COLUMN hold_id UUID
"""

CONSTRAINTS = {
    "pre_dose_observation_observation_fkey": (
        "FOREIGN KEY(observation_id, observation_version) REFERENCES clinic.observation (id, version)"
    ),
    "pre_dose_observation_hold_fkey": "FOREIGN KEY(hold_id, client_id) REFERENCES clinic.hold (id, client_id)",
    "pre_dose_observation_measured_check": "CHECK (num_nonnulls(observation_id, observation_version) <> 1)",
    "pre_dose_observation_holds_for_what_was_seen_check": (
        "CHECK (hold_id IS NULL OR intoxicated OR sedation <> 'alert')"
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(COLUMNS)
    for name, condition in CONSTRAINTS.items():
        op.execute(f"ALTER TABLE clinic.pre_dose_observation ADD CONSTRAINT {name} {condition} NOT VALID")
        op.execute(
            "-- squawk-ignore constraint-missing-not-valid\n"
            f"ALTER TABLE clinic.pre_dose_observation VALIDATE CONSTRAINT {name}"
        )
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint\n"
        "ALTER TABLE clinic.pre_dose_observation ADD CONSTRAINT pre_dose_observation_hold_id_key UNIQUE (hold_id)"
    )
