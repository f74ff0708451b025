"""What was told to somebody outside about a client's medicine, what allowed it, and what went with it."""

from alembic import op

revision = "20261122_172"
down_revision = "20261122_171"

TABLE = """
    CREATE TABLE clinic.disclosure_made (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        person_id UUID,
        named TEXT,
        "group" TEXT,
        name TEXT NOT NULL,
        facility TEXT NOT NULL,
        purpose TEXT NOT NULL,
        ground TEXT NOT NULL,
        consent_id UUID,
        emergency TEXT,
        categories TEXT[] NOT NULL,
        rule TEXT NOT NULL,
        rules_version TEXT NOT NULL,
        notice TEXT,
        content JSONB NOT NULL,
        disclosed_by UUID NOT NULL,
        disclosed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT disclosure_made_pkey PRIMARY KEY (id),
        CONSTRAINT disclosure_made_one_recipient_check CHECK (num_nonnulls(person_id, named, "group") = 1),
        CONSTRAINT disclosure_made_group_check CHECK ("group" IN ('treating_providers', 'health_plans',
                'third_party_payers', 'programme_operators')),
        CONSTRAINT disclosure_made_purpose_check CHECK (purpose IN ('clients_request', 'family_involvement',
                'emergency_contact', 'treatment', 'payment', 'operations', 'legal_proceedings')),
        CONSTRAINT disclosure_made_ground_check CHECK (ground IN ('consent', 'emergency')),
        CONSTRAINT disclosure_made_categories_check CHECK (cardinality(categories) >= 1 AND categories <@
                ARRAY['presence', 'attendance', 'appointments', 'medication', 'take_home', 'drug_screens', 'plan',
                'risk', 'emergency', 'session_records', 'counselling_notes', 'general_information', 'being_heard']),
        CONSTRAINT disclosure_made_by_its_ground_check CHECK ((ground = 'consent') = (consent_id IS NOT NULL)
                AND (ground = 'emergency') = (emergency IS NOT NULL)),
        CONSTRAINT disclosure_made_name_not_blank_check CHECK (btrim(name) <> ''),
        CONSTRAINT disclosure_made_facility_not_blank_check CHECK (btrim(facility) <> ''),
        CONSTRAINT disclosure_made_emergency_not_blank_check CHECK (btrim(emergency) <> ''),
        CONSTRAINT disclosure_made_content_check CHECK (jsonb_typeof(content) = 'object'),
        CONSTRAINT disclosure_made_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT disclosure_made_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT disclosure_made_person_id_fkey FOREIGN KEY(person_id) REFERENCES clinic.related_person (id),
        CONSTRAINT disclosure_made_consent_id_fkey FOREIGN KEY(consent_id) REFERENCES clinic.consent (id),
        CONSTRAINT disclosure_made_disclosed_by_fkey FOREIGN KEY(disclosed_by) REFERENCES clinic.staff (id)
    )
"""

INDEX = "CREATE INDEX disclosure_made_client_id_id_idx ON clinic.disclosure_made (client_id, id)"
COMMENT = "What was told to somebody outside, as it was told, and what allowed it: the client's account of disclosures."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(TABLE)
    op.execute(INDEX)
    op.execute(f"comment on table clinic.disclosure_made is $${COMMENT}$$")
