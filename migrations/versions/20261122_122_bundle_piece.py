"""The archives of finished exports, in pieces: whoever asked fetches theirs from any machine that serves.

They are sealed under a key that is not in the database, left out of backups, and go after a day.
"""

from alembic import op

revision = "20261122_122"
down_revision = "20261122_121"

TABLE = (
    """
    CREATE TABLE clinic.bundle_piece (
        bundle_id UUID NOT NULL,
        number INTEGER NOT NULL,
        sealed BYTEA NOT NULL,
        CONSTRAINT bundle_piece_pkey PRIMARY KEY (bundle_id, number),
        CONSTRAINT bundle_piece_number_check CHECK (number >= 0),
        CONSTRAINT bundle_piece_bundle_id_fkey FOREIGN KEY(bundle_id) REFERENCES clinic.bundle (id)
    )
    """,
    # What is sealed does not compress: trying costs more than it can give.
    "ALTER TABLE clinic.bundle_piece ALTER COLUMN sealed SET STORAGE EXTERNAL",
    "grant delete on clinic.bundle_piece to caseload_app",
)

COMMENTS = {
    "bundle_piece": "The archive of a finished export, sealed, for a day. Not in backups.",
    "bundle_end": "How an export ended, once. Its archive is in `bundle_piece`, for a day.",
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    for statement in TABLE:
        op.execute(statement)
    for table, comment in COMMENTS.items():
        op.execute(f"comment on table clinic.{table} is $${comment}$$")
