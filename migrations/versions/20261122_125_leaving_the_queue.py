"""An entry that leaves the queue is looked for in the log by its identifier, however long the log has become.

As one join of all that leave with all that are there it was planned once, while the log was short, and read the whole
log for each batch ever after.
"""

from alembic import op

revision = "20261122_125"
down_revision = "20261122_124"

REFUSE_UNSEQUENCED = """
    CREATE OR REPLACE FUNCTION audit.refuse_unsequenced() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM gone
            WHERE NOT EXISTS (
                -- OFFSET 0 keeps it a question about one entry.
                SELECT FROM audit.entry WHERE entry.entry_id = gone.entry_id AND entry.leaf = gone.leaf OFFSET 0
            )
        ) THEN
            RAISE EXCEPTION 'DELETE on audit.queue is refused: an entry leaves the queue only for its place in the log'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END
    $$
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '1min'")
    op.execute("set local role audit_owner")
    op.execute(REFUSE_UNSEQUENCED)
    op.execute("reset role")
