"""Requests of clients about their own record, with their clocks and answers."""

from alembic import op

revision = "20261123_360"
down_revision = "20261123_350"

TABLES = (
    """
    CREATE TABLE clinic.rights_request (
        id UUID NOT NULL,
        client_id UUID NOT NULL,
        programme_id UUID NOT NULL,
        kind TEXT NOT NULL,
        says TEXT NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE NOT NULL,
        received_on DATE NOT NULL,
        representative_id UUID,
        check_method TEXT NOT NULL,
        check_detail TEXT,
        is_self_paid BOOLEAN NOT NULL,
        rule TEXT NOT NULL,
        due_on DATE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_request_pkey PRIMARY KEY (id),
        CONSTRAINT rights_request_whole_key UNIQUE (id, kind, client_id),
        CONSTRAINT rights_request_representative_fkey FOREIGN KEY(client_id, representative_id)
            REFERENCES clinic.related_person (client_id, id),
        CONSTRAINT rights_request_kind_check
            CHECK (kind IN ('access_report', 'record_copy', 'accounting', 'amendment', 'restriction',
            'confidential_contact')),
        CONSTRAINT rights_request_check_method_check
            CHECK (check_method IN ('known_password', 'call_back', 'in_person', 'document')),
        CONSTRAINT rights_request_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT rights_request_check_detail_not_blank_check CHECK (btrim(check_detail) <> ''),
        CONSTRAINT rights_request_rule_not_blank_check CHECK (btrim(rule) <> ''),
        CONSTRAINT rights_request_not_in_the_future_check CHECK (received_at <= recorded_at),
        CONSTRAINT rights_request_self_paid_restriction_check CHECK (NOT is_self_paid OR kind = 'restriction'),
        CONSTRAINT rights_request_due_after_receipt_check CHECK (due_on > received_on),
        CONSTRAINT rights_request_client_id_fkey FOREIGN KEY(client_id) REFERENCES clinic.client (id),
        CONSTRAINT rights_request_programme_id_fkey FOREIGN KEY(programme_id) REFERENCES clinic.programme (id),
        CONSTRAINT rights_request_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    "CREATE INDEX rights_request_client_id_id_idx ON clinic.rights_request (client_id, id)",
    """
    CREATE TABLE clinic.rights_put_off (
        request_id UUID NOT NULL,
        until_on DATE NOT NULL,
        reason TEXT NOT NULL,
        told_on DATE NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_put_off_pkey PRIMARY KEY (request_id),
        CONSTRAINT rights_put_off_reason_not_blank_check CHECK (btrim(reason) <> ''),
        CONSTRAINT rights_put_off_told_before_check CHECK (until_on > told_on),
        CONSTRAINT rights_put_off_request_id_fkey FOREIGN KEY(request_id) REFERENCES clinic.rights_request (id),
        CONSTRAINT rights_put_off_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.rights_answer (
        request_id UUID NOT NULL,
        outcome TEXT NOT NULL,
        ground TEXT,
        rule TEXT,
        says TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_answer_pkey PRIMARY KEY (request_id),
        CONSTRAINT rights_answer_outcome_check
            CHECK (outcome IN ('granted', 'granted_in_part', 'denied', 'withdrawn')),
        CONSTRAINT rights_answer_ground_check
            CHECK (ground IN ('not_made_here', 'not_in_the_record', 'not_for_inspection', 'accurate_and_complete',
            'not_agreed', 'unreasonable', 'unfounded_or_excessive')),
        CONSTRAINT rights_answer_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT rights_answer_denied_on_a_ground_check
            CHECK (num_nonnulls(ground, rule) = CASE outcome WHEN 'denied' THEN 2 ELSE 0 END),
        CONSTRAINT rights_answer_request_id_fkey FOREIGN KEY(request_id) REFERENCES clinic.rights_request (id),
        CONSTRAINT rights_answer_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
    """,
)
COMMENTS = {
    "rights_request": "What a client asked for about their own record, how it was made sure who asked, and the last day by the rule.",
    "rights_put_off": "That an answer takes longer, and that the client was told why; once for each request.",
    "rights_answer": "What came of a request, as the client was told; once for each.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
