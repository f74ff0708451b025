"""`caseload sequencer` as a real process: killed over and over it continues one tree, and it runs beside `serve`."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from caseload.audit.tlog.merkle import root_of
from caseload.audit.trail import append as keep
from caseload.db.engine import make_engine
from caseload.settings import Secret, Settings
from tests import processes, scratch
from tests.factories.audit import a_client, a_pending, a_trail, seen
from tests.running_service import WHOLE, service
from tests.shared_server import Addresses

SEQUENCER = ("-m", "caseload", "sequencer")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder the server's own user can reach."""
    with scratch.folder() as path:
        yield path


def test_killed_over_and_over_it_continues_one_tree(
    throwaway_database: Addresses, tmp_path: Path, counts: Callable[..., int]
) -> None:
    variables = {"CASELOAD_SEQUENCER_DATABASE_URL": throwaway_database.sequencer, "CASELOAD_DATA_DIR": str(tmp_path)}
    times = counts(2, full=10)
    for turn in range(times):
        append(throwaway_database, 3_000)
        said = tmp_path / f"said-{turn}"
        with processes.running(*SEQUENCER, variables=variables, said=said) as process:
            before = turn * 3_000
            processes.until(partial(has_placed, throwaway_database, more_than=before), "some entries have their places")
            process.send_signal(signal.SIGKILL)
            process.wait()
    with processes.running(*SEQUENCER, variables=variables, said=tmp_path / "said") as process:
        append(throwaway_database, 1_000)
        entries = times * 3_000 + 1_000
        processes.until(lambda: placed(throwaway_database) == entries, "every entry has its place")
        process.send_signal(signal.SIGTERM)
        assert process.wait(processes.PATIENCE_SECONDS) == 0, (tmp_path / "said").read_text()
    assert_one_tree(throwaway_database, entries=entries)


def test_without_an_address_of_its_own_it_says_so(throwaway_database: Addresses, tmp_path: Path) -> None:
    told = processes.run(*SEQUENCER, CASELOAD_DATABASE_URL=throwaway_database.service, CASELOAD_DATA_DIR=str(tmp_path))
    assert told.returncode == 1
    assert told.stderr.startswith("caseload: CASELOAD_SEQUENCER_DATABASE_URL is not set")


def test_in_production_it_asks_for_a_key(throwaway_database: Addresses, tmp_path: Path) -> None:
    variables = {
        "CASELOAD_SEQUENCER_DATABASE_URL": throwaway_database.sequencer,
        "CASELOAD_DATA_DIR": str(tmp_path),
        "CASELOAD_PRODUCTION": "true",
    }
    told = processes.run(*SEQUENCER, **variables)
    assert told.returncode == 1
    assert "log-signing.1.key is missing" in told.stderr.splitlines()[-1]
    assert "caseload audit keygen" in told.stderr.splitlines()[-1]


def test_beside_the_service_it_is_started_again_when_it_dies_and_stops_with_it(folder: Path) -> None:
    with service(folder / "data", WHOLE) as running:
        processes.until(lambda: said_of_itself(running.events()) == 1, "a sequencer is at work")
        [pid] = sequencers_of(running.process.pid)
        os.kill(pid, signal.SIGKILL)
        processes.until(lambda: said_of_itself(running.events()) == 2, "another sequencer is at work")
        [pid] = sequencers_of(running.process.pid)
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(processes.PATIENCE_SECONDS) == 0
        assert processes.gone(pid)


def said_of_itself(events: list[str]) -> int:
    return events.count("sequencer at work")


def sequencers_of(parent: int) -> list[int]:
    """The children of a service that run the sequencer."""
    found: list[int] = []
    for folder in Path("/proc").iterdir():
        try:
            stat, command = (folder / "stat").read_text(), (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent and command.endswith(b"caseload\0sequencer\0"):
            found.append(int(folder.name))
    return found


def append(addresses: Addresses, count: int) -> None:
    async def appended() -> None:
        engine = make_engine(Settings(database_url=Secret(addresses.service)))
        trail = a_trail()
        async with engine.begin() as connection:
            clients = [a_client() for _ in range(5)]
            for _ in range(count // 500):
                await keep(connection, await trail.prepare(connection, [a_pending(seen(clients[:1]))] * 500))
        await engine.dispose()

    asyncio.run(appended())


def placed(addresses: Addresses) -> int:
    async def asked() -> int:
        connection = await asyncpg.connect(addresses.owner)
        try:
            return await connection.fetchval("select coalesce(max(size), 0) from audit.checkpoint_signature")
        finally:
            await connection.close()

    return asyncio.run(asked())


def has_placed(addresses: Addresses, *, more_than: int) -> bool:
    return placed(addresses) > more_than


def assert_one_tree(addresses: Addresses, *, entries: int) -> None:
    async def looked() -> None:
        connection = await asyncpg.connect(addresses.owner)
        rows = await connection.fetch("select idx, leaf_hash from audit.entry order by idx")
        assert [row["idx"] for row in rows] == list(range(entries))
        hashes = [row["leaf_hash"] for row in rows]
        checkpoints = await connection.fetch("select size, root from audit.checkpoint order by size")
        assert checkpoints[-1]["size"] == entries
        for row in checkpoints:
            assert row["root"] == root_of(hashes[: row["size"]])
        await connection.close()

    asyncio.run(looked())
