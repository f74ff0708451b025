"""What a programme has agreed with a client not to tell, and that the client gave it up."""

from alembic import op

revision = "20261123_363"
down_revision = "20261123_343"

TABLES = (
    """
    CREATE TABLE clinic.rights_restriction (
        request_id UUID NOT NULL,
        kind TEXT NOT NULL,
        client_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        categories TEXT[] NOT NULL,
        purposes TEXT[] NOT NULL,
        person_id UUID,
        name TEXT,
        "group" TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_restriction_pkey PRIMARY KEY (request_id),
        CONSTRAINT rights_restriction_request_fkey FOREIGN KEY(request_id, kind, client_id) REFERENCES clinic.rights_request (id, kind, client_id),
        CONSTRAINT rights_restriction_answer_fkey FOREIGN KEY(request_id, outcome) REFERENCES clinic.rights_answer (request_id, outcome),
        CONSTRAINT rights_restriction_person_fkey FOREIGN KEY(client_id, person_id) REFERENCES clinic.related_person (client_id, id),
        CONSTRAINT rights_restriction_of_a_restriction_check CHECK (kind = 'restriction'),
        CONSTRAINT rights_restriction_was_granted_check CHECK (outcome IN ('granted', 'granted_in_part')),
        CONSTRAINT rights_restriction_categories_check CHECK (cardinality(categories) >= 1 AND categories <@ ARRAY['appointments', 'attendance', 'counselling_notes', 'drug_screens', 'emergency', 'medication', 'plan', 'presence', 'risk', 'session_records', 'take_home']),
        CONSTRAINT rights_restriction_purposes_check CHECK (purposes <@ ARRAY['clients_request', 'family_involvement', 'emergency_contact', 'treatment', 'payment', 'operations', 'legal_proceedings', 'criminal_justice', 'prescription_monitoring', 'multiple_enrolment', 'public_duty', 'audit']),
        CONSTRAINT rights_restriction_one_recipient_check CHECK (num_nonnulls(person_id, name, "group") <= 1),
        CONSTRAINT rights_restriction_group_check CHECK ("group" IN ('treating_providers', 'health_plans', 'third_party_payers', 'programme_operators')),
        CONSTRAINT rights_restriction_name_not_blank_check CHECK (btrim(name) <> ''),
        CONSTRAINT rights_restriction_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX rights_restriction_client_id_idx ON clinic.rights_restriction (client_id)",
    """
    CREATE TABLE clinic.rights_restriction_end (
        request_id UUID NOT NULL,
        how TEXT NOT NULL,
        says TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_restriction_end_pkey PRIMARY KEY (request_id),
        CONSTRAINT rights_restriction_end_request_fkey FOREIGN KEY(request_id) REFERENCES clinic.rights_restriction (request_id),
        CONSTRAINT rights_restriction_end_how_check CHECK (how IN ('asked_in_writing', 'agreed_aloud')),
        CONSTRAINT rights_restriction_end_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT rights_restriction_end_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

COMMENTS = {
    "rights_restriction": (
        "What the programme has agreed with a client not to tell: to somebody or to nobody, for something or for nothing."
    ),
    "rights_restriction_end": ("That the client gave up a restriction that was agreed with them."),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
