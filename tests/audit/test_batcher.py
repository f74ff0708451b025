"""The batcher: nothing is answered before it is durable, nothing acknowledged is lost, and trouble is told."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import batcher as batching
from caseload.audit.batcher import Batcher, LogUnavailable
from caseload.audit.leaf import BadLeaf, decode
from caseload.audit.trail import Circumstances
from caseload.db.engine import make_engine
from caseload.settings import Secret, Settings
from tests.factories.audit import a_client, a_pending, a_trail, seen
from tests.factories.lifeline import lifeline
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def batcher(own_engine: AsyncEngine) -> AsyncIterator[Batcher]:
    made = Batcher(own_engine, a_trail())
    yield made
    await made.close()


class Appends:
    """How many entries each call of `audit.append` carried, and a gate to hold the calls back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sizes: list[int] = []
        self.open = asyncio.Event()
        self.open.set()
        self._called = asyncio.Condition()
        original = batching._Line._append

        async def append(line: Any, entries: Any) -> None:
            async with self._called:
                self.sizes.append(len(entries))
                self._called.notify_all()
            await self.open.wait()
            await original(line, entries)

        monkeypatch.setattr(batching._Line, "_append", append)

    async def begun(self, calls: int) -> None:
        """Return when that many calls have begun."""
        async with asyncio.timeout(30), self._called:
            await self._called.wait_for(lambda: len(self.sizes) >= calls)


@pytest.fixture
def appends(monkeypatch: pytest.MonkeyPatch) -> Appends:
    return Appends(monkeypatch)


async def logged(owner: asyncpg.Connection) -> list[UUID]:
    return [row["entry_id"] for row in await owner.fetch("select entry_id from audit.queue order by entry_id")]


async def test_an_entry_is_durable_when_add_returns(batcher: Batcher, owner: asyncpg.Connection) -> None:
    entry = await batcher.add(a_pending(seen([a_client()])))
    assert await logged(owner) == [entry]


async def test_a_lone_entry_is_flushed_at_once(batcher: Batcher, appends: Appends) -> None:
    appends.open.clear()
    for lone in range(1, 4):
        task = asyncio.create_task(batcher.add(a_pending()))
        await asyncio.sleep(0)
        await asyncio.wait_for(appends.begun(lone), 30)
        appends.open.set()
        await task
        appends.open.clear()
    assert appends.sizes == [1, 1, 1]


async def test_entries_that_come_during_a_flush_go_together_with_the_next(
    batcher: Batcher, appends: Appends, owner: asyncpg.Connection
) -> None:
    appends.open.clear()
    first = asyncio.create_task(batcher.add(a_pending()))
    await appends.begun(1)
    others = [asyncio.create_task(batcher.add(a_pending(seen([a_client()])))) for _ in range(100)]
    await asyncio.sleep(0)
    appends.open.set()
    entries = await asyncio.gather(first, *others)
    assert appends.sizes == [1, 100]
    assert set(await logged(owner)) == set(entries)


async def test_only_one_flush_is_under_way_at_a_time(batcher: Batcher, appends: Appends) -> None:
    appends.open.clear()
    tasks = [asyncio.create_task(batcher.add(a_pending()))]
    await appends.begun(1)
    for _ in range(3):
        tasks += [asyncio.create_task(batcher.add(a_pending())) for _ in range(5)]
        await asyncio.sleep(0.02)
    assert appends.sizes == [1]
    appends.open.set()
    await asyncio.gather(*tasks)
    assert appends.sizes == [1, 15]


async def test_no_flush_carries_more_than_its_cap(
    batcher: Batcher, appends: Appends, owner: asyncpg.Connection
) -> None:
    appends.open.clear()
    tasks = [asyncio.create_task(batcher.add(a_pending())) for _ in range(1300)]
    await appends.begun(1)
    appends.open.set()
    await asyncio.gather(*tasks)
    assert sum(appends.sizes) == 1300
    assert max(appends.sizes) <= batching.MOST_PER_FLUSH
    assert len(await logged(owner)) == 1300


async def test_many_callers_at_once_each_get_their_own_entry(batcher: Batcher, owner: asyncpg.Connection) -> None:
    clients = [a_client() for _ in range(20)]
    people = [a_pending(seen(clients[number % 20 :][:3])) for number in range(400)]
    entries = await asyncio.gather(*(batcher.add(pending) for pending in people))
    rows = {row["entry_id"]: row for row in await owner.fetch("select entry_id, actor, leaf from audit.queue")}
    for pending, entry in zip(people, entries, strict=True):
        assert pending.actor is not None
        assert rows[entry]["actor"] == str(pending.actor.id)
    assert sorted(decode(row["leaf"]).ctr for row in rows.values()) == list(range(1, 401))


