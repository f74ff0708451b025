"""That a programme moved to another time zone; the programme's row follows by itself, and nothing else may change it."""

from alembic import op

revision = "20261123_340"
down_revision = "20261123_361"

TABLE = """
    CREATE TABLE clinic.programme_zone_move (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        moved_at TIMESTAMP WITH TIME ZONE NOT NULL,
        from_zone TEXT NOT NULL,
        to_zone TEXT NOT NULL,
        reason TEXT NOT NULL,
        moved_by UUID NOT NULL,
        CONSTRAINT programme_zone_move_pkey PRIMARY KEY (id),
        CONSTRAINT programme_zone_move_programme_id_number_key UNIQUE (programme_id, number),
        CONSTRAINT programme_zone_move_number_check CHECK (number >= 1),
        CONSTRAINT programme_zone_move_another_check CHECK (from_zone <> to_zone),
        CONSTRAINT programme_zone_move_to_zone_check CHECK (to_zone ~ '^[A-Za-z0-9_+/-]{1,64}$'),
        CONSTRAINT programme_zone_move_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT programme_zone_move_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT programme_zone_move_moved_by_fkey FOREIGN KEY(moved_by) REFERENCES clinic.staff (id)
    )
"""
COMMENT = "That a programme's days are those of another time zone from a moment on: who said so, when and why."
MOVES = (
    """
    create function clinic.programme_moves() returns trigger
    language plpgsql security definer set search_path = pg_catalog as $$
    begin
      update clinic.programme set
        time_zone = new.to_zone,
        zones = concat_ws(' ', coalesce(zones, time_zone),
                          to_char(new.moved_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'), new.to_zone)
      where id = new.programme_id and time_zone = new.from_zone
        and not exists (select from clinic.programme_zone_move as other
                        where other.programme_id = new.programme_id and other.number <> new.number
                          and other.moved_at >= new.moved_at);
      if not found then
        raise exception 'the programme has moved from that zone already'
          using errcode = 'integrity_constraint_violation', constraint = 'programme_zone_move_follows';
      end if;
      return null;
    end $$
    """,
    """
    create trigger programme_moves after insert on clinic.programme_zone_move
    for each row execute function clinic.programme_moves()
    """,
)
ZONES = "zones IS NULL OR right(zones, length(time_zone) + 1) = ' ' || time_zone"
ASKED_BY = "asked_by IN ('client', 'provider', 'closure', 'zone')"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(TABLE)
    op.execute(f"comment on table clinic.programme_zone_move is $${COMMENT}$$")
    op.execute("ALTER TABLE clinic.programme ADD COLUMN zones TEXT")
    for statement in MOVES:
        op.execute(statement)
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE clinic.check_in_move DROP CONSTRAINT check_in_move_asked_by_check"
    )
    for table, name, words in (
        ("programme", "programme_zones_check", ZONES),
        ("check_in_move", "check_in_move_asked_by_check", ASKED_BY),
    ):
        op.execute(f"ALTER TABLE clinic.{table} ADD CONSTRAINT {name} CHECK ({words}) NOT VALID")
        op.execute(
            f"-- squawk-ignore constraint-missing-not-valid\nALTER TABLE clinic.{table} VALIDATE CONSTRAINT {name}"
        )
