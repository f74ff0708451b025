"""Whoever was shown a restricted client without being named is one of the questions of the routine review."""

from alembic import op

revision = "20261123_321"
down_revision = "20261123_320"

QUESTIONS = (
    "question IN ('without_link', 'own_or_namesake', 'out_of_hours', 'bulk_reads', 'repeated_denials', "
    "'accounts_to_close', 'restricted_use')"
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(
        "-- squawk-ignore ban-drop-constraint\n"
        "ALTER TABLE clinic.finding_review DROP CONSTRAINT finding_review_question_check"
    )
    op.execute(
        f"ALTER TABLE clinic.finding_review ADD CONSTRAINT finding_review_question_check CHECK ({QUESTIONS}) NOT VALID"
    )
    op.execute(
        "-- squawk-ignore constraint-missing-not-valid\n"
        "ALTER TABLE clinic.finding_review VALIDATE CONSTRAINT finding_review_question_check"
    )
