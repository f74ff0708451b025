"""Restrictions: clients whom only named staff see, and who those are."""

from alembic import op

revision = "20261123_320"
down_revision = "20261123_301"

RESTRICTION = """
    CREATE TABLE clinic.restriction (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        kind TEXT NOT NULL,
        reason TEXT NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        until_at TIMESTAMP WITH TIME ZONE,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_by UUID,
        ended_because TEXT,
        period TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, LEAST(until_at, ended_at))) STORED NOT NULL,
        CONSTRAINT restriction_pkey PRIMARY KEY (id),
        CONSTRAINT restriction_kind_check CHECK (kind IN ('colleague', 'relative_of_staff', 'public_person', 'asked_for')),
        CONSTRAINT restriction_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT restriction_ended_because_not_blank_check CHECK (btrim(ended_because) <> ''),
        CONSTRAINT restriction_until_after_start_check CHECK (until_at > starts_at),
        CONSTRAINT restriction_ended_after_start_check CHECK (ended_at >= starts_at),
        CONSTRAINT restriction_whole_end_check CHECK (num_nonnulls(ended_at, ended_by, ended_because) IN (0, 3)),
        CONSTRAINT restriction_one_at_a_time EXCLUDE USING gist (client_id WITH =, period WITH &&),
        CONSTRAINT restriction_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT restriction_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT restriction_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id)
    )
"""
NAMING = """
    CREATE TABLE clinic.restriction_naming (
        id UUID NOT NULL,
        restriction_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        until_at TIMESTAMP WITH TIME ZONE,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE,
        ended_by UUID,
        period TSTZRANGE GENERATED ALWAYS AS (tstzrange(starts_at, LEAST(until_at, ended_at))) STORED NOT NULL,
        CONSTRAINT restriction_naming_pkey PRIMARY KEY (id),
        CONSTRAINT restriction_naming_until_after_start_check CHECK (until_at > starts_at),
        CONSTRAINT restriction_naming_ended_after_start_check CHECK (ended_at >= starts_at),
        CONSTRAINT restriction_naming_whole_end_check CHECK (num_nonnulls(ended_at, ended_by) IN (0, 2)),
        CONSTRAINT restriction_naming_once
            EXCLUDE USING gist (restriction_id WITH =, staff_id WITH =, period WITH &&),
        CONSTRAINT restriction_naming_restriction_id_fkey
            FOREIGN KEY(restriction_id) REFERENCES clinic.restriction (id),
        CONSTRAINT restriction_naming_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT restriction_naming_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id),
        CONSTRAINT restriction_naming_ended_by_fkey FOREIGN KEY(ended_by) REFERENCES clinic.staff (id)
    )
"""

OF_RESTRICTION = "A client whom only named staff see; only its end before the planned one is ever written later."
OF_NAMING = "Who sees a restricted client, from when to when; only an early end is ever written later."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(RESTRICTION)
    op.execute("CREATE INDEX restriction_client_id_idx ON clinic.restriction (client_id)")
    op.execute("CREATE INDEX restriction_running_idx ON clinic.restriction (client_id) WHERE ended_at IS NULL")
    op.execute(f"comment on table clinic.restriction is $${OF_RESTRICTION}$$")
    op.execute("grant update (ended_at, ended_by, ended_because) on clinic.restriction to caseload_app")
    op.execute(NAMING)
    op.execute("CREATE INDEX restriction_naming_staff_id_idx ON clinic.restriction_naming (staff_id)")
    op.execute(f"comment on table clinic.restriction_naming is $${OF_NAMING}$$")
    op.execute("grant update (ended_at, ended_by) on clinic.restriction_naming to caseload_app")
