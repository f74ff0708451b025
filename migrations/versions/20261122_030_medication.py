"""Medication: signatures, orders, holds, decisions, doses with their corrections, and the second look at them.

The service may read and add (the defaults of the first revision). It may also lock a client's medication record,
for which PostgreSQL wants the right to update something of it, and move and remove rows of the queue.
Triggers hold what no key can: who may not be the second pair of eyes, whose signature stands under which record, and
what an amendment may not change.
"""

from alembic import op

revision = "20261122_030"
down_revision = "20261122_050"

TABLES = (
    """
    CREATE TABLE clinic.signature (
        id UUID NOT NULL,
        subject TEXT NOT NULL,
        subject_id UUID NOT NULL,
        subject_version SMALLINT NOT NULL,
        signer_id UUID NOT NULL,
        printed_name TEXT NOT NULL,
        role TEXT NOT NULL,
        registration TEXT NOT NULL,
        meaning TEXT NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        methods TEXT[] NOT NULL,
        format_version SMALLINT NOT NULL,
        signed_bytes BYTEA NOT NULL,
        digest BYTEA NOT NULL,
        CONSTRAINT signature_pkey PRIMARY KEY (id),
        CONSTRAINT signature_subject_check CHECK (subject IN ('order', 'order_stop', 'decision', 'dose',
            'dose_correction')),
        CONSTRAINT signature_role_check CHECK (role IN ('medical_director', 'nurse', 'pharmacist',
            'prescriber')),
        CONSTRAINT signature_meaning_check CHECK (meaning IN ('authored', 'reviewed', 'witnessed', 'approved')),
        CONSTRAINT signature_printed_name_not_blank_check CHECK (btrim(printed_name) <> ''),
        CONSTRAINT signature_registration_not_blank_check CHECK (btrim(registration) <> ''),
        CONSTRAINT signature_subject_version_check CHECK (subject_version >= 1),
        CONSTRAINT signature_format_version_check CHECK (format_version >= 1),
        CONSTRAINT signature_methods_check CHECK (cardinality(methods) >= 1),
        CONSTRAINT signature_digest_check CHECK (digest = sha256(signed_bytes)),
        CONSTRAINT signature_signer_id_fkey FOREIGN KEY(signer_id) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.medication_record (
        client_id UUID NOT NULL,
        history_until DATE,
        CONSTRAINT medication_record_pkey PRIMARY KEY (client_id),
        CONSTRAINT medication_record_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.medication_order (
        id UUID NOT NULL,
        chain_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        replaces_id UUID,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        strength_mg NUMERIC(7, 3) NOT NULL,
        whole_mg NUMERIC(7, 3),
        morning_mg NUMERIC(7, 3),
        evening_mg NUMERIC(7, 3),
        every_days SMALLINT NOT NULL,
        starts_on DATE NOT NULL,
        ends_on DATE,
        supervised BOOLEAN NOT NULL,
        note TEXT NOT NULL,
        written_by UUID NOT NULL,
        written_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT medication_order_pkey PRIMARY KEY (id),
        CONSTRAINT medication_order_chain_id_version_key UNIQUE (chain_id, version),
        CONSTRAINT medication_order_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT medication_order_replaces_fkey FOREIGN KEY(replaces_id, client_id) REFERENCES
            clinic.medication_order (id, client_id),
        CONSTRAINT medication_order_made_as_check CHECK ((medicine = 'methadone' AND form IN
            ('dispersible_tablet', 'oral_concentrate', 'oral_solution', 'tablet')) OR (medicine =
            'buprenorphine' AND form IN ('extended_release_injection', 'oral_lyophilisate',
            'sublingual_tablet')) OR (medicine = 'buprenorphine_naloxone' AND form IN ('sublingual_film',
            'sublingual_tablet')) OR (medicine = 'naltrexone' AND form IN ('extended_release_injection',
            'tablet'))),
        CONSTRAINT medication_order_strength_mg_check CHECK (strength_mg > 0),
        CONSTRAINT medication_order_whole_or_parts_check CHECK ((whole_mg IS NOT NULL) <> (morning_mg IS NOT
            NULL OR evening_mg IS NOT NULL)),
        CONSTRAINT medication_order_amounts_check CHECK (whole_mg > 0 AND morning_mg > 0 AND evening_mg > 0),
        CONSTRAINT medication_order_injection_is_whole_check CHECK (form NOT IN ('extended_release_injection')
            OR whole_mg IS NOT NULL),
        CONSTRAINT medication_order_every_days_check CHECK (every_days BETWEEN 1 AND 92),
        CONSTRAINT medication_order_ends_on_check CHECK (ends_on >= starts_on),
        CONSTRAINT medication_order_chain_check CHECK (version >= 1 AND (version = 1) = (replaces_id IS NULL)),
        CONSTRAINT medication_order_first_of_chain_check CHECK ((version = 1) = (chain_id = id)),
        CONSTRAINT medication_order_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT medication_order_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme
            (id),
        CONSTRAINT medication_order_written_by_fkey FOREIGN KEY(written_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.medication_order_signature (
        order_id UUID NOT NULL,
        signature_id UUID NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT medication_order_signature_pkey PRIMARY KEY (order_id),
        CONSTRAINT medication_order_signature_signature_id_key UNIQUE (signature_id),
        CONSTRAINT medication_order_signature_order_id_fkey FOREIGN KEY(order_id) REFERENCES
            clinic.medication_order (id),
        CONSTRAINT medication_order_signature_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES
            clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.medication_order_replacement (
        replaced_id UUID NOT NULL,
        order_id UUID NOT NULL,
        from_on DATE NOT NULL,
        replaced_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT medication_order_replacement_pkey PRIMARY KEY (replaced_id),
        CONSTRAINT medication_order_replacement_order_id_key UNIQUE (order_id),
        CONSTRAINT medication_order_replacement_another_check CHECK (order_id <> replaced_id),
        CONSTRAINT medication_order_replacement_replaced_id_fkey FOREIGN KEY(replaced_id) REFERENCES
            clinic.medication_order (id),
        CONSTRAINT medication_order_replacement_order_id_fkey FOREIGN KEY(order_id) REFERENCES
            clinic.medication_order_signature (order_id)
    )
    """,
    """
    CREATE TABLE clinic.medication_order_stop (
        order_id UUID NOT NULL,
        reason TEXT NOT NULL,
        stopped_by UUID NOT NULL,
        stopped_at TIMESTAMP WITH TIME ZONE NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT medication_order_stop_pkey PRIMARY KEY (order_id),
        CONSTRAINT medication_order_stop_signature_id_key UNIQUE (signature_id),
        CONSTRAINT medication_order_stop_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT medication_order_stop_order_id_fkey FOREIGN KEY(order_id) REFERENCES clinic.medication_order
            (id),
        CONSTRAINT medication_order_stop_stopped_by_fkey FOREIGN KEY(stopped_by) REFERENCES clinic.staff (id),
        CONSTRAINT medication_order_stop_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature
            (id)
    )
    """,
    """
    CREATE TABLE clinic.hold (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        reason TEXT NOT NULL,
        note TEXT NOT NULL,
        raised_by UUID NOT NULL,
        raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
        by_rule TEXT,
        dose_id UUID,
        dose_version SMALLINT,
        CONSTRAINT hold_pkey PRIMARY KEY (id),
        CONSTRAINT hold_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT hold_reason_check CHECK (reason IN ('intoxication', 'sedation', 'medical', 'identity',
            'prescriber_asked', 'exception', 'other')),
        CONSTRAINT hold_other_is_explained_check CHECK (reason <> 'other' OR btrim(note) <> ''),
        CONSTRAINT hold_exception_names_its_dose_check CHECK ((reason = 'exception') = (by_rule IS NOT NULL AND
            dose_id IS NOT NULL AND dose_version IS NOT NULL)),
        CONSTRAINT hold_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT hold_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT hold_raised_by_fkey FOREIGN KEY(raised_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.medication_decision (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        hold_id UUID,
        days DATE[] NOT NULL,
        at_most_mg NUMERIC(7, 3),
        reason TEXT NOT NULL,
        decided_by UUID NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        rules TEXT[] NOT NULL,
        last_taken_on DATE,
        missed SMALLINT NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT medication_decision_pkey PRIMARY KEY (id),
        CONSTRAINT medication_decision_hold_id_key UNIQUE (hold_id),
        CONSTRAINT medication_decision_signature_id_key UNIQUE (signature_id),
        CONSTRAINT medication_decision_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT medication_decision_hold_fkey FOREIGN KEY(hold_id, client_id) REFERENCES clinic.hold (id,
            client_id),
        CONSTRAINT medication_decision_kind_check CHECK (kind IN ('clear_hold', 'allow_dose')),
        CONSTRAINT medication_decision_clears_a_hold_check CHECK ((kind = 'clear_hold') = (hold_id IS NOT
            NULL)),
        CONSTRAINT medication_decision_names_days_check CHECK ((kind = 'allow_dose') = (cardinality(days) > 0)),
        CONSTRAINT medication_decision_at_most_mg_check CHECK (at_most_mg > 0),
        CONSTRAINT medication_decision_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT medication_decision_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT medication_decision_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme
            (id),
        CONSTRAINT medication_decision_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff (id),
        CONSTRAINT medication_decision_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature
            (id)
    )
    """,
    """
    CREATE TABLE clinic.dose (
        id UUID NOT NULL,
        version SMALLINT NOT NULL,
        previous_version SMALLINT GENERATED ALWAYS AS (nullif(version - 1, 0)) STORED,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        order_id UUID,
        dosing_day DATE NOT NULL,
        part TEXT NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        amount_mg NUMERIC(7, 3) NOT NULL,
        supervised BOOLEAN,
        given_at TIMESTAMP WITH TIME ZONE,
        given_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        kind TEXT NOT NULL,
        entry TEXT NOT NULL,
        late_reason TEXT,
        less_reason TEXT,
        rules TEXT[],
        profile TEXT NOT NULL,
        profile_version SMALLINT NOT NULL,
        decision_id UUID,
        freed_by UUID,
        amended_at TIMESTAMP WITH TIME ZONE,
        amended_by UUID,
        amendment_reason TEXT,
        source_id UUID,
        source_line INTEGER,
        CONSTRAINT dose_pkey PRIMARY KEY (id, version),
        CONSTRAINT dose_previous_fkey FOREIGN KEY(id, previous_version) REFERENCES clinic.dose (id, version),
        CONSTRAINT dose_order_fkey FOREIGN KEY(order_id, client_id) REFERENCES clinic.medication_order (id,
            client_id),
        CONSTRAINT dose_decision_fkey FOREIGN KEY(decision_id, client_id) REFERENCES clinic.medication_decision
            (id, client_id),
        CONSTRAINT dose_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT dose_kind_check CHECK (kind IN ('ordinary', 'exception', 'brought_in')),
        CONSTRAINT dose_entry_check CHECK (entry IN ('window', 'late', 'source')),
        CONSTRAINT dose_made_as_check CHECK ((medicine = 'methadone' AND form IN ('dispersible_tablet',
            'oral_concentrate', 'oral_solution', 'tablet')) OR (medicine = 'buprenorphine' AND form IN
            ('extended_release_injection', 'oral_lyophilisate', 'sublingual_tablet')) OR (medicine =
            'buprenorphine_naloxone' AND form IN ('sublingual_film', 'sublingual_tablet')) OR (medicine =
            'naltrexone' AND form IN ('extended_release_injection', 'tablet'))),
        CONSTRAINT dose_version_check CHECK (version >= 1),
        CONSTRAINT dose_amount_mg_check CHECK (amount_mg > 0),
        CONSTRAINT dose_not_in_the_future_check CHECK (given_at <= coalesce(amended_at, recorded_at)),
        CONSTRAINT dose_brought_in_has_a_source_check CHECK (num_nonnulls(source_id, source_line) = CASE kind
            WHEN 'brought_in' THEN 2 ELSE 0 END AND (kind = 'brought_in') = (entry = 'source') AND (kind <>
            'brought_in' OR version = 1)),
        CONSTRAINT dose_known_in_full_check CHECK (kind = 'brought_in' OR (given_at IS NOT NULL AND supervised
            IS NOT NULL)),
        CONSTRAINT dose_without_an_order_check CHECK (order_id IS NOT NULL OR kind = 'brought_in' OR (kind =
            'exception' AND 'no_order_in_force' = ANY (rules))),
        CONSTRAINT dose_brought_in_has_no_order_check CHECK (kind <> 'brought_in' OR order_id IS NULL),
        CONSTRAINT dose_exception_names_its_rules_check CHECK ((kind = 'exception') = (rules IS NOT NULL)),
        CONSTRAINT dose_rules_check CHECK (cardinality(rules) > 0),
        CONSTRAINT dose_late_has_a_reason_check CHECK ((entry = 'late') = (late_reason IS NOT NULL)),
        CONSTRAINT dose_given_by_who_records_check CHECK (entry = 'late' OR given_by = recorded_by),
        CONSTRAINT dose_refused_at_the_window_check CHECK (entry <> 'window' OR kind = 'ordinary' OR version >
            1),
        CONSTRAINT dose_amendment_check CHECK (num_nonnulls(amended_at, amended_by, amendment_reason) = CASE
            WHEN version = 1 THEN 0 ELSE 3 END),
        CONSTRAINT dose_late_reason_not_blank_check CHECK (btrim(late_reason) <> ''),
        CONSTRAINT dose_less_reason_not_blank_check CHECK (btrim(less_reason) <> ''),
        CONSTRAINT dose_amendment_reason_not_blank_check CHECK (btrim(amendment_reason) <> ''),
        CONSTRAINT dose_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT dose_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT dose_given_by_fkey FOREIGN KEY(given_by) REFERENCES clinic.staff (id),
        CONSTRAINT dose_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT dose_amended_by_fkey FOREIGN KEY(amended_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_correction (
        id UUID NOT NULL,
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        dosing_day DATE NOT NULL,
        part TEXT NOT NULL,
        reason TEXT NOT NULL,
        signed_by UUID NOT NULL,
        signed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT dose_correction_pkey PRIMARY KEY (id),
        CONSTRAINT dose_correction_dose_id_key UNIQUE (dose_id),
        CONSTRAINT dose_correction_signature_id_key UNIQUE (signature_id),
        CONSTRAINT dose_correction_id_client_id_dosing_day_part_key UNIQUE (id, client_id, dosing_day, part),
        CONSTRAINT dose_correction_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id,
            version),
        CONSTRAINT dose_correction_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT dose_correction_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT dose_correction_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT dose_correction_signed_by_fkey FOREIGN KEY(signed_by) REFERENCES clinic.staff (id),
        CONSTRAINT dose_correction_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_review (
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        verdict TEXT NOT NULL,
        reviewed_by UUID NOT NULL,
        reviewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT,
        signature_id UUID,
        CONSTRAINT dose_review_pkey PRIMARY KEY (dose_id, dose_version),
        CONSTRAINT dose_review_signature_id_key UNIQUE (signature_id),
        CONSTRAINT dose_review_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id,
            version),
        CONSTRAINT dose_review_verdict_check CHECK (verdict IN ('signed', 'rejected')),
        CONSTRAINT dose_review_signed_check CHECK ((verdict = 'signed') = (signature_id IS NOT NULL)),
        CONSTRAINT dose_review_rejected_check CHECK ((verdict = 'rejected') = (reason IS NOT NULL)),
        CONSTRAINT dose_review_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT dose_review_reviewed_by_fkey FOREIGN KEY(reviewed_by) REFERENCES clinic.staff (id),
        CONSTRAINT dose_review_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_waiting (
        dose_id UUID NOT NULL,
        dose_version SMALLINT NOT NULL,
        programme_id UUID NOT NULL,
        recorded_by UUID NOT NULL,
        is_exception BOOLEAN NOT NULL,
        sign_by TIMESTAMP WITH TIME ZONE NOT NULL,
        rejected_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT dose_waiting_pkey PRIMARY KEY (dose_id)
    )
    """,
    """
    CREATE TABLE clinic.dose_not_given (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        order_id UUID,
        dosing_day DATE NOT NULL,
        part TEXT NOT NULL,
        reason TEXT NOT NULL,
        note TEXT NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        CONSTRAINT dose_not_given_pkey PRIMARY KEY (id),
        CONSTRAINT dose_not_given_order_fkey FOREIGN KEY(order_id, client_id) REFERENCES clinic.medication_order
            (id, client_id),
        CONSTRAINT dose_not_given_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT dose_not_given_reason_check CHECK (reason IN ('refused', 'held', 'absent', 'intoxicated',
            'no_order', 'stock', 'system', 'other')),
        CONSTRAINT dose_not_given_other_is_explained_check CHECK (reason <> 'other' OR btrim(note) <> ''),
        CONSTRAINT dose_not_given_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT dose_not_given_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT dose_not_given_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX signature_signer_id_idx ON clinic.signature (signer_id)",
    "CREATE INDEX signature_subject_id_subject_version_idx ON clinic.signature (subject_id, subject_version)",
    "CREATE INDEX medication_order_client_id_starts_on_idx ON clinic.medication_order (client_id, starts_on)",
    "CREATE INDEX medication_order_programme_id_idx ON clinic.medication_order (programme_id)",
    "CREATE INDEX hold_client_id_idx ON clinic.hold (client_id)",
    "CREATE INDEX hold_programme_id_raised_at_idx ON clinic.hold (programme_id, raised_at)",
    "CREATE INDEX medication_decision_client_id_idx ON clinic.medication_decision (client_id)",
    """
    CREATE UNIQUE INDEX dose_decision_used_once_key ON clinic.dose (decision_id, freed_by)
    NULLS NOT DISTINCT WHERE decision_id IS NOT NULL AND version = 1
    """,
    """
    CREATE UNIQUE INDEX dose_one_ordinary_per_part_key ON clinic.dose (client_id, dosing_day, part, freed_by)
    NULLS NOT DISTINCT WHERE kind = 'ordinary' AND version = 1
    """,
    """
    CREATE INDEX dose_dosing_day_idx ON clinic.dose USING brin (dosing_day)
    WITH (pages_per_range = 32, autosummarize = on)
    """,
    """
    CREATE INDEX dose_other_kinds_idx ON clinic.dose (client_id, dosing_day)
    WHERE kind <> 'ordinary' AND version = 1
    """,
    "CREATE INDEX dose_correction_client_id_dosing_day_idx ON clinic.dose_correction (client_id, dosing_day)",
    """
    CREATE INDEX dose_waiting_queue_idx ON clinic.dose_waiting (programme_id, is_exception DESC, dose_id)
    """,
    "CREATE INDEX dose_waiting_recorded_by_idx ON clinic.dose_waiting (recorded_by) WHERE rejected_at IS NOT NULL",
    "CREATE INDEX dose_not_given_client_id_dosing_day_idx ON clinic.dose_not_given (client_id, dosing_day)",
)

COMMENTS = {
    "signature": "Made once, in the signer's own session with their identity proved again; never changed.",
    "medication_record": "Locked first by whatever touches a client's doses. Brought-in history tells of the days until history_until.",
    "medication_order": "A prescriber's instruction, never edited: a change is a new row of the same chain.",
    "medication_order_signature": "The signature that puts an order in force.",
    "medication_order_replacement": "A signed order took the place of another from its first day on; each order is replaced once.",
    "medication_order_stop": "An order stopped at once, or a draft withdrawn.",
    "hold": "Nothing is given to the client until a prescriber's signed decision clears it.",
    "medication_decision": "A prescriber's signed decision: it clears one hold, or allows one dose on one of the days it names.",
    "dose": "One row per version of a dose; a change is a new row. given_at is when it happened, recorded_at when told.",
    "dose_correction": "A recorded dose was in fact not given. A trigger refuses the signature of whoever gave or recorded it.",
    "dose_review": "One verdict per version, by a clinician who neither gave, recorded nor amended it (a trigger holds that).",
    "dose_waiting": "The newest versions that nobody has signed: a queue, filled by the statement that keeps the dose.",
    "dose_not_given": "A dose that was not given, with the reason; never a dose of nothing.",
}

FREED_BY = """
    ALTER TABLE clinic.dose ADD CONSTRAINT dose_freed_by_fkey FOREIGN KEY(freed_by, client_id, dosing_day, part)
        REFERENCES clinic.dose_correction (id, client_id, dosing_day, part)
"""

MAY_ALSO = (
    "grant update (history_until) on clinic.medication_record to caseload_app",
    "grant update (dose_version, is_exception, sign_by, rejected_at), delete on clinic.dose_waiting to caseload_app",
)

SECOND_PAIR_OF_EYES = (
    """
    create function clinic.check_second_pair_of_eyes() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      signer uuid;
      read clinic.dose;
    begin
      select * into read from clinic.dose where id = new.dose_id and version = new.dose_version;
      if tg_table_name = 'dose_review' then
        signer := new.reviewed_by;
      else
        signer := new.signed_by;
        if (new.client_id, new.dosing_day, new.part)
            is distinct from (read.client_id, read.dosing_day, read.part) then
          raise exception 'a correction names the client, day and part of its dose'
            using errcode = 'integrity_constraint_violation', constraint = 'dose_correction_of_its_dose';
        end if;
      end if;
      if signer in (read.given_by, read.recorded_by) or signer is not distinct from read.amended_by then
        raise exception 'whoever gave, recorded or amended a dose is not its second pair of eyes'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_second_pair_of_eyes';
      end if;
      if read.kind = 'brought_in' then
        raise exception 'a brought-in dose is neither signed nor corrected'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_brought_in_stays';
      end if;
      if tg_table_name = 'dose_review' and exists (
        select from clinic.dose where id = new.dose_id and version > new.dose_version
      ) then
        raise exception 'only the newest version of a dose is reviewed'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_review_of_newest';
      end if;
      return new;
    end $$
    """,
    """
    create trigger dose_review_second_pair_of_eyes before insert on clinic.dose_review
    for each row execute function clinic.check_second_pair_of_eyes()
    """,
    """
    create trigger dose_correction_second_pair_of_eyes before insert on clinic.dose_correction
    for each row execute function clinic.check_second_pair_of_eyes()
    """,
)

OWN_SIGNATURE = (
    """
    create function clinic.check_signature() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      signed jsonb := to_jsonb(new);
    begin
      if new.signature_id is not null and not exists (
        select from clinic.signature
        where signature.id = new.signature_id
          and signature.subject = tg_argv[0]
          and signature.subject_id = (signed ->> tg_argv[1])::uuid
          and (tg_argv[2] = '' or signature.signer_id = (signed ->> tg_argv[2])::uuid)
          and (tg_argv[3] = '' or signature.subject_version = (signed ->> tg_argv[3])::smallint)
      ) then
        raise exception 'this signature was made by another person or under another record'
          using errcode = 'integrity_constraint_violation', constraint = 'signature_of_its_record';
      end if;
      return new;
    end $$
    """,
    *(
        f"""
        create trigger {table}_signature_of_its_record before insert on clinic.{table}
        for each row execute function clinic.check_signature({arguments})
        """
        for table, arguments in {
            "medication_order_signature": "'order', 'order_id', '', ''",
            "medication_order_stop": "'order_stop', 'order_id', 'stopped_by', ''",
            "medication_decision": "'decision', 'id', 'decided_by', ''",
            "dose_correction": "'dose_correction', 'id', 'signed_by', ''",
            "dose_review": "'dose', 'dose_id', 'reviewed_by', 'dose_version'",
        }.items()
    ),
)

WHAT_STAYS = (
    """
    create function clinic.check_amended_dose() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      before clinic.dose;
    begin
      select * into before from clinic.dose where id = new.id and version = new.version - 1;
      if (new.client_id, new.programme_id, new.order_id, new.dosing_day, new.part, new.given_by, new.recorded_at,
          new.recorded_by, new.entry, new.late_reason, new.decision_id, new.freed_by)
          is distinct from
         (before.client_id, before.programme_id, before.order_id, before.dosing_day, before.part, before.given_by,
          before.recorded_at, before.recorded_by, before.entry, before.late_reason, before.decision_id,
          before.freed_by) then
        raise exception 'an amendment keeps whose dose it is, its day, its part and who recorded it'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_amendment_keeps';
      end if;
      return new;
    end $$
    """,
    """
    create trigger dose_amendment_keeps before insert on clinic.dose
    for each row when (new.version > 1) execute function clinic.check_amended_dose()
    """,
    """
    create function clinic.check_freed_day() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if not exists (
        select from clinic.dose_correction correction
        join clinic.dose on dose.id = correction.dose_id and dose.version = 1
        where correction.id = new.freed_by and dose.kind = 'ordinary'
      ) then
        raise exception 'only the correction of an ordinary dose frees its part of the day'
          using errcode = 'integrity_constraint_violation', constraint = 'dose_freed_by_ordinary';
      end if;
      return new;
    end $$
    """,
    """
    create trigger dose_freed_by_ordinary before insert on clinic.dose
    for each row when (new.freed_by is not null and new.version = 1) execute function clinic.check_freed_day()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, FREED_BY):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in (*MAY_ALSO, *SECOND_PAIR_OF_EYES, *OWN_SIGNATURE, *WHAT_STAYS):
        op.execute(statement)
