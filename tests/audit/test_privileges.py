"""Who may do what to the log, tried for real: as the service, the reader, the sequencer, the owner, a superuser."""

from collections.abc import Iterable

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.tlog import merkle
from caseload.audit.trail import AuditTrail
from tests.factories.audit import a_client, a_pending, a_trail, seen

pytestmark = pytest.mark.anyio

TABLES = ["queue", "entry", "disclosure"]
ADDED_TO = {
    "epoch": "'1', 'log/1', 0, now()",
    "signing_key": "'log/1+00000000+AQ==', 'log/1', null, now()",
    "checkpoint": "1, sha256(''), 'log/1', now()",
    "checkpoint_signature": "1, 'log/1', '\\x00000000', now(), ''",
}
"""Tables of the tree that are only ever added to, each with a row of it."""
TILE = "insert into audit.tile values (0, 0, sha256('1') || sha256('2'))"
MOVE = """
    insert into audit.entry (idx, entry_id, at, actor, event, outcome, programme, leaf)
    select $1, entry_id, at, actor, event, outcome, programme, leaf from audit.queue order by entry_id limit 1
"""


@pytest.fixture
async def logged(own_engine: AsyncEngine) -> AuditTrail:
    """A log with two entries in it."""
    trail = a_trail()
    async with own_engine.begin() as connection:
        for _ in range(2):
            await trail.append(connection, a_pending(seen([a_client()])))
    return trail


async def not_refused(connection: asyncpg.Connection, statements: Iterable[str], match: str = "") -> list[str]:
    """Those that went through, or failed for another reason than a missing right."""
    wrong: list[str] = []
    for statement in statements:
        transaction = connection.transaction()
        await transaction.start()
        try:
            await connection.execute(statement)
        except asyncpg.InsufficientPrivilegeError as refusal:
            if match not in str(refusal):
                wrong.append(f"{statement}: {refusal}")
        except asyncpg.PostgresError as other:
            wrong.append(f"{statement}: {other}")
        else:
            wrong.append(statement)
        await transaction.rollback()
    return wrong


async def test_the_service_touches_no_table_of_the_log(service: asyncpg.Connection, logged: AuditTrail) -> None:
    reading = ("select * from audit.{}", "select entry_id from audit.{}", "select count(*) from audit.{}",
               "copy (table audit.{}) to stdout", "lock audit.{} in access share mode", "drop owned by audit_owner",
               "grant select on audit.{} to public")  # fmt: skip
    writing = ("update audit.{} set entry_id = null", "delete from audit.{}", "truncate audit.{}",
               "insert into audit.{} default values", "insert into audit.{} (entry_id) values (null) returning entry_id",
               "insert into audit.{} (entry_id) values (null) on conflict do nothing",
               "alter table audit.{} disable trigger all", "lock audit.{} in share mode",
               "create trigger mine before insert on audit.{} execute function audit.refuse()")  # fmt: skip
    tables = [*TABLES, *ADDED_TO, "tile"]
    statements = [each.format(table) for each in reading for table in [*tables, "log"] if "entry_id" not in each]
    statements += [each.format(table) for each in (*reading, *writing) for table in TABLES]
    statements += [f"insert into audit.{table} values ({row})" for table, row in ADDED_TO.items()]  # noqa: S608  tables and rows of our own
    assert await not_refused(service, statements) == []


async def test_the_service_cannot_take_more(service: asyncpg.Connection, logged: AuditTrail) -> None:
    statements = [
        "set session_replication_role = replica", "set role audit_owner", "set role audit_sequencer",
        "set role postgres", "create function audit.mine() returns int language sql return 1",
        "alter function audit.append owner to caseload", "drop function audit.append",
        "create or replace function audit.refuse() returns trigger language plpgsql as 'begin return null; end'",
        "update keys.client_key set wrapped = ''", "delete from keys.client_key", "truncate keys.client_key",
    ]  # fmt: skip
    assert await not_refused(service, statements) == []


async def test_the_service_appends_and_reads_only_after_saying_so(
    service: asyncpg.Connection, logged: AuditTrail
) -> None:
    async with service.transaction():
        await service.execute("set local role audit_reader")
        assert await service.fetchval("select count(*) from audit.log") == 2
        assert await service.fetchval("select count(*) from audit.disclosure") == 2
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.fetchval("select count(*) from audit.log")


