"""Stock: keeping, stations, receipts, containers and their uses, and the acts that are the ledger.

The service may read and add (the defaults of the first revision), and write the end of a use and the closing of a
container, once. It keeps no balance. Triggers hold what no key can: that what doses took is what the doses say, that
the books begin before the doses that they count, and that only the newest count of a container is confirmed.
"""

from alembic import op

revision = "20261122_140"
down_revision = "20261122_125"

TABLES = (
    """
    CREATE TABLE clinic.stock_keeping (
        programme_id UUID NOT NULL,
        from_on DATE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_keeping_pkey PRIMARY KEY (programme_id),
        CONSTRAINT stock_keeping_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT stock_keeping_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.station (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        name TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT station_pkey PRIMARY KEY (id),
        CONSTRAINT station_programme_id_name_key UNIQUE (programme_id, name),
        CONSTRAINT station_id_programme_id_key UNIQUE (id, programme_id),
        CONSTRAINT station_name_not_blank_check CHECK (btrim(name) <> ''),
        CONSTRAINT station_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT station_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_receipt (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        supplier_name TEXT NOT NULL,
        supplier_address TEXT NOT NULL,
        document TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_receipt_pkey PRIMARY KEY (id),
        CONSTRAINT stock_receipt_id_programme_id_key UNIQUE (id, programme_id),
        CONSTRAINT stock_receipt_kind_check CHECK (kind IN ('delivery', 'first_inventory')),
        CONSTRAINT stock_receipt_not_in_the_future_check CHECK (received_at <= recorded_at),
        CONSTRAINT stock_receipt_delivery_has_a_supplier_check CHECK (kind <> 'delivery' OR
            (btrim(supplier_name) <> '' AND btrim(supplier_address) <> '')),
        CONSTRAINT stock_receipt_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT stock_receipt_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_container (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        label TEXT NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        strength_mg NUMERIC(7, 3) NOT NULL,
        receipt_id UUID,
        received_mg NUMERIC(12, 3),
        lot TEXT,
        expires_on DATE,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        closed_at TIMESTAMP WITH TIME ZONE,
        closed_by UUID,
        CONSTRAINT stock_container_pkey PRIMARY KEY (id),
        CONSTRAINT stock_container_programme_id_label_key UNIQUE (programme_id, label),
        CONSTRAINT stock_container_same_key UNIQUE (id, programme_id, medicine, form, strength_mg),
        CONSTRAINT stock_container_made_as_key UNIQUE (id, programme_id, medicine, form),
        CONSTRAINT stock_container_receipt_fkey FOREIGN KEY(receipt_id, programme_id) REFERENCES
            clinic.stock_receipt (id, programme_id),
        CONSTRAINT stock_container_kind_check CHECK (kind IN ('bottle', 'dispenser')),
        CONSTRAINT stock_container_made_as_check CHECK ((medicine = 'methadone' AND form IN
            ('dispersible_tablet', 'oral_concentrate', 'oral_solution', 'tablet')) OR (medicine =
            'buprenorphine' AND form IN ('extended_release_injection', 'oral_lyophilisate',
            'sublingual_tablet')) OR (medicine = 'buprenorphine_naloxone' AND form IN ('sublingual_film',
            'sublingual_tablet')) OR (medicine = 'naltrexone' AND form IN ('extended_release_injection',
            'tablet'))),
        CONSTRAINT stock_container_label_not_blank_check CHECK (btrim(label) <> ''),
        CONSTRAINT stock_container_lot_not_blank_check CHECK (btrim(lot) <> ''),
        CONSTRAINT stock_container_strength_mg_check CHECK (strength_mg > 0),
        CONSTRAINT stock_container_received_mg_check CHECK (received_mg > 0),
        CONSTRAINT stock_container_bottle_came_from_somewhere_check CHECK (num_nonnulls(receipt_id, received_mg,
            lot, expires_on) = CASE kind WHEN 'bottle' THEN 4 ELSE 0 END),
        CONSTRAINT stock_container_closed_by_somebody_check CHECK (num_nonnulls(closed_at, closed_by) <> 1),
        CONSTRAINT stock_container_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT stock_container_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT stock_container_closed_by_fkey FOREIGN KEY(closed_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_use (
        id UUID NOT NULL,
        container_id UUID NOT NULL,
        station_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        strength_mg NUMERIC(7, 3) NOT NULL,
        period TSTZRANGE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_by UUID,
        CONSTRAINT stock_use_pkey PRIMARY KEY (id),
        CONSTRAINT stock_use_container_fkey FOREIGN KEY(container_id, programme_id, medicine, form, strength_mg)
            REFERENCES clinic.stock_container (id, programme_id, medicine, form, strength_mg),
        CONSTRAINT stock_use_station_fkey FOREIGN KEY(station_id, programme_id) REFERENCES clinic.station (id,
            programme_id),
        CONSTRAINT stock_use_period_check CHECK (NOT isempty(period) AND NOT lower_inf(period)),
        CONSTRAINT stock_use_ended_by_somebody_check CHECK (upper_inf(period) = (ended_by IS NULL)),
        CONSTRAINT stock_use_one_station EXCLUDE USING gist (container_id WITH =, period WITH &&),
        CONSTRAINT stock_use_one_container EXCLUDE USING gist (programme_id WITH =, medicine WITH =, form WITH
            =, strength_mg WITH =, station_id WITH =, period WITH &&),
        CONSTRAINT stock_use_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT stock_use_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_pour (
        id UUID NOT NULL,
        source_id UUID NOT NULL,
        target_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        strength_mg NUMERIC(7, 3) NOT NULL,
        amount_mg NUMERIC(12, 3) NOT NULL,
        poured_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_pour_pkey PRIMARY KEY (id),
        CONSTRAINT stock_pour_source_fkey FOREIGN KEY(source_id, programme_id, medicine, form, strength_mg)
            REFERENCES clinic.stock_container (id, programme_id, medicine, form, strength_mg),
        CONSTRAINT stock_pour_target_fkey FOREIGN KEY(target_id, programme_id, medicine, form, strength_mg)
            REFERENCES clinic.stock_container (id, programme_id, medicine, form, strength_mg),
        CONSTRAINT stock_pour_another_check CHECK (source_id <> target_id),
        CONSTRAINT stock_pour_amount_mg_check CHECK (amount_mg > 0),
        CONSTRAINT stock_pour_not_in_the_future_check CHECK (poured_at <= recorded_at),
        CONSTRAINT stock_pour_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_taking (
        dose_id UUID NOT NULL,
        line SMALLINT NOT NULL,
        dose_version SMALLINT NOT NULL,
        programme_id UUID NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        container_id UUID,
        station_id UUID,
        amount_mg NUMERIC(7, 3) NOT NULL,
        taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT,
        CONSTRAINT stock_taking_pkey PRIMARY KEY (dose_id, line),
        CONSTRAINT stock_taking_dose_fkey FOREIGN KEY(dose_id, dose_version) REFERENCES clinic.dose (id,
            version),
        CONSTRAINT stock_taking_container_fkey FOREIGN KEY(container_id, programme_id, medicine, form)
            REFERENCES clinic.stock_container (id, programme_id, medicine, form),
        CONSTRAINT stock_taking_station_fkey FOREIGN KEY(station_id, programme_id) REFERENCES clinic.station
            (id, programme_id),
        CONSTRAINT stock_taking_line_check CHECK (line >= 1),
        CONSTRAINT stock_taking_amount_mg_check CHECK (amount_mg <> 0),
        CONSTRAINT stock_taking_first_takes_check CHECK (line > 1 OR amount_mg < 0),
        CONSTRAINT stock_taking_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT stock_taking_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT stock_taking_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_waste (
        id UUID NOT NULL,
        container_id UUID NOT NULL,
        kind TEXT NOT NULL,
        amount_mg NUMERIC(12, 3) NOT NULL,
        reason TEXT NOT NULL,
        happened_at TIMESTAMP WITH TIME ZONE NOT NULL,
        handled_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        witness_by TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_waste_pkey PRIMARY KEY (id),
        CONSTRAINT stock_waste_id_handled_by_key UNIQUE (id, handled_by),
        CONSTRAINT stock_waste_kind_check CHECK (kind IN ('spill', 'left_over', 'expired', 'damaged',
            'returned')),
        CONSTRAINT stock_waste_amount_mg_check CHECK (amount_mg > 0),
        CONSTRAINT stock_waste_not_in_the_future_check CHECK (happened_at <= recorded_at),
        CONSTRAINT stock_waste_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT stock_waste_container_id_fkey FOREIGN KEY(container_id) REFERENCES clinic.stock_container
            (id),
        CONSTRAINT stock_waste_handled_by_fkey FOREIGN KEY(handled_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_waste_settled (
        waste_id UUID NOT NULL,
        handled_by UUID NOT NULL,
        verdict TEXT NOT NULL,
        settled_by UUID NOT NULL,
        settled_at TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT,
        signature_id UUID,
        CONSTRAINT stock_waste_settled_pkey PRIMARY KEY (waste_id),
        CONSTRAINT stock_waste_settled_signature_id_key UNIQUE (signature_id),
        CONSTRAINT stock_waste_settled_waste_fkey FOREIGN KEY(waste_id, handled_by) REFERENCES
            clinic.stock_waste (id, handled_by),
        CONSTRAINT stock_waste_settled_verdict_check CHECK (verdict IN ('witnessed', 'withdrawn')),
        CONSTRAINT stock_waste_settled_witness_is_another_check CHECK (verdict <> 'witnessed' OR (settled_by <>
            handled_by AND signature_id IS NOT NULL AND reason IS NULL)),
        CONSTRAINT stock_waste_settled_withdrawn_has_a_reason_check CHECK (verdict <> 'withdrawn' OR
            (signature_id IS NULL AND reason IS NOT NULL)),
        CONSTRAINT stock_waste_settled_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT stock_waste_settled_settled_by_fkey FOREIGN KEY(settled_by) REFERENCES clinic.staff (id),
        CONSTRAINT stock_waste_settled_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature
            (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_count (
        id UUID NOT NULL,
        container_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        expected_mg NUMERIC(12, 3) NOT NULL,
        counted_mg NUMERIC(12, 3) NOT NULL,
        variance_mg NUMERIC(12, 3) GENERATED ALWAYS AS (counted_mg - expected_mg) STORED NOT NULL,
        cause TEXT,
        explanation TEXT,
        counted_by UUID NOT NULL,
        counted_at TIMESTAMP WITH TIME ZONE NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT stock_count_pkey PRIMARY KEY (id),
        CONSTRAINT stock_count_container_id_number_key UNIQUE (container_id, number),
        CONSTRAINT stock_count_id_counted_by_key UNIQUE (id, counted_by),
        CONSTRAINT stock_count_signature_id_key UNIQUE (signature_id),
        CONSTRAINT stock_count_number_check CHECK (number >= 1),
        CONSTRAINT stock_count_cause_check CHECK (cause IN ('overfill', 'measuring', 'evaporation',
            'not_recorded', 'wrong_container', 'loss_or_theft', 'not_known')),
        CONSTRAINT stock_count_counted_mg_check CHECK (counted_mg >= 0),
        CONSTRAINT stock_count_variance_is_explained_check CHECK (num_nonnulls(cause, explanation) = CASE WHEN
            counted_mg = expected_mg THEN 0 ELSE 2 END),
        CONSTRAINT stock_count_explanation_not_blank_check CHECK (btrim(explanation) <> ''),
        CONSTRAINT stock_count_container_id_fkey FOREIGN KEY(container_id) REFERENCES clinic.stock_container
            (id),
        CONSTRAINT stock_count_counted_by_fkey FOREIGN KEY(counted_by) REFERENCES clinic.staff (id),
        CONSTRAINT stock_count_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature (id)
    )
    """,
    """
    CREATE TABLE clinic.stock_count_confirmed (
        count_id UUID NOT NULL,
        counted_by UUID NOT NULL,
        confirmed_by UUID NOT NULL,
        confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        signature_id UUID NOT NULL,
        CONSTRAINT stock_count_confirmed_pkey PRIMARY KEY (count_id),
        CONSTRAINT stock_count_confirmed_signature_id_key UNIQUE (signature_id),
        CONSTRAINT stock_count_confirmed_count_fkey FOREIGN KEY(count_id, counted_by) REFERENCES
            clinic.stock_count (id, counted_by),
        CONSTRAINT stock_count_confirmed_by_another_check CHECK (confirmed_by <> counted_by),
        CONSTRAINT stock_count_confirmed_confirmed_by_fkey FOREIGN KEY(confirmed_by) REFERENCES clinic.staff
            (id),
        CONSTRAINT stock_count_confirmed_signature_id_fkey FOREIGN KEY(signature_id) REFERENCES clinic.signature
            (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX stock_receipt_programme_id_idx ON clinic.stock_receipt (programme_id)",
    "CREATE INDEX stock_container_receipt_id_idx ON clinic.stock_container (receipt_id)",
    "CREATE INDEX stock_pour_source_id_idx ON clinic.stock_pour (source_id)",
    "CREATE INDEX stock_pour_target_id_idx ON clinic.stock_pour (target_id)",
    "CREATE INDEX stock_taking_container_id_idx ON clinic.stock_taking (container_id)",
    "CREATE INDEX stock_taking_from_nowhere_idx ON clinic.stock_taking (programme_id, dose_id) WHERE container_id IS NULL",
    "CREATE INDEX stock_taking_programme_id_recorded_at_idx ON clinic.stock_taking (programme_id, recorded_at)",
    "CREATE INDEX stock_waste_container_id_idx ON clinic.stock_waste (container_id)",
)

COMMENTS = {
    "stock_keeping": "Since which dosing day a programme keeps its stock with us. A trigger refuses a day that has doses already.",
    "station": "A place where doses are given: it uses one container of each medicine, form and strength at a time.",
    "stock_receipt": "A delivery, or what was there when the books were opened; its bottles name it.",
    "stock_container": "A bottle or a filling of a dispenser. Only its closing is ever written later, once (a trigger holds that).",
    "stock_use": "Which station takes its doses from which container, from when to when; only the end is written later, once.",
    "stock_pour": "From one container into another that holds the same: one act, two lines of the ledger.",
    "stock_taking": "What a dose took from stock, and what putting it right put back. A trigger holds the sum to what the dose says.",
    "stock_waste": "Medicine gone that nobody took. It counts at once, and waits for a witness until witness_by.",
    "stock_waste_settled": "Witnessed by somebody who did not handle it, under their signature, or withdrawn: one of the two, once.",
    "stock_count": "What somebody counted in a container against the books, signed. It changes nothing until a second person signs.",
    "stock_count_confirmed": "The second person's signature under a count: from here on its variance is in the books. Only the newest count.",
}

SIGNED = (
    """
    -- squawk-ignore ban-drop-constraint
    ALTER TABLE clinic.signature DROP CONSTRAINT signature_subject_check
    """,
    """
    ALTER TABLE clinic.signature ADD CONSTRAINT signature_subject_check CHECK (subject IN ('order', 'order_stop',
        'decision', 'dose', 'dose_correction', 'stock_waste', 'stock_count')) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.signature VALIDATE CONSTRAINT signature_subject_check
    """,
    *(
        f"""
        create trigger {table}_signature_of_its_record before insert on clinic.{table}
        for each row execute function clinic.check_signature({arguments})
        """
        for table, arguments in {
            "stock_waste_settled": "'stock_waste', 'waste_id', 'settled_by', ''",
            "stock_count": "'stock_count', 'id', 'counted_by', ''",
            "stock_count_confirmed": "'stock_count', 'count_id', 'confirmed_by', ''",
        }.items()
    ),
)

ENDS_ONCE = (
    "grant update (closed_at, closed_by) on clinic.stock_container to caseload_app",
    "grant update (period, ended_by) on clinic.stock_use to caseload_app",
    """
    create function clinic.keep_stock_closed() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      raise exception 'this container is closed' using errcode = 'integrity_constraint_violation',
        constraint = 'stock_container_closed_once';
    end $$
    """,
    """
    create trigger stock_container_closed_once before update on clinic.stock_container
    for each row when (old.closed_at is not null) execute function clinic.keep_stock_closed()
    """,
    """
    create function clinic.check_end_of_stock_use() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if not upper_inf(old.period) or upper_inf(new.period) or lower(new.period) <> lower(old.period) then
        raise exception 'only the end of a use is written, once' using errcode = 'integrity_constraint_violation',
          constraint = 'stock_use_ends_once';
      end if;
      return new;
    end $$
    """,
    """
    create trigger stock_use_ends_once before update on clinic.stock_use
    for each row execute function clinic.check_end_of_stock_use()
    """,
)

BEGINS_BEFORE_DOSES = (
    """
    create function clinic.check_start_of_stock() returns trigger
    language plpgsql security definer set search_path = pg_catalog set lock_timeout = '2s' as $$
    begin
      -- Waits for every dose under way, so that none is kept that neither this check nor its own has seen.
      lock table clinic.dose in share row exclusive mode;
      if exists (
        select from clinic.dose
        where programme_id = new.programme_id and dosing_day >= new.from_on and kind <> 'brought_in'
      ) then
        raise exception 'doses of that day are recorded already' using errcode = 'integrity_constraint_violation',
          constraint = 'stock_keeping_before_doses';
      end if;
      return new;
    end $$
    """,
    "revoke execute on function clinic.check_start_of_stock() from public",
    """
    create trigger stock_keeping_before_doses before insert on clinic.stock_keeping
    for each row execute function clinic.check_start_of_stock()
    """,
)

AGREES_WITH_DOSES = (
    """
    create function clinic.check_stock_of_dose() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      asked uuid;
      newest record;
      is_taken boolean;
    begin
      if tg_table_name = 'dose' then
        asked := new.id;
      else
        asked := new.dose_id;
      end if;
      select programme_id, dosing_day, medicine, form, amount_mg into newest
      from clinic.dose where id = asked order by version desc limit 1;
      if not exists (
        select from clinic.stock_keeping
        where programme_id = newest.programme_id and from_on <= newest.dosing_day
      ) then
        if tg_table_name = 'stock_taking' then
          raise exception 'this programme kept no stock with us on that day'
            using errcode = 'integrity_constraint_violation', constraint = 'stock_taking_is_kept';
        end if;
        return null;
      end if;
      is_taken := not exists (select from clinic.dose_correction where dose_id = asked);
      if not exists (select from clinic.stock_taking where dose_id = asked) or exists (
        select from clinic.stock_taking where dose_id = asked and programme_id <> newest.programme_id
      ) or exists (
        select from clinic.stock_taking where dose_id = asked group by medicine, form
        having sum(amount_mg) <> case
          when is_taken and medicine = newest.medicine and form = newest.form then -newest.amount_mg
          else 0
        end
      ) or (is_taken and not exists (
        select from clinic.stock_taking
        where dose_id = asked and medicine = newest.medicine and form = newest.form
      )) then
        raise exception 'what dose % took from stock is not what it says', asked
          using errcode = 'integrity_constraint_violation', constraint = 'stock_agrees_with_dose';
      end if;
      return null;
    end $$
    """,
    """
    create constraint trigger stock_agrees_with_dose after insert on clinic.dose
    deferrable initially deferred for each row when (new.kind <> 'brought_in')
    execute function clinic.check_stock_of_dose()
    """,
    """
    create constraint trigger stock_agrees_with_correction after insert on clinic.dose_correction
    deferrable initially deferred for each row execute function clinic.check_stock_of_dose()
    """,
    """
    create constraint trigger stock_agrees_with_taking after insert on clinic.stock_taking
    deferrable initially deferred for each row execute function clinic.check_stock_of_dose()
    """,
)

NEWEST_COUNT = (
    """
    create function clinic.check_confirmed_count() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (
        select from clinic.stock_count confirmed
        join clinic.stock_count newer on newer.container_id = confirmed.container_id and newer.number > confirmed.number
        where confirmed.id = new.count_id
      ) then
        raise exception 'only the newest count of a container is confirmed'
          using errcode = 'integrity_constraint_violation', constraint = 'stock_count_newest';
      end if;
      return new;
    end $$
    """,
    """
    create trigger stock_count_newest before insert on clinic.stock_count_confirmed
    for each row execute function clinic.check_confirmed_count()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in (*SIGNED, *ENDS_ONCE, *BEGINS_BEFORE_DOSES, *AGREES_WITH_DOSES, *NEWEST_COUNT):
        op.execute(statement)
