"""What a client says to a denied amendment, and what the programme says to that."""

from alembic import op

revision = "20261123_361"
down_revision = "20261123_351"

TABLE = """
    CREATE TABLE clinic.rights_statement (
        request_id UUID NOT NULL,
        side TEXT NOT NULL,
        outcome TEXT NOT NULL,
        replies_to TEXT,
        says TEXT NOT NULL,
        recorded_by UUID NOT NULL,
        recorded_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT rights_statement_pkey PRIMARY KEY (request_id, side),
        CONSTRAINT rights_statement_answer_fkey FOREIGN KEY(request_id, outcome)
            REFERENCES clinic.rights_answer (request_id, outcome),
        CONSTRAINT rights_statement_replies_to_fkey FOREIGN KEY(request_id, replies_to)
            REFERENCES clinic.rights_statement (request_id, side),
        CONSTRAINT rights_statement_side_check CHECK (side IN ('disagreement', 'rebuttal')),
        CONSTRAINT rights_statement_says_not_blank_check CHECK (btrim(says) <> ''),
        CONSTRAINT rights_statement_of_what_was_denied_check CHECK (outcome = 'denied'),
        CONSTRAINT rights_statement_rebuttal_replies_check
            CHECK (replies_to IS NOT DISTINCT FROM CASE side WHEN 'rebuttal' THEN 'disagreement' END),
        CONSTRAINT rights_statement_recorded_by_fkey FOREIGN KEY(recorded_by) REFERENCES clinic.staff (id)
    )
"""
COMMENT = "What the client says to a denied amendment, and what the programme says to that; once each."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid, disallowed-unique-constraint\n"
        "ALTER TABLE clinic.rights_answer ADD CONSTRAINT rights_answer_outcome_key UNIQUE (request_id, outcome)"
    )
    op.execute(TABLE)
    op.execute(f"comment on table clinic.rights_statement is $${COMMENT}$$")
