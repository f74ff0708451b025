"""CIWA-Ar, the alcohol withdrawal scale, among the instruments that are observed."""

from alembic import op

revision = "20261123_281"
down_revision = "20261123_280"

CHANGED = {
    "instrument": "instrument IN ('cows', 'sows', 'qtc', 'bam', 'bam_continuous', 'top', 'phq9', 'gad7', 'ciwa_ar')",
    "answers": (
        "cardinality(answers) = CASE instrument WHEN 'cows' THEN 11 WHEN 'sows' THEN 16 WHEN 'qtc' THEN 1"
        " WHEN 'bam' THEN 23 WHEN 'bam_continuous' THEN 23 WHEN 'top' THEN 50 WHEN 'phq9' THEN 9 WHEN 'gad7' THEN 7"
        " WHEN 'ciwa_ar' THEN 10 END"
    ),
}
"""Each allows what it allowed before, and the new instrument."""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for name, check in CHANGED.items():
        constraint = f"observation_{name}_check"
        op.execute(
            f"""
            -- squawk-ignore ban-drop-constraint
            ALTER TABLE clinic.observation DROP CONSTRAINT {constraint}
            """
        )
        op.execute(f"ALTER TABLE clinic.observation ADD CONSTRAINT {constraint} CHECK ({check}) NOT VALID")
        op.execute(
            f"""
            -- squawk-ignore constraint-missing-not-valid
            ALTER TABLE clinic.observation VALIDATE CONSTRAINT {constraint}
            """
        )
