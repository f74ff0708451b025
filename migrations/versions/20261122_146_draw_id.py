"""A draw has an identifier, so that a retry of it after midnight still finds the draw that it made."""

from alembic import op

revision = "20261122_146"
down_revision = "20261122_145"

STEPS = (
    "ALTER TABLE clinic.screen_draw ADD COLUMN id UUID",
    "UPDATE clinic.screen_draw SET id = gen_random_uuid()",
    # One row for each programme and day: it takes no time.
    "-- squawk-ignore adding-not-nullable-field\nALTER TABLE clinic.screen_draw ALTER COLUMN id SET NOT NULL",
    """
    ALTER TABLE clinic.screen_draw
        -- squawk-ignore disallowed-unique-constraint, constraint-missing-not-valid
        ADD CONSTRAINT screen_draw_id_key UNIQUE (id)
    """,
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in STEPS:
        op.execute(statement)
