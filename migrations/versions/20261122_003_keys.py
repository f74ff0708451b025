"""A key per client, wrapped by a key that is not in the database. The service may find keys and add them.

Nothing refers to this table and it refers to nothing: it can be kept, backed up and destroyed by other rules than
the record.
"""

from alembic import op

revision = "20261122_003"
down_revision = "20261122_002"


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute(
        """
        CREATE TABLE keys.client_key (
            key_id UUID NOT NULL,
            client_id UUID NOT NULL,
            wrapped BYTEA NOT NULL,
            CONSTRAINT client_key_pkey PRIMARY KEY (key_id),
            CONSTRAINT client_key_client_id_key UNIQUE (client_id)
        )
        """
    )
    op.execute("GRANT SELECT, INSERT ON keys.client_key TO caseload_app")
