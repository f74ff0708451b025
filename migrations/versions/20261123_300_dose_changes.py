"""More contact after a large change of the dose: which orders take a step on a day, and one for each of its days.

An older version of the service goes on as before: a record of its own leads to one step up on one day.
"""

from alembic import op

revision = "20261123_300"
down_revision = "20261123_272"

STATEMENTS = (
    # Orders are written a few hundred times a day, and few in steps: whoever writes one waits for a moment.
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX medication_order_step_from_idx ON clinic.medication_order USING gin (step_from)
    WHERE step_from IS NOT NULL
    """,
    # Both in one transaction, so that no record ever leads to two; the table holds one row for each step up.
    """
    -- squawk-ignore require-concurrent-index-deletion
    DROP INDEX clinic.check_in_step_up_record_key
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE UNIQUE INDEX check_in_step_up_record_key ON clinic.check_in_step_up (plan_id, record_id, occurred_on)
    WHERE record_id IS NOT NULL
    """,
)

COMMENT = "Which versions of plans are more contact for a while, and why; each day of a record leads to one at most."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(f"comment on table clinic.check_in_step_up is $${COMMENT}$$")
