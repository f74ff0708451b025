"""Exports made beside the requests: once each, by whichever worker lives, and found again after one that did not."""

import asyncio
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.batcher import Batcher
from caseload.db.bundle import Bundles
from caseload.domain.accesslog import LaidOpen, LogFilter, LogScope, Proof
from caseload.domain.bundle import HELD_FOR, KEPT_FOR, MOST_ATTEMPTS, Bundle, BundleUnknown, State
from caseload.domain.ids import BundleId, StaffId, new_id
from caseload.request import bundling
from caseload.request.bundling import file_of, make_bundles
from caseload.request.door import Door, DoorRules
from caseload.request.work import Service
from caseload.settings import Settings
from tests.audit.verify.conftest import Auditor
from tests.factories import people
from tests.factories.exported import NOW, Sequenced

pytestmark = pytest.mark.anyio

WANTED = Proof(filter=LogFilter(), scope=LogScope(programmes=None), laid_open=LaidOpen.FACTS)


@pytest.fixture
async def log(own_engine: AsyncEngine, owner: asyncpg.Connection) -> Sequenced:
    return await Sequenced.of(20, own_engine, owner)


@pytest.fixture
async def service(log: Sequenced, tmp_path: Path) -> AsyncIterator[Service]:
    batcher = Batcher(log.engine, log.trail)
    yield Service(
        settings=Settings(data_dir=tmp_path),
        engine=log.engine,
        trail=log.trail,
        batcher=batcher,
        request_secret=bytes(32),
        door=Door(log.engine, secret=bytes(32), rules=DoorRules()),
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


def later(service: Service, span: timedelta) -> Service:
    return replace(service, clock=lambda: NOW + span)


async def test_a_bundle_is_made_once_and_verifies(service: Service, log: Sequenced, tmp_path: Path) -> None:
    bundle = await ask(service)
    assert sum(await asyncio.gather(make_bundles(service), make_bundles(service))) == 1
    done = await found(service, bundle)
    path = file_of(service, bundle.id)
    assert done.result is not None
    assert (done.state(NOW), done.result.entries, done.result.octets) == (State.DONE, 20, path.stat().st_size)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]
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
    (file_of(service, bundle.id).with_suffix("").parent / f".{bundle.id}.0badc0de").mkdir()
    assert (await found(service, bundle)).state(NOW) is State.RUNNING
    assert await make_bundles(service) == 0, "it is the other one's until its time has run out"
    assert await make_bundles(later(service, HELD_FOR)) == 1
    assert (await found(service, bundle)).state(NOW) is State.DONE
    assert [each.name for each in file_of(service, bundle.id).parent.iterdir()] == [f"{bundle.id}.zip"]


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
    assert not file_of(service, bundle.id).exists()


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


async def test_a_log_without_a_signature_says_so_to_whoever_asked(service: Service, log: Sequenced) -> None:
    await log.as_superuser("delete from audit.checkpoint_signature")
    bundle = await ask(service)
    await make_bundles(service)
    ended = await found(service, bundle)
    assert ended.result is not None
    assert ended.state(NOW) is State.FAILED
    assert "sequencer" in (ended.result.problem or "")


async def test_a_file_is_removed_after_its_day(service: Service) -> None:
    bundle = await ask(service)
    await make_bundles(service)
    await make_bundles(later(service, KEPT_FOR - timedelta(seconds=1)))
    assert file_of(service, bundle.id).exists()
    await make_bundles(later(service, KEPT_FOR))
    assert not file_of(service, bundle.id).exists()
