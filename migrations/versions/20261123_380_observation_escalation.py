"""An observation outside a check-in escalates what does not wait."""

from alembic import op

revision = "20261123_380"
down_revision = "20261123_330"

CHECK = (
    "num_nonnulls(observation_id, observation_version) IN (0, 2)"
    " AND num_nonnulls(check_in_id, observation_id, missed_since) <= 1"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(
        # Escalations are few, and their new columns are empty.
        "-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint, adding-foreign-key-constraint\n"
        "ALTER TABLE clinic.escalation ADD COLUMN observation_id UUID, ADD COLUMN observation_version SMALLINT,"
        " ADD CONSTRAINT escalation_observation_id_ground_key UNIQUE (observation_id, ground),"
        " ADD CONSTRAINT escalation_observation_fkey FOREIGN KEY (observation_id, observation_version)"
        " REFERENCES clinic.observation (id, version),"
        f" ADD CONSTRAINT escalation_raised_by_one_check CHECK ({CHECK})"
    )
    op.execute(
        "COMMENT ON TABLE clinic.escalation IS"
        " 'What a clinician must hear of at once; a check-in or an observation raises each ground once.'"
    )