async def test_whoever_reads_the_log_can_do_nothing_else(service: asyncpg.Connection, logged: AuditTrail) -> None:
    statements = [
        "select audit.append('{}', '{}', '{}')", "select * from keys.client_key", "select * from clinic.staff",
        "select * from audit.queue", "select * from audit.entry", "update audit.disclosure set refs = '{}'",
        "delete from audit.disclosure", "truncate audit.disclosure",
    ]  # fmt: skip
    await service.execute("set role audit_reader")
    assert await not_refused(service, statements) == []


async def test_a_stranger_in_the_database_cannot_append(owner: asyncpg.Connection) -> None:
    async with owner.transaction():
        await owner.execute("create role stranger; set local role stranger")
        assert await not_refused(owner, ["select audit.append('{}', '{}', '{}')", "table audit.log"]) == []


@pytest.mark.parametrize("role", ["audit_owner", "postgres"])
@pytest.mark.parametrize("replication", ["origin", "replica"])
async def test_every_change_is_refused_also_to_the_owner_and_in_a_replica(
    owner: asyncpg.Connection, logged: AuditTrail, role: str, replication: str
) -> None:
    await owner.execute(MOVE, 0)
    await owner.execute(f"set session_replication_role = {replication}")
    await owner.execute(f"set role {role}")
    statements = [
        "update audit.queue set leaf = '{}'", "update audit.queue set outcome = 4", "update audit.queue set at = now()",
        "update audit.entry set actor = 'nobody'", "update audit.entry set idx = 7", "delete from audit.entry",
        "update audit.disclosure set refs = '{}'", "update audit.disclosure set sealed = ''",
        "delete from audit.disclosure", "delete from audit.queue",
        *(f"update audit.{table} set entry_id = entry_id where false" for table in TABLES),  # noqa: S608  tables of our own
        *(f"truncate audit.{table}" for table in TABLES), *(f"truncate audit.{table} cascade" for table in TABLES),
        "merge into audit.queue q using audit.entry e on true when matched then update set leaf = '{}'",
        "insert into audit.queue table audit.queue on conflict (entry_id) do update set leaf = '{}'",
    ]  # fmt: skip
    assert await not_refused(owner, statements, match="is refused") == []


async def test_the_sequencer_takes_from_the_queue_only_what_it_has_put_in_its_place(
    owner: asyncpg.Connection, logged: AuditTrail
) -> None:
    await owner.execute("set role audit_sequencer")
    first, second = [row["entry_id"] for row in await owner.fetch("select entry_id from audit.queue order by entry_id")]
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only for its place in the log"):
        await owner.execute("delete from audit.queue")
    async with owner.transaction():
        await owner.execute(MOVE, 0)
        await owner.execute("delete from audit.queue where entry_id = $1", first)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only for its place in the log"):
        await owner.execute("delete from audit.queue where entry_id = $1", second)
    assert await owner.fetchval("select entry_id from audit.queue") == second
    statements = ["update audit.queue set event = 'a.b'", "update audit.entry set idx = 7", "delete from audit.entry"]
    assert await not_refused(owner, statements) == []


async def test_the_tree_is_only_added_to_by_whoever_it_is(owner: asyncpg.Connection) -> None:
    await owner.execute("set role audit_sequencer")
    for table, row in ADDED_TO.items():
        await owner.execute(f"insert into audit.{table} values ({row})")  # noqa: S608  as above
    await owner.execute(TILE)
    for role in ("audit_sequencer", "audit_owner", "postgres"):
        for replication in ("origin", "replica"):
            await owner.execute("reset role")
            await owner.execute(f"set session_replication_role = {replication}")
            await owner.execute(f"set role {role}")
            changes = [
                "update audit.epoch set origin = 'other/1'", "update audit.signing_key set vkey = 'mine'",
                "update audit.checkpoint set root = sha256('1')", "update audit.checkpoint_signature set signature = 'x'",
                *(f"delete from audit.{table}" for table in (*ADDED_TO, "tile")),  # noqa: S608  tables of our own
                *(f"truncate audit.{table}" for table in (*ADDED_TO, "tile")),
                "update audit.tile set hashes = sha256('1')", "update audit.tile set hashes = sha256('2') || sha256('1')",
                "update audit.tile set number = 1", "update audit.tile set level = 1",
            ]  # fmt: skip
            assert await not_refused(owner, changes) == []
    await owner.execute("set role audit_sequencer")
    await owner.execute("update audit.tile set hashes = hashes || sha256('3')")
    await owner.execute("set role audit_reader")
    assert await not_refused(owner, [f"insert into audit.{table} default values" for table in ADDED_TO]) == []


