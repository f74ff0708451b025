"""Who said that somebody is not to be rung, and when; who lives with a client; and a step that a warning stops."""

from alembic import op

revision = "20261123_373"
down_revision = "20261123_372"

STATEMENTS = (
    # The columns are new and empty: whatever is there satisfies it.
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.related_person_warning ADD COLUMN said_by TEXT, ADD COLUMN said_at TIMESTAMP WITH TIME ZONE,"
        " ADD CONSTRAINT related_person_warning_said_by_not_blank_check CHECK (btrim(said_by) <> ''),"
        " ADD CONSTRAINT related_person_warning_said_by_somebody_then_check CHECK ((said_by IS NULL) = (said_at IS NULL)),"
        " ADD CONSTRAINT related_person_warning_said_before_recorded_check CHECK (said_at <= recorded_at)"
    ),
    "ALTER TABLE clinic.related_person_version ADD COLUMN in_household BOOLEAN DEFAULT false NOT NULL",
    # One word more is allowed: whatever is there satisfies it.
    (
        "-- squawk-ignore constraint-missing-not-valid, ban-drop-constraint\n"
        "ALTER TABLE clinic.outreach_step DROP CONSTRAINT outreach_step_skipped_check,"
        " ADD CONSTRAINT outreach_step_skipped_check"
        " CHECK (skipped IN ('not_asked', 'no_allowed_channel', 'no_consent', 'warned_of'))"
    ),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in STATEMENTS:
        op.execute(statement)
