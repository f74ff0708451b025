"""What waits for a signature is ranked by its risk: exceptions, amended, decided, late, routine."""

from alembic import op

revision = "20261122_144"
down_revision = "20261122_143"

RANKED = (
    # The queue is as long as what waits: rewriting it takes no longer than a morning's doses.
    "ALTER TABLE clinic.dose_waiting ADD COLUMN risk SMALLINT",
    """
    UPDATE clinic.dose_waiting SET risk = CASE
        WHEN dose.kind = 'exception' THEN 1
        WHEN dose.version > 1 THEN 2
        WHEN dose.decision_id IS NOT NULL THEN 3
        WHEN dose.entry = 'late' THEN 4
        ELSE 5
    END
    FROM clinic.dose WHERE dose.id = dose_waiting.dose_id AND dose.version = dose_waiting.dose_version
    """,
    """
    -- squawk-ignore adding-not-nullable-field
    ALTER TABLE clinic.dose_waiting ALTER COLUMN risk SET NOT NULL
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.dose_waiting ADD CONSTRAINT dose_waiting_risk_check CHECK (risk BETWEEN 1 AND 5)
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX dose_waiting_risk_idx ON clinic.dose_waiting (programme_id, risk, dose_id)
    """,
    """
    -- squawk-ignore require-concurrent-index-deletion
    DROP INDEX clinic.dose_waiting_queue_idx
    """,
    """
    -- squawk-ignore ban-drop-column
    ALTER TABLE clinic.dose_waiting DROP COLUMN is_exception
    """,
    "GRANT UPDATE (risk) ON clinic.dose_waiting TO caseload_app",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in RANKED:
        op.execute(statement)
