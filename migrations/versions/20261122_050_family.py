"""Family and consent: the people around clients, what was heard from them, and what clients allow to be told.

All of it is insert-only. A consent says how many recipients were signed for, and a deferred trigger refuses the
commit of a consent with fewer; the numbered places refuse more, so that nobody can be added to what was signed.
"""

from alembic import op

revision = "20261122_050"
down_revision = "20261122_020"

TABLES = (
    """
    CREATE TABLE clinic.related_person (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        CONSTRAINT related_person_pkey PRIMARY KEY (id),
        CONSTRAINT related_person_client_id_id_key UNIQUE (client_id, id),
        CONSTRAINT related_person_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.related_person_version (
        person_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        name TEXT NOT NULL,
        relationship TEXT NOT NULL,
        involvements TEXT[] NOT NULL,
        phone TEXT,
        email TEXT,
        address TEXT,
        contact_note TEXT,
        evidence TEXT,
        reason TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT related_person_version_pkey PRIMARY KEY (person_id, version),
        CONSTRAINT related_person_version_name_not_blank_check CHECK (btrim(name) <> ''),
        CONSTRAINT related_person_version_relationship_check CHECK (relationship IN ('mother', 'father',
            'partner', 'child', 'sibling', 'grandparent', 'other_relative', 'friend', 'sponsor', 'guardian',
            'other')),
        CONSTRAINT related_person_version_involvements_check CHECK (involvements <@ ARRAY['family_therapy',
            'family_education', 'own_support', 'care_partner', 'emergency_contact', 'legal_representative']),
        CONSTRAINT related_person_version_representative_has_evidence_check CHECK (evidence IS NOT NULL OR
            NOT involvements @> ARRAY['legal_representative']),
        CONSTRAINT related_person_version_version_check CHECK (version >= 1),
        CONSTRAINT related_person_version_change_has_reason_check CHECK (version = 1 OR reason IS NOT NULL),
        CONSTRAINT related_person_version_person_id_fkey FOREIGN KEY(person_id) REFERENCES
            clinic.related_person (id),
        CONSTRAINT related_person_version_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.family_information (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        person_id UUID,
        source TEXT,
        text TEXT NOT NULL,
        confidential BOOLEAN NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT family_information_pkey PRIMARY KEY (id),
        CONSTRAINT family_information_person_fkey FOREIGN KEY(client_id, person_id) REFERENCES
            clinic.related_person (client_id, id),
        CONSTRAINT family_information_text_not_blank_check CHECK (btrim(text) <> ''),
        CONSTRAINT family_information_source_not_blank_check CHECK (btrim(source) <> ''),
        CONSTRAINT family_information_one_source_check CHECK (num_nonnulls(person_id, source) = 1),
        CONSTRAINT family_information_not_in_the_future_check CHECK (received_at <= recorded_at),
        CONSTRAINT family_information_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT family_information_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.consent (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        kind TEXT NOT NULL,
        form TEXT NOT NULL,
        form_digest BYTEA NOT NULL,
        discloser_id UUID NOT NULL,
        recipient_count SMALLINT NOT NULL,
        categories TEXT[] NOT NULL,
        purposes TEXT[] NOT NULL,
        last_day DATE,
        expires_at TIMESTAMP WITH TIME ZONE,
        expiry_event TEXT,
        never_expires BOOLEAN NOT NULL,
        signatory TEXT NOT NULL,
        signed_name TEXT NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        representative_id UUID,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT consent_pkey PRIMARY KEY (id),
        CONSTRAINT consent_representative_fkey FOREIGN KEY(client_id, representative_id) REFERENCES
            clinic.related_person (client_id, id),
        CONSTRAINT consent_whose_key UNIQUE (id, client_id, kind, recipient_count),
        CONSTRAINT consent_id_signed_at_key UNIQUE (id, signed_at),
        CONSTRAINT consent_id_signed_at_expiry_event_key UNIQUE (id, signed_at, expiry_event),
        CONSTRAINT consent_kind_check CHECK (kind IN ('named', 'treatment_payment_operations',
            'counselling_notes', 'legal_proceedings')),
        CONSTRAINT consent_signatory_check CHECK (signatory IN ('client', 'representative')),
        CONSTRAINT consent_form_not_blank_check CHECK (btrim(form) <> ''),
        CONSTRAINT consent_signed_name_not_blank_check CHECK (btrim(signed_name) <> ''),
        CONSTRAINT consent_expiry_event_not_blank_check CHECK (btrim(expiry_event) <> ''),
        CONSTRAINT consent_form_digest_check CHECK (octet_length(form_digest) = 32),
        CONSTRAINT consent_recipients_check CHECK (recipient_count >= 1),
        CONSTRAINT consent_categories_check CHECK (cardinality(categories) >= 1 AND categories <@
            ARRAY['appointments', 'attendance', 'counselling_notes', 'drug_screens', 'emergency', 'medication',
            'plan', 'presence', 'risk', 'session_records', 'take_home']),
        CONSTRAINT consent_purposes_check CHECK (cardinality(purposes) >= 1 AND purposes <@
            ARRAY['clients_request', 'family_involvement', 'emergency_contact', 'treatment', 'payment',
            'operations', 'legal_proceedings']),
        CONSTRAINT consent_counselling_notes_alone_check CHECK (CASE kind WHEN 'counselling_notes' THEN
            categories <@ ARRAY['counselling_notes'] ELSE NOT categories @> ARRAY['counselling_notes'] END),
        CONSTRAINT consent_legal_proceedings_alone_check CHECK (CASE kind WHEN 'legal_proceedings' THEN
            purposes <@ ARRAY['legal_proceedings'] WHEN 'treatment_payment_operations' THEN purposes <@
            ARRAY['treatment', 'payment', 'operations'] ELSE NOT purposes @> ARRAY['legal_proceedings'] END),
        CONSTRAINT consent_one_expiry_check CHECK (num_nonnulls(last_day, expiry_event) +
            never_expires::integer = 1),
        CONSTRAINT consent_last_day_has_instant_check CHECK ((last_day IS NULL) = (expires_at IS NULL)),
        CONSTRAINT consent_only_operations_never_expire_check CHECK (NOT never_expires OR kind =
            'treatment_payment_operations'),
        CONSTRAINT consent_expires_after_signature_check CHECK (expires_at > signed_at),
        CONSTRAINT consent_not_in_the_future_check CHECK (signed_at <= recorded_at),
        CONSTRAINT consent_representative_named_check CHECK ((signatory = 'representative') =
            (representative_id IS NOT NULL)),
        CONSTRAINT consent_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT consent_discloser_id_fkey FOREIGN KEY(discloser_id) REFERENCES clinic.programme (id),
        CONSTRAINT consent_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.consent_recipient (
        consent_id UUID NOT NULL,
        place SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        kind TEXT NOT NULL,
        recipient_count SMALLINT NOT NULL,
        person_id UUID,
        name TEXT,
        "group" TEXT,
        CONSTRAINT consent_recipient_pkey PRIMARY KEY (consent_id, place),
        CONSTRAINT consent_recipient_consent_fkey FOREIGN KEY(consent_id, client_id, kind, recipient_count)
            REFERENCES clinic.consent (id, client_id, kind, recipient_count),
        CONSTRAINT consent_recipient_person_fkey FOREIGN KEY(client_id, person_id) REFERENCES
            clinic.related_person (client_id, id),
        CONSTRAINT consent_recipient_group_check CHECK ("group" IN ('treating_providers', 'health_plans',
            'third_party_payers', 'programme_operators')),
        CONSTRAINT consent_recipient_name_not_blank_check CHECK (btrim(name) <> ''),
        CONSTRAINT consent_recipient_exactly_one_check CHECK (num_nonnulls(person_id, name, "group") = 1),
        CONSTRAINT consent_recipient_relatives_need_their_own_check CHECK (person_id IS NULL OR kind <>
            'treatment_payment_operations'),
        CONSTRAINT consent_recipient_place_check CHECK (place BETWEEN 1 AND recipient_count)
    )
    """,
    """
    CREATE TABLE clinic.consent_revocation (
        consent_id UUID NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        how TEXT NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        note TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT consent_revocation_pkey PRIMARY KEY (consent_id),
        CONSTRAINT consent_revocation_consent_fkey FOREIGN KEY(consent_id, signed_at) REFERENCES
            clinic.consent (id, signed_at),
        CONSTRAINT consent_revocation_how_check CHECK (how IN ('in_writing', 'spoken')),
        CONSTRAINT consent_revocation_received_check CHECK (received_at BETWEEN signed_at AND recorded_at),
        CONSTRAINT consent_revocation_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.consent_event (
        consent_id UUID NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        expiry_event TEXT NOT NULL,
        happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT consent_event_pkey PRIMARY KEY (consent_id),
        CONSTRAINT consent_event_consent_fkey FOREIGN KEY(consent_id, signed_at, expiry_event) REFERENCES
            clinic.consent (id, signed_at, expiry_event),
        CONSTRAINT consent_event_happened_check CHECK (happened_at BETWEEN signed_at AND recorded_at),
        CONSTRAINT consent_event_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX family_information_client_id_received_at_idx ON clinic.family_information (client_id, received_at)",
    "CREATE INDEX consent_client_id_signed_at_idx ON clinic.consent (client_id, signed_at)",
)

COMMENTS = {
    "related_person": "Somebody around a client. Being listed allows nobody to be told anything.",
    "related_person_version": "What is known about somebody around a client, as versions; no involvement means no longer involved.",
    "family_information": "What others told us about a client: its source, and whether it was given in confidence.",
    "consent": "What a client allowed to be told, with every element of 42 CFR 2.31(a).",
    "consent_recipient": "Who may be told. As many as were signed for: the places are numbered, so nobody can be added later.",
    "consent_revocation": "The client's word that a consent no longer holds, from the moment it was received.",
    "consent_event": "The event has come with which a consent ends; only a consent tied to an event can have one.",
}

RECIPIENTS_COMPLETE = (
    """
    create function clinic.require_recipients() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if (select count(*) from clinic.consent_recipient where consent_id = new.id) <> new.recipient_count then
        raise exception using errcode = 'check_violation', constraint = 'consent_recipients_complete',
          message = 'a consent was signed for more recipients than are kept';
      end if;
      return null;
    end $$
    """,
    """
    create constraint trigger consent_recipients_complete after insert on clinic.consent
    deferrable initially deferred for each row execute function clinic.require_recipients()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, *RECIPIENTS_COMPLETE):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
