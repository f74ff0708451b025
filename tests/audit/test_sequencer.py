"""The sequencer against a real database: places, tree and signatures, killed between every two of its steps."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import tree as trees
from caseload.audit.keystore import KeyName, KeyStoreUnusable
from caseload.audit.leaf import KeyHandover
from caseload.audit.pace import Pace
from caseload.audit.publishing import Witness
from caseload.audit.sequencer import NameChanged, Sequencer
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.consistency import is_consistent
from caseload.audit.tlog.merkle import leaf_hash, root_of
from caseload.audit.tlog.note import Kind, LocalSigner, Signature, VerifierKey, cosign_text, open_note
from caseload.audit.tlog.rotation import hand_over
from caseload.audit.tlog.tile import TileName, hashes_in, tiles_of
from caseload.audit.trail import AuditTrail, Circumstances
from caseload.audit.tree import LogDamaged
from caseload.audit.witness.client import RolledBack
from tests.factories.audit import KeysInMemory, a_client, a_pending, a_trail, seen
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

QUICK = Pace(round_seconds=0.01, batch=7, standby_seconds=0.01, retry_seconds=0.01, ask_again_seconds=0.01)
PATIENCE_SECONDS = 120.0
READ_FOR_AN_ENTRY = 8
"""Rows of the log: the last one for each batch, the entry itself as it leaves the queue, and what the test looks at."""
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@dataclass
class Log:
    """A log of the test's own, as the service fills it and as the superuser sees it."""

    addresses: Addresses
    engine: AsyncEngine
    owner: asyncpg.Connection
    keys: KeysInMemory = field(default_factory=KeysInMemory)
    trail: AuditTrail = field(default_factory=a_trail)
    now: datetime = NOW

    async def append(self, count: int) -> None:
        async with self.engine.begin() as connection:
            for _ in range(count):
                await self.trail.append(connection, a_pending(seen([a_client()])))

    def sequencer(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]] | None = None,
        *,
        name: str | None = "log.example/clinic",
        keys: KeysInMemory | None = None,
        witness: Witness | None = None,
        overlap: timedelta = timedelta(days=30),
    ) -> Sequencer:
        return Sequencer(
            connect or self.connect,
            keys or self.keys,
            name=name,
            organisation="clinic-01",
            witness=witness,
            overlap=overlap,
            pace=QUICK,
            clock=lambda: self.now,
        )

    async def connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(self.addresses.sequencer)

    async def sequence(self, sequencer: Sequencer | None = None) -> None:
        """Run one until everything is signed."""
        async with self.running(sequencer or self.sequencer()):
            await self.until_signed()

    @asynccontextmanager
    async def running(self, sequencer: Sequencer) -> AsyncGenerator[asyncio.Task[None]]:
        stop = asyncio.Event()
        task = asyncio.create_task(sequencer.run(stop))
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait_for(task, PATIENCE_SECONDS)

    async def until_signed(self) -> None:
        await until(self.is_signed)

    async def is_signed(self) -> bool:
        return await self.owner.fetchval(
            "select not exists (select from audit.queue) and exists (select from audit.checkpoint_signature"
            " where size = (select max(idx) + 1 from audit.entry))"
        )

    async def entries_read(self) -> int:
        """How many rows of the log have been read, in whichever way."""
        await self.owner.execute("select pg_stat_clear_snapshot()")
        return await self.owner.fetchval(
            "select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint from pg_stat_all_tables"
            " where schemaname = 'audit' and relname like 'entry%'"
        )

    async def leaves(self) -> list[bytes]:
        """Every leaf in its place; the places are dense from 0."""
        rows = await self.owner.fetch("select idx, leaf, leaf_hash from audit.entry order by idx")
        assert [row["idx"] for row in rows] == list(range(len(rows)))
        assert all(row["leaf_hash"] == leaf_hash(row["leaf"]) for row in rows)
        return [row["leaf"] for row in rows]

    async def signers_of(self, size: int) -> set[VerifierKey]:
        """Whose good signatures stand under the checkpoint of this size; a bad one fails."""
        row = await self.owner.fetchrow("select size, root, origin from audit.checkpoint where size = $1", size)
        assert row is not None
        found = Checkpoint(size=row["size"], root=row["root"], origin=row["origin"])
        note = await trees.signed_note(self.owner, found)
        opened = open_note(note, [signer.key for signer in self.keys.signers(row["origin"])])
        return {each.key for each in opened.verified}

    async def assert_whole(self, *, entries: int) -> None:
        """One tree: dense, every tile as its entries say, every checkpoint a prefix, the last one signed."""
        hashes = [leaf_hash(leaf) for leaf in await self.leaves()]
        assert len(hashes) == entries
        assert await self.owner.fetchval("select count(*) from audit.queue") == 0
        checkpoints = await self.owner.fetch("select size, root, origin from audit.checkpoint order by size")
        for row in checkpoints:
            assert row["root"] == root_of(hashes[: row["size"]])
        assert checkpoints[-1]["size"] == entries
        assert await self.signers_of(entries)
        signed = await self.owner.fetch("select distinct size from audit.checkpoint_signature")
        for row in signed:
            assert await self.signers_of(row["size"])
        wanted = list(tiles_of(entries))
        fetch = await trees.fetched(self.owner, wanted)
        assert [
            hashed for tile in wanted if tile.level == 0 for hashed in hashes_in(fetch(tile), width=tile.width)
        ] == (hashes)
        assert prove.tree_root(entries, fetch) == root_of(hashes)


