"""The sequencer and a real witness together: lost tails, clones, what is held back, and the way on after a restore."""

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import epoch as epochs
from caseload.audit import tree as trees
from caseload.audit.tlog.checkpoint import Checkpoint, open_checkpoint
from caseload.audit.tlog.merkle import root_of
from caseload.audit.tlog.note import open_note
from caseload.audit.tlog.policy import KnownLog, KnownWitness, Policy
from caseload.audit.witness.client import RolledBack, Witnesses
from caseload.audit.witness.server import Server
from tests.audit.test_sequencer import PATIENCE_SECONDS, Log, until
from tests.audit.test_witness import NOW, WITNESS, shown
from tests.factories.audit import UNWATCHED
from tests.factories.witnesses import answering
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

NAME = "log.example/clinic"
ORIGIN = f"{NAME}/1"
PROMPT_SECONDS = 30.0


@pytest.fixture
async def log(throwaway_database: Addresses, own_engine: AsyncEngine, owner: asyncpg.Connection) -> Log:
    return Log(throwaway_database, own_engine, owner)


def serving(log: Log, folder: Path, *, port: int = 0, origin: str = ORIGIN) -> AbstractContextManager[Server]:
    known = [signer.key for signer in log.keys.signers(origin)]
    return answering(WITNESS, known, folder, now=NOW, port=port)


def witnesses(log: Log, port: int, *, quorum: str = "none") -> Witnesses:
    policy = Policy(
        logs=tuple(KnownLog(signer.key) for signer in log.keys.signers(ORIGIN)),
        witnesses=(KnownWitness("w", WITNESS.key, f"http://127.0.0.1:{port}"),),
        quorum=quorum,
    )
    return Witnesses(policy, log_keys=lambda origin: [signer.key for signer in log.keys.signers(origin)])


def is_seen(server: Server, size: int) -> bool:
    status, note = shown(server, ORIGIN)
    return status == 200 and open_checkpoint(note, [WITNESS.key, *server.witness._logs])[0].size == size


async def signed(log: Log) -> list[int]:
    rows = await log.owner.fetch("select distinct size from audit.checkpoint_signature order by size")
    return [row["size"] for row in rows]


async def until_seen(server: Server, size: int) -> None:
    async def reached() -> bool:
        return await asyncio.to_thread(is_seen, server, size)

    await until(reached)


