"""Take-home units: what was handed out, dated and labelled one by one, and what became of each."""

from alembic import op

revision = "20261122_162"
down_revision = "20261122_161"

TABLES = (
    """
    CREATE TABLE clinic.take_home_dispense (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        educated BOOLEAN NOT NULL,
        education_note TEXT NOT NULL,
        collected_by TEXT,
        dispensed_by UUID NOT NULL,
        dispensed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        dispensed_on DATE NOT NULL,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        CONSTRAINT take_home_dispense_pkey PRIMARY KEY (id),
        CONSTRAINT take_home_dispense_unit_key UNIQUE (id, client_id, programme_id, dispensed_on),
        CONSTRAINT take_home_dispense_education_is_explained_check CHECK (educated OR btrim(education_note) <> ''),
        CONSTRAINT take_home_dispense_collected_by_not_blank_check CHECK (btrim(collected_by) <> ''),
        CONSTRAINT take_home_dispense_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT take_home_dispense_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT take_home_dispense_dispensed_by_fkey FOREIGN KEY(dispensed_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.take_home_unit (
        id UUID NOT NULL,
        dispense_id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        dispensed_on DATE NOT NULL,
        order_id UUID NOT NULL,
        decision_id UUID,
        for_on DATE NOT NULL,
        part TEXT NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        strength_mg NUMERIC(7, 3) NOT NULL,
        amount_mg NUMERIC(7, 3) NOT NULL,
        amount_ml NUMERIC(7, 2),
        label TEXT NOT NULL,
        is_closure BOOLEAN NOT NULL,
        replaces_id UUID,
        CONSTRAINT take_home_unit_pkey PRIMARY KEY (id),
        CONSTRAINT take_home_unit_label_key UNIQUE (label),
        CONSTRAINT take_home_unit_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT take_home_unit_day_key UNIQUE (id, client_id, for_on, part),
        CONSTRAINT take_home_unit_made_as_key UNIQUE (id, programme_id, medicine, form),
        CONSTRAINT take_home_unit_dispense_fkey FOREIGN KEY(dispense_id, client_id, programme_id, dispensed_on)
            REFERENCES clinic.take_home_dispense (id, client_id, programme_id, dispensed_on),
        CONSTRAINT take_home_unit_order_fkey FOREIGN KEY(order_id, client_id) REFERENCES clinic.medication_order
            (id, client_id),
        CONSTRAINT take_home_unit_decision_fkey FOREIGN KEY(decision_id, client_id, medicine) REFERENCES
            clinic.take_home_decision (id, client_id, medicine),
        CONSTRAINT take_home_unit_replaces_fkey FOREIGN KEY(replaces_id, client_id, for_on, part) REFERENCES
            clinic.take_home_unit (id, client_id, for_on, part),
        CONSTRAINT take_home_unit_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT take_home_unit_made_as_check CHECK ((medicine = 'methadone' AND form IN ('dispersible_tablet',
            'oral_concentrate', 'oral_solution', 'tablet')) OR (medicine = 'buprenorphine' AND form IN
            ('extended_release_injection', 'oral_lyophilisate', 'sublingual_tablet')) OR (medicine =
            'buprenorphine_naloxone' AND form IN ('sublingual_film', 'sublingual_tablet')) OR (medicine =
            'naltrexone' AND form IN ('extended_release_injection', 'tablet'))),
        CONSTRAINT take_home_unit_no_injection_check CHECK (form NOT IN ('extended_release_injection')),
        CONSTRAINT take_home_unit_amounts_check CHECK (amount_mg > 0 AND strength_mg > 0),
        CONSTRAINT take_home_unit_mg_are_ml_times_strength_check CHECK (amount_ml IS NULL OR (amount_ml > 0 AND form
            IN ('oral_concentrate', 'oral_solution') AND abs(amount_mg - amount_ml * strength_mg) <= 0.005 *
            strength_mg)),
        CONSTRAINT take_home_unit_decided_check CHECK (is_closure OR decision_id IS NOT NULL),
        CONSTRAINT take_home_unit_for_a_day_to_come_check CHECK (for_on >= dispensed_on),
        CONSTRAINT take_home_unit_label_not_blank_check CHECK (btrim(label) <> ''),
        CONSTRAINT take_home_unit_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT take_home_unit_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id)
    )
    """,
    """
    CREATE TABLE clinic.take_home_return (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        informant TEXT,
        note TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT take_home_return_pkey PRIMARY KEY (id),
        CONSTRAINT take_home_return_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT take_home_return_informant_not_blank_check CHECK (btrim(informant) <> ''),
        CONSTRAINT take_home_return_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT take_home_return_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT take_home_return_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.take_home_outcome (
        unit_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        previous_version SMALLINT GENERATED ALWAYS AS (nullif(version - 1, 0)) STORED,
        client_id UUID NOT NULL,
        return_id UUID NOT NULL,
        state TEXT NOT NULL,
        taken BOOLEAN NOT NULL,
        reason TEXT,
        CONSTRAINT take_home_outcome_pkey PRIMARY KEY (unit_id, version),
        CONSTRAINT take_home_outcome_unit_fkey FOREIGN KEY(unit_id, client_id) REFERENCES clinic.take_home_unit (id,
            client_id),
        CONSTRAINT take_home_outcome_return_fkey FOREIGN KEY(return_id, client_id) REFERENCES
            clinic.take_home_return (id, client_id),
        CONSTRAINT take_home_outcome_previous_fkey FOREIGN KEY(unit_id, previous_version) REFERENCES
            clinic.take_home_outcome (unit_id, version),
        CONSTRAINT take_home_outcome_state_check CHECK (state IN ('full', 'empty', 'missing')),
        CONSTRAINT take_home_outcome_later_has_a_reason_check CHECK (version >= 1 AND (version = 1) = (reason IS
            NULL)),
        CONSTRAINT take_home_outcome_full_was_not_taken_check CHECK (state <> 'full' OR NOT taken),
        CONSTRAINT take_home_outcome_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT take_home_outcome_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX take_home_dispense_client_id_idx ON clinic.take_home_dispense (client_id)",
    "CREATE INDEX take_home_unit_decision_id_idx ON clinic.take_home_unit (decision_id)",
    "CREATE INDEX take_home_unit_dispense_id_idx ON clinic.take_home_unit (dispense_id)",
    """
    CREATE UNIQUE INDEX take_home_unit_one_per_part_key ON clinic.take_home_unit (client_id, for_on, part,
    replaces_id) NULLS NOT DISTINCT
    """,
    """
    CREATE INDEX take_home_unit_programme_id_dispensed_on_idx ON clinic.take_home_unit (programme_id,
    dispensed_on)
    """,
    "CREATE INDEX take_home_return_client_id_idx ON clinic.take_home_return (client_id)",
    "CREATE INDEX take_home_outcome_return_id_idx ON clinic.take_home_outcome (return_id)",
)

COMMENTS = {
    "take_home_dispense": "What was handed to whom at one time, to be taken at home.",
    "take_home_unit": "One labelled unit for one part of one dosing day. A trigger lets it replace only one that came back full.",
    "take_home_return": "What somebody said of a client's units at one time.",
    "take_home_outcome": "What became of a unit; the newest version counts. A trigger lets nothing follow on one that came back full.",
}

FULL_STAYS = (
    """
    create function clinic.check_take_home_outcome() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (select from clinic.take_home_outcome where unit_id = new.unit_id and state = 'full') then
        raise exception 'this unit came back full' using errcode = 'integrity_constraint_violation',
          constraint = 'take_home_full_stays';
      end if;
      return new;
    end $$
    """,
    """
    create trigger take_home_full_stays before insert on clinic.take_home_outcome
    for each row when (new.version > 1) execute function clinic.check_take_home_outcome()
    """,
    """
    create function clinic.check_take_home_replaced() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if not exists (select from clinic.take_home_outcome where unit_id = new.replaces_id and state = 'full') then
        raise exception 'only a unit that came back full leaves its day free'
          using errcode = 'integrity_constraint_violation', constraint = 'take_home_replaces_what_came_back';
      end if;
      return new;
    end $$
    """,
    """
    create trigger take_home_replaces_what_came_back before insert on clinic.take_home_unit
    for each row when (new.replaces_id is not null) execute function clinic.check_take_home_replaced()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, *FULL_STAYS):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