async def test_one_that_may_not_stand_in_the_log_does_not_take_the_others_with_it(
    batcher: Batcher, owner: asyncpg.Connection
) -> None:
    bad = a_pending(circumstances=Circumstances(event="not an event", route="GET /"))
    results = await asyncio.gather(
        *(batcher.add(pending) for pending in (a_pending(), bad, a_pending(), bad, a_pending())), return_exceptions=True
    )
    assert [isinstance(result, BadLeaf) for result in results] == [False, True, False, True, False]
    good = [result for result in results if isinstance(result, UUID)]
    assert set(await logged(owner)) == set(good)
    said = [decode(row["leaf"]) for row in await owner.fetch("select leaf from audit.queue order by entry_id")]
    accounted = {each.ctr for each in said} | {
        number for each in said for low, high in each.void for number in range(low, high + 1)
    }
    assert accounted >= set(range(1, max(each.ctr for each in said)))


async def test_a_connection_that_died_meanwhile_is_replaced_unseen(batcher: Batcher, owner: asyncpg.Connection) -> None:
    first = await batcher.add(a_pending())
    await end_connections(owner)
    second = await batcher.add(a_pending())
    assert await logged(owner) == [first, second]


async def test_a_connection_whose_end_has_not_arrived_is_replaced_unseen(
    throwaway_database: Addresses, owner: asyncpg.Connection
) -> None:
    """The server's last word has: until the driver also reads that it has hung up, it fails in a way of its own."""
    async with lifeline(throwaway_database.service) as (line, url):
        engine = make_engine(Settings(database_url=Secret(url)), application_name="caseload-test")
        batcher = Batcher(engine, a_trail())
        first = await batcher.add(a_pending())
        line.delay_the_end()
        await end_connections(owner)
        await asyncio.sleep(0.1)
        second = await batcher.add(a_pending())
        assert await logged(owner) == [first, second]
        line.mend()
        await batcher.close()
        await engine.dispose()


async def test_a_commit_whose_answer_was_lost_is_not_repeated(
    batcher: Batcher, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = batching._Line._append
    lost = [ConnectionResetError("the answer never came")]

    async def append(line: Any, entries: Any) -> None:
        await original(line, entries)
        if lost:
            raise lost.pop()

    monkeypatch.setattr(batching._Line, "_append", append)
    entry = await batcher.add(a_pending())
    assert await logged(owner) == [entry]


async def end_connections(owner: asyncpg.Connection) -> None:
    await owner.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
        " where datname = current_database() and application_name = 'caseload-test'"
    )


@asynccontextmanager
async def unreachable(owner: asyncpg.Connection) -> AsyncGenerator[None]:
    """The database refuses the service's user for a while."""
    name = await owner.fetchval("select current_database()")
    await owner.execute(f'alter database "{name}" connection limit 0')
    await end_connections(owner)
    yield
    await owner.execute(f'alter database "{name}" connection limit -1')


async def test_when_the_database_is_away_whoever_waits_learns_of_it_and_the_next_succeed(
    batcher: Batcher, owner: asyncpg.Connection
) -> None:
    first = await batcher.add(a_pending())
    async with unreachable(owner):
        results = await asyncio.gather(*(batcher.add(a_pending()) for _ in range(30)), return_exceptions=True)
        assert all(isinstance(result, LogUnavailable) for result in results)
    last = await batcher.add(a_pending())
    assert await logged(owner) == [first, last]
    leaf = decode(await owner.fetchval("select leaf from audit.queue where entry_id = $1", last))
    assert (leaf.ctr > 1, leaf.void) == (True, ((2, leaf.ctr - 1),) if leaf.ctr > 2 else ())


async def test_a_database_that_cannot_write_is_told_and_leaves_nothing(
    batcher: Batcher, owner: asyncpg.Connection
) -> None:
    await owner.execute("revoke execute on function audit.append from caseload_app")
    with pytest.raises(LogUnavailable):
        await batcher.add(a_pending())
    assert await logged(owner) == []
    await owner.execute("grant execute on function audit.append to caseload_app")
    entry = await batcher.add(a_pending())
    leaf = decode(await owner.fetchval("select leaf from audit.queue where entry_id = $1", entry))
    assert (leaf.ctr, leaf.void) == (2, ((1, 1),))


