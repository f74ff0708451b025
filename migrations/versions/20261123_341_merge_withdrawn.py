"""Whoever proposed a merge withdraws it themselves, before anybody has answered."""

from alembic import op

revision = "20261123_341"
down_revision = "20261123_352"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute(
        # Merges are few; what is checked anew holds for all that there are.
        "-- squawk-ignore constraint-missing-not-valid, ban-drop-constraint\n"
        "ALTER TABLE clinic.client_merge_answer DROP CONSTRAINT client_merge_answer_outcome_check,"
        " ADD CONSTRAINT client_merge_answer_outcome_check CHECK (outcome IN ('confirmed', 'rejected', 'withdrawn')),"
        " ADD CONSTRAINT client_merge_answer_own_word_check CHECK (outcome <> 'withdrawn' OR answered_by = proposed_by)"
    )
    op.execute(
        "COMMENT ON TABLE clinic.client_merge_answer IS 'Another person confirmed a merge, or it was rejected, or whoever"
        " proposed it withdrew it; the key lets it be answered once.'"
    )
