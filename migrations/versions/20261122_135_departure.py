"""Discharges wait for a prescriber while an order is in force; a death stops every order and lets nobody write another."""

from alembic import op

revision = "20261122_135"
down_revision = "20261122_134"

COMMENTS = {
    "discharge_asked": "A discharge that waits for a prescriber, because an order was in force as it was asked.",
    "discharge_answer": "How the waiting of a discharge ended: decided and signed by a prescriber, or taken back.",
    "client_death": "That a client has died, as somebody was told."
    " A trigger lets nobody write an order while one stands.",
    "client_death_correction": "The report of a death was wrong, as a second person says.",
    "takehome_recovery": "Somebody has to ask for the medicine that a client who died had at home.",
    "takehome_recovery_closed": "What came of it: what was handed back, or why nothing was.",
    "medication_order_stop": "An order stopped at once, or a draft withdrawn: by a prescriber's signature,"
    " or with the client's death.",
}

TABLES = (
    """
    CREATE TABLE clinic.discharge_asked (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        episode_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        effective_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT NOT NULL,
        note TEXT,
        orders UUID[] NOT NULL,
        after_id UUID,
        asked_by UUID NOT NULL,
        asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT discharge_asked_pkey PRIMARY KEY (id),
        CONSTRAINT discharge_asked_episode_id_after_id_key UNIQUE NULLS NOT DISTINCT (episode_id, after_id),
        CONSTRAINT discharge_asked_reason_check CHECK (reason IN ('completed', 'dropped_out', 'terminated',
            'transferred', 'incarcerated', 'died', 'other')),
        CONSTRAINT discharge_asked_not_a_death_check CHECK (reason <> 'died'),
        CONSTRAINT discharge_asked_not_in_the_future_check CHECK (effective_at <= asked_at),
        CONSTRAINT discharge_asked_orders_check CHECK (cardinality(orders) > 0),
        CONSTRAINT discharge_asked_after_another_check CHECK (after_id <> id),
        CONSTRAINT discharge_asked_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT discharge_asked_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT discharge_asked_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT discharge_asked_asked_by_fkey FOREIGN KEY(asked_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.discharge_answer (
        asked_id UUID NOT NULL,
        fate TEXT,
        until_on DATE,
        transferred_to TEXT,
        facts JSONB,
        reason TEXT NOT NULL,
        answered_by UUID NOT NULL,
        answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
        signature_id UUID,
        CONSTRAINT discharge_answer_pkey PRIMARY KEY (asked_id),
        CONSTRAINT discharge_answer_signature_id_key UNIQUE (signature_id),
        CONSTRAINT discharge_answer_fate_check CHECK (fate IN ('continue', 'taper', 'transfer', 'stop')),
        CONSTRAINT discharge_answer_decided_is_signed_check
            CHECK (num_nonnulls(fate, facts, signature_id) = CASE WHEN fate IS NULL THEN 0 ELSE 3 END),
        CONSTRAINT discharge_answer_until_check CHECK ((until_on IS NULL) = (fate IS NULL OR fate = 'stop')),
        CONSTRAINT discharge_answer_transfer_check
            CHECK ((transferred_to IS NOT NULL) = (fate IS NOT NULL AND fate = 'transfer')),
        CONSTRAINT discharge_answer_facts_check CHECK (jsonb_typeof(facts) = 'object'),
        CONSTRAINT discharge_answer_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT discharge_answer_transferred_to_not_blank_check CHECK (btrim(transferred_to) <> ''),
        CONSTRAINT discharge_answer_asked_id_fkey FOREIGN KEY(asked_id) REFERENCES clinic.discharge_asked (id),
        CONSTRAINT discharge_answer_answered_by_fkey FOREIGN KEY(answered_by) REFERENCES clinic.staff (id),
        CONSTRAINT discharge_answer_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    -- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
    ALTER TABLE clinic.discharge_asked ADD CONSTRAINT discharge_asked_after_id_fkey FOREIGN KEY(after_id)
        REFERENCES clinic.discharge_answer (asked_id)
    """,
    "CREATE INDEX discharge_asked_programme_id_idx ON clinic.discharge_asked (programme_id)",
    """
    CREATE TABLE clinic.client_death (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        known_at TIMESTAMP WITH TIME ZONE NOT NULL,
        source TEXT NOT NULL,
        died_on DATE,
        note TEXT NOT NULL,
        after_id UUID,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_death_pkey PRIMARY KEY (id),
        CONSTRAINT client_death_client_id_after_id_key UNIQUE NULLS NOT DISTINCT (client_id, after_id),
        CONSTRAINT client_death_id_recorded_by_key UNIQUE (id, recorded_by),
        CONSTRAINT client_death_not_in_the_future_check CHECK (known_at <= recorded_at),
        CONSTRAINT client_death_died_before_it_was_known_check
            CHECK (died_on <= CAST(known_at AT TIME ZONE 'UTC' AS date) + 1),
        CONSTRAINT client_death_after_another_check CHECK (after_id <> id),
        CONSTRAINT client_death_source_not_blank_check CHECK (btrim(source) <> ''),
        CONSTRAINT client_death_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT client_death_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT client_death_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.client_death_correction (
        death_id UUID NOT NULL,
        recorded_by UUID NOT NULL,
        reason TEXT NOT NULL,
        corrected_by UUID NOT NULL,
        corrected_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_death_correction_pkey PRIMARY KEY (death_id),
        CONSTRAINT client_death_correction_death_fkey FOREIGN KEY(death_id, recorded_by) REFERENCES
            clinic.client_death (id, recorded_by),
        CONSTRAINT client_death_correction_by_another_check CHECK (corrected_by <> recorded_by),
        CONSTRAINT client_death_correction_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT client_death_correction_corrected_by_fkey FOREIGN KEY(corrected_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    -- squawk-ignore constraint-missing-not-valid, adding-foreign-key-constraint
    ALTER TABLE clinic.client_death ADD CONSTRAINT client_death_after_id_fkey FOREIGN KEY(after_id)
        REFERENCES clinic.client_death_correction (death_id)
    """,
    """
    CREATE TABLE clinic.takehome_recovery (
        death_id UUID NOT NULL,
        opened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT takehome_recovery_pkey PRIMARY KEY (death_id),
        CONSTRAINT takehome_recovery_death_id_fkey FOREIGN KEY(death_id) REFERENCES clinic.client_death (id)
    )
    """,
    """
    CREATE TABLE clinic.takehome_recovery_closed (
        death_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        closed_by UUID NOT NULL,
        closed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT takehome_recovery_closed_pkey PRIMARY KEY (death_id),
        CONSTRAINT takehome_recovery_closed_outcome_not_blank_check CHECK (btrim(outcome) <> ''),
        CONSTRAINT takehome_recovery_closed_death_id_fkey FOREIGN KEY(death_id) REFERENCES
            clinic.takehome_recovery (death_id),
        CONSTRAINT takehome_recovery_closed_closed_by_fkey FOREIGN KEY(closed_by) REFERENCES clinic.staff (id)
    )
    """,
)

