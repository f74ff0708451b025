"""What holds the log in place inside the database: partitions, the watch over its shape, and what says that it holds."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator

import asyncpg
import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.room import make_room
from caseload.db import migrate, revisions
from caseload.request.database import migrate_to_head
from tests.audit.test_privileges import MOVE, not_refused
from tests.factories.audit import a_pending, a_trail, seen
from tests.shared_server import Addresses, execute

pytestmark = pytest.mark.anyio

PER_PARTITION = 10_000_000
WATCHED = "the log's own shape changes only together with an entry that says so"


async def append_one(engine: AsyncEngine, *, event: str = "check_in.listed") -> None:
    async with engine.begin() as connection:
        await a_trail().append(connection, a_pending(seen([]), event=event))


async def tables(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'audit.entry'::regclass order by inhrelid"
    )
    return [row[0] for row in rows]


# Partitions.


async def test_there_is_always_a_partition_ahead_and_never_more(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    assert await tables(owner) == ["audit.entry_0", "audit.entry_1"]
    assert await make_room(own_engine) == 0
    await append_one(own_engine)
    await owner.execute(MOVE, PER_PARTITION - 1)
    assert await make_room(own_engine) == 0
    await append_one(own_engine)
    await owner.execute(MOVE.replace("order by entry_id", "order by entry_id desc"), PER_PARTITION)

    assert await make_room(own_engine) == 1

    assert await tables(owner) == ["audit.entry_0", "audit.entry_1", "audit.entry_2"]
    assert await owner.fetchval("select count(*) from audit.entry_0") == 1
    assert await owner.fetchval("select count(*) from audit.entry_1") == 1


async def test_of_two_that_make_room_at_once_one_does(own_engine: AsyncEngine, owner: asyncpg.Connection) -> None:
    await append_one(own_engine)
    await owner.execute(MOVE, PER_PARTITION)
    made = await asyncio.gather(*(make_room(own_engine) for _ in range(4)))
    assert sorted(made) == [0, 0, 0, 1]


async def test_a_partition_made_later_is_guarded_like_the_first(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    await append_one(own_engine)
    await owner.execute(MOVE, PER_PARTITION)
    await make_room(own_engine)
    await owner.execute("set session_replication_role = replica")
    statements = [
        each.format(part)
        for part in ("entry_0", "entry_1", "entry_2")
        for each in ("truncate audit.{}", "delete from audit.{}", "update audit.{} set actor = 'nobody'")
    ]
    assert await not_refused(owner, statements, match="is refused") == []


async def test_the_sequencer_cannot_go_round_the_log_by_a_partition(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    await append_one(own_engine)
    await owner.execute("set role audit_sequencer")
    statements = [MOVE.replace("audit.entry (", "audit.entry_0 (").replace("$1", "0"), "select * from audit.entry_0"]
    assert await not_refused(owner, statements) == []


async def test_no_entry_stands_in_two_places(own_engine: AsyncEngine, owner: asyncpg.Connection) -> None:
    await append_one(own_engine)
    await owner.execute(MOVE, 0)
    with pytest.raises(asyncpg.UniqueViolationError):
        await owner.execute(MOVE, 1)


# The watch over the log's shape.


@pytest.mark.parametrize("role", ["postgres", "audit_owner"])
async def test_the_shape_of_the_log_changes_only_together_with_an_entry(
    own_engine: AsyncEngine, owner: asyncpg.Connection, role: str
) -> None:
    await append_one(own_engine, event="schema.change")  # of another transaction: it counts for nothing
    await owner.execute(f"set role {role}")
    forged = "\nPL/pgSQL function audit.extend() line 12 at EXECUTE"
    statements = [
        "alter table audit.queue disable trigger all", "alter table audit.entry_0 disable trigger no_change",
        "alter table audit.entry detach partition audit.entry_0", "drop table audit.entry_0", "drop view audit.log",
        "drop trigger no_change on audit.entry", "create table audit.mine (id int)",
        "create or replace function audit.refuse() returns trigger language plpgsql as 'begin return null; end'",
        "create rule gone as on delete to audit.queue do instead nothing",
        "alter function audit.append(bytea[], bytea[], bytea[]) security invoker",
        "create policy everybody on audit.queue",
        "create trigger mine before insert on audit.queue execute function audit.refuse()",
        f"do $$ begin execute $_$ alter table audit.queue disable trigger all /*{forged}*/ $_$; end $$",
        f"alter table audit.queue disable trigger all /*{forged}*/",
    ]  # fmt: skip
    assert await not_refused(owner, statements, match=WATCHED) == []


async def test_the_whole_schema_is_not_moved_away(own_engine: AsyncEngine, owner: asyncpg.Connection) -> None:
    with pytest.raises(asyncpg.PostgresError):
        await owner.execute("alter schema audit rename to other")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=WATCHED):
        await owner.execute("alter table audit.entry set schema public")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match=WATCHED):
        await owner.execute("alter table audit.entry_1 set schema public")
    assert await owner.fetchval("select audit.is_whole()")


async def test_what_is_not_the_logs_is_nobodys_business(owner: asyncpg.Connection) -> None:
    await owner.execute("create table clinic.mine (id int)")
    await owner.execute("alter table clinic.mine add constraint one check (id > 0); drop table clinic.mine")
    await owner.execute("reindex table audit.queue")


async def test_with_an_entry_in_the_same_transaction_it_changes(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(
        "insert into audit.queue (entry_id, at, actor, event, outcome, leaf)"
        " values (gen_random_uuid(), now(), 'x', 'schema.change', 0, '{}')"
    )
    await owner.execute("comment on table audit.queue is 'entries without a place'")
    await transaction.rollback()


# Migrations are entries.


@pytest.fixture
def fresh_database(server: Addresses) -> Iterator[Addresses]:
    """A database that nothing has been done to."""
    asyncio.run(execute(server.owner, "create database fresh"))
    yield server.of("fresh")
    asyncio.run(execute(server.owner, "drop database fresh with (force)"))


@pytest.fixture
async def fresh(fresh_database: Addresses) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(fresh_database.owner)
    yield connection
    await connection.close()


async def told(connection: asyncpg.Connection) -> list[tuple[str, str]]:
    rows = await connection.fetch("select event, leaf from audit.queue where event ^@ 'schema.' order by entry_id")
    return [(row["event"], msgspec.json.decode(row["leaf"])["route"]) for row in rows]


def as_told(revision: str) -> str:
    digest = hashlib.sha256(migrate.sql(revision).encode()).hexdigest()
    return f"caseload db upgrade {revision} sha256:{digest}"


async def test_every_migration_is_an_entry_with_the_digest_of_its_statements(
    fresh_database: Addresses, fresh: asyncpg.Connection
) -> None:
    await asyncio.to_thread(migrate_to_head, fresh_database.owner, organisation="clinic-01")
    line = revisions.path(None, revisions.head())
    before = line.index("20261122_002")
    expected = [("schema.found" if at < before else "schema.change", as_told(each)) for at, each in enumerate(line)]
    assert await told(fresh) == expected


async def test_a_migration_whose_entry_cannot_be_written_is_not_made(
    fresh_database: Addresses, fresh: asyncpg.Connection
) -> None:
    class Full(Exception): ...

    async def no_room(*_: object) -> None:
        raise Full

    with pytest.raises(Full):
        await asyncio.to_thread(migrate.upgrade, fresh_database.owner, tell=no_room)
    assert await fresh.fetchval("select to_regclass('audit.queue')") is None
    assert await fresh.fetchval("select version_num from public.alembic_version") == "20261122_010"
