"""How people around clients take part, as rows with their days; the language they speak and how they want to be reached."""

from alembic import op

revision = "20261123_350"
down_revision = "20261123_370"

TABLE = """
    CREATE TABLE clinic.related_person_involvement (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        person_id UUID NOT NULL,
        kind TEXT NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        last_day DATE,
        until_at TIMESTAMP WITH TIME ZONE,
        evidence TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_by UUID,
        ended_because TEXT,
        period TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, LEAST(until_at, ended_at))) STORED NOT NULL,
        CONSTRAINT related_person_involvement_pkey PRIMARY KEY (id),
        CONSTRAINT related_person_involvement_kind_check CHECK (kind IN ('family_therapy', 'family_education',
            'own_support', 'care_partner', 'emergency_contact', 'legal_representative', 'household_naloxone')),
        CONSTRAINT related_person_involvement_evidence_not_blank_check CHECK (btrim(evidence) <> ''),
        CONSTRAINT related_person_involvement_ended_because_not_blank_check CHECK (btrim(ended_because) <> ''),
        CONSTRAINT related_person_involvement_representative_has_evidence_check
            CHECK ((kind = 'legal_representative') = (evidence IS NOT NULL)),
        CONSTRAINT related_person_involvement_last_day_has_instant_check
            CHECK ((last_day IS NULL) = (until_at IS NULL)),
        CONSTRAINT related_person_involvement_until_after_start_check CHECK (until_at > starts_at),
        CONSTRAINT related_person_involvement_ended_after_start_check CHECK (ended_at >= starts_at),
        CONSTRAINT related_person_involvement_whole_end_check
            CHECK (num_nonnulls(ended_at, ended_by, ended_because) IN (0, 3)),
        CONSTRAINT related_person_involvement_once
            EXCLUDE USING gist (person_id WITH =, kind WITH =, period WITH &&),
        CONSTRAINT related_person_involvement_person_fkey
            FOREIGN KEY(client_id, person_id) REFERENCES clinic.related_person (client_id, id),
        CONSTRAINT related_person_involvement_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT related_person_involvement_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id)
    )
"""
OF_TABLE = "How somebody around a client takes part, from when to when; only an early end is ever written later."

MOVED = """
    WITH said AS (
        SELECT person.client_id, version.person_id, version.version, version.recorded_at, version.recorded_by,
               version.evidence, version.reason, kind, version.involvements @> ARRAY[kind] AS takes_part,
               lag(version.involvements @> ARRAY[kind]) OVER of_one AS did
        FROM clinic.related_person_version AS version
        JOIN clinic.related_person AS person ON person.id = version.person_id
        CROSS JOIN unnest(ARRAY['family_therapy', 'family_education', 'own_support', 'care_partner',
                                'emergency_contact', 'legal_representative']) AS kind
        WINDOW of_one AS (PARTITION BY version.person_id, kind ORDER BY version.version)
    ), turns AS (
        SELECT said.*, lead(recorded_at) OVER next_one AS over_at, lead(recorded_by) OVER next_one AS over_by,
               lead(reason) OVER next_one AS over_because
        FROM said
        WHERE takes_part IS DISTINCT FROM coalesce(did, false)
        WINDOW next_one AS (PARTITION BY person_id, kind ORDER BY version)
    )
    INSERT INTO clinic.related_person_involvement (
        id, client_id, person_id, kind, starts_at, evidence, recorded_by, recorded_at, ended_at, ended_by, ended_because
    )
    SELECT gen_random_uuid(), client_id, person_id, kind,
           CASE kind WHEN 'legal_representative' THEN least(recorded_at, (
               SELECT min(consent.signed_at) FROM clinic.consent AS consent
               WHERE consent.representative_id = turns.person_id AND did IS NULL
           )) ELSE recorded_at END,
           CASE kind WHEN 'legal_representative' THEN evidence END,
           recorded_by, recorded_at, over_at, over_by, over_because
    FROM turns WHERE takes_part
"""
"""Each stretch of versions that named a way of taking part becomes a row. What a representative signed before they were
recorded was signed while they could: the first row of an authority begins no later than that."""

VERSIONS = (
    "ALTER TABLE clinic.related_person_version ADD COLUMN language TEXT",
    "ALTER TABLE clinic.related_person_version ADD COLUMN contact_by TEXT[] NOT NULL DEFAULT ARRAY[]::text[]",
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.related_person_version ADD CONSTRAINT related_person_version_language_not_blank_check "
        "CHECK (btrim(language) <> '')"
    ),
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.related_person_version ADD CONSTRAINT related_person_version_contact_by_check "
        "CHECK (contact_by <@ ARRAY['telephone', 'text', 'email', 'post', 'in_person'])"
    ),
    (
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE clinic.related_person_version DROP CONSTRAINT related_person_version_representative_has_evidence_check"
    ),
    "-- squawk-ignore ban-drop-column\nALTER TABLE clinic.related_person_version DROP COLUMN involvements",
    "-- squawk-ignore ban-drop-column\nALTER TABLE clinic.related_person_version DROP COLUMN evidence",
    "comment on table clinic.related_person_version is $$What is known about somebody around a client, as versions.$$",
    "ALTER TABLE clinic.consent_revocation ADD COLUMN representative_id UUID",
    """
    -- squawk-ignore adding-foreign-key-constraint,constraint-missing-not-valid
    ALTER TABLE clinic.consent_revocation ADD CONSTRAINT consent_revocation_representative_id_fkey
        FOREIGN KEY(representative_id) REFERENCES clinic.related_person (id)
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(TABLE)
    op.execute("CREATE INDEX related_person_involvement_client_id_idx ON clinic.related_person_involvement (client_id)")
    op.execute(f"comment on table clinic.related_person_involvement is $${OF_TABLE}$$")
    op.execute("grant update (ended_at, ended_by, ended_because) on clinic.related_person_involvement to caseload_app")
    op.execute(MOVED)
    for statement in VERSIONS:
        op.execute(statement)