STOPPED_WITH_A_DEATH = (
    "ALTER TABLE clinic.medication_order_stop ADD COLUMN death_id UUID",
    """
    ALTER TABLE clinic.medication_order_stop ADD CONSTRAINT medication_order_stop_death_id_fkey
        FOREIGN KEY(death_id) REFERENCES clinic.client_death (id) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.medication_order_stop VALIDATE CONSTRAINT medication_order_stop_death_id_fkey
    """,
    """
    -- squawk-ignore ban-drop-not-null
    ALTER TABLE clinic.medication_order_stop ALTER COLUMN signature_id DROP NOT NULL
    """,
    """
    ALTER TABLE clinic.medication_order_stop ADD CONSTRAINT medication_order_stop_signed_or_with_a_death_check
        CHECK (num_nonnulls(signature_id, death_id) = 1) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.medication_order_stop VALIDATE CONSTRAINT medication_order_stop_signed_or_with_a_death_check
    """,
)

SIGNED = (
    """
    -- squawk-ignore ban-drop-constraint
    ALTER TABLE clinic.signature DROP CONSTRAINT signature_subject_check
    """,
    """
    ALTER TABLE clinic.signature ADD CONSTRAINT signature_subject_check CHECK (subject IN ('order', 'order_stop',
        'decision', 'dose', 'dose_correction', 'stock_waste', 'stock_count', 'discharge')) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.signature VALIDATE CONSTRAINT signature_subject_check
    """,
    """
    create trigger discharge_answer_signature_of_its_record before insert on clinic.discharge_answer
    for each row execute function clinic.check_signature('discharge', 'asked_id', 'answered_by', '')
    """,
)

FOR_THE_LIVING = (
    """
    create function clinic.check_order_for_the_living() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (
        select from clinic.client_death death
        where death.client_id = new.client_id
          and not exists (select from clinic.client_death_correction where death_id = death.id)
      ) then
        raise exception 'nobody writes an order for a client who has died'
          using errcode = 'integrity_constraint_violation', constraint = 'order_for_the_living';
      end if;
      return new;
    end $$
    """,
    """
    create trigger order_for_the_living before insert on clinic.medication_order
    for each row execute function clinic.check_order_for_the_living()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *STOPPED_WITH_A_DEATH, *SIGNED, *FOR_THE_LIVING):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
