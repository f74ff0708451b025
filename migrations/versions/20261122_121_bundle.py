"""Exports of the log with proofs: what was asked for, which worker is at it, and how it ended."""

from alembic import op

revision = "20261122_121"
down_revision = "20261122_120"

TABLES = (
    """
    CREATE TABLE clinic.bundle (
        id UUID NOT NULL,
        request UUID NOT NULL,
        asked_by UUID NOT NULL,
        asked_at TIMESTAMP WITH TIME ZONE NOT NULL,
        laid_open TEXT NOT NULL,
        scope UUID[],
        towards BIGINT[] NOT NULL,
        since TIMESTAMP WITH TIME ZONE,
        until TIMESTAMP WITH TIME ZONE,
        actor UUID,
        event TEXT,
        outcome TEXT,
        programme UUID,
        client UUID,
        CONSTRAINT bundle_pkey PRIMARY KEY (id),
        CONSTRAINT bundle_laid_open_check CHECK (laid_open IN ('nothing', 'facts', 'clients')),
        CONSTRAINT bundle_outcome_check CHECK (outcome IN ('done', 'refused', 'failed', 'unavailable')),
        CONSTRAINT bundle_asked_by_fkey FOREIGN KEY(asked_by) REFERENCES clinic.staff (id)
    )
    """,
    """
    CREATE TABLE clinic.bundle_hold (
        bundle_id UUID NOT NULL,
        attempts SMALLINT NOT NULL,
        held_until TIMESTAMP WITH TIME ZONE NOT NULL,
        written BIGINT NOT NULL,
        total BIGINT NOT NULL,
        CONSTRAINT bundle_hold_pkey PRIMARY KEY (bundle_id),
        CONSTRAINT bundle_hold_attempts_check CHECK (attempts > 0),
        CONSTRAINT bundle_hold_bundle_id_fkey FOREIGN KEY(bundle_id) REFERENCES clinic.bundle (id)
    )
    """,
    """
    CREATE TABLE clinic.bundle_end (
        bundle_id UUID NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        problem TEXT,
        entries BIGINT NOT NULL,
        octets BIGINT NOT NULL,
        sha256 TEXT NOT NULL,
        CONSTRAINT bundle_end_pkey PRIMARY KEY (bundle_id),
        CONSTRAINT bundle_end_bundle_id_fkey FOREIGN KEY(bundle_id) REFERENCES clinic.bundle (id)
    )
    """,
)

COMMENTS = {
    "bundle": "An export of the log as it was asked for. `scope` is null for the whole log.",
    "bundle_hold": "Which exports a worker is at. Rows change as it goes on: nothing rests on them.",
    "bundle_end": "How an export ended, once. The file itself lies in the data folder, for a day.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLES:
        op.execute(statement)
    op.execute("grant update on clinic.bundle_hold to caseload_app")
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
