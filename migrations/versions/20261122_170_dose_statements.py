"""What others say of a day's medicine, who verified it, and until when anything but our own doses speaks of a client.

An older version of the service reads nothing of it: it counts such days as missed, which is the safe side.
"""

from alembic import op

revision = "20261122_170"
down_revision = "20261122_160"

TABLES = (
    """
    CREATE TABLE clinic.dose_statement (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        source TEXT NOT NULL,
        source_name TEXT NOT NULL,
        informant TEXT NOT NULL,
        told_at TIMESTAMP WITH TIME ZONE NOT NULL,
        order_id UUID,
        medicine TEXT NOT NULL,
        form TEXT NOT NULL,
        note TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT dose_statement_pkey PRIMARY KEY (id),
        CONSTRAINT dose_statement_id_client_id_key UNIQUE (id, client_id),
        CONSTRAINT dose_statement_source_check CHECK (source IN ('pharmacy', 'programme', 'hospital', 'prison',
                'prescriber', 'client', 'family', 'other')),
        CONSTRAINT dose_statement_made_as_check CHECK (%(made_as)s),
        CONSTRAINT dose_statement_no_injection_check CHECK (form NOT IN ('extended_release_injection')),
        CONSTRAINT dose_statement_order_is_a_pharmacys_check CHECK (order_id IS NULL OR source = 'pharmacy'),
        CONSTRAINT dose_statement_not_in_the_future_check CHECK (told_at <= recorded_at),
        CONSTRAINT dose_statement_source_name_not_blank_check CHECK (btrim(source_name) <> ''),
        CONSTRAINT dose_statement_informant_not_blank_check CHECK (btrim(informant) <> ''),
        CONSTRAINT dose_statement_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT dose_statement_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT dose_statement_order_fkey FOREIGN KEY(order_id, client_id)
                REFERENCES clinic.medication_order (id, client_id),
        CONSTRAINT dose_statement_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_statement_day (
        statement_id UUID NOT NULL,
        day DATE NOT NULL,
        part TEXT NOT NULL,
        client_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        amount_mg NUMERIC(7, 3),
        taken_at TIMESTAMP WITH TIME ZONE,
        reason TEXT,
        CONSTRAINT dose_statement_day_pkey PRIMARY KEY (statement_id, day, part),
        CONSTRAINT dose_statement_day_part_check CHECK (part IN ('whole', 'morning', 'evening')),
        CONSTRAINT dose_statement_day_outcome_check CHECK (outcome IN ('taken', 'missed', 'withheld')),
        CONSTRAINT dose_statement_day_taken_has_an_amount_check CHECK ((outcome = 'taken') = (amount_mg IS NOT NULL)),
        CONSTRAINT dose_statement_day_amount_mg_check CHECK (amount_mg > 0),
        CONSTRAINT dose_statement_day_taken_at_check CHECK (taken_at IS NULL OR outcome = 'taken'),
        CONSTRAINT dose_statement_day_withheld_has_a_reason_check CHECK ((outcome = 'withheld') = (reason IS NOT NULL)),
        CONSTRAINT dose_statement_day_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT dose_statement_day_statement_fkey FOREIGN KEY(statement_id, client_id)
                REFERENCES clinic.dose_statement (id, client_id)
    )
    """,
    """
    CREATE TABLE clinic.dose_statement_verification (
        statement_id UUID NOT NULL,
        asked TEXT NOT NULL,
        how TEXT NOT NULL,
        verified_by UUID NOT NULL,
        verified_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT dose_statement_verification_pkey PRIMARY KEY (statement_id),
        CONSTRAINT dose_statement_verification_how_check CHECK (how IN ('telephone', 'in_person', 'document',
                'electronic')),
        CONSTRAINT dose_statement_verification_asked_not_blank_check CHECK (btrim(asked) <> ''),
        CONSTRAINT dose_statement_verification_statement_id_fkey FOREIGN KEY(statement_id)
                REFERENCES clinic.dose_statement (id),
        CONSTRAINT dose_statement_verification_verified_by_fkey FOREIGN KEY(verified_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.dose_statement_withdrawal (
        statement_id UUID NOT NULL,
        reason TEXT NOT NULL,
        withdrawn_by UUID NOT NULL,
        withdrawn_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT dose_statement_withdrawal_pkey PRIMARY KEY (statement_id),
        CONSTRAINT dose_statement_withdrawal_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT dose_statement_withdrawal_statement_id_fkey FOREIGN KEY(statement_id)
                REFERENCES clinic.dose_statement (id),
        CONSTRAINT dose_statement_withdrawal_withdrawn_by_fkey FOREIGN KEY(withdrawn_by) REFERENCES clinic.staff (id)
    )
    """,
)

MADE_AS = (
    "(medicine = 'methadone' AND form IN ('dispersible_tablet', 'oral_concentrate', 'oral_solution', 'tablet'))"
    " OR (medicine = 'buprenorphine' AND form IN ('extended_release_injection', 'oral_lyophilisate',"
    " 'sublingual_tablet'))"
    " OR (medicine = 'buprenorphine_naloxone' AND form IN ('sublingual_film', 'sublingual_tablet'))"
    " OR (medicine = 'naltrexone' AND form IN ('extended_release_injection', 'tablet'))"
)

INDEXES = (
    "CREATE INDEX dose_statement_client_id_id_idx ON clinic.dose_statement (client_id, id)",
    "CREATE INDEX dose_statement_day_client_id_day_idx ON clinic.dose_statement_day (client_id, day)",
)

COMMENTS = {
    "dose_statement": "What somebody else says about a client's medicine: who said it, and when. It never touches our stock.",
    "dose_statement_day": "A day of a statement: taken with its amount, missed, or withheld.",
    "dose_statement_verification": "With whom it was verified, how and by whom; only then do its days count as taken.",
    "dose_statement_withdrawal": "It was wrong, and why; it counts no longer and stays readable.",
    "medication_record": (
        "Locked first by whatever touches a client's doses. Brought-in history tells of the days until history_until,"
        " anything besides our own doses of no day after covered_until (triggers hold that)."
    ),
}

COVERED_UNTIL = (
    "ALTER TABLE clinic.medication_record ADD COLUMN covered_until DATE",
    """
    create function clinic.keep_covered_until() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      update clinic.medication_record set covered_until = new.day
      where client_id = new.client_id and (covered_until is null or covered_until < new.day);
      if not exists (select from clinic.medication_record where client_id = new.client_id) then
        raise exception 'no medication record of this client was locked before a day of theirs was covered'
          using errcode = 'integrity_constraint_violation', constraint = 'covered_day_has_a_record';
      end if;
      return null;
    end $$
    """,
    """
    create trigger dose_statement_day_covers after insert on clinic.dose_statement_day
    for each row execute function clinic.keep_covered_until()
    """,
    "grant update (covered_until) on clinic.medication_record to caseload_app",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*(table % {"made_as": MADE_AS} for table in TABLES), *INDEXES, *COVERED_UNTIL):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