async def test_a_mistake_of_our_own_is_told_too(
    batcher: Batcher, appends: Appends, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batcher._line._trail, "prepare", None)
    with pytest.raises(LogUnavailable):
        await batcher.add(a_pending())
    monkeypatch.undo()
    await batcher.add(a_pending())


async def test_a_database_that_hangs_is_given_up_after_a_while(own_engine: AsyncEngine, appends: Appends) -> None:
    batcher = Batcher(own_engine, a_trail(), patience_seconds=0.2)
    appends.open.clear()
    with pytest.raises(LogUnavailable):
        await batcher.add(a_pending())
    appends.open.set()
    await batcher.add(a_pending())
    await batcher.close()


async def test_too_many_that_wait_are_turned_away(own_engine: AsyncEngine, appends: Appends) -> None:
    batcher = Batcher(own_engine, a_trail(), most_waiting=10)
    appends.open.clear()
    under_way = asyncio.create_task(batcher.add(a_pending()))
    await appends.begun(1)
    waiting = [asyncio.create_task(batcher.add(a_pending())) for _ in range(10)]
    await asyncio.sleep(0)
    with pytest.raises(LogUnavailable, match="no more entries"):
        await batcher.add(a_pending())
    appends.open.set()
    await asyncio.gather(under_way, *waiting)
    await batcher.close()


async def test_a_caller_that_goes_away_leaves_its_entry_behind(
    batcher: Batcher, appends: Appends, owner: asyncpg.Connection
) -> None:
    appends.open.clear()
    caller = asyncio.create_task(batcher.add(a_pending()))
    other = asyncio.create_task(batcher.add(a_pending()))
    await appends.begun(1)
    caller.cancel()
    appends.open.set()
    with pytest.raises(asyncio.CancelledError):
        await caller
    await other
    assert len(await logged(owner)) == 2


async def test_closing_makes_durable_what_waits_and_takes_no_more(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    batcher = Batcher(own_engine, a_trail())
    waiting = [asyncio.create_task(batcher.add(a_pending())) for _ in range(700)]
    await asyncio.sleep(0)
    await batcher.close()
    assert set(await logged(owner)) == set(await asyncio.gather(*waiting))
    with pytest.raises(LogUnavailable):
        await batcher.add(a_pending())


async def test_references_that_gathered_are_put_in_place_beside_the_flushes(
    batcher: Batcher, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "REFERENCES_BETWEEN_TIDYING", 100)
    still_pending = "select gin_clean_pending_list('audit.disclosure_refs_idx')"
    await batcher.add(a_pending(seen(a_client() for _ in range(99))))
    assert await owner.fetchval(still_pending) > 0
    await batcher.add(a_pending(seen(a_client() for _ in range(99))))
    assert batcher._tidying is not None
    await batcher._tidying
    assert await owner.fetchval(still_pending) == 0


async def test_a_failure_to_tidy_harms_nobody(
    batcher: Batcher, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batching, "REFERENCES_BETWEEN_TIDYING", 1)
    await owner.execute("revoke execute on function audit.tidy from caseload_app")
    for _ in range(3):
        await batcher.add(a_pending(seen([a_client()])))
    await batcher.close()
    assert len(await logged(owner)) == 3


KILLED = """
import asyncio, sys
from sqlalchemy.ext.asyncio import create_async_engine
from caseload.audit.batcher import Batcher
from tests.factories.audit import a_client, a_pending, a_trail, seen

async def caller(batcher):
    while True:
        entry = await batcher.add(a_pending(seen([a_client()])))
        sys.stdout.write(f"{entry}\\n")
        sys.stdout.flush()

async def main():
    batcher = Batcher(create_async_engine("postgresql+asyncpg://", connect_args={"dsn": sys.argv[1]}), a_trail())
    await asyncio.gather(*(caller(batcher) for _ in range(32)))

asyncio.run(main())
"""


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed_in_the_middle(
    throwaway_database: Addresses, owner: asyncpg.Connection
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, throwaway_database.service,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )  # fmt: skip
    assert process.stdout is not None
    acknowledged: set[UUID] = set()
    while len(acknowledged) < 500:
        line = (await process.stdout.readline()).decode()
        assert line, "the process ended by itself"
        acknowledged.add(UUID(line.strip()))
    process.kill()
    # The last line may have been cut by the kill: an acknowledgement that nobody received.
    rest = (await process.stdout.read()).decode().split("\n")
    acknowledged |= {UUID(line) for line in rest[:-1]}
    await process.wait()
    found = await logged(owner)
    assert len(found) == len(set(found))
    assert acknowledged <= set(found)
