"""What is asked in check-ins and what was answered, and on whose behalf a contact was recorded."""

from alembic import op

revision = "20261122_221"
down_revision = "20261122_220"

TABLES = (
    """
    CREATE TABLE clinic.check_in_template (
        programme_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        asks TEXT[] NOT NULL,
        reason TEXT NOT NULL,
        decided_by UUID NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT check_in_template_pkey PRIMARY KEY (programme_id, version),
        CONSTRAINT check_in_template_version_check CHECK (version >= 1),
        CONSTRAINT check_in_template_asks_check CHECK (cardinality(asks) >= 1 AND asks <@ ARRAY['craving',
            'use_days_28', 'use_days_30', 'mood', 'housing', 'work', 'medication', 'naloxone_held',
            'mutual_aid_days_28', 'triggers', 'new_events', 'next_contact', 'suicide', 'overdose_since',
            'safeguarding']),
        CONSTRAINT check_in_template_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT check_in_template_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT check_in_template_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.check_in_answers (
        check_in_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        programme_id UUID NOT NULL,
        template_version SMALLINT,
        asked TEXT[] NOT NULL,
        craving SMALLINT,
        use_days_28 SMALLINT,
        use_days_30 SMALLINT,
        mood SMALLINT,
        housing TEXT,
        work TEXT,
        medication TEXT,
        naloxone_held BOOLEAN,
        mutual_aid_days_28 SMALLINT,
        triggers TEXT,
        new_events TEXT,
        next_contact TEXT,
        suicide TEXT,
        overdose_since BOOLEAN,
        safeguarding BOOLEAN,
        CONSTRAINT check_in_answers_pkey PRIMARY KEY (check_in_id, version),
        CONSTRAINT check_in_answers_outcome_fkey FOREIGN KEY(check_in_id, version) REFERENCES
            clinic.check_in_outcome (check_in_id, version),
        CONSTRAINT check_in_answers_template_fkey FOREIGN KEY(programme_id, template_version) REFERENCES
            clinic.check_in_template (programme_id, version),
        CONSTRAINT check_in_answers_asked_check CHECK (cardinality(asked) >= 1 AND asked <@ ARRAY['craving',
            'use_days_28', 'use_days_30', 'mood', 'housing', 'work', 'medication', 'naloxone_held',
            'mutual_aid_days_28', 'triggers', 'new_events', 'next_contact', 'suicide', 'overdose_since',
            'safeguarding']),
        CONSTRAINT check_in_answers_craving_check CHECK (craving BETWEEN 0 AND 10),
        CONSTRAINT check_in_answers_use_days_28_check CHECK (use_days_28 BETWEEN 0 AND 28),
        CONSTRAINT check_in_answers_use_days_30_check CHECK (use_days_30 BETWEEN 0 AND 30),
        CONSTRAINT check_in_answers_mood_check CHECK (mood BETWEEN 0 AND 10),
        CONSTRAINT check_in_answers_mutual_aid_days_28_check CHECK (mutual_aid_days_28 BETWEEN 0 AND 28),
        CONSTRAINT check_in_answers_housing_check CHECK (housing IN ('stable', 'at_risk', 'temporary', 'none')),
        CONSTRAINT check_in_answers_work_check CHECK (work IN ('work', 'education', 'looking', 'not_able',
            'other')),
        CONSTRAINT check_in_answers_medication_check CHECK (medication IN ('as_ordered', 'partly', 'not',
            'none_ordered')),
        CONSTRAINT check_in_answers_suicide_check CHECK (suicide IN ('no', 'thoughts', 'intent')),
        CONSTRAINT check_in_answers_triggers_not_blank_check CHECK (btrim(triggers) <> ''),
        CONSTRAINT check_in_answers_new_events_not_blank_check CHECK (btrim(new_events) <> ''),
        CONSTRAINT check_in_answers_next_contact_not_blank_check CHECK (btrim(next_contact) <> ''),
        CONSTRAINT check_in_answers_only_what_was_asked_is_answered_check CHECK (asked @> array_remove(ARRAY[CASE
            WHEN craving IS NOT NULL THEN 'craving' END, CASE WHEN use_days_28 IS NOT NULL THEN 'use_days_28' END, CASE
            WHEN use_days_30 IS NOT NULL THEN 'use_days_30' END, CASE WHEN mood IS NOT NULL THEN 'mood' END, CASE WHEN
            housing IS NOT NULL THEN 'housing' END, CASE WHEN work IS NOT NULL THEN 'work' END, CASE WHEN medication IS
            NOT NULL THEN 'medication' END, CASE WHEN naloxone_held IS NOT NULL THEN 'naloxone_held' END, CASE WHEN
            mutual_aid_days_28 IS NOT NULL THEN 'mutual_aid_days_28' END, CASE WHEN triggers IS NOT NULL THEN 'triggers'
            END, CASE WHEN new_events IS NOT NULL THEN 'new_events' END, CASE WHEN next_contact IS NOT NULL THEN
            'next_contact' END, CASE WHEN suicide IS NOT NULL THEN 'suicide' END, CASE WHEN overdose_since IS NOT NULL
            THEN 'overdose_since' END, CASE WHEN safeguarding IS NOT NULL THEN 'safeguarding' END], NULL)),
        CONSTRAINT check_in_answers_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id)
    )
    """,
)

ON_BEHALF_OF = (
    "ALTER TABLE clinic.check_in_outcome ADD COLUMN on_behalf_of UUID",
    """
    ALTER TABLE clinic.check_in_outcome ADD CONSTRAINT check_in_outcome_on_behalf_of_fkey
        FOREIGN KEY(on_behalf_of) REFERENCES clinic.staff (id) NOT VALID
    """,
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.check_in_outcome VALIDATE CONSTRAINT check_in_outcome_on_behalf_of_fkey",
    """
    ALTER TABLE clinic.check_in_outcome ADD CONSTRAINT check_in_outcome_on_behalf_of_a_contact_check
        CHECK (on_behalf_of IS NULL OR ended = 'completed') NOT VALID
    """,
    "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.check_in_outcome VALIDATE CONSTRAINT check_in_outcome_on_behalf_of_a_contact_check",
)

COMMENTS = {
    "check_in_template": "What a programme asks in its check-ins, as versions.",
    "check_in_answers": "What was asked in a check-in and what was answered; asked without an answer is not zero.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *ON_BEHALF_OF):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
