"""How a client was before a dose, written down only afterwards: when it was seen stands beside when we were told."""

from alembic import op

revision = "20261122_185"
down_revision = "20261122_230"

STATEMENTS = (
    "ALTER TABLE clinic.pre_dose_observation ADD COLUMN seen_at TIMESTAMP WITH TIME ZONE",
    """
    ALTER TABLE clinic.pre_dose_observation ADD CONSTRAINT pre_dose_observation_seen_before_it_is_told_check
        CHECK (seen_at <= recorded_at) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.pre_dose_observation VALIDATE CONSTRAINT pre_dose_observation_seen_before_it_is_told_check
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in STATEMENTS:
        op.execute(statement)
