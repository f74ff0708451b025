"""Instruments that check-ins ask: PHQ-9, GAD-7, BAM and TOP; and the check-in in which an observation was made."""

from alembic import op

revision = "20261122_222"
down_revision = "20261122_221"

CHANGED = {
    "instrument": ("instrument IN ('cows', 'sows', 'qtc', 'bam', 'bam_continuous', 'top', 'phq9', 'gad7')"),
    "answers": (
        "cardinality(answers) = CASE instrument WHEN 'cows' THEN 11 WHEN 'sows' THEN 16 WHEN 'qtc' THEN 1"
        " WHEN 'bam' THEN 23 WHEN 'bam_continuous' THEN 23 WHEN 'top' THEN 50 WHEN 'phq9' THEN 9 WHEN 'gad7' THEN 7 END"
    ),
    "score_of_all_answers": (
        "num_nonnulls(total, band) = CASE WHEN answers IS NULL OR array_position(answers, NULL) IS NOT NULL"
        " OR instrument IN ('bam', 'bam_continuous', 'top') THEN 0 ELSE 2 END"
    ),
}
"""Each allows what it allowed before, and the new instruments."""

OF_A_CHECK_IN = (
    "ALTER TABLE clinic.observation ADD COLUMN check_in_id UUID",
    """
    ALTER TABLE clinic.observation ADD CONSTRAINT observation_check_in_id_fkey
        FOREIGN KEY(check_in_id) REFERENCES clinic.check_in (id) NOT VALID
    """,
    """
    -- squawk-ignore constraint-missing-not-valid
    ALTER TABLE clinic.observation VALIDATE CONSTRAINT observation_check_in_id_fkey
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE UNIQUE INDEX observation_check_in_id_idx ON clinic.observation (check_in_id, instrument)
        WHERE check_in_id IS NOT NULL AND version = 1
    """,
)


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
    for statement in OF_A_CHECK_IN:
        op.execute(statement)
