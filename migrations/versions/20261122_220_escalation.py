"""Escalations: open until a named clinician acknowledges them; and what a programme says is done in an emergency."""

from alembic import op

revision = "20261122_220"
down_revision = "20261122_149"

TABLES = (
    """
    CREATE TABLE clinic.escalation (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        ground TEXT NOT NULL,
        check_in_id UUID,
        said TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT escalation_pkey PRIMARY KEY (id),
        CONSTRAINT escalation_check_in_id_ground_key UNIQUE (check_in_id, ground),
        CONSTRAINT escalation_ground_check CHECK (ground IN ('suicidal_intent', 'suicidal_thoughts', 'overdose',
                'safeguarding', 'missed_doses', 'intoxicated')),
        CONSTRAINT escalation_said_not_blank_check CHECK (btrim(said) <> ''),
        CONSTRAINT escalation_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT escalation_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT escalation_check_in_id_fkey FOREIGN KEY(check_in_id) REFERENCES clinic.check_in (id),
        CONSTRAINT escalation_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.escalation_acknowledgement (
        escalation_id UUID NOT NULL,
        doing TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT escalation_acknowledgement_pkey PRIMARY KEY (escalation_id),
        CONSTRAINT escalation_acknowledgement_doing_not_blank_check CHECK (btrim(doing) <> ''),
        CONSTRAINT escalation_acknowledgement_escalation_id_fkey FOREIGN KEY(escalation_id)
            REFERENCES clinic.escalation (id),
        CONSTRAINT escalation_acknowledgement_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.escalation_open (
        escalation_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        CONSTRAINT escalation_open_pkey PRIMARY KEY (escalation_id),
        CONSTRAINT escalation_open_escalation_id_fkey FOREIGN KEY(escalation_id) REFERENCES clinic.escalation (id)
    )
    """,
    """
    CREATE TABLE clinic.emergency_instruction (
        programme_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        says TEXT NOT NULL,
        decided_by UUID NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT emergency_instruction_pkey PRIMARY KEY (programme_id, version),
        CONSTRAINT emergency_instruction_version_check CHECK (version >= 1),
        CONSTRAINT emergency_instruction_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT emergency_instruction_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT emergency_instruction_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX escalation_client_id_idx ON clinic.escalation (client_id)",
    "CREATE INDEX escalation_open_programme_id_escalation_id_idx ON clinic.escalation_open (programme_id, escalation_id)",
)

COMMENTS = {
    "escalation": "What a clinician must hear of at once; a check-in raises each ground once.",
    "escalation_acknowledgement": (
        "That a named clinician has taken an escalation on, and what is being done; once for each."
    ),
    "escalation_open": (
        "The escalations that no clinician has acknowledged, worked out from the others; locked to acknowledge one."
    ),
    "emergency_instruction": (
        "What a programme says is done in an emergency, as versions; that of its country where it says nothing."
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    op.execute("grant update, delete on clinic.escalation_open to caseload_app")
