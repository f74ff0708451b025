"""Check-ins are made ahead by the service itself: once, also by several processes, each part with its entry."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from caseload.app import open_service
from caseload.db.checkin import Plans
from caseload.domain.access import Role
from caseload.domain.checkin import horizon, plan_check_ins, schedule_ahead
from caseload.domain.ids import PlanId, new_id
from caseload.request import scheduling
from caseload.request.scheduling import schedule_check_ins
from caseload.request.work import Service
from caseload.settings import Secret, Settings
from tests.factories import clients, people
from tests.factories.checkin import MORNING, Remembered, daily, terms
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

LATER = MORNING + timedelta(days=20)
PLANS = 5


@pytest.fixture
async def service(throwaway_database: Addresses, tmp_path: Path) -> AsyncIterator[Service]:
    async with open_service(Settings(database_url=Secret(throwaway_database.service), data_dir=tmp_path)) as opened:
        yield replace(opened, clock=lambda: LATER)


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(throwaway_database.owner)
    yield connection
    await connection.close()


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


async def entries(owner: Any) -> int:
    return await owner.fetchval(
        "select count(*) from (select event from audit.queue union all select event from audit.entry) e"
        " where event = 'check_in.scheduled'"
    )


async def test_every_plan_reaches_the_horizon_and_a_second_time_nothing_happens(
    service: Service, owner: Any, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "PLANS_AT_ONCE", 2)

    assert await schedule_check_ins(service) == PLANS
    made = await days(owner)
    assert max(made) >= horizon(LATER)
    assert len(made) == PLANS * len(set(made))
    assert await entries(owner) == 3

    assert await schedule_check_ins(service) == 0
    assert (await days(owner), await entries(owner)) == (made, 3)


async def test_several_processes_share_the_plans(
    service: Service, owner: Any, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "PLANS_AT_ONCE", 1)

    done = await asyncio.gather(*(schedule_check_ins(service) for _ in range(3)))
    await schedule_check_ins(service)

    made = await days(owner)
    assert sum(done) <= PLANS
    assert len(made) == PLANS * len(set(made))


async def test_what_was_made_before_it_was_stopped_stays_and_the_rest_is_found_again(
    service: Service, owner: Any, planned: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "PLANS_AT_ONCE", 2)
    rounds = 0

    async def stopped_in_the_third(**given: Any) -> int:
        nonlocal rounds
        rounds += 1
        done = await schedule_ahead(**given)
        if rounds == 3:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(scheduling, "schedule_ahead", stopped_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        await schedule_check_ins(service)
    monkeypatch.undo()

    assert await schedule_check_ins(service) == PLANS - 4
    made = await days(owner)
    assert len(made) == PLANS * len(set(made))
