"""One person registered twice: two registrations are proposed to be one person's, confirmed or rejected, and undone.

How they stand is kept by triggers, beside the medication records that every dose locks first. What begins something new
for a registration that is closed is refused as a transaction that crossed another one: whoever tries again is told why.
"""

from alembic import op

revision = "20261123_290"
down_revision = "20261123_321"

TABLES = (
    """
    CREATE TABLE clinic.client_merge (
        id UUID NOT NULL,
        duplicate_id UUID NOT NULL,
        survivor_id UUID NOT NULL,
        reason TEXT NOT NULL,
        proposed_by UUID NOT NULL,
        proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_merge_pkey PRIMARY KEY (id),
        CONSTRAINT client_merge_id_duplicate_id_survivor_id_key UNIQUE (id, duplicate_id, survivor_id),
        CONSTRAINT client_merge_id_proposed_by_key UNIQUE (id, proposed_by),
        CONSTRAINT client_merge_two_registrations_check CHECK (duplicate_id <> survivor_id),
        CONSTRAINT client_merge_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT client_merge_duplicate_id_fkey FOREIGN KEY(duplicate_id) REFERENCES clinic.client (id),
        CONSTRAINT client_merge_survivor_id_fkey FOREIGN KEY(survivor_id) REFERENCES clinic.client (id),
        CONSTRAINT client_merge_proposed_by_fkey FOREIGN KEY(proposed_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.client_merge_answer (
        merge_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        proposed_by UUID NOT NULL,
        answered_by UUID NOT NULL,
        answered_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_merge_answer_pkey PRIMARY KEY (merge_id),
        CONSTRAINT client_merge_answer_merge_id_outcome_key UNIQUE (merge_id, outcome),
        CONSTRAINT client_merge_answer_merge_fkey FOREIGN KEY(merge_id, proposed_by) REFERENCES
                clinic.client_merge (id, proposed_by),
        CONSTRAINT client_merge_answer_outcome_check CHECK (outcome IN ('confirmed', 'rejected')),
        CONSTRAINT client_merge_answer_second_person_check CHECK (outcome <> 'confirmed' OR
                answered_by <> proposed_by),
        CONSTRAINT client_merge_answer_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT client_merge_answer_answered_by_fkey FOREIGN KEY(answered_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.client_merge_undoing (
        merge_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        reason TEXT NOT NULL,
        undone_by UUID NOT NULL,
        undone_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT client_merge_undoing_pkey PRIMARY KEY (merge_id),
        CONSTRAINT client_merge_undoing_answer_fkey FOREIGN KEY(merge_id, outcome) REFERENCES
                clinic.client_merge_answer (merge_id, outcome),
        CONSTRAINT client_merge_undoing_was_confirmed_check CHECK (outcome = 'confirmed'),
        CONSTRAINT client_merge_undoing_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT client_merge_undoing_undone_by_fkey FOREIGN KEY(undone_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.client_merge_side (
        merge_id UUID NOT NULL,
        side TEXT NOT NULL,
        client_id UUID NOT NULL,
        duplicate_id UUID NOT NULL,
        survivor_id UUID NOT NULL,
        standing TEXT NOT NULL,
        CONSTRAINT client_merge_side_pkey PRIMARY KEY (merge_id, side),
        CONSTRAINT client_merge_side_merge_fkey FOREIGN KEY(merge_id, duplicate_id, survivor_id) REFERENCES
                clinic.client_merge (id, duplicate_id, survivor_id),
        CONSTRAINT client_merge_side_side_check CHECK (side IN ('duplicate', 'survivor')),
        CONSTRAINT client_merge_side_standing_check CHECK (standing IN ('suspected', 'merged', 'apart')),
        CONSTRAINT client_merge_side_its_own_side_check CHECK (client_id = CASE side WHEN 'duplicate' THEN
                duplicate_id ELSE survivor_id END),
        CONSTRAINT client_merge_side_star EXCLUDE USING gist (client_id WITH =, side WITH <>)
                WHERE (standing <> 'apart'),
        CONSTRAINT client_merge_side_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX client_merge_duplicate_id_idx ON clinic.client_merge (duplicate_id)",
    "CREATE INDEX client_merge_survivor_id_idx ON clinic.client_merge (survivor_id)",
    "CREATE INDEX client_merge_side_client_id_idx ON clinic.client_merge_side (client_id)",
    """
    CREATE UNIQUE INDEX client_merge_side_one_survivor ON clinic.client_merge_side (client_id)
    WHERE side = 'duplicate' AND standing <> 'apart'
    """,
    """
    CREATE INDEX client_merge_side_survivor_idx ON clinic.client_merge_side (survivor_id) WHERE standing <> 'apart'
    """,
)

COLUMNS = (
    "ALTER TABLE clinic.client ADD COLUMN has_merges BOOLEAN DEFAULT false NOT NULL",
    """
    ALTER TABLE clinic.medication_record ADD COLUMN merged_into UUID,
        ADD COLUMN suspected_with UUID
    """,
)

SIDES = (
    """
    create function clinic.keep_merge_sides() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      case tg_table_name
      when 'client_merge' then
        insert into clinic.client_merge_side (merge_id, side, client_id, duplicate_id, survivor_id, standing)
        values (new.id, 'duplicate', new.duplicate_id, new.duplicate_id, new.survivor_id, 'suspected'),
               (new.id, 'survivor', new.survivor_id, new.duplicate_id, new.survivor_id, 'suspected');
        update clinic.client set has_merges = true
        where id in (new.duplicate_id, new.survivor_id) and not has_merges;
      when 'client_merge_answer' then
        update clinic.client_merge_side
        set standing = case new.outcome when 'confirmed' then 'merged' else 'apart' end
        where merge_id = new.merge_id;
      else
        update clinic.client_merge_side set standing = 'apart' where merge_id = new.merge_id;
      end case;
      return null;
    end $$
    """,
    """
    create trigger client_merge_has_sides after insert on clinic.client_merge
    for each row execute function clinic.keep_merge_sides()
    """,
    """
    create trigger client_merge_answer_moves_sides after insert on clinic.client_merge_answer
    for each row execute function clinic.keep_merge_sides()
    """,
    """
    create trigger client_merge_undoing_parts_sides after insert on clinic.client_merge_undoing
    for each row execute function clinic.keep_merge_sides()
    """,
    """
    create function clinic.keep_merged_record() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      update clinic.medication_record set
        merged_into = (select survivor_id from clinic.client_merge_side
                       where client_id = new.client_id and side = 'duplicate' and standing = 'merged'),
        suspected_with = (select survivor_id from clinic.client_merge_side
                          where client_id = new.client_id and standing = 'suspected' limit 1)
      where client_id = new.client_id;
      if not found then
        raise exception 'no medication record of this client was locked before a merge named them'
          using errcode = 'integrity_constraint_violation', constraint = 'client_merge_has_records';
      end if;
      if new.side = 'survivor' and new.standing = 'merged' then
        update clinic.medication_record as used set
          covered_until = greatest(used.covered_until, closed.covered_until, closed.taken_until),
          gaps_until = greatest(used.gaps_until, closed.gaps_until)
        from (
          select covered_until, gaps_until, greatest(
            (select max(dosing_day) from clinic.dose where client_id = new.duplicate_id),
            (select max(for_on) from clinic.take_home_unit where client_id = new.duplicate_id)) as taken_until
          from clinic.medication_record where client_id = new.duplicate_id
        ) as closed
        where used.client_id = new.client_id;
      end if;
      return null;
    end $$
    """,
    """
    create trigger client_merge_side_on_the_record after insert or update on clinic.client_merge_side
    for each row execute function clinic.keep_merged_record()
    """,
    "grant update (standing) on clinic.client_merge_side to caseload_app",
    "grant update (has_merges) on clinic.client to caseload_app",
    "grant update (merged_into, suspected_with) on clinic.medication_record to caseload_app",
)

IS_OPEN = """
    create function clinic.registration_is_open() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if exists (select from clinic.client_merge_side
                 where client_id = new.client_id and side = 'duplicate' and standing = 'merged') then
        raise exception 'this registration has been closed: another one is used for the client'
          using errcode = 'serialization_failure';
      end if;
      return null;
    end $$
    """
BEGINS_SOMETHING = (
    "care_task",
    "check_in_plan",
    "episode",
    "escalation",
    "therapy_session_booking",
    "therapy_session_wait",
)

HOLD_REASONS = (
    "reason IN ('intoxication', 'sedation', 'medical', 'identity', 'prescriber_asked', 'missed_doses', 'exception',"
    " 'registered_twice', 'other')"
)
DISCHARGE_REASONS = (
    "reason IN ('completed', 'dropped_out', 'terminated', 'transferred', 'incarcerated', 'died', 'registered_twice',"
    " 'other')"
)
WORDS = (
    ("hold", "hold_reason_check", HOLD_REASONS),
    ("discharge", "discharge_reason_check", DISCHARGE_REASONS),
    ("discharge_asked", "discharge_asked_reason_check", DISCHARGE_REASONS),
)

COMMENTS = {
    "client_merge": "Somebody says that two registrations are one person's, and which of them stays.",
    "client_merge_answer": "Another person confirmed a merge, or it was rejected; the key lets it be answered once.",
    "client_merge_undoing": "A merge that was confirmed is undone: each registration stands for itself again.",
    "client_merge_side": (
        "How the two registrations of each merge stand now; written by triggers alone. A survivor is nobody's duplicate,"
        " and a duplicate has one survivor."
    ),
    "client": (
        "A person known to the clinic. The home programme fixes the zone of every dosing day; whoever was ever said to be"
        " registered twice has_merges (a trigger holds that)."
    ),
    "medication_record": (
        "Locked first by whatever touches a client's doses. Brought-in history tells of the days until history_until,"
        " anything besides our own doses of no day after covered_until, and whoever ever was a guest has_guest_days."
        " A closed registration is merged_into another; what may be one person's with others is suspected_with the survivor"
        " of them (triggers hold that)."
    ),
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, *COLUMNS, *SIDES, IS_OPEN):
        op.execute(statement)
    for table in BEGINS_SOMETHING:
        op.execute(
            f"create trigger registration_is_open after insert on clinic.{table}"
            " for each row execute function clinic.registration_is_open()"
        )
    for table, name, words in WORDS:
        op.execute(f"-- squawk-ignore ban-drop-constraint\nALTER TABLE clinic.{table} DROP CONSTRAINT {name}")
        op.execute(f"ALTER TABLE clinic.{table} ADD CONSTRAINT {name} CHECK ({words}) NOT VALID")
        op.execute(
            f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.{table} VALIDATE CONSTRAINT {name}"
        )
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
