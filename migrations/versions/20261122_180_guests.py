"""Guest dosing: agreements with other programmes, how they came out, and the orders that were signed for a guest of ours.

Whoever is a guest on a day is one of one programme only (an exclusion constraint). `medication_record.has_guest_days` says
of whom the window must ask at all; a trigger holds that.
"""

from alembic import op

revision = "20261122_180"
down_revision = "20261122_190"

MADE_AS = (
    "(medicine = 'methadone' AND form IN ('dispersible_tablet', 'oral_concentrate', 'oral_solution', 'tablet'))"
    " OR (medicine = 'buprenorphine' AND form IN ('extended_release_injection', 'oral_lyophilisate',"
    " 'sublingual_tablet'))"
    " OR (medicine = 'buprenorphine_naloxone' AND form IN ('sublingual_film', 'sublingual_tablet'))"
    " OR (medicine = 'naltrexone' AND form IN ('extended_release_injection', 'tablet'))"
)

BEFORE = (
    """
    -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
    ALTER TABLE clinic.disclosure_made ADD CONSTRAINT disclosure_made_id_client_id_key UNIQUE (id, client_id)
    """,
    "ALTER TABLE clinic.medication_record ADD COLUMN has_guest_days BOOLEAN DEFAULT false NOT NULL",
)

