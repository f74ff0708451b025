"""Check-ins: plans in versions, the check-ins they scheduled, what happened to each, and which of them wait.

Facts are added and never changed. `check_in_plan_current` and `check_in_waiting` are worked out from them and kept for
the lists, so the service may change and remove their rows.
"""

from alembic import op

revision = "20261122_040"
down_revision = "20261122_030"

TABLES = (
    """
    CREATE TABLE clinic.check_in_plan (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        CONSTRAINT check_in_plan_pkey PRIMARY KEY (id),
        CONSTRAINT check_in_plan_id_client_id_programme_id_key UNIQUE (id, client_id, programme_id),
        CONSTRAINT check_in_plan_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT check_in_plan_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme
            (id)
    )
    """,
    """
    CREATE TABLE clinic.check_in_plan_version (
        plan_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        every SMALLINT,
        unit TEXT,
        weekday TEXT,
        month_day SMALLINT,
        local_time TIME WITHOUT TIME ZONE,
        starts_on DATE,
        ends_on DATE,
        grace_days SMALLINT,
        grace_rule TEXT,
        early_days SMALLINT,
        mode TEXT,
        time_zone TEXT,
        replaces_from TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT,
        decided_by UUID NOT NULL,
        decided_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT check_in_plan_version_pkey PRIMARY KEY (plan_id, version),
        CONSTRAINT check_in_plan_version_version_check CHECK (version >= 1),
        CONSTRAINT check_in_plan_version_change_has_reason_check CHECK ((version = 1) = (reason IS NULL)),
        CONSTRAINT check_in_plan_version_whole_or_stopped_check CHECK (num_nonnulls(every, unit, local_time,
            starts_on, grace_days, early_days, mode, time_zone) IN (0, 8)),
        CONSTRAINT check_in_plan_version_counts_check CHECK (every >= 1 AND grace_days >= 0 AND early_days
            >= 0),
        CONSTRAINT check_in_plan_version_weeks_name_a_weekday_check CHECK ((weekday IS NOT NULL) = (unit IS
            NOT DISTINCT FROM 'weeks')),
        CONSTRAINT check_in_plan_version_months_name_a_day_check CHECK ((month_day IS NOT NULL) = (unit IS
            NOT DISTINCT FROM 'months')),
        CONSTRAINT check_in_plan_version_month_day_check CHECK (month_day BETWEEN 1 AND 31),
        CONSTRAINT check_in_plan_version_ends_on_check CHECK (ends_on >= starts_on),
        CONSTRAINT check_in_plan_version_stopped_asks_for_nothing_check CHECK (unit IS NOT NULL OR
            num_nonnulls(ends_on, grace_rule) = 0),
        CONSTRAINT check_in_plan_version_unit_check CHECK (unit IN ('days', 'weeks', 'months')),
        CONSTRAINT check_in_plan_version_weekday_check CHECK (weekday IN ('monday', 'tuesday', 'wednesday',
            'thursday', 'friday', 'saturday', 'sunday')),
        CONSTRAINT check_in_plan_version_mode_check CHECK (mode IN ('in_person', 'telephone', 'video',
            'text', 'home_visit')),
        CONSTRAINT check_in_plan_version_plan_id_fkey FOREIGN KEY(plan_id) REFERENCES clinic.check_in_plan
            (id),
        CONSTRAINT check_in_plan_version_decided_by_fkey FOREIGN KEY(decided_by) REFERENCES clinic.staff
            (id)
    )
    """,
    """
    CREATE TABLE clinic.check_in_plan_current (
        plan_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        scheduled_through DATE NOT NULL,
        CONSTRAINT check_in_plan_current_pkey PRIMARY KEY (plan_id),
        CONSTRAINT check_in_plan_current_plan_id_fkey FOREIGN KEY(plan_id) REFERENCES clinic.check_in_plan
            (id)
    )
    """,
    """
    CREATE TABLE clinic.check_in (
        id UUID NOT NULL,
        plan_id UUID NOT NULL,
        plan_version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        scheduled_on DATE NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        grace_ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        made_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT check_in_pkey PRIMARY KEY (id),
        CONSTRAINT check_in_plan_id_scheduled_on_plan_version_key UNIQUE (plan_id, scheduled_on,
            plan_version),
        CONSTRAINT check_in_plan_version_fkey FOREIGN KEY(plan_id, plan_version) REFERENCES
            clinic.check_in_plan_version (plan_id, version),
        CONSTRAINT check_in_plan_fkey FOREIGN KEY(plan_id, client_id, programme_id) REFERENCES
            clinic.check_in_plan (id, client_id, programme_id),
        CONSTRAINT check_in_grace_check CHECK (grace_ends_at >= due_at)
    )
    """,
    """
    CREATE TABLE clinic.check_in_attempt (
        id UUID NOT NULL,
        check_in_id UUID NOT NULL,
        attempted_at TIMESTAMP WITH TIME ZONE NOT NULL,
        mode TEXT NOT NULL,
        result TEXT NOT NULL,
        note TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT check_in_attempt_pkey PRIMARY KEY (id),
        CONSTRAINT check_in_attempt_mode_check CHECK (mode IN ('in_person', 'telephone', 'video', 'text',
            'home_visit')),
        CONSTRAINT check_in_attempt_result_check CHECK (result IN ('no_answer', 'left_message',
            'wrong_number', 'not_there', 'declined')),
        CONSTRAINT check_in_attempt_not_in_the_future_check CHECK (attempted_at <= recorded_at),
        CONSTRAINT check_in_attempt_check_in_id_fkey FOREIGN KEY(check_in_id) REFERENCES clinic.check_in
            (id),
        CONSTRAINT check_in_attempt_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.check_in_move (
        check_in_id UUID NOT NULL,
        number SMALLINT NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        grace_ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        asked_by TEXT NOT NULL,
        reason TEXT,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT check_in_move_pkey PRIMARY KEY (check_in_id, number),
        CONSTRAINT check_in_move_asked_by_check CHECK (asked_by IN ('client', 'provider')),
        CONSTRAINT check_in_move_number_check CHECK (number >= 1),
        CONSTRAINT check_in_move_to_a_later_time_check CHECK (grace_ends_at >= due_at AND due_at >
            recorded_at),
        CONSTRAINT check_in_move_check_in_id_fkey FOREIGN KEY(check_in_id) REFERENCES clinic.check_in (id),
        CONSTRAINT check_in_move_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.check_in_outcome (
        check_in_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        ended TEXT NOT NULL,
        occurred_at TIMESTAMP WITH TIME ZONE,
        mode TEXT,
        note TEXT,
        reason TEXT,
        overtaken_by UUID,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT check_in_outcome_pkey PRIMARY KEY (check_in_id, version),
        CONSTRAINT check_in_outcome_ended_check CHECK (ended IN ('completed', 'missed', 'overtaken',
            'withdrawn', 'recorded_in_error')),
        CONSTRAINT check_in_outcome_mode_check CHECK (mode IN ('in_person', 'telephone', 'video', 'text',
            'home_visit')),
        CONSTRAINT check_in_outcome_version_check CHECK (version >= 1),
        CONSTRAINT check_in_outcome_took_place_check CHECK (num_nonnulls(occurred_at, mode) = CASE ended
            WHEN 'completed' THEN 2 ELSE 0 END),
        CONSTRAINT check_in_outcome_not_in_the_future_check CHECK (occurred_at <= recorded_at),
        CONSTRAINT check_in_outcome_overtaken_check CHECK ((ended = 'overtaken') = (overtaken_by IS NOT
            NULL)),
        CONSTRAINT check_in_outcome_says_why_check CHECK (ended IN ('completed', 'overtaken') OR (reason IS
            NOT NULL AND btrim(reason) <> '')),
        CONSTRAINT check_in_outcome_check_in_id_fkey FOREIGN KEY(check_in_id) REFERENCES clinic.check_in
            (id),
        CONSTRAINT check_in_outcome_overtaken_by_fkey FOREIGN KEY(overtaken_by) REFERENCES clinic.check_in
            (id),
        CONSTRAINT check_in_outcome_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.check_in_waiting (
        check_in_id UUID NOT NULL,
        plan_id UUID NOT NULL,
        plan_version SMALLINT NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        grace_ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
        counts_from TIMESTAMP WITH TIME ZONE NOT NULL,
        movable_until TIMESTAMP WITH TIME ZONE NOT NULL,
        attempts SMALLINT NOT NULL,
        last_fact TEXT NOT NULL,
        last_fact_at TIMESTAMP WITH TIME ZONE NOT NULL,
        last_fact_by UUID,
        rule TEXT NOT NULL,
        mode TEXT NOT NULL,
        grace_days SMALLINT NOT NULL,
        grace_rule TEXT,
        time_zone TEXT NOT NULL,
        CONSTRAINT check_in_waiting_pkey PRIMARY KEY (check_in_id),
        CONSTRAINT check_in_waiting_last_fact_check CHECK (last_fact IN ('scheduled', 'attempted',
            'rescheduled', 'reopened')),
        CONSTRAINT check_in_waiting_check_in_id_fkey FOREIGN KEY(check_in_id) REFERENCES clinic.check_in
            (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX check_in_plan_client_id_idx ON clinic.check_in_plan (client_id)",
    "CREATE INDEX check_in_plan_current_scheduled_through_idx ON clinic.check_in_plan_current (scheduled_through)",
    "CREATE INDEX check_in_client_id_due_at_idx ON clinic.check_in (client_id, due_at)",
    "CREATE INDEX check_in_attempt_check_in_id_idx ON clinic.check_in_attempt (check_in_id)",
    """
    CREATE INDEX check_in_outcome_overtaken_by_idx ON clinic.check_in_outcome (overtaken_by) WHERE overtaken_by
    IS NOT NULL
    """,
    """
    CREATE INDEX check_in_waiting_client_id_grace_ends_at_check_in_id_idx ON clinic.check_in_waiting (client_id,
    grace_ends_at, check_in_id)
    """,
    "CREATE INDEX check_in_waiting_plan_id_idx ON clinic.check_in_waiting (plan_id)",
    "CREATE INDEX check_in_waiting_programme_id_due_at_idx ON clinic.check_in_waiting (programme_id, due_at)",
    """
    CREATE INDEX check_in_waiting_programme_id_grace_ends_at_check_in_id_idx ON clinic.check_in_waiting
    (programme_id, grace_ends_at, check_in_id)
    """,
)

COMMENTS = {
    "check_in_plan": "A regular check-in with one client; what it asks for stands in its versions.",
    "check_in_plan_version": "What a plan said from one decision to the next; a version without a rule is the decision to stop.",
    "check_in_plan_current": "Where a plan stands, worked out from its versions; locked first by whatever changes the plan.",
    "check_in": "One check-in as a version of a plan scheduled it; scheduling it twice meets the key.",
    "check_in_attempt": "Somebody tried to reach the client. Not a completion, however many there are.",
    "check_in_move": "A check-in was given another time; the last one counts.",
    "check_in_outcome": "How a check-in was settled, as versions of which the last counts; the key settles who was first.",
    "check_in_waiting": "The check-ins that wait to be settled, worked out from their facts; what the lists and counts read.",
}

MAY_ALSO = (
    "grant update on clinic.check_in_plan_current to caseload_app",
    "grant update, delete on clinic.check_in_waiting to caseload_app",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in MAY_ALSO:
        op.execute(statement)
