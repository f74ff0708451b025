"""Take-home units out of stock: what each took, its coming back, and the waste beside it, which nobody can put back.

A trigger holds them to what the units say, at the end of the transaction, whichever of them changes.
"""

from alembic import op

revision = "20261122_163"
down_revision = "20261122_162"

TABLES = (
    """
    CREATE TABLE clinic.stock_take_home (
        unit_id UUID NOT NULL,
        line SMALLINT NOT NULL,
        programme_id UUID NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        container_id UUID NOT NULL,
        station_id UUID,
        amount_mg NUMERIC(7, 3) NOT NULL,
        taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT stock_take_home_pkey PRIMARY KEY (unit_id, line),
        CONSTRAINT stock_take_home_unit_fkey FOREIGN KEY(unit_id, programme_id, medicine, form) REFERENCES
            clinic.take_home_unit (id, programme_id, medicine, form),
        CONSTRAINT stock_take_home_container_fkey FOREIGN KEY(container_id, programme_id, medicine, form) REFERENCES
            clinic.stock_container (id, programme_id, medicine, form),
        CONSTRAINT stock_take_home_station_fkey FOREIGN KEY(station_id, programme_id) REFERENCES clinic.station (id,
            programme_id),
        CONSTRAINT stock_take_home_out_and_back_check CHECK (line IN (1, 2) AND (line = 1) = (amount_mg < 0)),
        CONSTRAINT stock_take_home_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX stock_take_home_container_id_idx ON clinic.stock_take_home (container_id)",
    """
    CREATE INDEX stock_take_home_programme_id_recorded_at_idx ON clinic.stock_take_home (programme_id,
    recorded_at)
    """,
)

COMMENTS = {
    "stock_take_home": "What a unit took from stock, and its coming back full, beside which stands its waste. A trigger holds the sum.",
}

RETURNED = (
    "ALTER TABLE clinic.stock_waste ADD COLUMN unit_id UUID",
    """
    ALTER TABLE clinic.stock_waste ADD CONSTRAINT stock_waste_unit_fkey FOREIGN KEY(unit_id) REFERENCES
        clinic.take_home_unit (id) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.stock_waste VALIDATE CONSTRAINT stock_waste_unit_fkey
    """,
    """
    -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
    ALTER TABLE clinic.stock_waste ADD CONSTRAINT stock_waste_unit_id_key UNIQUE (unit_id)
    """,
    """
    ALTER TABLE clinic.stock_waste ADD CONSTRAINT stock_waste_unit_was_returned_check CHECK
        (unit_id IS NULL OR kind = 'returned') NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.stock_waste VALIDATE CONSTRAINT stock_waste_unit_was_returned_check
    """,
    """
    create function clinic.check_waste_of_unit() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (select from clinic.stock_waste where id = new.waste_id and unit_id is not null) then
        raise exception 'what came back is never put back' using errcode = 'integrity_constraint_violation',
          constraint = 'take_home_is_never_put_back';
      end if;
      return new;
    end $$
    """,
    """
    create trigger take_home_is_never_put_back before insert on clinic.stock_waste_settled
    for each row when (new.verdict = 'withdrawn') execute function clinic.check_waste_of_unit()
    """,
)

AGREES_WITH_UNITS = (
    """
    create function clinic.check_stock_of_unit() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    declare
      asked uuid;
      handed record;
      is_back boolean;
    begin
      if tg_table_name = 'take_home_unit' then
        asked := new.id;
      else
        asked := new.unit_id;
      end if;
      select programme_id, dispensed_on, amount_mg into handed from clinic.take_home_unit where id = asked;
      if not exists (
        select from clinic.stock_keeping
        where programme_id = handed.programme_id and from_on <= handed.dispensed_on
      ) then
        if exists (select from clinic.stock_take_home where unit_id = asked) then
          raise exception 'the programme kept no stock with us when this unit was handed out'
            using errcode = 'integrity_constraint_violation', constraint = 'stock_take_home_is_kept';
        end if;
        return null;
      end if;
      is_back := exists (select from clinic.take_home_outcome where unit_id = asked and state = 'full');
      if not exists (
        select from clinic.stock_take_home where unit_id = asked and line = 1 and amount_mg = -handed.amount_mg
      ) or is_back <> exists (
        select from clinic.stock_take_home back
        join clinic.stock_waste waste on waste.unit_id = back.unit_id and waste.container_id = back.container_id
          and waste.amount_mg = back.amount_mg
        where back.unit_id = asked and back.line = 2 and back.amount_mg = handed.amount_mg
      ) or is_back <> exists (
        select from clinic.stock_take_home where unit_id = asked and line = 2
      ) or is_back <> exists (
        select from clinic.stock_waste where unit_id = asked
      ) then
        raise exception 'what unit % took from stock is not what it says', asked
          using errcode = 'integrity_constraint_violation', constraint = 'stock_agrees_with_unit';
      end if;
      return null;
    end $$
    """,
    *(
        f"""
        create constraint trigger {name} after insert on clinic.{table}
        deferrable initially deferred for each row {only} execute function clinic.check_stock_of_unit()
        """
        for name, table, only in (
            ("stock_agrees_with_unit", "take_home_unit", ""),
            ("stock_agrees_with_take_home", "stock_take_home", ""),
            ("stock_agrees_with_outcome", "take_home_outcome", ""),
            ("stock_agrees_with_returned", "stock_waste", "when (new.unit_id is not null)"),
        )
    ),
)

BEGINS_BEFORE_UNITS = (
    """
    create function clinic.check_start_of_stock_units() returns trigger
    language plpgsql security definer set search_path = pg_catalog set lock_timeout = '2s' as $$
    begin
      -- Waits for everything that is being handed out, so that no unit is kept that neither this check nor its own saw.
      lock table clinic.take_home_unit in share row exclusive mode;
      if exists (
        select from clinic.take_home_unit
        where programme_id = new.programme_id and dispensed_on >= new.from_on
      ) then
        raise exception 'units of that day are handed out already' using errcode = 'integrity_constraint_violation',
          constraint = 'stock_keeping_before_units';
      end if;
      return new;
    end $$
    """,
    "revoke execute on function clinic.check_start_of_stock_units() from public",
    """
    create trigger stock_keeping_before_units before insert on clinic.stock_keeping
    for each row execute function clinic.check_start_of_stock_units()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, *RETURNED, *AGREES_WITH_UNITS, *BEGINS_BEFORE_UNITS):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
