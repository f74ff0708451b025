"""What is recorded around single doses: how identity was checked, what was vomited or spilled, and what replaces it."""

from alembic import op

revision = "20261122_166"
down_revision = "20261122_165"

TABLES = (
    """
    CREATE TABLE clinic.dose_identity_check (
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        identified_by TEXT NOT NULL,
        CONSTRAINT dose_identity_check_pkey PRIMARY KEY (dose_id),
        CONSTRAINT dose_identity_check_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id,
            version),
        CONSTRAINT dose_identity_check_identified_by_check CHECK (identified_by IN ('photograph', 'id_document',
            'questions', 'known')),
        CONSTRAINT dose_identity_check_as_it_was_given_check CHECK (dose_version = 1)
    )
    """,
    """
    CREATE TABLE clinic.dose_vomited (
        id UUID NOT NULL,
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        dosing_day DATE NOT NULL,
        part TEXT NOT NULL,
        minutes_after SMALLINT NOT NULL,
        witnessed BOOLEAN NOT NULL,
        note TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT dose_vomited_pkey PRIMARY KEY (id),
        CONSTRAINT dose_vomited_dose_id_key UNIQUE (dose_id),
        CONSTRAINT dose_vomited_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id, version),
        CONSTRAINT dose_vomited_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT dose_vomited_minutes_after_check CHECK (minutes_after BETWEEN 0 AND 1440),
        CONSTRAINT dose_vomited_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT dose_vomited_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT dose_vomited_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_spill (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        order_id UUID NOT NULL,
        dosing_day DATE NOT NULL,
        part TEXT NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        amount_mg NUMERIC(7, 3) NOT NULL,
        happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT NOT NULL,
        dose_id UUID,
        dose_version SMALLINT,
        waste_id UUID,
        hold_id UUID,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT dose_spill_pkey PRIMARY KEY (id),
        CONSTRAINT dose_spill_id_recorded_by_key UNIQUE (id, recorded_by),
        CONSTRAINT dose_spill_waste_id_key UNIQUE (waste_id),
        CONSTRAINT dose_spill_hold_id_key UNIQUE (hold_id),
        CONSTRAINT dose_spill_order_fkey FOREIGN KEY(order_id, client_id) REFERENCES clinic.medication_order (id,
            client_id),
        CONSTRAINT dose_spill_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id, version),
        CONSTRAINT dose_spill_waste_fkey FOREIGN KEY(waste_id, recorded_by) REFERENCES clinic.stock_waste (id,
            handled_by),
        CONSTRAINT dose_spill_hold_fkey FOREIGN KEY(hold_id, client_id) REFERENCES clinic.hold (id, client_id),
        CONSTRAINT dose_spill_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT dose_spill_made_as_check CHECK ((medicine = 'methadone' AND form IN ('dispersible_tablet',
            'oral_concentrate', 'oral_solution', 'tablet')) OR (medicine = 'buprenorphine' AND form IN
            ('extended_release_injection', 'oral_lyophilisate', 'sublingual_tablet')) OR (medicine =
            'buprenorphine_naloxone' AND form IN ('sublingual_film', 'sublingual_tablet')) OR (medicine =
            'naltrexone' AND form IN ('extended_release_injection', 'tablet'))),
        CONSTRAINT dose_spill_amount_mg_check CHECK (amount_mg > 0),
        CONSTRAINT dose_spill_not_in_the_future_check CHECK (happened_at <= recorded_at),
        CONSTRAINT dose_spill_rest_of_a_dose_check CHECK (num_nonnulls(dose_id, dose_version) <> 1),
        CONSTRAINT dose_spill_whole_one_holds_check CHECK ((dose_id IS NULL) = (hold_id IS NOT NULL)),
        CONSTRAINT dose_spill_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT dose_spill_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT dose_spill_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT dose_spill_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_spill_witness (
        spill_id UUID NOT NULL,
        handled_by UUID NOT NULL,
        witness_id UUID NOT NULL,
        witnessed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT dose_spill_witness_pkey PRIMARY KEY (spill_id),
        CONSTRAINT dose_spill_witness_signature_id_key UNIQUE (signature_id),
        CONSTRAINT dose_spill_fkey FOREIGN KEY(spill_id, handled_by) REFERENCES clinic.dose_spill (id, recorded_by),
        CONSTRAINT dose_spill_witness_witness_is_another_check CHECK (witness_id <> handled_by),
        CONSTRAINT dose_spill_witness_witness_id_fkey FOREIGN KEY(witness_id) REFERENCES clinic.staff (id),
        CONSTRAINT dose_spill_witness_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_replacement (
        id UUID NOT NULL,
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        dosing_day DATE NOT NULL,
        part TEXT NOT NULL,
        verdict TEXT NOT NULL,
        at_most_mg NUMERIC(7, 3),
        reason TEXT NOT NULL,
        asked TEXT[] NOT NULL,
        decided_by UUID NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT dose_replacement_pkey PRIMARY KEY (id),
        CONSTRAINT dose_replacement_signature_id_key UNIQUE (signature_id),
        CONSTRAINT dose_replacement_id_client_id_dosing_day_part_key UNIQUE (id, client_id, dosing_day, part),
        CONSTRAINT dose_replacement_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id,
            version),
        CONSTRAINT dose_replacement_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT dose_replacement_verdict_check CHECK (verdict IN ('replace', 'leave')),
        CONSTRAINT dose_replacement_at_most_mg_check CHECK (at_most_mg > 0),
        CONSTRAINT dose_replacement_replaced_by_so_much_check CHECK ((verdict = 'replace') = (at_most_mg IS NOT
            NULL)),
        CONSTRAINT dose_replacement_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT dose_replacement_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT dose_replacement_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT dose_replacement_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff (id),
        CONSTRAINT dose_replacement_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX dose_vomited_client_id_idx ON clinic.dose_vomited (client_id)",
    "CREATE INDEX dose_vomited_programme_id_recorded_at_idx ON clinic.dose_vomited (programme_id, recorded_at)",
    "CREATE INDEX dose_spill_client_id_dosing_day_idx ON clinic.dose_spill (client_id, dosing_day)",
    "CREATE INDEX dose_spill_dose_id_idx ON clinic.dose_spill (dose_id)",
    "CREATE INDEX dose_spill_programme_id_recorded_at_idx ON clinic.dose_spill (programme_id, recorded_at)",
    "CREATE INDEX dose_replacement_dose_id_idx ON clinic.dose_replacement (dose_id)",
)

COMMENTS = {
    "dose_identity_check": "How whoever gave a dose made sure who it was; by whom and when stands in the dose.",
    "dose_vomited": "A dose came back. The dose itself stays as it was given.",
    "dose_spill": "Medicine meant for a client was spilled: the rest of a dose, or all of it, which holds the client.",
    "dose_spill_witness": "Somebody who did not handle it signed that it was spilled.",
    "dose_replacement": "A clinician's signed decision whether a vomited or spilled dose is replaced; the newest counts.",
}

DOSE = """
    ALTER TABLE clinic.dose ADD COLUMN replacement_id UUID
"""

CHECKED_AGAIN = {
    "signature": {
        "signature_subject_check": """
            subject IN ('order', 'order_stop', 'decision', 'dose', 'dose_correction', 'dose_replacement', 'dose_spill',
                'stock_waste', 'stock_count', 'discharge')
        """,
    },
    "dose": {
        "dose_kind_check": "kind IN ('ordinary', 'exception', 'replacement', 'brought_in')",
        "dose_refused_at_the_window_check": ("entry <> 'window' OR kind IN ('ordinary', 'replacement') OR version > 1"),
    },
}
"""Checks that let more through from now on."""

CONSTRAINTS = {
    "dose_replacement_was_decided_check": """
        CHECK (CASE kind WHEN 'replacement' THEN replacement_id IS NOT NULL AND freed_by IS NULL
            ELSE replacement_id IS NULL OR version > 1 END)
    """,
    "dose_replacement_fkey": """
        FOREIGN KEY(replacement_id, client_id, dosing_day, part)
            REFERENCES clinic.dose_replacement (id, client_id, dosing_day, part)
    """,
}

USED_ONCE = """
    -- squawk-ignore require-concurrent-index-creation
    CREATE UNIQUE INDEX dose_replacement_used_once_key ON clinic.dose (replacement_id)
    WHERE replacement_id IS NOT NULL AND version = 1
"""

AMENDED = """
    create or replace function clinic.check_amended_dose() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      before clinic.dose;
    begin
      select * into before from clinic.dose where id = new.id and version = new.version - 1;
      if (new.client_id, new.programme_id, new.order_id, new.dosing_day, new.part, new.given_by, new.recorded_at,
          new.recorded_by, new.entry, new.late_reason, new.decision_id, new.freed_by, new.replacement_id)
          is distinct from
         (before.client_id, before.programme_id, before.order_id, before.dosing_day, before.part, before.given_by,
          before.recorded_at, before.recorded_by, before.entry, before.late_reason, before.decision_id,
          before.freed_by, before.replacement_id) then
        raise exception 'an amendment keeps whose dose it is, its day, its part and who recorded it'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_amendment_keeps';
      end if;
      return new;
    end $$
"""

OF_ITS_DOSE = (
    """
    create function clinic.check_around_dose() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if new.dose_id is not null and not exists (
        select from clinic.dose
        where dose.id = new.dose_id and dose.version = new.dose_version
          and (dose.client_id, dose.dosing_day, dose.part) = (new.client_id, new.dosing_day, new.part)
          and dose.kind <> 'brought_in'
      ) then
        raise exception 'this names the client, day and part of its dose, which was given here'
          using errcode = 'integrity_constraint_violation', constraint = 'around_its_dose';
      end if;
      return new;
    end $$
    """,
    *(
        f"""
        create trigger {table}_of_its_dose before insert on clinic.{table}
        for each row execute function clinic.check_around_dose()
        """
        for table in ("dose_vomited", "dose_spill", "dose_replacement")
    ),
    *(
        f"""
        create trigger {table}_signature_of_its_record before insert on clinic.{table}
        for each row execute function clinic.check_signature({arguments})
        """
        for table, arguments in {
            "dose_replacement": "'dose_replacement', 'id', 'decided_by', ''",
            "dose_spill_witness": "'dose_spill', 'spill_id', 'witness_id', ''",
        }.items()
    ),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, DOSE):
        op.execute(statement)
    for table, checks in CHECKED_AGAIN.items():
        for name, condition in checks.items():
            op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE clinic.{table} DROP CONSTRAINT {name}")
            op.execute(f"ALTER TABLE clinic.{table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
            op.execute(
                f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.{table} VALIDATE CONSTRAINT {name}"
            )
    for name, condition in CONSTRAINTS.items():
        op.execute(f"ALTER TABLE clinic.dose ADD CONSTRAINT {name} {condition} NOT VALID")
        op.execute(f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.dose VALIDATE CONSTRAINT {name}")
    for statement in (USED_ONCE, AMENDED, *OF_ITS_DOSE):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