async def test_what_was_signed_while_the_witness_was_away_is_cosigned_once_it_is_back(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        port = server.server_port
        async with log.running(log.sequencer(witness=witnesses(log, port))):
            await log.append(30)
            await until_seen(server, 30)
    async with log.running(log.sequencer(witness=witnesses(log, port))):
        await log.append(300)
        await log.until_signed()
        with serving(log, tmp_path, port=port) as server:
            await until_seen(server, 330)
    await log.assert_whole(entries=330)


async def test_a_stop_is_prompt_and_what_was_signed_last_is_seen(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        for size in range(2, 12, 2):
            stop = asyncio.Event()
            running = asyncio.create_task(log.sequencer(witness=witnesses(log, server.server_port)).run(stop))
            await log.append(1)
            await until_seen(server, size - 1)
            await log.append(1)
            stop.set()  # the last round signs it, so that the news and the end come together
            async with asyncio.timeout(PROMPT_SECONDS):
                await running
            assert is_seen(server, size)


async def test_a_stop_does_not_wait_for_a_witness_that_is_away(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        port = server.server_port
    await log.append(1)
    async with asyncio.timeout(PROMPT_SECONDS), log.running(log.sequencer(witness=witnesses(log, port))):
        await log.until_signed()


async def test_an_old_backup_does_not_go_on_and_both_numbers_are_named(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        await log.append(5)
        async with log.running(log.sequencer(witness=witnesses(log, server.server_port))):
            await until_seen(server, 5)
        await forget(log, 3)
        sequencer = log.sequencer(witness=witnesses(log, server.server_port))
        with pytest.raises(RolledBack, match=r"has seen 5 entries .* the database holds 3: 2 entries are gone"):
            await asyncio.wait_for(sequencer.run(asyncio.Event()), PATIENCE_SECONDS)


async def test_with_a_quorum_nothing_is_shown_before_it_is_met(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        port = server.server_port
    async with log.running(log.sequencer(witness=witnesses(log, port, quorum="w"))):
        await log.append(10)
        await until(lambda: is_placed(log, 10))
        await asyncio.sleep(0.2)
        assert await signed(log) == [], "not even the log's own signature is there to be shown"
        with serving(log, tmp_path, port=port) as server:
            await until(lambda: is_signed(log, 10))
    tree = await trees.load(log.owner)
    assert tree
    note = await trees.signed_note(log.owner, tree.checkpoint())
    keys = [signer.key for signer in log.keys.signers(ORIGIN)]
    assert {each.key for each in open_note(note, [*keys, WITNESS.key]).verified} == {*keys, WITNESS.key}


async def test_a_clone_of_the_installation_shows_nothing_that_the_witness_has_not_seen(
    log: Log, tmp_path: Path
) -> None:
    with serving(log, tmp_path) as server:
        await log.append(4)
        async with log.running(log.sequencer(witness=witnesses(log, server.server_port, quorum="w"))):
            await until_seen(server, 4)
        await forget(log, 2)
        await log.append(2)  # other entries, under the same key: what a second installation would sign
        clone = log.sequencer(witness=None)
        async with log.running(clone):
            await until(lambda: is_signed(log, 4))
        await log.append(1)
        clone = log.sequencer(witness=witnesses(log, server.server_port, quorum="w"))
        with pytest.raises(RolledBack, match="another history"):
            await asyncio.wait_for(clone.run(asyncio.Event()), PATIENCE_SECONDS)
        assert is_seen(server, 4)


async def test_after_a_loss_the_log_goes_on_under_its_next_name(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        await log.append(5)
        async with log.running(log.sequencer(witness=witnesses(log, server.server_port))):
            await until_seen(server, 5)
        seen = witnesses(log, 0).opened(shown(server, ORIGIN)[1], KnownWitness("w", WITNESS.key), ORIGIN)
    connection = await log.connect()
    try:
        tree = await epochs.held_still(connection)
        whole = await trees.root_at(connection, tree, seen.size)
        with pytest.raises(epochs.NoNewEpoch, match="holds all 5 entries"):
            epochs.loss(tree, seen, root_there=whole)
        other = Checkpoint(origin="log.example/other/1", size=5, root=bytes(32))
        with pytest.raises(epochs.NoNewEpoch, match=r"a checkpoint of log.example/other/1"):
            epochs.loss(tree, other, root_there=None)
    finally:
        await connection.close()
    await forget(log, 3)
    connection = await log.connect()
    try:
        tree = await epochs.held_still(connection)
        second = await log.connect()
        with pytest.raises(epochs.NoNewEpoch, match="A sequencer is at work"):
            await epochs.held_still(second)
        await second.close()
        lost = epochs.loss(tree, seen, root_there=None)
        assert lost.said == f"caseload audit epoch 2 after 5 root {seen.root.hex()} restored 3"
        key = await epochs.begin(connection, tree, log.keys, now=log.now)
    finally:
        await connection.close()
    assert key.name == f"{NAME}/2"
    with serving(log, tmp_path, origin=key.name) as server:
        async with log.running(log.sequencer(witness=witnesses(log, server.server_port, quorum="w"))):
            await log.append(1)
            await until(lambda: is_signed(log, 4))
        note = shown(server, key.name)[1]
        assert open_checkpoint(note, [key, WITNESS.key])[0].size == 4


UNGUARDED = (
    UNWATCHED
    + """
    alter table audit.entry disable trigger all; alter table audit.entry_0 disable trigger all;
    alter table audit.checkpoint disable trigger all; alter table audit.checkpoint_signature disable trigger all;
    alter table audit.tile disable trigger all
"""
)


async def forget(log: Log, size: int) -> None:
    """What restoring an old backup comes to: everything after so many entries was never there."""
    await log.owner.execute(UNGUARDED)
    for statement in (
        "delete from audit.entry where idx >= $1",
        "delete from audit.checkpoint where size >= $1",
        "delete from audit.checkpoint_signature where size > $1",
        "update audit.tile set hashes = substring(hashes for $1 * 32) where level = 0 and number = 0",
    ):
        await log.owner.execute(statement, size)
    hashes = [row["leaf_hash"] for row in await log.owner.fetch("select leaf_hash from audit.entry order by idx")]
    await log.owner.execute(
        "insert into audit.checkpoint (size, root, origin, at) values ($1, $2, $3, $4)",
        size,
        root_of(hashes),
        ORIGIN,
        log.now,
    )


async def is_placed(log: Log, size: int) -> bool:
    return await log.owner.fetchval("select count(*) from audit.entry") == size


async def is_signed(log: Log, size: int) -> bool:
    return size in await signed(log)
