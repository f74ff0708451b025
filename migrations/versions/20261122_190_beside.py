"""Two orders beside each other: the one that is named, each order's days and parts, and the medicine of a decision.

An older version of the service knows one order in force on a day: it shows the first of two, and refuses what the other
one's dose would need. It signs none beside another.
"""

from alembic import op

revision = "20261122_190"
down_revision = "20261122_213"

BESIDE = (
    "ALTER TABLE clinic.medication_order ADD COLUMN beside_id UUID",
    """
    ALTER TABLE clinic.medication_order ADD CONSTRAINT medication_order_beside_fkey FOREIGN KEY(beside_id, client_id)
        REFERENCES clinic.medication_order (id, client_id) NOT VALID
    """,
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.medication_order VALIDATE CONSTRAINT medication_order_beside_fkey"
    ),
    """
    ALTER TABLE clinic.medication_order ADD CONSTRAINT medication_order_beside_in_a_part_check CHECK (
        beside_id IS NULL OR (num_nonnulls(whole_mg, morning_mg, evening_mg) = 1 AND whole_mg IS NULL
        AND verbal_by IS NULL AND beside_id <> id AND beside_id IS DISTINCT FROM replaces_id)) NOT VALID
    """,
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.medication_order VALIDATE CONSTRAINT medication_order_beside_in_a_part_check"
    ),
    (
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX medication_order_beside_idx ON clinic.medication_order (client_id) WHERE beside_id IS NOT NULL"
    ),
)

DECIDED = (
    "ALTER TABLE clinic.medication_decision ADD COLUMN medicine TEXT",
    """
    ALTER TABLE clinic.medication_decision ADD CONSTRAINT medication_decision_medicine_check CHECK (medicine IN
        ('methadone', 'buprenorphine', 'buprenorphine_naloxone', 'naltrexone')) NOT VALID
    """,
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.medication_decision VALIDATE CONSTRAINT medication_decision_medicine_check"
    ),
    """
    ALTER TABLE clinic.medication_decision ADD CONSTRAINT medication_decision_medicine_of_a_dose_check CHECK
        (kind = 'allow_dose' OR medicine IS NULL) NOT VALID
    """,
    (
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.medication_decision VALIDATE CONSTRAINT medication_decision_medicine_of_a_dose_check"
    ),
)

DAYS = (
    """
    CREATE TABLE clinic.medication_order_days (
        order_id UUID NOT NULL,
        client_id UUID NOT NULL,
        kind TEXT NOT NULL,
        parts INT4RANGE NOT NULL,
        days DATERANGE NOT NULL,
        names_another BOOLEAN NOT NULL,
        CONSTRAINT medication_order_days_pkey PRIMARY KEY (order_id),
        CONSTRAINT medication_order_days_order_fkey FOREIGN KEY(order_id, client_id)
            REFERENCES clinic.medication_order (id, client_id),
        CONSTRAINT order_in_its_own_part_of_the_day EXCLUDE USING gist
            (client_id WITH =, parts WITH &&, days WITH &&),
        CONSTRAINT order_of_its_own_kind EXCLUDE USING gist (client_id WITH =, kind WITH =, days WITH &&),
        CONSTRAINT order_that_names_no_other_alone EXCLUDE USING gist (client_id WITH =, days WITH &&)
            WHERE (NOT names_another),
        CONSTRAINT medication_order_days_parts_check CHECK (NOT isempty(parts))
    )
    """,
    """
    create function clinic.order_days_of(counted uuid, counted_at timestamptz) returns void
    language sql set search_path = pg_catalog, clinic as $$
      insert into clinic.medication_order_days (order_id, client_id, kind, parts, days, names_another)
      select o.id, o.client_id,
        case o.medicine when 'buprenorphine_naloxone' then 'buprenorphine' else o.medicine end,
        int4range(case when o.whole_mg is not null or o.morning_mg is not null then 0 else 1 end,
                  case when o.whole_mg is not null or o.evening_mg is not null then 2 else 1 end),
        case when day.last < day.first then 'empty'::daterange else daterange(day.first, day.last, '[]') end,
        o.beside_id is not null
      from clinic.medication_order o
      join clinic.client c on c.id = o.client_id
      join clinic.programme p on p.id = c.programme_id
      left join clinic.medication_order_replacement r on r.replaced_id = o.id
      cross join lateral (
        select greatest(o.starts_on, (counted_at at time zone p.time_zone)::date) as first,
          least(o.ends_on, r.from_on - 1) as last
      ) day
      where o.id = counted
      on conflict (order_id) do nothing
    $$
    """,
    """
    create function clinic.keep_order_days() returns trigger
    language plpgsql set search_path = pg_catalog, clinic as $$
    begin
      if tg_table_name = 'medication_order' then
        perform clinic.order_days_of(new.id, new.written_at);
      elsif tg_table_name = 'medication_order_stop' then
        update clinic.medication_order_days set days = 'empty' where order_id = new.order_id;
      else
        update clinic.medication_order_days kept set days = kept.days * daterange(null, o.starts_on)
        from clinic.medication_order o where o.id = new.order_id and kept.order_id = o.replaces_id;
        perform clinic.order_days_of(new.order_id, new.signed_at);
      end if;
      return null;
    end $$
    """,
    """
    create trigger medication_order_spoken_days after insert on clinic.medication_order
    for each row when (new.verbal_by is not null) execute function clinic.keep_order_days()
    """,
    """
    create trigger medication_order_signed_days after insert on clinic.medication_order_signature
    for each row execute function clinic.keep_order_days()
    """,
    """
    create trigger medication_order_stopped_days after insert on clinic.medication_order_stop
    for each row execute function clinic.keep_order_days()
    """,
    "grant update (days) on clinic.medication_order_days to caseload_app",
)

KEPT = (
    """
    select clinic.order_days_of(o.id, coalesce(s.signed_at, o.written_at))
    from clinic.medication_order o
    left join clinic.medication_order_signature s on s.order_id = o.id
    where (s.order_id is not null or o.verbal_by is not null)
      and not exists (select from clinic.medication_order_stop e where e.order_id = o.id)
    """,
)

COMMENT = (
    "The days and parts of the day in which an order that counts may be given; triggers keep it. Two share neither a"
    " part of a day nor a medicine, and share a day only where one was signed as standing beside another."
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*BESIDE, *DECIDED, *DAYS, *KEPT):
        op.execute(statement)
    op.execute(f"comment on table clinic.medication_order_days is $${COMMENT}$$")
