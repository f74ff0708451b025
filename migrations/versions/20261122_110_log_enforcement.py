"""The log in partitions that are made ahead of time, each with its own triggers; and a watch over schema `audit`.

`audit.entry` holds ten million entries per partition, by index, which never changes. PostgreSQL does not give a
partition its parent's statement triggers, so the one function that makes partitions gives each its own, and makes
them fire ALWAYS, before the partition is attached.

The event triggers refuse DDL in schema `audit` unless the same transaction has put an entry `schema.change` into the
log, or it is that one function at work. Only a superuser may create them: another migrating role goes on without, and
`caseload db check` says what is missing. An older version of the service sees the same table and view as before.
"""

from alembic import op

revision = "20261122_110"
down_revision = "20261122_090"

CACHE = """
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor TEXT NOT NULL,
    event TEXT COLLATE "C" NOT NULL,
    outcome SMALLINT NOT NULL,
    programme UUID,
    leaf BYTEA NOT NULL
"""

ASIDE = (
    """
    -- squawk-ignore ban-drop-view
    DROP VIEW audit.log
    """,
    """
    -- squawk-ignore renaming-table
    ALTER TABLE audit.entry RENAME TO entry_undivided
    """,
    *(
        f"""
        -- squawk-ignore renaming-object
        ALTER INDEX audit.{name} RENAME TO {name.replace("entry_", "entry_undivided_", 1)}
        """
        for name in ("entry_pkey", "entry_entry_id_key", "entry_actor_entry_id_idx", "entry_event_entry_id_idx",
                     "entry_not_done_idx")
    ),
)  # fmt: skip

DIVIDED = (
    f"""
    CREATE TABLE audit.entry (
        idx BIGINT NOT NULL,
        entry_id UUID NOT NULL,
        {CACHE},
        leaf_hash BYTEA GENERATED ALWAYS AS (sha256('\\x00'::bytea || leaf)) STORED NOT NULL,
        CONSTRAINT entry_pkey PRIMARY KEY (idx),
        CONSTRAINT entry_idx_check CHECK (idx >= 0),
        CONSTRAINT entry_leaf_length_check CHECK (octet_length(leaf) BETWEEN 2 AND 16383)
    ) PARTITION BY RANGE (idx)
    """,
    "CREATE INDEX entry_actor_entry_id_idx ON audit.entry (actor, entry_id)",
    "CREATE INDEX entry_event_entry_id_idx ON audit.entry (event, entry_id)",
    "CREATE INDEX entry_not_done_idx ON audit.entry (entry_id) WHERE outcome <> 0",
    "CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.entry EXECUTE FUNCTION audit.refuse()",
    "ALTER TABLE audit.entry ENABLE ALWAYS TRIGGER no_change",
    """
    CREATE VIEW audit.log AS
        SELECT NULL::bigint AS idx, entry_id, at, actor, event, outcome, programme, leaf FROM audit.queue
        UNION ALL
        SELECT idx, entry_id, at, actor, event, outcome, programme, leaf FROM audit.entry
    """,
)

# A unique index over all partitions would need the index of an entry in it; so each partition has its own over the
# identifiers. An entry leaves the queue in the transaction that gives it its one place.
EXTEND = """
    CREATE FUNCTION audit.extend() RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '2s' AS $$
    DECLARE
        size CONSTANT bigint := 10000000;
        newest bigint;
        part text;
        made integer := 0;
    BEGIN
        PERFORM pg_advisory_xact_lock(4711202612);
        SELECT coalesce(max(idx), 0) / size INTO newest FROM audit.entry;
        FOR number IN newest .. newest + 1 LOOP
            part := 'entry_' || number;
            CONTINUE WHEN to_regclass('audit.' || part) IS NOT NULL;
            EXECUTE format('CREATE TABLE audit.%I (LIKE audit.entry INCLUDING ALL EXCLUDING INDEXES)', part);
            EXECUTE format('ALTER TABLE audit.%I ADD CONSTRAINT %I UNIQUE (entry_id)', part, part || '_entry_id_key');
            EXECUTE format('CREATE TRIGGER no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.%I'
                           ' EXECUTE FUNCTION audit.refuse()', part);
            EXECUTE format('ALTER TABLE audit.%I ENABLE ALWAYS TRIGGER no_change', part);
            EXECUTE format('ALTER TABLE audit.entry ATTACH PARTITION audit.%I FOR VALUES FROM (%s) TO (%s)',
                           part, number * size, (number + 1) * size);
            made := made + 1;
        END LOOP;
        RETURN made;
    END
    $$
"""

