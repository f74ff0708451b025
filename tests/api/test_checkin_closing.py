"""Closing the window over HTTP moves the check-ins that wait, and the lists follow at once."""

from datetime import datetime

import pytest

from caseload.domain.access import Role
from caseload.domain.schedule import local_day
from tests.api.conftest import Clinic
from tests.api.house import DAY, ZONE, House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def test_yesterday_was_closed_and_whoever_was_late_is_not(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=2)
    (line,) = await house.overdue()
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    due = datetime.fromisoformat(line["due_at"])
    after = str(local_day(due, ZONE) + DAY)
    path = f"/programmes/{house.programme}/closure-days"

    closed = await supervisor.post(path, {"days": [after], "reason": "Snow"})

    assert closed.status_code == 201, closed.text
    assert await house.overdue() == []
    assert (await house.robin.get("/overdue-check-ins/count")).json() == {"count": 0}
    now = (await house.robin.get(f"/check-ins/{line['check_in_id']}")).json()
    assert [(each["asked_by"], each["recorded_by"]) for each in now["moves"]] == [("closure", str(supervisor.staff.id))]
    assert datetime.fromisoformat(now["due_at"]) == due
    assert datetime.fromisoformat(now["grace_ends_at"]) == due + 2 * DAY


async def test_a_plan_made_afterwards_goes_around_it(house: House) -> None:
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    tomorrow = local_day(house.clinic.service.clock(), ZONE) + DAY
    path = f"/programmes/{house.programme}/closure-days"
    assert (await supervisor.post(path, {"days": [str(tomorrow)], "reason": "Holiday"})).status_code == 201
    client = await house.client()
    plan = {"every": 30, "unit": "days", "at": "09:00", "starts_on": str(tomorrow), "mode": "in_person"}

    made = await house.robin.post(f"/clients/{client.id}/check-in-plans", plan)

    assert made.status_code == 201, made.text
    first = (await house.check_ins(client.id))[0]
    assert first["scheduled_on"] == str(tomorrow)
    assert local_day(datetime.fromisoformat(first["due_at"]), ZONE) == tomorrow + DAY


async def test_nobody_asks_for_a_closure_by_moving_a_check_in(house: House) -> None:
    await house.planned(await house.client(), days_ago=2)
    (line,) = await house.overdue()
    later = {"due_at": line["movable_until"], "asked_by": "closure"}

    refused = await house.robin.post(f"/check-ins/{line['check_in_id']}/moves", later)

    assert [each["field"] for each in refused.json()["errors"]] == ["asked_by"]
