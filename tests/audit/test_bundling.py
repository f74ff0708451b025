"""Exports made beside the requests: once each, by whichever worker lives, and found again after one that did not."""

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit import tables
from caseload.audit.accesslog import LogReader, read_as_reader
from caseload.audit.batcher import Batcher
from caseload.audit.leaf import Leaf, decode
from caseload.db.bundle import Bundles
from caseload.db.tables.bundle import bundle_piece
from caseload.domain.accesslog import LaidOpen, LogFilter, LogScope, Proof
from caseload.domain.bundle import (
    HELD_FOR,
    KEPT_FOR,
    MOST_ATTEMPTS,
    ArchiveRemoved,
    Bundle,
    BundleFailed,
    BundleUnknown,
    State,
)
from caseload.domain.ids import BundleId, StaffId, new_id
from caseload.request import bundling
from caseload.request.bundling import archive_of, make_bundles, scratch
from caseload.request.door import Door, DoorRules
from caseload.request.work import Service
from caseload.settings import Secret, Settings
from tests.audit.verify.conftest import Auditor
from tests.factories import people
from tests.factories.exported import NOW, Sequenced
from tests.factories.seals import SEALS

pytestmark = pytest.mark.anyio

WANTED = Proof(filter=LogFilter(), scope=LogScope(programmes=None), laid_open=LaidOpen.FACTS)


@pytest.fixture
async def log(own_engine: AsyncEngine, owner: asyncpg.Connection) -> Sequenced:
    return await Sequenced.of(20, own_engine, owner)


@pytest.fixture
async def service(log: Sequenced, tmp_path: Path) -> AsyncIterator[Service]:
    batcher = Batcher(log.engine, log.trail)
    yield Service(
        settings=Settings(data_dir=tmp_path, root_key=Secret("5e" * 32)),
        engine=log.engine,
        trail=log.trail,
        batcher=batcher,
        request_secret=bytes(32),
        door=Door(log.engine, secret=bytes(32), rules=DoorRules()),
        seals=SEALS,
        clock=lambda: NOW,
    )
    await batcher.close()


async def ask(service: Service, wanted: Proof = WANTED) -> Bundle:
    async with service.engine.begin() as connection:
        by = await people.staff(connection)
        bundle = Bundle(id=BundleId(new_id()), request=new_id(), wanted=wanted, asked_by=by.id, asked_at=NOW)
        await Bundles(connection).add(bundle)
    return bundle


async def found(service: Service, bundle: Bundle) -> Bundle:
    async with service.engine.connect() as connection:
        return await Bundles(connection).get(bundle.id, by=bundle.asked_by)


async def archive(service: Service, bundle: Bundle) -> bytes:
    assert bundle.result is not None
    return b"".join([piece async for piece in archive_of(service, bundle.id, octets=bundle.result.octets)])


def later(service: Service, span: timedelta) -> Service:
    return replace(service, clock=lambda: NOW + span)


async def test_a_bundle_is_made_once_and_verifies(service: Service, log: Sequenced, tmp_path: Path) -> None:
    bundle = await ask(service)
    assert sum(await asyncio.gather(make_bundles(service), make_bundles(service))) == 1
    done = await found(service, bundle)
    assert done.result is not None
    path = tmp_path / "fetched.zip"
    path.write_bytes(await archive(service, done))
    assert (done.state(NOW), done.result.entries, done.result.octets) == (State.DONE, 20, path.stat().st_size)
    assert list(scratch(service).iterdir()) == []
    assert Auditor(tmp_path).verify(path, log.policy()).code == 0
    closing = await log.owner.fetchval(
        "select convert_from(leaf, 'UTF8') from audit.queue order by entry_id desc limit 1"
    )
    assert str(bundle.request) in closing
    assert str(bundle.asked_by) in closing


async def test_what_was_asked_for_is_what_is_made(service: Service, log: Sequenced) -> None:
    wanted = Proof(
        filter=LogFilter(since=NOW - timedelta(days=9), until=NOW, event="dose", client=log.clients[0]),
        scope=LogScope(programmes=frozenset()),
        laid_open=LaidOpen.NOTHING,
        towards=(3, 7),
    )
    bundle = await ask(service, wanted)
    assert (await found(service, bundle)).wanted == wanted
    with pytest.raises(BundleUnknown):
        async with service.engine.connect() as connection:
            await Bundles(connection).get(bundle.id, by=StaffId(new_id()))


