"""Series of sessions, sessions that were moved, rooms and people they have for themselves, and who waits for a place."""

from alembic import op

revision = "20261122_231"
down_revision = "20261122_223"

TABLES = (
    """
    CREATE TABLE clinic.session_series (
        id UUID NOT NULL,
        programme_id UUID NOT NULL,
        every SMALLINT NOT NULL,
        unit TEXT NOT NULL,
        weekday TEXT,
        month_day SMALLINT,
        at TIME WITHOUT TIME ZONE NOT NULL,
        starts_on DATE NOT NULL,
        ends_on DATE NOT NULL,
        minutes SMALLINT NOT NULL,
        planned_by UUID NOT NULL,
        planned_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT session_series_pkey PRIMARY KEY (id),
        CONSTRAINT session_series_every_check CHECK (every >= 1),
        CONSTRAINT session_series_minutes_check CHECK (minutes >= 1),
        CONSTRAINT session_series_unit_check CHECK (unit IN ('days', 'weeks', 'months')),
        CONSTRAINT session_series_weekday_check CHECK (weekday IN ('monday', 'tuesday', 'wednesday', 'thursday',
            'friday', 'saturday', 'sunday')),
        CONSTRAINT session_series_weekday_of_weeks_check CHECK ((weekday IS NOT NULL) = (unit = 'weeks')),
        CONSTRAINT session_series_day_of_months_check CHECK ((month_day IS NOT NULL) = (unit = 'months')),
        CONSTRAINT session_series_month_day_check CHECK (month_day BETWEEN 1 AND 31),
        CONSTRAINT session_series_ends_check CHECK (ends_on BETWEEN starts_on AND starts_on + 731),
        CONSTRAINT session_series_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT session_series_planned_by_fkey FOREIGN KEY(planned_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_moved (
        session_id UUID NOT NULL,
        to_session_id UUID NOT NULL,
        reason TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT therapy_session_moved_pkey PRIMARY KEY (session_id),
        CONSTRAINT therapy_session_moved_to_session_id_key UNIQUE (to_session_id),
        CONSTRAINT therapy_session_moved_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT therapy_session_moved_another_check CHECK (session_id <> to_session_id),
        CONSTRAINT therapy_session_moved_session_id_fkey FOREIGN KEY(session_id) REFERENCES clinic.therapy_session
            (id),
        CONSTRAINT therapy_session_moved_to_session_id_fkey FOREIGN KEY(to_session_id) REFERENCES
            clinic.therapy_session (id),
        CONSTRAINT therapy_session_moved_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_claim (
        session_id UUID NOT NULL,
        claim_on TEXT NOT NULL,
        key TEXT NOT NULL,
        period TSTZRANGE NOT NULL,
        agreed BOOLEAN NOT NULL,
        CONSTRAINT therapy_session_claim_pkey PRIMARY KEY (session_id, claim_on, key),
        CONSTRAINT therapy_session_claim_claim_on_check CHECK (claim_on IN ('room', 'facilitator')),
        CONSTRAINT therapy_session_claim_period_has_an_end_check CHECK (NOT isempty(period) AND NOT
            lower_inf(period) AND NOT upper_inf(period)),
        CONSTRAINT therapy_session_claim_free EXCLUDE USING gist (key WITH =, period WITH &&) WHERE (NOT agreed),
        CONSTRAINT therapy_session_claim_session_id_fkey FOREIGN KEY(session_id) REFERENCES clinic.therapy_session
            (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_wait (
        session_id UUID NOT NULL,
        client_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT therapy_session_wait_pkey PRIMARY KEY (session_id, client_id),
        CONSTRAINT therapy_session_wait_session_id_number_key UNIQUE (session_id, number),
        CONSTRAINT therapy_session_wait_number_check CHECK (number >= 1),
        CONSTRAINT therapy_session_wait_session_id_fkey FOREIGN KEY(session_id) REFERENCES clinic.therapy_session
            (id),
        CONSTRAINT therapy_session_wait_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT therapy_session_wait_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.therapy_session_wait_over (
        session_id UUID NOT NULL,
        client_id UUID NOT NULL,
        how TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT therapy_session_wait_over_pkey PRIMARY KEY (session_id, client_id),
        CONSTRAINT therapy_session_wait_over_wait_fkey FOREIGN KEY(session_id, client_id) REFERENCES
            clinic.therapy_session_wait (session_id, client_id),
        CONSTRAINT therapy_session_wait_over_how_check CHECK (how IN ('moved_up', 'withdrawn')),
        CONSTRAINT therapy_session_wait_over_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX therapy_session_claim_taken_idx ON clinic.therapy_session_claim USING gist (key, period)",
    "CREATE INDEX therapy_session_wait_client_id_idx ON clinic.therapy_session_wait (client_id)",
)

COMMENTS = {
    "session_series": "A rule in the programme's zone, as it was planned; every occurrence is a session of its own.",
    "therapy_session_moved": "Another session takes place instead of this one.",
    "therapy_session_claim": "A room or a person that a session has for itself; let go of when it does not take place.",
    "therapy_session_wait": "Who waits for a place in a session that is full, in which order.",
    "therapy_session_wait_over": "The end of a wait: a place came free, or it was withdrawn.",
}

COLUMNS = (
    "ALTER TABLE clinic.therapy_session ADD COLUMN link TEXT",
    "ALTER TABLE clinic.therapy_session ADD COLUMN series_id UUID",
    "ALTER TABLE clinic.therapy_session ADD COLUMN series_on DATE",
    """
    ALTER TABLE clinic.therapy_session ADD CONSTRAINT therapy_session_series_id_fkey FOREIGN KEY(series_id)
        REFERENCES clinic.session_series (id) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.therapy_session VALIDATE CONSTRAINT therapy_session_series_id_fkey
    """,
    # No row has a series yet, so it is made in an instant.
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX therapy_session_series_id_series_on_id_idx ON clinic.therapy_session (series_id, series_on, id)
        WHERE series_id IS NOT NULL
    """,
)

CHECKS = {
    "therapy_session_link_check": "link ~ '^https://[!-~]+$'",
    "therapy_session_series_and_day_check": "num_nonnulls(series_id, series_on) <> 1",
}

CLAIMED = """
    INSERT INTO clinic.therapy_session_claim (session_id, claim_on, key, period, agreed)
    SELECT s.id, 'facilitator', f.staff_id::text, tstzrange(s.starts_at, s.ends_at), true
    FROM clinic.therapy_session s JOIN clinic.therapy_session_facilitator f ON f.session_id = s.id
    WHERE s.ends_at > now()
    UNION ALL
    SELECT s.id, 'room', s.programme_id || '/' || lower(regexp_replace(btrim(s.place), '[[:space:]]+', ' ', 'g')),
        tstzrange(s.starts_at, s.ends_at), true
    FROM clinic.therapy_session s
    WHERE s.ends_at > now() AND s.place IS NOT NULL
"""
"""What is planned already has its room and its people, and may clash as it does."""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in COLUMNS:
        op.execute(statement)
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE clinic.therapy_session ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
        op.execute(
            f"-- squawk-ignore constraint-missing-not-valid\n"
            f"ALTER TABLE clinic.therapy_session VALIDATE CONSTRAINT {name}"
        )
    op.execute(CLAIMED)
    op.execute("grant delete on clinic.therapy_session_claim to caseload_app")