# What is moved to another schema is named there by then, so it is asked whether everything is still here.
IS_WHOLE = """
    CREATE FUNCTION audit.is_whole() RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
        SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('audit')
                AND relname IN ('queue', 'entry', 'disclosure', 'log')) = 4
           AND NOT EXISTS (SELECT FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
                           WHERE inhparent = to_regclass('audit.entry')
                             AND relnamespace <> to_regnamespace('audit'))
    $$
"""

# The outermost frame of the context is what the caller called; nothing written inside a statement can stand there.
REFUSE_DDL = """
    CREATE FUNCTION audit.refuse_ddl() RETURNS event_trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        frames text;
        touched text;
    BEGIN
        IF tg_tag = 'REINDEX' THEN
            RETURN;
        ELSIF tg_event = 'sql_drop' THEN
            SELECT object_identity INTO touched FROM pg_event_trigger_dropped_objects()
            WHERE schema_name = 'audit' OR object_identity ~ '( on |^)audit(\\.|$)' LIMIT 1;
        ELSE
            -- What belongs to a table (a rule, a policy) has no schema, but says on what it is.
            SELECT object_identity INTO touched FROM pg_event_trigger_ddl_commands()
            WHERE schema_name = 'audit' OR object_identity ~ '( on |^)audit(\\.|$)' LIMIT 1;
        END IF;
        IF touched IS NULL AND audit.is_whole() THEN
            RETURN;
        END IF;
        GET DIAGNOSTICS frames = PG_CONTEXT;
        IF frames ~ '\\nPL/pgSQL function audit\\.extend\\(\\) line [0-9]+ at EXECUTE$' OR EXISTS (
            SELECT FROM audit.queue WHERE event = 'schema.change' AND xmin = pg_current_xact_id()::xid
        ) THEN
            RETURN;
        END IF;
        RAISE EXCEPTION '% of % is refused: the log''s own shape changes only together with an entry that says so',
            tg_tag, coalesce(touched, 'a part of audit')
            USING ERRCODE = 'insufficient_privilege', HINT = 'Use `caseload db upgrade`; see docs/audit.md.';
    END
    $$
"""

WATCH = """
    DO $$
    BEGIN
        CREATE EVENT TRIGGER audit_no_ddl ON ddl_command_end EXECUTE FUNCTION audit.refuse_ddl();
        CREATE EVENT TRIGGER audit_no_drop ON sql_drop EXECUTE FUNCTION audit.refuse_ddl();
        ALTER EVENT TRIGGER audit_no_ddl ENABLE ALWAYS;
        ALTER EVENT TRIGGER audit_no_drop ENABLE ALWAYS;
    EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'nothing watches over DDL in schema audit: % may not create event triggers', current_user
            USING HINT = 'Run `caseload db check`: it names the statements for a superuser of the server.';
    END
    $$
"""

RIGHTS = (
    "REVOKE ALL ON FUNCTION audit.extend(), audit.is_whole(), audit.refuse_ddl() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION audit.extend() TO caseload_app, audit_sequencer",
    "GRANT SELECT ON audit.log TO audit_reader",
    "GRANT SELECT, INSERT ON audit.entry TO audit_sequencer",
)

MOVE = """
    INSERT INTO audit.entry (idx, entry_id, at, actor, event, outcome, programme, leaf)
    SELECT idx, entry_id, at, actor, event, outcome, programme, leaf FROM audit.entry_undivided ORDER BY idx
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.execute("set local statement_timeout = '5min'")
    op.execute("set local role audit_owner")
    for statement in (*ASIDE, *DIVIDED, EXTEND, IS_WHOLE, REFUSE_DDL, *RIGHTS):
        op.execute(statement)
    op.execute("SELECT audit.extend()")
    # No version before this one gave entries their place: there is nothing, or next to nothing, to move.
    op.execute(MOVE)
    op.execute("-- squawk-ignore ban-drop-table\nDROP TABLE audit.entry_undivided")
    op.execute("reset role")
    op.execute(WATCH)
