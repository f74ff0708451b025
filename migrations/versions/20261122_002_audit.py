"""The log: what is queued, what has its place in the tree, what lies beside the leaves, and the only way in.

The service may call `audit.append`, and `audit.tidy`, which changes nothing that is stored; it sees no table here. The log is read as `audit_reader`,
through the view over both tables. Triggers refuse every change, also to the owner and to a replica; they fire ALWAYS.
The queue alone may be emptied, and only of rows whose leaf stands in `audit.entry`, byte for byte.
"""

from alembic import op

revision = "20261122_002"
down_revision = "20261122_010"

CACHE = """
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    outcome SMALLINT NOT NULL,
    programme UUID,
    leaf BYTEA NOT NULL
"""


def _indexes(table: str) -> tuple[str, ...]:
    """What the log is searched by, each with the identifier, whose order is that of time."""
    return (
        f"CREATE INDEX {table}_actor_entry_id_idx ON audit.{table} (actor, entry_id)",
        f"CREATE INDEX {table}_event_entry_id_idx ON audit.{table} (event, entry_id)",
        f"CREATE INDEX {table}_not_done_idx ON audit.{table} (entry_id) WHERE outcome <> 0",
    )


TABLES = (
    f"""
    CREATE TABLE audit.queue (
        entry_id UUID NOT NULL,
        {CACHE},
        CONSTRAINT queue_pkey PRIMARY KEY (entry_id),
        CONSTRAINT queue_leaf_length_check CHECK (octet_length(leaf) BETWEEN 2 AND 16383)
    )
    """,
    *_indexes("queue"),
    f"""
    CREATE TABLE audit.entry (
        idx BIGINT NOT NULL,
        entry_id UUID NOT NULL,
        {CACHE},
        leaf_hash BYTEA GENERATED ALWAYS AS (sha256('\\x00'::bytea || leaf)) STORED NOT NULL,
        CONSTRAINT entry_pkey PRIMARY KEY (idx),
        CONSTRAINT entry_entry_id_key UNIQUE (entry_id),
        CONSTRAINT entry_idx_check CHECK (idx >= 0),
        CONSTRAINT entry_leaf_length_check CHECK (octet_length(leaf) BETWEEN 2 AND 16383)
    )
    """,
    *_indexes("entry"),
    """
    CREATE TABLE audit.disclosure (
        entry_id UUID NOT NULL,
        refs BYTEA[] NOT NULL,
        sealed BYTEA NOT NULL,
        CONSTRAINT disclosure_pkey PRIMARY KEY (entry_id)
    )
    """,
    # Ciphertext does not compress: trying costs more than it can give.
    "ALTER TABLE audit.disclosure ALTER COLUMN sealed SET STORAGE EXTERNAL, ALTER COLUMN refs SET STORAGE EXTERNAL",
    # New references gather in the index's pending list, so that a row of a list costs a fraction of a descent. They
    # are put in their places by `audit.tidy`; the limit at which an append would have to do it lies far above that.
    """
    CREATE INDEX disclosure_refs_idx ON audit.disclosure USING gin (refs)
    WITH (fastupdate = on, gin_pending_list_limit = 16384)
    """,
)

VIEW = """
    CREATE VIEW audit.log AS
    SELECT NULL::bigint AS idx, entry_id, at, actor, event, outcome, programme, leaf FROM audit.queue
    UNION ALL
    SELECT idx, entry_id, at, actor, event, outcome, programme, leaf FROM audit.entry
"""

APPEND = """
    CREATE FUNCTION audit.append(leaves bytea[], refs bytea[], sealed bytea[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        said jsonb;
        entry uuid;
        clients int;
        taken int := 0;
    BEGIN
        -- What an entry tells of may leave as soon as the commit returns: the commit has to be on disk by then.
        IF current_setting('synchronous_commit') = 'off' THEN
            PERFORM set_config('synchronous_commit', 'on', true);
        END IF;
        IF cardinality(leaves) <> cardinality(sealed) THEN
            RAISE EXCEPTION 'there must be as many sealed parts as leaves' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        FOR place IN 1 .. cardinality(leaves) LOOP
            said := convert_from(leaves[place], 'UTF8')::jsonb;
            entry := (said ->> 'id')::uuid;
            clients := coalesce((said #>> '{subj,n}')::int, 0);
            INSERT INTO audit.queue (entry_id, at, actor, event, outcome, programme, leaf)
            VALUES (entry, (said ->> 't')::timestamptz, said #>> '{act,id}', said ->> 'ev',
                    (said ->> 'out')::smallint, (said ->> 'prog')::uuid, leaves[place]);
            INSERT INTO audit.disclosure (entry_id, refs, sealed)
            VALUES (entry, refs[taken + 1 : taken + clients], sealed[place]);
            taken := taken + clients;
        END LOOP;
        IF taken <> cardinality(refs) THEN
            RAISE EXCEPTION 'there must be one reference for each client of each leaf'
                USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END
    $$
"""

TIDY = """
    CREATE FUNCTION audit.tidy() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT gin_clean_pending_list('audit.disclosure_refs_idx'::regclass)
    $$
"""

REFUSE = """
    CREATE FUNCTION audit.refuse() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        RAISE EXCEPTION '% on audit.% is refused: the log is only ever added to', tg_op, tg_table_name
            USING ERRCODE = 'insufficient_privilege';
    END
    $$
"""

REFUSE_UNSEQUENCED = """
    CREATE FUNCTION audit.refuse_unsequenced() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM gone
            WHERE NOT EXISTS (SELECT FROM audit.entry WHERE entry.entry_id = gone.entry_id AND entry.leaf = gone.leaf)
        ) THEN
            RAISE EXCEPTION 'DELETE on audit.queue is refused: an entry leaves the queue only for its place in the log'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NULL;
    END
    $$
"""

TRIGGERS = (
    "CREATE TRIGGER no_change BEFORE UPDATE OR TRUNCATE ON audit.queue EXECUTE FUNCTION audit.refuse()",
    """
    CREATE TRIGGER no_loss AFTER DELETE ON audit.queue REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_unsequenced()
    """,
    "ALTER TABLE audit.queue ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER no_loss",
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry EXECUTE FUNCTION audit.refuse()",
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.disclosure EXECUTE FUNCTION audit.refuse()",
    "ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER no_change",
    "ALTER TABLE audit.disclosure ENABLE ALWAYS TRIGGER no_change",
)

RIGHTS = (
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA audit FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION audit.append(bytea[], bytea[], bytea[]), audit.tidy() TO caseload_app",
    "GRANT SELECT ON audit.log, audit.disclosure TO audit_reader",
    "GRANT SELECT, DELETE ON audit.queue TO audit_sequencer",
    "GRANT SELECT, INSERT ON audit.entry TO audit_sequencer",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("set local role audit_owner")
    for statement in (*TABLES, VIEW, APPEND, TIDY, REFUSE, REFUSE_UNSEQUENCED, *TRIGGERS, *RIGHTS):
        op.execute(statement)
    op.execute("reset role")