async def test_an_entry_with_other_bytes_does_not_let_its_queue_row_go(
    owner: asyncpg.Connection, logged: AuditTrail
) -> None:
    await owner.execute("set role audit_sequencer")
    await owner.execute(MOVE.replace("programme, leaf from", "programme, leaf || ' ' from"), 0)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="only for its place in the log"):
        await owner.execute("delete from audit.queue")


async def test_an_entry_cannot_be_given_a_hash_that_is_not_its_own(
    owner: asyncpg.Connection, logged: AuditTrail
) -> None:
    await owner.execute("set role audit_sequencer")
    with pytest.raises(asyncpg.PostgresError, match='cannot insert a non-DEFAULT value into column "leaf_hash"'):
        await owner.execute(
            MOVE.replace("programme, leaf)", "programme, leaf, leaf_hash)").replace("leaf from", "leaf, 'x' from"), 0
        )
    await owner.execute(MOVE, 0)
    leaf = await owner.fetchval("select leaf from audit.entry")
    assert await owner.fetchval("select leaf_hash from audit.entry") == merkle.leaf_hash(leaf)


async def test_every_trigger_of_the_log_fires_always(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "select tgrelid::regclass::text as on_table, tgname, tgenabled::text from pg_trigger"
        " where tgrelid in (select oid from pg_class where relnamespace = 'audit'::regnamespace) and not tgisinternal"
    )
    assert {(row["on_table"], row["tgname"]) for row in rows} == {
        ("audit.queue", "no_change"),
        ("audit.queue", "no_loss"),
        ("audit.entry", "no_change"),
        ("audit.entry_0", "no_change"),
        ("audit.entry_1", "no_change"),
        ("audit.disclosure", "no_change"),
        ("audit.tile", "no_change"),
        ("audit.tile", "only_grows"),
        *((f"audit.{table}", "no_change") for table in ADDED_TO),
    }
    assert {row["tgenabled"] for row in rows} == {"A"}


async def test_everything_in_the_log_belongs_to_its_owner(owner: asyncpg.Connection) -> None:
    owners = await owner.fetch(
        "select relname as name, pg_get_userbyid(relowner) as owner from pg_class"
        " where relnamespace = 'audit'::regnamespace"
        " union all select proname, pg_get_userbyid(proowner) from pg_proc where pronamespace = 'audit'::regnamespace"
    )
    assert {row["owner"] for row in owners} == {"audit_owner"}


async def test_nothing_in_the_log_is_open_to_everybody(owner: asyncpg.Connection) -> None:
    open_to_all = await owner.fetch(
        """
        select name from (
          select relname as name, relacl as acl, 'r'::"char" as kind, relowner as owner
          from pg_class where relnamespace = 'audit'::regnamespace
          union all
          select proname, proacl, 'f', proowner from pg_proc where pronamespace = 'audit'::regnamespace
        ) held, aclexplode(coalesce(acl, acldefault(kind, owner))) as right_held
        where right_held.grantee = 0
        """
    )
    assert open_to_all == []


async def test_functions_of_the_log_look_for_nothing_outside_the_catalogue(owner: asyncpg.Connection) -> None:
    settings = await owner.fetch(
        "select proname, prosecdef, proconfig from pg_proc where pronamespace = 'audit'::regnamespace"
    )
    by_right_of_owner = {"append", "tidy", "extend", "refuse_ddl"}
    assert {row["proname"] for row in settings} == {
        "refuse",
        "refuse_unsequenced",
        "is_whole",
        "only_grows",
        *by_right_of_owner,
    }
    for row in settings:
        assert row["proconfig"][0] == "search_path=pg_catalog, pg_temp", row["proname"]
        assert row["prosecdef"] is (row["proname"] in by_right_of_owner)
