"""Check-ins are made ahead by the service itself: once, also by several processes, each part with its entry."""

import asyncio
import signal
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from caseload.db.checkin import Plans
from caseload.db.job.queue import Queue
from caseload.domain.access import Role
from caseload.domain.checkin import horizon, plan_check_ins
from caseload.domain.ids import JobId, PlanId, new_id
from caseload.jobs import check_ins
from caseload.jobs.check_ins import SCHEDULE_CHECK_INS
from caseload.request.work import Service
from tests import processes
from tests.factories import clients, people
from tests.factories.checkin import MORNING, Remembered, daily, terms
from tests.jobs.conftest import LATER, Told, worker
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

PLANS = 5


@pytest.fixture
def jobs_database(throwaway_database: Addresses) -> Addresses:
    """One for each test: they count what was made."""
    return throwaway_database


@pytest.fixture
async def planned(service: Service) -> None:
    """Daily plans that were last scheduled three weeks ago."""
    async with service.engine.begin() as connection:
        programme = await people.programme(connection)
        robin = await people.staff(connection, holds=[(Role.COUNSELLOR, programme)])
        for _ in range(PLANS):
            client = await clients.in_care(connection, programme=programme, counsellor=robin.id)
            await plan_check_ins(
                client.episode,
                terms(daily()),
                as_id=PlanId(new_id()),
                by=robin,
                now=MORNING,
                plans=Plans(connection, Remembered(), now=MORNING),
                journal=Remembered(),
            )


async def days(owner: Any) -> list[date]:
    rows = await owner.fetch("select scheduled_on from clinic.check_in order by scheduled_on")
    return [row["scheduled_on"] for row in rows]


async def schedule(service: Service) -> None:
    """Have it done once, as far as the next step."""
    made = await _enqueued(service)
    await worker(service).attempt(SCHEDULE_CHECK_INS, made)


async def _enqueued(service: Service) -> JobId:
    async with service.engine.begin() as connection:
        made = await Queue(connection, now=LATER).add(SCHEDULE_CHECK_INS.name, key=str(new_id()))
    assert made is not None
    return made


async def test_every_plan_reaches_the_horizon_and_a_second_time_nothing_happens(
    service: Service, owner: Any, told: Told, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_ins, "PLANS_AT_ONCE", 2)

    await schedule(service)
    made = await days(owner)
    assert max(made) >= horizon(LATER)
    assert len(made) == PLANS * len(set(made))
    assert await told("check_in.scheduled") == 3

    await schedule(service)
    assert (await days(owner), await told("check_in.scheduled")) == (made, 3)


async def test_several_processes_share_the_plans(
    service: Service, owner: Any, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_ins, "PLANS_AT_ONCE", 1)

    await asyncio.gather(*(schedule(service) for _ in range(3)))
    await schedule(service)

    made = await days(owner)
    assert len(made) == PLANS * len(set(made))
    assert max(made) >= horizon(LATER)


async def told_in_its_third_step(service: Service, addresses: Addresses, folder: Path, how: signal.Signals) -> int:
    """What a worker ends with that has been sent this signal. A process of its own takes the seconds that loading takes."""
    async with service.engine.begin() as connection:
        await Queue(connection, now=LATER).add(SCHEDULE_CHECK_INS.name, key="")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.jobs.one_worker", addresses.service, str(folder), LATER.isoformat(), how.name),
        env=processes.environment(),
        cwd=processes.ROOT,
        stderr=asyncio.subprocess.DEVNULL,
    )
    return await process.wait()


async def test_what_was_made_before_its_worker_was_killed_stays_and_another_finds_the_rest(
    service: Service, owner: Any, told: Told, planned: None, jobs_database: Addresses, tmp_path: Path
) -> None:
    assert await told_in_its_third_step(service, jobs_database, tmp_path / "data", signal.SIGKILL) == -signal.SIGKILL
    assert await told("check_in.scheduled") == 2, "the third step was under way"
    [left] = await owner.fetch("select ended, attempts, takes from jobs.job")
    assert tuple(left) == (None, 0, 1)

    await asyncio.sleep(1.1)
    await worker(service, SCHEDULE_CHECK_INS).drain()
    made = await days(owner)
    assert len(made) == PLANS * len(set(made))
    assert max(made) >= horizon(LATER)
    rows = await owner.fetch("select ended, takes from jobs.job order by enqueued_at, takes desc")
    assert [tuple(each) for each in rows] == [("done", 2), (None, 0)]


async def test_a_worker_that_is_told_to_stop_keeps_the_step_that_it_is_at_and_leaves_the_rest_at_once(
    service: Service, owner: Any, told: Told, planned: None, jobs_database: Addresses, tmp_path: Path
) -> None:
    assert await told_in_its_third_step(service, jobs_database, tmp_path / "data", signal.SIGTERM) == 0
    assert await told("check_in.scheduled") == 3, "the third step came to its end"
    [left] = await owner.fetch("select ended, attempts from jobs.job")
    assert tuple(left) == (None, 0), "there might be more to do, and it was not a failure"

    await worker(service, SCHEDULE_CHECK_INS).drain()
    made = await days(owner)
    assert len(made) == PLANS * len(set(made))
    assert max(made) >= horizon(LATER)
    assert await told("check_in.scheduled") == 3, "nothing was made twice"
    assert await owner.fetchval("select count(*) from jobs.job where ended = 'done'") == 1