TABLES = (
    """
    CREATE TABLE clinic.guest_agreement (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        direction TEXT NOT NULL,
        host_programme_id UUID,
        facility TEXT NOT NULL,
        disclosure_id UUID,
        statement_id UUID,
        first_on DATE NOT NULL,
        last_on DATE NOT NULL,
        until_on DATE NOT NULL,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        amount_mg NUMERIC(7, 3) NOT NULL,
        holds_on DATE[] NOT NULL,
        why TEXT NOT NULL,
        other_enrolments TEXT NOT NULL,
        confirmed_by TEXT NOT NULL,
        how TEXT NOT NULL,
        confirmed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT guest_agreement_pkey PRIMARY KEY (id),
        CONSTRAINT guest_agreement_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT guest_agreement_disclosure_fkey FOREIGN KEY(disclosure_id, client_id) REFERENCES
                clinic.disclosure_made (id, client_id),
        CONSTRAINT guest_agreement_statement_fkey FOREIGN KEY(statement_id, client_id) REFERENCES
                clinic.dose_statement (id, client_id),
        CONSTRAINT guest_agreement_one_at_a_time EXCLUDE USING gist (client_id WITH =, daterange(first_on,
                until_on) WITH &&),
        CONSTRAINT guest_agreement_direction_check CHECK (direction IN ('elsewhere', 'here')),
        CONSTRAINT guest_agreement_how_check CHECK (how IN ('telephone', 'in_person', 'document', 'electronic')),
        CONSTRAINT guest_agreement_made_as_check CHECK (%(made_as)s),
        CONSTRAINT guest_agreement_no_injection_check CHECK (form NOT IN ('extended_release_injection')),
        CONSTRAINT guest_agreement_amount_mg_check CHECK (amount_mg > 0),
        CONSTRAINT guest_agreement_by_its_direction_check CHECK (CASE direction WHEN 'elsewhere' THEN
                num_nonnulls(host_programme_id, disclosure_id) = 1 AND statement_id IS NULL AND
                cardinality(holds_on) = 0 ELSE num_nonnulls(host_programme_id, disclosure_id) = 0 AND statement_id
                IS NOT NULL END),
        CONSTRAINT guest_agreement_another_programme_check CHECK (host_programme_id <> programme_id),
        CONSTRAINT guest_agreement_days_check CHECK (first_on <= last_on AND first_on <= until_on AND until_on <=
                last_on + 1),
        CONSTRAINT guest_agreement_not_in_the_future_check CHECK (confirmed_at <= recorded_at),
        CONSTRAINT guest_agreement_facility_not_blank_check CHECK (btrim(facility) <> ''),
        CONSTRAINT guest_agreement_why_not_blank_check CHECK (btrim(why) <> ''),
        CONSTRAINT guest_agreement_other_enrolments_not_blank_check CHECK (btrim(other_enrolments) <> ''),
        CONSTRAINT guest_agreement_confirmed_by_not_blank_check CHECK (btrim(confirmed_by) <> ''),
        CONSTRAINT guest_agreement_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT guest_agreement_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT guest_agreement_host_programme_id_fkey FOREIGN KEY(host_programme_id) REFERENCES
                clinic.programme (id),
        CONSTRAINT guest_agreement_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.guest_end (
        agreement_id UUID NOT NULL,
        last_on DATE NOT NULL,
        reason TEXT NOT NULL,
        became_ours BOOLEAN NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT guest_end_pkey PRIMARY KEY (agreement_id),
        CONSTRAINT guest_end_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT guest_end_agreement_id_fkey FOREIGN KEY(agreement_id) REFERENCES clinic.guest_agreement (id),
        CONSTRAINT guest_end_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.guest_order (
        order_id UUID NOT NULL,
        agreement_id UUID NOT NULL,
        client_id UUID NOT NULL,
        CONSTRAINT guest_order_pkey PRIMARY KEY (order_id),
        CONSTRAINT guest_order_order_fkey FOREIGN KEY(order_id, client_id) REFERENCES clinic.medication_order (id,
                client_id),
        CONSTRAINT guest_order_agreement_fkey FOREIGN KEY(agreement_id, client_id) REFERENCES
                clinic.guest_agreement (id, client_id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX guest_agreement_client_id_first_on_idx ON clinic.guest_agreement (client_id, first_on)",
    "CREATE INDEX guest_agreement_host_programme_id_until_on_idx ON clinic.guest_agreement (host_programme_id, until_on)",
    "CREATE INDEX guest_agreement_programme_id_until_on_idx ON clinic.guest_agreement (programme_id, until_on)",
    "CREATE INDEX guest_order_agreement_id_idx ON clinic.guest_order (agreement_id)",
)

HAS_GUEST_DAYS = (
    """
    create function clinic.keep_has_guest_days() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      update clinic.medication_record set has_guest_days = true
      where client_id = new.client_id and not has_guest_days;
      if not exists (select from clinic.medication_record where client_id = new.client_id) then
        raise exception 'no medication record of this client was locked before an agreement made them a guest'
          using errcode = 'integrity_constraint_violation', constraint = 'guest_agreement_has_a_record';
      end if;
      return null;
    end $$
    """,
    """
    create trigger guest_agreement_makes_guest after insert on clinic.guest_agreement
    for each row execute function clinic.keep_has_guest_days()
    """,
    "grant update (has_guest_days) on clinic.medication_record to caseload_app",
    "grant update (until_on) on clinic.guest_agreement to caseload_app",
    "grant update (period), delete on clinic.guest_stay to caseload_app",
)

COMMENTS = {
    "guest_agreement": (
        "A client is dosed by another programme than their own, from first_on until the day before until_on; only"
        " until_on is written later, by the end."
    ),
    "guest_end": (
        "The last guest day after all, the day before the first where it never was; or that a guest stays with us."
    ),
    "guest_order": (
        "For which agreement an order of a guest of ours was signed: nothing is given under it for another."
    ),
    "medication_record": (
        "Locked first by whatever touches a client's doses. Brought-in history tells of the days until history_until,"
        " anything besides our own doses of no day after covered_until, and whoever ever was a guest has_guest_days"
        " (triggers hold that)."
    ),
    "guest_stay": (
        "A programme of ours hosts the client of another for a while, by the agreement of the same number; it ends by"
        " itself, and only its end is written later."
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*BEFORE, *(table % {"made_as": MADE_AS} for table in TABLES), *INDEXES, *HAS_GUEST_DAYS):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
