"""An index for the dispensing log: doses are added in the order of their days, so block ranges find them at no cost."""

from alembic import op

revision = "20261122_080"
down_revision = "20261122_070"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(
        "create index dose_dosing_day_idx on clinic.dose using brin (dosing_day)"
        " with (pages_per_range = 32, autosummarize = on)"
    )