@pytest.fixture
async def log(throwaway_database: Addresses, own_engine: AsyncEngine, owner: asyncpg.Connection) -> Log:
    return Log(throwaway_database, own_engine, owner)


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await happened():  # noqa: ASYNC110  another process or connection makes it happen
            await asyncio.sleep(0.005)


async def test_the_work_for_an_entry_does_not_grow_with_the_log(log: Log) -> None:
    await log.append(200)
    await log.sequence()
    before = await log.entries_read()
    await log.append(50)
    await log.sequence()
    assert (await log.entries_read() - before) <= 50 * READ_FOR_AN_ENTRY


async def test_every_entry_gets_its_place_in_the_order_of_its_identifier_and_the_tree_is_signed(log: Log) -> None:
    await log.append(300)
    queued = [row["leaf"] for row in await log.owner.fetch("select leaf from audit.queue order by entry_id")]
    await log.sequence()
    assert await log.leaves() == queued
    await log.assert_whole(entries=300)
    await log.append(3)
    await log.sequence()
    assert (await log.leaves())[:300] == queued
    await log.assert_whole(entries=303)


async def test_a_transaction_that_was_slow_comes_later_and_is_not_passed_over(log: Log) -> None:
    async with log.engine.connect() as slow:
        await slow.begin()
        early = await log.trail.append(slow, a_pending())
        await log.append(5)
        async with log.running(log.sequencer()):
            await log.until_signed()
            assert early.leaf not in await log.leaves()
            await slow.commit()
            await until(lambda: log.owner.fetchval("select count(*) = 6 from audit.entry"))
    assert (await log.leaves())[5] == early.leaf
    await log.assert_whole(entries=6)


class Killed(ConnectionError):
    """The connection broke."""


class Fragile:
    """A connection that breaks at its n-th step: just before it, or just after the server has carried it out."""

    def __init__(self, real: asyncpg.Connection, *, at: int, carried_out: bool) -> None:
        self._real = real
        self._left = at
        self._carried_out = carried_out
        self.broke = False

    async def _step(self, doing: Callable[[], Awaitable[Any]]) -> Any:
        self._left -= 1
        if self._left == 0 and not self._carried_out:
            self._break()
        result = await doing()
        if self._left == 0:
            self._break()
        return result

    def _break(self) -> None:
        self.broke = True
        self._real.terminate()
        raise Killed

    async def fetch(self, *given: Any) -> Any:
        return await self._step(lambda: self._real.fetch(*given))

    async def fetchval(self, *given: Any) -> Any:
        return await self._step(lambda: self._real.fetchval(*given))

    async def fetchrow(self, *given: Any) -> Any:
        return await self._step(lambda: self._real.fetchrow(*given))

    async def execute(self, *given: Any) -> Any:
        return await self._step(lambda: self._real.execute(*given))

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[None]:
        transaction = self._real.transaction()
        await self._step(transaction.start)
        yield
        await self._step(transaction.commit)

    def terminate(self) -> None:
        self._real.terminate()

    async def close(self) -> None:
        await self._real.close()


