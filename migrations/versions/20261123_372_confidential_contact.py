"""How and where it was agreed that a client is reached, and the end of that."""

from alembic import op

revision = "20261123_372"
down_revision = "20261123_390"

STATEMENTS = (
    """
    CREATE TABLE clinic.rights_contact (
        request_id UUID NOT NULL,
        kind TEXT NOT NULL,
        client_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        allowed TEXT[] NOT NULL,
        telephone TEXT,
        address TEXT,
        heed TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_contact_pkey PRIMARY KEY (request_id),
        CONSTRAINT rights_contact_request_fkey FOREIGN KEY(request_id, kind, client_id) REFERENCES clinic.rights_request (id, kind, client_id),
        CONSTRAINT rights_contact_answer_fkey FOREIGN KEY(request_id, outcome) REFERENCES clinic.rights_answer (request_id, outcome),
        CONSTRAINT rights_contact_client_id_request_id_key UNIQUE (client_id, request_id),
        CONSTRAINT rights_contact_of_a_confidential_contact_check CHECK (kind = 'confidential_contact'),
        CONSTRAINT rights_contact_was_granted_check CHECK (outcome IN ('granted', 'granted_in_part')),
        CONSTRAINT rights_contact_allowed_check CHECK (allowed <@ ARRAY['telephone', 'voicemail', 'text', 'post', 'visit']),
        CONSTRAINT rights_contact_telephone_not_blank_check CHECK (btrim(telephone) <> ''),
        CONSTRAINT rights_contact_address_not_blank_check CHECK (btrim(address) <> ''),
        CONSTRAINT rights_contact_heed_not_blank_check CHECK (btrim(heed) <> ''),
        CONSTRAINT rights_contact_a_number_to_ring_check CHECK (telephone IS NOT NULL OR NOT allowed && ARRAY['telephone', 'voicemail', 'text']),
        CONSTRAINT rights_contact_an_address_to_go_to_check CHECK (address IS NOT NULL OR NOT allowed && ARRAY['post', 'visit']),
        CONSTRAINT rights_contact_who_leaves_a_message_rings_check CHECK (NOT allowed @> ARRAY['voicemail'] OR allowed @> ARRAY['telephone']),
        CONSTRAINT rights_contact_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.rights_contact_end (
        request_id UUID NOT NULL,
        how TEXT NOT NULL,
        says TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_contact_end_pkey PRIMARY KEY (request_id),
        CONSTRAINT rights_contact_end_request_fkey FOREIGN KEY(request_id) REFERENCES clinic.rights_contact (request_id),
        CONSTRAINT rights_contact_end_how_check CHECK (how IN ('given_up', 'replaced')),
        CONSTRAINT rights_contact_end_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT rights_contact_end_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "ALTER TABLE clinic.client_contact ADD COLUMN agreed_in UUID",
    # The column is new: nothing names anything yet.
    (
        "-- squawk-ignore adding-foreign-key-constraint, constraint-missing-not-valid\n"
        "ALTER TABLE clinic.client_contact ADD CONSTRAINT client_contact_agreed_in_fkey"
        " FOREIGN KEY(client_id, agreed_in) REFERENCES clinic.rights_contact (client_id, request_id)"
    ),
    # Where a copy that was posted went. The column is new and empty: whatever is there satisfies it.
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.record_copy_release ADD COLUMN address TEXT,"
        " ADD CONSTRAINT record_copy_release_address_not_blank_check CHECK (btrim(address) <> ''),"
        " ADD CONSTRAINT record_copy_release_posted_to_the_client_check"
        " CHECK (address IS NULL OR manner = 'post' AND NOT to_representative)"
    ),
)

COMMENTS = {
    "rights_contact": (
        "How and where a client is reached because they asked for it and it was agreed to; until it has an end."
    ),
    "rights_contact_end": "That a client gave up how they were to be reached, or that something else was agreed later.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in STATEMENTS:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
