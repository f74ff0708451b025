"""Transfers of clients from one programme to another; the client's home follows by itself, and nothing else may change it."""

from alembic import op

revision = "20261123_353"
down_revision = "20261123_362"

TABLE = """
    CREATE TABLE clinic.client_transfer (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        episode_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        to_programme_id UUID NOT NULL,
        reason TEXT NOT NULL,
        told TEXT NOT NULL,
        proposed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        asked_by UUID NOT NULL,
        asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        counsellor_id UUID,
        edition TEXT,
        level TEXT,
        accepted_by UUID,
        accepted_at TIMESTAMP WITH TIME ZONE,
        departure_id UUID,
        outcome TEXT,
        ended_because TEXT,
        ended_by UUID,
        ended_at TIMESTAMP WITH TIME ZONE,
        into_episode_id UUID,
        CONSTRAINT client_transfer_pkey PRIMARY KEY (id),
        CONSTRAINT client_transfer_departure_id_key UNIQUE (departure_id),
        CONSTRAINT client_transfer_into_episode_id_key UNIQUE (into_episode_id),
        CONSTRAINT client_transfer_another_programme_check CHECK (to_programme_id <> programme_id),
        CONSTRAINT client_transfer_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT client_transfer_told_not_blank_check CHECK (btrim(told) <> ''),
        CONSTRAINT client_transfer_outcome_check CHECK (outcome IN ('moved', 'declined', 'withdrawn')),
        CONSTRAINT client_transfer_whole_acceptance_check CHECK (
                num_nonnulls(counsellor_id, edition, level, accepted_by, accepted_at) IN (0, 5)),
        CONSTRAINT client_transfer_waits_once_accepted_check CHECK (departure_id IS NULL OR accepted_at IS NOT NULL),
        CONSTRAINT client_transfer_whole_ending_check CHECK (num_nonnulls(outcome, ended_by, ended_at) IN (0, 3)),
        CONSTRAINT client_transfer_moved_into_an_episode_check CHECK (
                (into_episode_id IS NOT NULL) = (outcome IS NOT NULL AND outcome = 'moved')),
        CONSTRAINT client_transfer_moved_once_accepted_check CHECK (outcome <> 'moved' OR accepted_at IS NOT NULL),
        CONSTRAINT client_transfer_stays_for_a_reason_check CHECK (
                (ended_because IS NOT NULL) = (outcome IS NOT NULL AND outcome <> 'moved')),
        CONSTRAINT client_transfer_ended_because_not_blank_check CHECK (btrim(ended_because) <> ''),
        CONSTRAINT client_transfer_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT client_transfer_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT client_transfer_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT client_transfer_to_programme_id_fkey FOREIGN KEY(to_programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT client_transfer_asked_by_fkey FOREIGN KEY(asked_by) REFERENCES clinic.staff (id),
        CONSTRAINT client_transfer_counsellor_id_fkey FOREIGN KEY(counsellor_id) REFERENCES clinic.staff (id),
        CONSTRAINT client_transfer_accepted_by_fkey FOREIGN KEY(accepted_by) REFERENCES clinic.staff (id),
        CONSTRAINT client_transfer_departure_id_fkey FOREIGN KEY(departure_id) REFERENCES clinic.discharge_asked (id),
        CONSTRAINT client_transfer_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id),
        CONSTRAINT client_transfer_into_episode_id_fkey FOREIGN KEY(into_episode_id) REFERENCES clinic.episode (id)
    )
"""
INDEXES = (
    "CREATE UNIQUE INDEX client_transfer_one_waits ON clinic.client_transfer (episode_id) WHERE outcome IS NULL",
    "CREATE INDEX client_transfer_from_idx ON clinic.client_transfer (programme_id, id) WHERE outcome IS NULL",
    "CREATE INDEX client_transfer_to_idx ON clinic.client_transfer (to_programme_id, id) WHERE outcome IS NULL",
    "CREATE INDEX client_transfer_moved_idx ON clinic.client_transfer (client_id, programme_id) WHERE outcome = 'moved'",
    "CREATE INDEX client_transfer_gone_idx ON clinic.client_transfer (programme_id, id) WHERE outcome = 'moved'",
)
COMMENTS = {
    "client_transfer": (
        "A client is to go on from one programme to another. Accepting and ending are written once; of one who moved the home"
        " programme follows by a trigger."
    ),
    "medication_record": (
        "Locked first by whatever touches a client's doses. Brought-in history tells of the days until history_until,"
        " anything besides our own doses of no day after covered_until, and whoever ever was a guest has_guest_days."
        " A closed registration is merged_into another; what may be one person's with others is suspected_with the survivor"
        " of them, and the home of whoever was transferred is home_id (triggers hold that)."
    ),
}
MOVES = (
    """
    grant update (counsellor_id, edition, level, accepted_by, accepted_at, departure_id, outcome, ended_because, ended_by,
                  ended_at, into_episode_id) on clinic.client_transfer to caseload_app
    """,
    """
    create function clinic.transfer_is_written_once() returns trigger
    language plpgsql set search_path = pg_catalog as $$
    begin
      if old.outcome is not null
         or (old.accepted_at is not null
             and (old.counsellor_id, old.edition, old.level, old.accepted_by, old.accepted_at, old.departure_id)
                 is distinct from
                 (new.counsellor_id, new.edition, new.level, new.accepted_by, new.accepted_at, new.departure_id)) then
        raise exception 'what was said of a transfer stays as it was said'
          using errcode = 'integrity_constraint_violation', constraint = 'client_transfer_written_once';
      end if;
      return new;
    end $$
    """,
    """
    create trigger transfer_is_written_once before update on clinic.client_transfer
    for each row execute function clinic.transfer_is_written_once()
    """,
    """
    create function clinic.client_moves() returns trigger
    language plpgsql security definer set search_path = pg_catalog as $$
    begin
      if not exists (
        select from clinic.episode as ended, clinic.episode as begun
        where ended.id = new.episode_id and ended.client_id = new.client_id and ended.programme_id = new.programme_id
          and begun.id = new.into_episode_id and begun.client_id = new.client_id
          and begun.programme_id = new.to_programme_id
          and upper(ended.period) = new.ended_at and lower(begun.period) = new.ended_at) then
        raise exception 'one episode ends and the other begins with a transfer'
          using errcode = 'integrity_constraint_violation', constraint = 'client_transfer_without_a_gap';
      end if;
      update clinic.client set programme_id = new.to_programme_id
      where id = new.client_id and programme_id = new.programme_id;
      if not found then
        raise exception 'the client has another home already'
          using errcode = 'integrity_constraint_violation', constraint = 'client_transfer_follows';
      end if;
      update clinic.medication_record set home_id = new.to_programme_id where client_id = new.client_id;
      if not found then
        raise exception 'no medication record of this client was locked before they moved'
          using errcode = 'integrity_constraint_violation', constraint = 'client_transfer_has_record';
      end if;
      return null;
    end $$
    """,
    """
    create trigger client_moves after insert or update on clinic.client_transfer
    for each row when (new.outcome = 'moved') execute function clinic.client_moves()
    """,
)
HOLD_REASONS = (
    "reason IN ('intoxication', 'sedation', 'medical', 'identity', 'prescriber_asked', 'missed_doses', 'exception',"
    " 'registered_twice', 'transferred', 'other')"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(TABLE)
    op.execute("ALTER TABLE clinic.medication_record ADD COLUMN home_id UUID")
    for statement in (*INDEXES, *MOVES):
        op.execute(statement)
    op.execute("-- squawk-ignore ban-drop-constraint\nALTER TABLE clinic.hold DROP CONSTRAINT hold_reason_check")
    op.execute(f"ALTER TABLE clinic.hold ADD CONSTRAINT hold_reason_check CHECK ({HOLD_REASONS}) NOT VALID")
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.hold VALIDATE CONSTRAINT hold_reason_check"
    )
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
