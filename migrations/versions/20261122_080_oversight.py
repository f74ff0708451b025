"""The routine review of the log: who looked at which finding, and what they came to. It names no client."""

from alembic import op

revision = "20261122_080"
down_revision = "20261122_042"

TABLES = (
    """
    CREATE TABLE clinic.finding_review (
        id UUID NOT NULL,
        question TEXT NOT NULL,
        finding_id UUID NOT NULL,
        staff_id UUID NOT NULL,
        covers_until TIMESTAMP WITH TIME ZONE NOT NULL,
        conclusion TEXT NOT NULL,
        note TEXT NOT NULL,
        reviewed_by UUID NOT NULL,
        reviewed_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT finding_review_pkey PRIMARY KEY (id),
        CONSTRAINT finding_review_question_finding_id_covers_until_key UNIQUE (question, finding_id, covers_until),
        CONSTRAINT finding_review_question_check CHECK (question IN ('without_link', 'own_or_namesake',
            'out_of_hours', 'bulk_reads', 'repeated_denials', 'accounts_to_close')),
        CONSTRAINT finding_review_conclusion_check CHECK (conclusion IN ('explained', 'taken_up', 'breach')),
        CONSTRAINT finding_review_note_not_blank_check CHECK (btrim(note) <> ''),
        CONSTRAINT finding_review_by_another_check CHECK (reviewed_by <> staff_id),
        CONSTRAINT finding_review_not_in_the_future_check CHECK (covers_until <= reviewed_at),
        CONSTRAINT finding_review_staff_id_fkey FOREIGN KEY(staff_id) REFERENCES clinic.staff (id),
        CONSTRAINT finding_review_reviewed_by_fkey FOREIGN KEY(reviewed_by) REFERENCES clinic.staff (id)
    )
    """,
)

COMMENTS = {
    "finding_review": "Findings are worked out anew each time; this keeps who looked at one. It names no client.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