class FragileAtFirst:
    """Connects: the first connection breaks at its n-th step, those after it are whole."""

    def __init__(self, log: Log, *, at: int, carried_out: bool) -> None:
        self._log = log
        self._at = at
        self._carried_out = carried_out
        self.first: Fragile | None = None

    async def __call__(self) -> Any:
        real = await self._log.connect()
        if self.first is not None:
            return real
        self.first = Fragile(real, at=self._at, carried_out=self._carried_out)
        return self.first


@pytest.mark.parametrize("carried_out", [False, True], ids=["before", "after"])
async def test_killed_at_any_step_it_continues_the_same_tree(log: Log, *, carried_out: bool) -> None:
    """Each round breaks the connection one step later; the last one comes through without a break."""
    entries = at = 0
    broke = True
    while broke:
        at += 1
        await log.append(9)
        entries += 9
        connect = FragileAtFirst(log, at=at, carried_out=carried_out)
        await log.sequence(log.sequencer(connect))
        assert connect.first
        broke = connect.first.broke
        await log.assert_whole(entries=entries)
    # The lock, loading, two batches of one transaction each, and signing.
    assert at > 25


async def test_of_two_one_works_and_the_other_takes_over_when_it_dies(log: Log) -> None:
    await log.append(10)
    async with log.running(log.sequencer()):
        await log.until_signed()
        async with log.running(log.sequencer()):
            await log.append(10)
            await log.until_signed()
            assert (
                await log.owner.fetchval("select count(*) from pg_locks where locktype = 'advisory' and granted") == 1
            )
            # Whoever held the lock loses its connection; one of both goes on, with the same tree.
            await log.owner.execute(
                "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted"
            )
            await log.append(10)
            await log.until_signed()
    await log.assert_whole(entries=30)


class Cut:
    """A connection whose server goes away in the middle of what the driver is doing, once it has done so much."""

    def __init__(self, connection: asyncpg.Connection, fetches: int) -> None:
        self._connection = connection
        self._fetches = fetches

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    async def fetch(self, query: str, *given: object) -> list[asyncpg.Record]:
        self._fetches -= 1
        if self._fetches < 0:
            raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")
        return await self._connection.fetch(query, *given)


async def test_a_driver_that_loses_its_place_costs_a_connection_and_nothing_else(log: Log) -> None:
    cuts = iter((0, 3, 5))

    async def connect() -> Any:
        connection = await log.connect()
        return Cut(connection, fetches) if (fetches := next(cuts, None)) is not None else connection

    await log.append(30)
    await log.sequence(log.sequencer(connect))
    assert next(cuts, None) is None
    await log.assert_whole(entries=30)


async def test_two_that_ignore_the_lock_collide_and_do_not_fork(log: Log) -> None:
    await log.append(5)
    await log.sequence()
    for entries in range(10, 40, 5):
        await log.append(5)
        connections = [await log.connect() for _ in range(2)]
        loaded = [await trees.load(each) for each in connections]
        ended = await asyncio.gather(
            *(tree.add(each, limit=5, now=NOW) for tree, each in zip(loaded, connections, strict=True) if tree),
            return_exceptions=True,
        )
        assert [each for each in ended if isinstance(each, int)] == [5]
        assert [type(each) for each in ended if isinstance(each, BaseException)] in (
            [trees.NotTheSameQueue],
            [asyncpg.UniqueViolationError],
        )
        for each in connections:
            await each.close()
        await log.sequence()
        await log.assert_whole(entries=entries)


async def test_a_log_makes_up_its_name_once_and_keeps_it(log: Log) -> None:
    await log.append(1)
    await log.sequence(log.sequencer(name=None))
    origin = await log.owner.fetchval("select origin from audit.epoch")
    assert origin.startswith("clinic-01.caseload.internal/")
    assert origin.endswith("/1")
    await log.append(1)
    await log.sequence(log.sequencer(name=None))
    assert await log.owner.fetchval("select array_agg(distinct origin) from audit.checkpoint") == [origin]
    with pytest.raises(NameChanged, match="a log keeps its name"):
        await log.sequencer(name="log.example/other").run(asyncio.Event())


