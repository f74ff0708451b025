"""Sessions, rosters and registers in versions.

Facts are added and never changed. `therapy_session_current` is worked out from them, so the service may change its rows.
"""

from alembic import op

revision = "20261122_041"
down_revision = "20261122_070"

TABLES = (
    """
    CREATE TABLE clinic.therapy_session (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        title TEXT NOT NULL,
        starts_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        capacity SMALLINT,
        place TEXT,
        planned_by UUID NOT NULL,
        planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT therapy_session_pkey PRIMARY KEY (id),
        CONSTRAINT therapy_session_kind_check CHECK (kind IN ('individual', 'group', 'family', 'education',
            'peer_support', 'vocational', 'case_management', 'recovery_check_up', 'medical_review',
            'contingency_management')),
        CONSTRAINT therapy_session_title_not_blank_check CHECK (btrim(title) <> ''),
        CONSTRAINT therapy_session_ends_after_start_check CHECK (ends_at > starts_at),
        CONSTRAINT therapy_session_capacity_check CHECK (capacity >= 1),
        CONSTRAINT therapy_session_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme
            (id),
        CONSTRAINT therapy_session_planned_by_fkey FOREIGN KEY(planned_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_facilitator (
        session_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        CONSTRAINT therapy_session_facilitator_pkey PRIMARY KEY (session_id, staff_id),
        CONSTRAINT therapy_session_facilitator_session_id_fkey FOREIGN KEY(session_id) REFERENCES
            clinic.therapy_session (id),
        CONSTRAINT therapy_session_facilitator_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff
            (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_booking (
        session_id UUID NOT NULL,
        client_id UUID NOT NULL,
        booked_by UUID NOT NULL,
        booked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT therapy_session_booking_pkey PRIMARY KEY (session_id, client_id),
        CONSTRAINT therapy_session_booking_session_id_fkey FOREIGN KEY(session_id) REFERENCES
            clinic.therapy_session (id),
        CONSTRAINT therapy_session_booking_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client
            (id),
        CONSTRAINT therapy_session_booking_booked_by_fkey FOREIGN KEY(booked_by) REFERENCES clinic.staff
            (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_cancellation (
        session_id UUID NOT NULL,
        client_id UUID NOT NULL,
        cancelled_by TEXT NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT therapy_session_cancellation_pkey PRIMARY KEY (session_id, client_id),
        CONSTRAINT therapy_session_cancellation_booking_fkey FOREIGN KEY(session_id, client_id) REFERENCES
            clinic.therapy_session_booking (session_id, client_id),
        CONSTRAINT therapy_session_cancellation_cancelled_by_check CHECK (cancelled_by IN ('client',
            'provider')),
        CONSTRAINT therapy_session_cancellation_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT therapy_session_cancellation_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES
            clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_register (
        session_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE NOT NULL,
        ended_at TIMESTAMP WITH TIME ZONE NOT NULL,
        note TEXT,
        reason TEXT,
        taken_by UUID NOT NULL,
        taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT therapy_session_register_pkey PRIMARY KEY (session_id, version),
        CONSTRAINT therapy_session_register_version_check CHECK (version >= 1),
        CONSTRAINT therapy_session_register_correction_has_reason_check CHECK ((version = 1) = (reason IS
            NULL)),
        CONSTRAINT therapy_session_register_ends_after_start_check CHECK (ended_at > started_at),
        CONSTRAINT therapy_session_register_session_id_fkey FOREIGN KEY(session_id) REFERENCES
            clinic.therapy_session (id),
        CONSTRAINT therapy_session_register_taken_by_fkey FOREIGN KEY(taken_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_line (
        session_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        status TEXT NOT NULL,
        late_minutes SMALLINT,
        left_early_minutes SMALLINT,
        minutes SMALLINT NOT NULL,
        walk_in BOOLEAN NOT NULL,
        note TEXT,
        CONSTRAINT therapy_session_line_pkey PRIMARY KEY (session_id, version, client_id),
        CONSTRAINT therapy_session_line_register_fkey FOREIGN KEY(session_id, version) REFERENCES
            clinic.therapy_session_register (session_id, version),
        CONSTRAINT therapy_session_line_status_check CHECK (status IN ('attended', 'attended_late',
            'left_early', 'did_not_attend', 'cancelled_by_client', 'cancelled_by_provider',
            'recorded_in_error')),
        CONSTRAINT therapy_session_line_minutes_of_who_was_there_check CHECK ((minutes > 0) = (status IN
            ('attended', 'attended_late', 'left_early')) AND minutes >= 0),
        CONSTRAINT therapy_session_line_late_minutes_check CHECK (late_minutes IS NULL OR (late_minutes >= 1
            AND status IN ('attended_late', 'left_early'))),
        CONSTRAINT therapy_session_line_left_early_minutes_check CHECK (left_early_minutes >= 1),
        CONSTRAINT therapy_session_line_left_early_check CHECK ((status = 'left_early') =
            (left_early_minutes IS NOT NULL)),
        CONSTRAINT therapy_session_line_came_late_check CHECK (status <> 'attended_late' OR late_minutes IS
            NOT NULL),
        CONSTRAINT therapy_session_line_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_current (
        session_id UUID NOT NULL,
        register_version SMALLINT NOT NULL,
        CONSTRAINT therapy_session_current_pkey PRIMARY KEY (session_id),
        CONSTRAINT therapy_session_current_session_id_fkey FOREIGN KEY(session_id) REFERENCES
            clinic.therapy_session (id)
    )
    """,
)

INDEXES = (
    """
    CREATE INDEX therapy_session_programme_id_starts_at_id_idx ON clinic.therapy_session (programme_id,
    starts_at, id)
    """,
    "CREATE INDEX therapy_session_facilitator_staff_id_idx ON clinic.therapy_session_facilitator (staff_id)",
    "CREATE INDEX therapy_session_booking_client_id_idx ON clinic.therapy_session_booking (client_id)",
    """
    CREATE INDEX therapy_session_line_client_id_session_id_version_idx ON clinic.therapy_session_line
    (client_id, session_id, version)
    """,
)

COMMENTS = {
    "therapy_session": "A session of one or of many; each client of it has a line of their own elsewhere.",
    "therapy_session_facilitator": "Who leads a session, and may therefore see its roster and take its register.",
    "therapy_session_booking": "A client's place on the roster; booking it twice meets the key.",
    "therapy_session_cancellation": "A place that was called off before the register was taken.",
    "therapy_session_register": "The register of a session, whole, as versions of which the last counts; the key settles who was first.",
    "therapy_session_line": "What became of one client's place, in one version of the register.",
    "therapy_session_current": "Which version of the register counts, 0 where none was taken; locked first by whatever changes a session.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    op.execute("grant update on clinic.therapy_session_current to caseload_app")
