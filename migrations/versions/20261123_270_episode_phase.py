"""Phases of treatment within an episode, each from a local day on."""

from alembic import op

revision = "20261123_270"
down_revision = "20261123_240"

TABLE = """
    CREATE TABLE clinic.episode_phase (
        episode_id UUID NOT NULL,
        from_on DATE NOT NULL,
        phase TEXT NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT episode_phase_pkey PRIMARY KEY (episode_id, from_on),
        CONSTRAINT episode_phase_phase_check
            CHECK (phase IN ('induction', 'stabilisation', 'maintenance', 'tapering', 'aftercare')),
        CONSTRAINT episode_phase_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT episode_phase_episode_id_fkey FOREIGN KEY(episode_id) REFERENCES clinic.episode (id),
        CONSTRAINT episode_phase_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""

COMMENT = "Phases of treatment within an episode; the newest that has begun is the one it is in."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    op.execute(f"comment on table clinic.episode_phase is $${COMMENT}$$")