async def test_a_key_is_handed_over_by_an_entry_and_both_sign_for_a_while(log: Log) -> None:
    await log.append(4)
    await log.sequence()
    (old,) = log.keys.signers("log.example/clinic/1")
    # A key that merely lies in the store signs nothing.
    log.keys.kept[KeyName.SIGNING, 2] = b"\x02" * 32
    new = log.keys.signers(old.key.name)[1]
    await log.append(1)
    await log.sequence()
    assert await log.signers_of(5) == {old.key}
    await rotate(log, old, new)
    await log.sequence()
    assert await log.owner.fetchval("select idx from audit.signing_key where vkey = $1", str(new.key)) == 5
    assert await log.signers_of(6) == {old.key, new.key}
    log.now += timedelta(days=29)
    await log.append(1)
    await log.sequence()
    assert await log.signers_of(7) == {old.key, new.key}
    log.now += timedelta(days=2)
    await log.append(1)
    await log.sequence()
    assert await log.signers_of(8) == {new.key}
    # Who hands over is always the newest: the old key has nothing to say any more.
    log.keys.kept[KeyName.SIGNING, 3] = b"\x03" * 32
    await rotate(log, old, log.keys.signers(old.key.name)[2])
    await log.sequence()
    assert await log.signers_of(9) == {new.key}
    # And no key comes back.
    await rotate(log, new, old)
    await log.sequence()
    assert await log.signers_of(10) == {new.key}
    await log.assert_whole(entries=10)


async def test_a_rotation_that_the_key_in_force_has_not_signed_changes_nothing(log: Log) -> None:
    await log.append(1)
    await log.sequence()
    (old,) = log.keys.signers("log.example/clinic/1")
    thief = LocalSigner(b"\x66" * 32, name=old.key.name)
    forged = hand_over(thief, LocalSigner(b"\x67" * 32, name=old.key.name).key)._replace(old=old.key)
    for said in (
        forged.encode(),
        hand_over(thief, old.key).encode(),
        (str(old.key), "nonsense", "AAAA"),
    ):
        await enter(log, KeyHandover(old=said[0], new=said[1], sig=said[2]))
    await enter(log, None)
    await log.sequence()
    assert await log.owner.fetchval("select count(*) from audit.signing_key") == 1
    assert await log.signers_of(5) == {old.key}


async def test_without_the_key_in_force_nothing_is_sequenced(log: Log) -> None:
    await log.append(1)
    await log.sequence()
    await log.append(1)
    with pytest.raises(KeyStoreUnusable, match="does not hold that key"):
        await log.sequencer(keys=KeysInMemory()).run(asyncio.Event())
    assert await log.owner.fetchval("select count(*) from audit.queue") == 1


async def test_a_log_that_was_tampered_with_is_not_added_to(log: Log) -> None:
    await log.append(300)
    await log.sequence()
    for damage, said in (
        ("update audit.tile set hashes = decode(repeat('00', 32 * 44), 'hex') where level = 0 and number = 1", "root"),
        ("delete from audit.tile where level = 1", "missing"),
        ("update audit.tile set hashes = substring(hashes for 32) where level = 0 and number = 1", "not whole"),
        ("delete from audit.entry where idx = 299", "299 entries"),
    ):
        transaction = log.owner.transaction()
        await transaction.start()
        await log.owner.execute("alter event trigger audit_no_ddl disable")
        for table in ("tile", "entry"):
            await log.owner.execute(f"alter table audit.{table} disable trigger all")
        await log.owner.execute(damage)
        with pytest.raises(LogDamaged, match=said):
            await trees.load(log.owner)
        await transaction.rollback()
    assert await trees.load(log.owner)


