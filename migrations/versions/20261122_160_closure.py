"""Closure days: on which days a programme's window stays closed, as versions that are never changed."""

from alembic import op

revision = "20261122_160"
down_revision = "20261122_142"

TABLE = """
    CREATE TABLE clinic.closure_day (
        programme_id UUID NOT NULL,
        day DATE NOT NULL,
        version SMALLINT NOT NULL,
        is_closed BOOLEAN NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT closure_day_pkey PRIMARY KEY (programme_id, day, version),
        CONSTRAINT closure_day_version_check CHECK (version >= 1),
        CONSTRAINT closure_day_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT closure_day_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT closure_day_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""

COMMENT = "On which days a programme's window stays closed. The newest version of a day counts; its key settles a race."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(TABLE)
    op.execute(f"comment on table clinic.closure_day is $${COMMENT}$$")
