"""A brought-in dose has no giver here: who recorded it brought it in, and nobody knows who gave it."""

from alembic import op

revision = "20261122_043"
down_revision = "20261122_080"

STEPS = (
    """
    -- squawk-ignore ban-drop-not-null
    ALTER TABLE clinic.dose ALTER COLUMN given_by DROP NOT NULL
    """,
    "UPDATE clinic.dose SET given_by = NULL WHERE kind = 'brought_in'",
    """
    ALTER TABLE clinic.dose ADD CONSTRAINT dose_given_by_somebody_check
        CHECK ((given_by IS NULL) = (kind = 'brought_in')) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.dose VALIDATE CONSTRAINT dose_given_by_somebody_check
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in STEPS:
        op.execute(statement)