@dataclass
class AWitness:
    """A witness of its own, as strict as one must be."""

    signer: LocalSigner = field(
        default_factory=lambda: LocalSigner(b"\x77" * 32, name="witness.example", kind=Kind.COSIGNATURE)
    )
    seen: Checkpoint | None = None
    away: int = 0
    asked: int = 0
    known: Sequence[VerifierKey] = ()
    holds: bool = False

    def suffices(self, cosignatures: Sequence[Signature]) -> bool:
        return bool(cosignatures)

    async def check(self, newest: Checkpoint, root_at: Callable[[int], Awaitable[bytes]]) -> None:
        if self.seen is None:
            return
        if self.seen.size > newest.size or await root_at(self.seen.size) != self.seen.root:
            raise RolledBack(f"The witness has seen {self.seen.size} entries and the log holds {newest.size}.")

    async def cosign(
        self, note: bytes, newest: Checkpoint, prove: Callable[[int], Awaitable[Sequence[bytes]]]
    ) -> Sequence[Signature]:
        self.asked += 1
        if self.away:
            self.away -= 1
            raise ConnectionRefusedError
        assert open_checkpoint(note, self.known)[0] == newest
        if self.seen is not None:
            assert is_consistent(
                old=self.seen.size,
                old_root=self.seen.root,
                new=newest.size,
                new_root=newest.root,
                path=await prove(self.seen.size),
            )
        self.seen = newest
        return [cosign_text(newest.text(), self.signer, at=1_700_000_000)]


async def test_a_witness_cosigns_what_was_signed_and_is_missed_but_not_waited_for(log: Log) -> None:
    witness = AWitness(away=3, known=[signer.key for signer in log.keys.signers("log.example/clinic/1")])
    async with log.running(log.sequencer(witness=witness)):
        await log.append(20)
        await log.until_signed()
        await until(lambda: cosigned(log, 20))
        assert witness.asked >= 4
        await log.append(300)
        await log.until_signed()
        await until(lambda: cosigned(log, 320))
    note = await trees.signed_note(log.owner, witness.seen or Checkpoint(origin="", size=0, root=b""))
    assert open_note(note, [witness.signer.key]).verified[0].at == 1_700_000_000
    await log.assert_whole(entries=320)


async def test_a_log_that_is_smaller_than_the_witness_has_seen_is_not_continued(log: Log) -> None:
    await log.append(8)
    await log.sequence()
    tree = await trees.load(log.owner)
    assert tree
    for seen_before, refused in (
        (Checkpoint(origin=tree.epoch.origin, size=9, root=bytes(32)), True),
        (Checkpoint(origin=tree.epoch.origin, size=8, root=bytes(32)), True),
        (Checkpoint(origin=tree.epoch.origin, size=7, root=bytes(32)), True),
        (tree.checkpoint(), False),
    ):
        await log.append(1)
        witness = AWitness(seen=seen_before, known=[log.keys.signers(tree.epoch.origin)[0].key])
        if refused:
            with pytest.raises(RolledBack, match=f"seen {seen_before.size} entries and the log holds 8"):
                await log.sequencer(witness=witness).run(asyncio.Event())
        else:
            await log.sequence(log.sequencer(witness=witness))
    await log.assert_whole(entries=12)


async def test_a_witness_that_proves_another_history_stops_the_sequencer(log: Log) -> None:
    class Contradicting(AWitness):
        async def cosign(
            self, note: bytes, newest: Checkpoint, prove: Callable[[int], Awaitable[Sequence[bytes]]]
        ) -> Sequence[Signature]:
            raise RolledBack("The witness has seen another tree of 1 entries.")

    await log.append(1)
    with pytest.raises(RolledBack, match="another tree"):
        await asyncio.wait_for(log.sequencer(witness=Contradicting()).run(asyncio.Event()), PATIENCE_SECONDS)


async def test_a_tile_that_is_not_there_is_said_and_not_guessed(log: Log) -> None:
    with pytest.raises(LogDamaged, match="level 3, number 4"):
        await trees.fetched(log.owner, [TileName(3, 4)])


async def cosigned(log: Log, size: int) -> bool:
    return await log.owner.fetchval(
        "select exists (select from audit.checkpoint_signature where size = $1 and key_name = 'witness.example')", size
    )


async def rotate(log: Log, old: LocalSigner, new: LocalSigner) -> None:
    said_old, said_new, signature = hand_over(old, new.key).encode()
    await enter(log, KeyHandover(old=said_old, new=said_new, sig=signature))


async def enter(log: Log, handover: KeyHandover | None) -> None:
    async with log.engine.begin() as connection:
        said = Circumstances(route="caseload audit rotate", event="key.rotate", handover=handover)
        await log.trail.append(connection, a_pending(circumstances=said))
