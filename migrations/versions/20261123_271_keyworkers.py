"""Keyworkers: whom a client knows best, one at a time, besides whoever is responsible."""

from alembic import op

revision = "20261123_271"
down_revision = "20261123_252"

TABLE = """
    CREATE TABLE clinic.keyworker (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        episode_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        until_at TIMESTAMP WITH TIME ZONE,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_by UUID,
        ended_why TEXT,
        period TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, LEAST(until_at, ended_at))) STORED NOT NULL,
        CONSTRAINT keyworker_pkey PRIMARY KEY (id),
        CONSTRAINT keyworker_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT keyworker_ended_why_check CHECK (ended_why IN ('another', 'ended', 'discharged')),
        CONSTRAINT keyworker_until_after_start_check CHECK (until_at > starts_at),
        CONSTRAINT keyworker_ended_after_start_check CHECK (ended_at >= starts_at),
        CONSTRAINT keyworker_whole_end_check CHECK (num_nonnulls(ended_at, ended_by, ended_why) IN (0, 3)),
        CONSTRAINT keyworker_one_at_a_time EXCLUDE USING gist (client_id WITH =, period WITH &&),
        CONSTRAINT keyworker_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT keyworker_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT keyworker_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT keyworker_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT keyworker_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id)
    )
"""

COMMENT = "Whom a client knows best, one at a time; only its end before the planned one is ever written later."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    op.execute("CREATE INDEX keyworker_staff_id_client_id_idx ON clinic.keyworker (staff_id, client_id)")
    op.execute(f"comment on table clinic.keyworker is $${COMMENT}$$")
    op.execute("grant update (ended_at, ended_by, ended_why) on clinic.keyworker to caseload_app")
