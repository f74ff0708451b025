"""Whom to tell: tasks of a programme, and until when something irregular was recorded of a client's doses.

An older version of the service writes neither: its doses raise no task, and gaps that repeat themselves are looked for
only while one is open.
"""

from alembic import op

revision = "20261122_171"
down_revision = "20261122_170"

TABLES = (
    """
    CREATE TABLE clinic.medication_task (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        says TEXT NOT NULL,
        policy TEXT NOT NULL,
        facts JSONB NOT NULL,
        hold_id UUID,
        order_id UUID,
        dose_id UUID,
        raised_by UUID NOT NULL,
        raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT medication_task_pkey PRIMARY KEY (id),
        CONSTRAINT medication_task_id_raised_at_key UNIQUE (id, raised_at),
        CONSTRAINT medication_task_kind_check CHECK (kind IN ('telephone_pharmacy', 'contact_prescriber')),
        CONSTRAINT medication_task_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT medication_task_policy_not_blank_check CHECK (btrim(policy) <> ''),
        CONSTRAINT medication_task_facts_check CHECK (jsonb_typeof(facts) = 'object'),
        CONSTRAINT medication_task_about_check CHECK (CASE kind
            WHEN 'telephone_pharmacy' THEN hold_id IS NOT NULL AND order_id IS NOT NULL AND dose_id IS NULL
            ELSE dose_id IS NOT NULL AND hold_id IS NULL END),
        CONSTRAINT medication_task_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT medication_task_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT medication_task_raised_by_fkey FOREIGN KEY(raised_by) REFERENCES clinic.staff (id),
        CONSTRAINT medication_task_hold_fkey FOREIGN KEY(hold_id, client_id) REFERENCES clinic.hold (id, client_id),
        CONSTRAINT medication_task_order_fkey FOREIGN KEY(order_id, client_id)
                REFERENCES clinic.medication_order (id, client_id)
    )
    """,
    """
    CREATE TABLE clinic.medication_task_done (
        task_id UUID NOT NULL,
        raised_at TIMESTAMP WITH TIME ZONE NOT NULL,
        spoke_to TEXT NOT NULL,
        said TEXT NOT NULL,
        done_by UUID NOT NULL,
        done_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT medication_task_done_pkey PRIMARY KEY (task_id),
        CONSTRAINT medication_task_done_spoke_to_not_blank_check CHECK (btrim(spoke_to) <> ''),
        CONSTRAINT medication_task_done_said_not_blank_check CHECK (btrim(said) <> ''),
        CONSTRAINT medication_task_done_after_it_was_raised_check CHECK (done_at >= raised_at),
        CONSTRAINT medication_task_done_task_fkey FOREIGN KEY(task_id, raised_at)
                REFERENCES clinic.medication_task (id, raised_at),
        CONSTRAINT medication_task_done_done_by_fkey FOREIGN KEY(done_by) REFERENCES clinic.staff (id)
    )
    """,
)

INDEXES = (
    "CREATE INDEX medication_task_programme_id_id_idx ON clinic.medication_task (programme_id, id)",
    "CREATE INDEX medication_task_client_id_idx ON clinic.medication_task (client_id)",
)

COMMENTS = {
    "medication_task": "Somebody must be told something about a client's medicine. It stands in no way.",
    "medication_task_done": "Who told whom, when, and what was said; each task is done once.",
}

GAPS = (
    "ALTER TABLE clinic.medication_record ADD COLUMN gaps_until DATE",
    "grant update (gaps_until) on clinic.medication_record to caseload_app",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in (*TABLES, *INDEXES, *GAPS):
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
