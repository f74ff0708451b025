"""Take-home decisions and their suspensions, both signed, and the premises that a label names.

A suspension by a rule of the profile has no signature, and names the dose that told of the missed ones.
"""

from alembic import op

revision = "20261122_161"
down_revision = "20261122_174"

TABLES = (
    """
    CREATE TABLE clinic.take_home_decision (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        medicine TEXT NOT NULL,
        days SMALLINT NOT NULL,
        no_condition_that_endangers BOOLEAN NOT NULL,
        attends_regularly BOOLEAN NOT NULL,
        no_behaviour_that_endangers BOOLEAN NOT NULL,
        no_known_diversion BOOLEAN NOT NULL,
        stores_safely BOOLEAN NOT NULL,
        otherwise_safe BOOLEAN NOT NULL,
        no_condition_that_endangers_note TEXT NOT NULL,
        attends_regularly_note TEXT NOT NULL,
        no_behaviour_that_endangers_note TEXT NOT NULL,
        no_known_diversion_note TEXT NOT NULL,
        stores_safely_note TEXT NOT NULL,
        otherwise_safe_note TEXT NOT NULL,
        rationale TEXT NOT NULL,
        review_on DATE NOT NULL,
        decided_on DATE NOT NULL,
        decided_by UUID NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        day_of_treatment SMALLINT NOT NULL,
        first_dose_on DATE,
        ceiling_days SMALLINT,
        ceiling_rule TEXT,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT take_home_decision_pkey PRIMARY KEY (id),
        CONSTRAINT take_home_decision_signature_id_key UNIQUE (signature_id),
        CONSTRAINT take_home_decision_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT take_home_decision_medicine_key UNIQUE (id, client_id, medicine),
        CONSTRAINT take_home_decision_medicine_check CHECK (medicine IN ('methadone', 'buprenorphine',
            'buprenorphine_naloxone', 'naltrexone')),
        CONSTRAINT take_home_decision_days_within_the_ceiling_check CHECK (days BETWEEN 0 AND 92 AND days <=
            ceiling_days),
        CONSTRAINT take_home_decision_ceiling_has_a_rule_check CHECK (num_nonnulls(ceiling_days, ceiling_rule) <>
            1),
        CONSTRAINT take_home_decision_day_of_treatment_check CHECK (day_of_treatment = CASE WHEN first_dose_on IS
            NULL THEN 1 ELSE decided_on - first_dose_on + 1 END),
        CONSTRAINT take_home_decision_reviewed_later_check CHECK (review_on > decided_on),
        CONSTRAINT take_home_decision_not_met_is_explained_check CHECK ((no_condition_that_endangers OR
            btrim(no_condition_that_endangers_note) <> '') AND (attends_regularly OR btrim(attends_regularly_note)
            <> '') AND (no_behaviour_that_endangers OR btrim(no_behaviour_that_endangers_note) <> '') AND
            (no_known_diversion OR btrim(no_known_diversion_note) <> '') AND (stores_safely OR
            btrim(stores_safely_note) <> '') AND (otherwise_safe OR btrim(otherwise_safe_note) <> '')),
        CONSTRAINT take_home_decision_rationale_not_blank_check CHECK (btrim(rationale) <> ''),
        CONSTRAINT take_home_decision_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT take_home_decision_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT take_home_decision_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff (id),
        CONSTRAINT take_home_decision_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.take_home_suspension (
        id UUID NOT NULL,
        decision_id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        reason TEXT NOT NULL,
        review_on DATE NOT NULL,
        suspended_by UUID NOT NULL,
        suspended_at TIMESTAMP WITH TIME ZONE NOT NULL,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        by_rule TEXT,
        dose_id UUID,
        missed SMALLINT,
        signature_id UUID,
        CONSTRAINT take_home_suspension_pkey PRIMARY KEY (id),
        CONSTRAINT take_home_suspension_decision_id_key UNIQUE (decision_id),
        CONSTRAINT take_home_suspension_signature_id_key UNIQUE (signature_id),
        CONSTRAINT take_home_suspension_decision_fkey FOREIGN KEY(decision_id, client_id) REFERENCES
            clinic.take_home_decision (id, client_id),
        CONSTRAINT take_home_suspension_signed_or_by_a_rule_check CHECK (num_nonnulls(by_rule, dose_id, missed) =
            CASE WHEN signature_id IS NULL THEN 3 ELSE 0 END),
        CONSTRAINT take_home_suspension_missed_check CHECK (missed >= 1),
        CONSTRAINT take_home_suspension_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT take_home_suspension_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT take_home_suspension_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme
            (id),
        CONSTRAINT take_home_suspension_suspended_by_fkey FOREIGN KEY(suspended_by) REFERENCES clinic.staff (id),
        CONSTRAINT take_home_suspension_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.programme_premises (
        programme_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        address TEXT NOT NULL,
        telephone TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT programme_premises_pkey PRIMARY KEY (programme_id, version),
        CONSTRAINT programme_premises_version_check CHECK (version >= 1),
        CONSTRAINT programme_premises_address_not_blank_check CHECK (btrim(address) <> ''),
        CONSTRAINT programme_premises_telephone_not_blank_check CHECK (btrim(telephone) <> ''),
        CONSTRAINT programme_premises_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT programme_premises_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    """
    CREATE INDEX take_home_decision_client_id_medicine_decided_at_idx ON clinic.take_home_decision
    (client_id, medicine, decided_at)
    """,
    "CREATE INDEX take_home_decision_programme_id_idx ON clinic.take_home_decision (programme_id)",
)

COMMENTS = {
    "take_home_decision": "How many days a client may take home at once, on a prescriber's signed answers to the six criteria.",
    "take_home_suspension": "The end of a take-home decision before its time: signed by a prescriber, or by the profile's rule.",
    "programme_premises": "Where a programme is and how to call it, as its labels say; the newest version counts.",
}

SIGNED = (
    """
    -- squawk-ignore ban-drop-constraint
    ALTER TABLE clinic.signature DROP CONSTRAINT signature_subject_check
    """,
    """
    ALTER TABLE clinic.signature ADD CONSTRAINT signature_subject_check CHECK (subject IN ('order', 'order_stop',
        'decision', 'dose', 'dose_correction', 'dose_replacement', 'dose_spill', 'stock_waste', 'stock_count',
        'discharge', 'take_home_decision', 'take_home_suspension')) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.signature VALIDATE CONSTRAINT signature_subject_check
    """,
    """
    create trigger take_home_decision_signature_of_its_record before insert on clinic.take_home_decision
    for each row execute function clinic.check_signature('take_home_decision', 'id', 'decided_by', '')
    """,
    """
    create trigger take_home_suspension_signature_of_its_record before insert on clinic.take_home_suspension
    for each row execute function clinic.check_signature('take_home_suspension', 'id', 'suspended_by', '')
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, *SIGNED):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