async def test_a_worker_that_is_killed_is_followed_by_another(
    service: Service, log: Sequenced, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = await ask(service)
    under_way = asyncio.Event()

    async def stuck(*_: object) -> None:
        under_way.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(bundling._Progress, "tell", stuck)
    killed = asyncio.create_task(make_bundles(service))
    async with asyncio.timeout(20):
        await under_way.wait()
    killed.cancel()
    with pytest.raises(asyncio.CancelledError):
        await killed
    monkeypatch.undo()
    (scratch(service) / f".{bundle.id}-1.0badc0de").mkdir()
    assert (await found(service, bundle)).state(NOW) is State.RUNNING
    assert await make_bundles(service) == 0, "it is the other one's until its time has run out"
    assert await make_bundles(later(service, HELD_FOR)) == 1
    assert (await found(service, bundle)).state(NOW) is State.DONE
    assert list(scratch(service).iterdir()) == []


async def test_a_worker_that_was_silent_for_too_long_gives_way(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = await ask(service)
    real = bundling._Progress.tell

    async def slow(self: bundling._Progress, written: int, of: int) -> None:
        async with service.engine.begin() as connection:
            assert await Bundles(connection).take(now=NOW + HELD_FOR) is not None
        await real(self, written, of)

    monkeypatch.setattr(bundling._Progress, "tell", slow)
    await make_bundles(service)
    assert (await found(service, bundle)).state(NOW) is State.RUNNING
    assert list(scratch(service).iterdir()) == []


async def test_what_never_comes_to_its_end_is_given_up(service: Service) -> None:
    bundle = await ask(service)
    for attempt in range(MOST_ATTEMPTS):
        async with service.engine.begin() as connection:
            assert await Bundles(connection).take(now=NOW + HELD_FOR * attempt) is not None
    last = later(service, HELD_FOR * MOST_ATTEMPTS)
    assert await make_bundles(last) == 1
    given_up = await found(service, bundle)
    assert given_up.result is not None
    assert (given_up.state(NOW), given_up.result.problem) == (
        State.FAILED, "It was begun 3 times and never came to its end.",
    )  # fmt: skip
    assert await make_bundles(later(service, timedelta(days=1))) == 0
    ((leaf, about),) = await told(service, BundleFailed.name)
    assert (leaf.act.auth, leaf.out) == ("system", 0)
    assert about["did"] == [
        {"ev": BundleFailed.name, "rec": [str(bundle.id)], "facts": {"problem": given_up.result.problem}}
    ]


async def told(service: Service, event: str) -> list[tuple[Leaf, dict[str, Any]]]:
    """The entries of this name, with what they say."""
    async with service.engine.connect() as connection:
        reader = LogReader(connection, service.trail)
        found = await reader.entries(LogFilter(event=event), LogScope(programmes=None), after=None, limit=200)
        rows = await read_as_reader(connection, select(tables.log.c.entry_id, tables.log.c.leaf))
    leaves = {row.entry_id: decode(row.leaf) for row in rows}
    return [(leaves[each.id], dict(each.about[-1])) for each in reversed(found)]


async def test_a_log_without_a_signature_says_so_to_whoever_asked(service: Service, log: Sequenced) -> None:
    await log.as_superuser("delete from audit.checkpoint_signature")
    bundle = await ask(service)
    await make_bundles(service)
    ended = await found(service, bundle)
    assert ended.result is not None
    assert ended.state(NOW) is State.FAILED
    assert "sequencer" in (ended.result.problem or "")


async def kept(service: Service) -> int:
    async with service.engine.connect() as connection:
        return await connection.scalar(select(func.count()).select_from(bundle_piece)) or 0


async def test_an_archive_is_removed_after_its_day_and_whoever_is_reading_it_is_told(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "_PIECE", 1_000)
    bundle = await ask(service)
    await make_bundles(service)
    assert await kept(service) > 1
    done = await found(service, bundle)
    assert done.result is not None
    reading = archive_of(service, bundle.id, octets=done.result.octets)
    assert len(await anext(reading)) == 1_000
    await make_bundles(later(service, KEPT_FOR - timedelta(seconds=1)))
    assert len(await archive(service, done)) == done.result.octets
    await make_bundles(later(service, KEPT_FOR))
    assert await kept(service) == 0
    await make_bundles(later(service, KEPT_FOR * 2))
    ((_, about),) = await told(service, ArchiveRemoved.name)
    assert about["did"] == [{"ev": ArchiveRemoved.name, "rec": [str(bundle.id)]}]
    with pytest.raises(BundleUnknown):
        await anext(reading)
    async with service.engine.connect() as connection:
        assert not await Bundles(connection).has_file(bundle.id)


async def test_whoever_has_the_database_alone_cannot_read_an_archive(service: Service) -> None:
    bundle = await ask(service)
    await make_bundles(service)
    done = await found(service, bundle)
    whole = await archive(service, done)
    async with service.engine.connect() as connection:
        sealed = await connection.scalar(select(bundle_piece.c.sealed))
    assert sealed is not None
    assert b"manifest.json" in whole
    assert b"manifest.json" not in sealed
    other = replace(service, settings=Settings(data_dir=service.settings.data_dir, root_key=Secret("0f" * 32)))
    with pytest.raises(InvalidTag):
        await archive(other, done)


async def test_a_piece_in_another_place_does_not_open(
    service: Service, log: Sequenced, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundling, "_PIECE", 1_000)
    bundle = await ask(service)
    await make_bundles(service)
    await log.as_superuser(
        "update clinic.bundle_piece mine set sealed = other.sealed from clinic.bundle_piece other"
        " where mine.bundle_id = other.bundle_id and mine.number = 0 and other.number = 1"
    )
    with pytest.raises(InvalidTag):
        await archive(service, await found(service, bundle))


async def test_what_a_killed_worker_left_on_its_machine_is_removed_after_a_day(service: Service) -> None:
    scratch(service).mkdir()
    left = [scratch(service) / name for name in (".a-1.0badc0de", "a-1.packing", "a-1.zip")]
    left[0].mkdir()
    for each in left[1:]:
        each.touch()
    for each in left:
        os.utime(each, (NOW.timestamp(), NOW.timestamp()))
    await make_bundles(later(service, KEPT_FOR))
    assert sorted(scratch(service).iterdir()) == sorted(left)
    await make_bundles(later(service, KEPT_FOR + timedelta(seconds=1)))
    assert list(scratch(service).iterdir()) == []
