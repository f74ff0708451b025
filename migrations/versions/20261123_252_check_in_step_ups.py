"""More contact for a while: which version of a plan it is, why, and what it goes back to.

An older version of the service reads such a version as any other.
"""

from alembic import op

revision = "20261123_252"
down_revision = "20261122_263"

STATEMENTS = (
    """
    CREATE TABLE clinic.check_in_step_up (
        plan_id UUID NOT NULL,
        version SMALLINT NOT NULL,
        base_version SMALLINT NOT NULL,
        ground TEXT NOT NULL,
        occurred_on DATE NOT NULL,
        last_on DATE NOT NULL,
        record_id UUID,
        rule TEXT NOT NULL,
        CONSTRAINT check_in_step_up_pkey PRIMARY KEY (plan_id, version),
        CONSTRAINT check_in_step_up_version_fkey FOREIGN KEY(plan_id, version)
            REFERENCES clinic.check_in_plan_version (plan_id, version),
        CONSTRAINT check_in_step_up_base_version_fkey FOREIGN KEY(plan_id, base_version)
            REFERENCES clinic.check_in_plan_version (plan_id, version),
        CONSTRAINT check_in_step_up_base_version_check CHECK (base_version < version),
        CONSTRAINT check_in_step_up_days_check CHECK (last_on > occurred_on),
        CONSTRAINT check_in_step_up_ground_check CHECK (ground IN
            ('relapse', 'missed_doses', 'prison', 'hospital', 'overdose', 'dose_change'))
    )
    """,
    """
    CREATE UNIQUE INDEX check_in_step_up_record_key ON clinic.check_in_step_up (plan_id, record_id)
    WHERE record_id IS NOT NULL
    """,
    # Excused days are written a few times a day: whoever writes waits for a moment.
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX excusal_last_on_idx ON clinic.excusal (last_on)
    """,
    """
    -- squawk-ignore require-concurrent-index-creation
    CREATE INDEX excusal_end_last_on_idx ON clinic.excusal_end (last_on)
    """,
)

COMMENT = "Which versions of plans are more contact for a while, and why; each record leads to one at most."


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in STATEMENTS:
        op.execute(statement)
    op.execute(f"comment on table clinic.check_in_step_up is $${COMMENT}$$")
