"""Whoever goes on to a programme of another time zone keeps the days that they had."""

from alembic import op

revision = "20261123_354"
down_revision = "20261123_381"

COMMENT = (
    "A person known to the clinic. The home programme fixes the zone of every dosing day, and for whoever came from one of"
    " another zone their own zones do; whoever was ever said to be registered twice has_merges (triggers hold that)."
)
CHECK = "zones ~ '^[A-Za-z0-9_+/-]{1,64}( [0-9T:.+-]{32} [A-Za-z0-9_+/-]{1,64})*$'"
MOVES = (
    """
    create or replace function clinic.client_moves() returns trigger
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
      update clinic.client as moving set
        programme_id = new.to_programme_id,
        zones = case
          when zones_of.had = zones_of.there then null
          when regexp_replace(zones_of.had, '^.* ', '') = zones_of.now_there then zones_of.had
          else concat_ws(' ', zones_of.had,
                         to_char(new.ended_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), zones_of.now_there)
        end
      from (
        select coalesce(gone.zones, giving.zones, giving.time_zone) as had,
               coalesce(receiving.zones, receiving.time_zone) as there, receiving.time_zone as now_there
        from clinic.client as gone, clinic.programme as giving, clinic.programme as receiving
        where gone.id = new.client_id and giving.id = new.programme_id and receiving.id = new.to_programme_id
      ) as zones_of
      where moving.id = new.client_id and moving.programme_id = new.programme_id;
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
    create function clinic.clients_move_along() returns trigger
    language plpgsql security definer set search_path = pg_catalog as $$
    begin
      update clinic.client set
        zones = concat_ws(' ', zones, to_char(new.moved_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'),
                          new.to_zone)
      where programme_id = new.programme_id and zones is not null;
      return null;
    end $$
    """,
    """
    create trigger clients_move_along after insert on clinic.programme_zone_move
    for each row execute function clinic.clients_move_along()
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("ALTER TABLE clinic.client ADD COLUMN zones TEXT")
    op.execute(f"ALTER TABLE clinic.client ADD CONSTRAINT client_zones_check CHECK ({CHECK}) NOT VALID")
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.client VALIDATE CONSTRAINT client_zones_check"
    )
    for statement in MOVES:
        op.execute(statement)
    op.execute(f"comment on table clinic.client is $${COMMENT}$$")
