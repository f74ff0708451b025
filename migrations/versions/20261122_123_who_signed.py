"""How far each witness has followed the log is looked up every few seconds, also of one that has been away for a year."""

from alembic import op

revision = "20261122_123"
down_revision = "20261122_122"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("set local role audit_owner")
    # Only the sequencer writes here, once a second: it waits, and nobody waits for it.
    op.execute(
        "-- squawk-ignore require-concurrent-index-creation\n"
        "CREATE INDEX checkpoint_signature_key_name_key_id_size_idx"
        " ON audit.checkpoint_signature (key_name, key_id, size)"
    )
    op.execute("reset role")
