"""The ladder by which whoever has not come is looked for, and what somebody is to do about a client."""

from alembic import op

revision = "20261122_261"
down_revision = "20261122_260"

STEPS = "('same_day', 'next_day', 'consented_contact', 'letter', 'team_review', 'case_conference')"

TABLES = (
    f"""
    CREATE TABLE clinic.outreach_step (
        check_in_id UUID NOT NULL,
        overdue_since TIMESTAMP WITH TIME ZONE NOT NULL,
        step TEXT NOT NULL,
        client_id UUID NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        taken_at TIMESTAMP WITH TIME ZONE NOT NULL,
        rule TEXT NOT NULL,
        by_way_of TEXT[] NOT NULL,
        skipped TEXT,
        CONSTRAINT outreach_step_pkey PRIMARY KEY (check_in_id, overdue_since, step),
        CONSTRAINT outreach_step_step_check CHECK (step IN {STEPS}),
        CONSTRAINT outreach_step_by_way_of_check CHECK (by_way_of <@ ARRAY['telephone', 'voicemail', 'text', 'post',
            'visit']),
        CONSTRAINT outreach_step_skipped_check CHECK (skipped IN ('not_asked', 'no_allowed_channel', 'no_consent')),
        CONSTRAINT outreach_step_rule_not_blank_check CHECK (btrim(rule) <> ''),
        CONSTRAINT outreach_step_when_it_was_due_check CHECK (taken_at >= due_at AND due_at >= overdue_since),
        CONSTRAINT outreach_step_skipped_reaches_nobody_check CHECK (skipped IS NULL OR cardinality(by_way_of) = 0),
        CONSTRAINT outreach_step_check_in_id_fkey FOREIGN KEY(check_in_id) REFERENCES clinic.check_in (id),
        CONSTRAINT outreach_step_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    f"""
    CREATE TABLE clinic.outreach_standing (
        client_id UUID NOT NULL,
        check_in_id UUID NOT NULL,
        overdue_since TIMESTAMP WITH TIME ZONE NOT NULL,
        step TEXT,
        due_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT outreach_standing_pkey PRIMARY KEY (client_id),
        CONSTRAINT outreach_standing_step_check CHECK (step IN {STEPS}),
        CONSTRAINT outreach_standing_next_or_none_check CHECK ((step IS NULL) = (due_at IS NULL)),
        CONSTRAINT outreach_standing_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.outreach_failure (
        client_id UUID NOT NULL,
        tries SMALLINT NOT NULL,
        again_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT outreach_failure_pkey PRIMARY KEY (client_id),
        CONSTRAINT outreach_failure_tries_check CHECK (tries >= 1),
        CONSTRAINT outreach_failure_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id)
    )
    """,
    """
    CREATE TABLE clinic.care_task (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        says TEXT NOT NULL,
        for_staff UUID NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        rule TEXT,
        check_in_id UUID,
        overdue_since TIMESTAMP WITH TIME ZONE,
        step TEXT,
        raised_by UUID NOT NULL,
        raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT care_task_pkey PRIMARY KEY (id),
        CONSTRAINT care_task_check_in_id_overdue_since_step_key UNIQUE (check_in_id, overdue_since, step),
        CONSTRAINT care_task_kind_check CHECK (kind IN ('outreach', 'asked')),
        CONSTRAINT care_task_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT care_task_step_of_a_ladder_check CHECK (num_nonnulls(check_in_id, overdue_since, step, rule) =
            CASE kind WHEN 'outreach' THEN 4 ELSE 0 END),
        CONSTRAINT care_task_step_fkey FOREIGN KEY(check_in_id, overdue_since, step)
            REFERENCES clinic.outreach_step (check_in_id, overdue_since, step),
        CONSTRAINT care_task_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT care_task_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT care_task_for_staff_fkey FOREIGN KEY(for_staff) REFERENCES clinic.staff (id),
        CONSTRAINT care_task_raised_by_fkey FOREIGN KEY(raised_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.care_task_done (
        task_id UUID NOT NULL,
        said TEXT NOT NULL,
        done_by UUID NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT care_task_done_pkey PRIMARY KEY (task_id),
        CONSTRAINT care_task_done_said_not_blank_check CHECK (btrim(said) <> ''),
        CONSTRAINT care_task_done_task_id_fkey FOREIGN KEY(task_id) REFERENCES clinic.care_task (id),
        CONSTRAINT care_task_done_done_by_fkey FOREIGN KEY(done_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.care_task_open (
        task_id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        for_staff UUID NOT NULL,
        due_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT care_task_open_pkey PRIMARY KEY (task_id),
        CONSTRAINT care_task_open_task_id_fkey FOREIGN KEY(task_id) REFERENCES clinic.care_task (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX outreach_step_client_id_idx ON clinic.outreach_step (client_id)",
    "CREATE INDEX care_task_client_id_id_idx ON clinic.care_task (client_id, id)",
    "CREATE INDEX care_task_open_for_staff_due_at_task_id_idx ON clinic.care_task_open (for_staff, due_at, task_id)",
    "CREATE INDEX care_task_open_programme_id_due_at_task_id_idx ON clinic.care_task_open (programme_id, due_at, task_id)",
    "CREATE INDEX care_task_open_client_id_idx ON clinic.care_task_open (client_id)",
)

COMMENTS = {
    "outreach_step": "A step of the ladder of an overdue check-in, taken or skipped; the key takes it once.",
    "outreach_standing": (
        "Where the ladder of a client stands, worked out from its steps: which check-in it is of, and what comes next."
    ),
    "outreach_failure": (
        "Whose step could not be taken, how often in a row, and when it is tried again; gone once it could."
    ),
    "care_task": (
        "What somebody is to do about a client by a moment: a step of the ladder, or what a person asks for."
    ),
    "care_task_done": "Who did it, when, and what came of it; each task is done once.",
    "care_task_open": "The tasks that nobody has done, worked out from the others.",
}

GRANTS = (
    "grant update on clinic.outreach_standing to caseload_app",
    "grant update, delete on clinic.outreach_failure to caseload_app",
    "grant update, delete on clinic.care_task_open to caseload_app",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
    for statement in GRANTS:
        op.execute(statement)
