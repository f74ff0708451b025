"""Clinicians on call, to whom escalations were passed on that nobody acknowledged, and missed doses raised by the record."""

from alembic import op

revision = "20261122_262"
down_revision = "20261123_251"

TABLES = (
    """
    CREATE TABLE clinic.on_call (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_by UUID,
        period TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, GREATEST(starts_at, LEAST(ends_at, ended_at)))) STORED
            NOT NULL,
        CONSTRAINT on_call_pkey PRIMARY KEY (id),
        CONSTRAINT on_call_ends_after_start_check CHECK (ends_at > starts_at),
        CONSTRAINT on_call_ended_with_who_said_so_check CHECK ((ended_at IS NULL) = (ended_by IS NULL)),
        CONSTRAINT on_call_ended_before_its_end_check CHECK (ended_at < ends_at),
        CONSTRAINT on_call_one_at_a_time EXCLUDE USING gist (programme_id WITH =, period WITH &&),
        CONSTRAINT on_call_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT on_call_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT on_call_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT on_call_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.escalation_passing (
        escalation_id UUID NOT NULL,
        passed_to TEXT NOT NULL,
        rule TEXT NOT NULL,
        passed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT escalation_passing_pkey PRIMARY KEY (escalation_id, passed_to),
        CONSTRAINT escalation_passing_passed_to_check CHECK (passed_to IN ('on_call', 'supervisor')),
        CONSTRAINT escalation_passing_rule_not_blank_check CHECK (btrim(rule) <> ''),
        CONSTRAINT escalation_passing_escalation_id_fkey FOREIGN KEY(escalation_id) REFERENCES clinic.escalation (id)
    )
    """,
    """
    CREATE TABLE clinic.escalation_recipient (
        escalation_id UUID NOT NULL,
        passed_to TEXT NOT NULL,
        staff_id UUID NOT NULL,
        CONSTRAINT escalation_recipient_pkey PRIMARY KEY (escalation_id, passed_to, staff_id),
        CONSTRAINT escalation_recipient_passing_fkey FOREIGN KEY(escalation_id, passed_to)
            REFERENCES clinic.escalation_passing (escalation_id, passed_to),
        CONSTRAINT escalation_recipient_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id)
    )
    """,
)

COMMENTS = {
    "on_call": "Which clinician is on call in a programme, from when to when; one at a time.",
    "escalation_passing": "An escalation that nobody had acknowledged went on: to the clinician on call, to the supervisors.",
    "escalation_recipient": "Who that was then; nobody where there was nobody.",
}

MISSED = (
    "ALTER TABLE clinic.escalation ADD COLUMN missed_since DATE",
    """
    ALTER TABLE clinic.escalation ADD CONSTRAINT escalation_missed_since_check
        CHECK (missed_since IS NULL OR ground = 'missed_doses') NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.escalation VALIDATE CONSTRAINT escalation_missed_since_check
    """,
    # No row says it yet, so it is made in an instant.
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE UNIQUE INDEX escalation_missed_once_key ON clinic.escalation (client_id, missed_since)
        WHERE missed_since IS NOT NULL
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in MISSED:
        op.execute(statement)
    op.execute("grant update (ended_at, ended_by) on clinic.on_call to caseload_app")
