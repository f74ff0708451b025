"""The tree over the log: its tiles, its checkpoints and who signed them, its keys, and the names it has had.

The sequencer writes here and nobody else. Checkpoints, signatures, keys and names are only ever added to. A tile at
the edge of the tree is replaced by the same one with more hashes; it is a cache, and no proof rests on it.
"""

from alembic import op

revision = "20261122_111"
down_revision = "20261122_110"

TABLES = (
    """
    CREATE TABLE audit.tile (
        level SMALLINT NOT NULL,
        number BIGINT NOT NULL,
        hashes BYTEA NOT NULL,
        CONSTRAINT tile_pkey PRIMARY KEY (level, number),
        CONSTRAINT tile_level_check CHECK (level BETWEEN 0 AND 7),
        CONSTRAINT tile_number_check CHECK (number >= 0),
        CONSTRAINT tile_width_check CHECK (octet_length(hashes) BETWEEN 32 AND 8192 AND octet_length(hashes) % 32 = 0)
    )
    """,
    # Hashes do not compress: trying costs more than it can give.
    "ALTER TABLE audit.tile ALTER COLUMN hashes SET STORAGE EXTERNAL",
    """
    CREATE TABLE audit.epoch (
        number INTEGER NOT NULL,
        origin TEXT NOT NULL,
        begins BIGINT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT epoch_pkey PRIMARY KEY (number),
        CONSTRAINT epoch_origin_key UNIQUE (origin),
        CONSTRAINT epoch_number_check CHECK (number > 0),
        CONSTRAINT epoch_begins_check CHECK (begins >= 0)
    )
    """,
    """
    CREATE TABLE audit.signing_key (
        vkey TEXT NOT NULL,
        origin TEXT NOT NULL,
        idx BIGINT,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT signing_key_pkey PRIMARY KEY (vkey)
    )
    """,
    """
    CREATE TABLE audit.checkpoint (
        size BIGINT NOT NULL,
        root BYTEA NOT NULL,
        origin TEXT NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT checkpoint_pkey PRIMARY KEY (size),
        CONSTRAINT checkpoint_size_check CHECK (size > 0),
        CONSTRAINT checkpoint_root_check CHECK (octet_length(root) = 32)
    )
    """,
    """
    CREATE TABLE audit.checkpoint_signature (
        size BIGINT NOT NULL,
        key_name TEXT NOT NULL,
        key_id BYTEA NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        signature BYTEA NOT NULL,
        CONSTRAINT checkpoint_signature_pkey PRIMARY KEY (size, key_name, key_id, at),
        CONSTRAINT checkpoint_signature_key_id_check CHECK (octet_length(key_id) = 4)
    )
    """,
)

ONLY_GROWS = """
    CREATE FUNCTION audit.only_grows() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF new.level <> old.level OR new.number <> old.number
            OR substring(new.hashes FOR octet_length(old.hashes)) <> old.hashes THEN
            RAISE EXCEPTION 'UPDATE on audit.tile is refused: a tile only ever gets more hashes'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN new;
    END
    $$
"""

ADDED_TO = ("epoch", "signing_key", "checkpoint", "checkpoint_signature")

TRIGGERS = (
    *(
        f"CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.{table} EXECUTE FUNCTION audit.refuse()"
        for table in ADDED_TO
    ),
    *(f"ALTER TABLE audit.{table} ENABLE ALWAYS TRIGGER no_change" for table in ADDED_TO),
    "CREATE TRIGGER no_change BEFORE DELETE OR TRUNCATE ON audit.tile EXECUTE FUNCTION audit.refuse()",
    "CREATE TRIGGER only_grows BEFORE UPDATE ON audit.tile FOR EACH ROW EXECUTE FUNCTION audit.only_grows()",
    "ALTER TABLE audit.tile ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER only_grows",
)

RIGHTS = (
    "REVOKE ALL ON FUNCTION audit.only_grows() FROM PUBLIC",
    "GRANT SELECT, INSERT, UPDATE (hashes) ON audit.tile TO audit_sequencer",
    *(f"GRANT SELECT, INSERT ON audit.{table} TO audit_sequencer" for table in ADDED_TO),
    *(f"GRANT SELECT ON audit.{table} TO audit_reader" for table in ("tile", *ADDED_TO)),
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("set local role audit_owner")
    for statement in (*TABLES, ONLY_GROWS, *TRIGGERS, *RIGHTS):
        op.execute(statement)
    op.execute("reset role")
