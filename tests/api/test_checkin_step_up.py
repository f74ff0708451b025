"""More contact for a while over HTTP, and by the job that looks at what has been recorded."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select

from caseload.db.checkin.stepping import due_to_step_up
from caseload.db.tables.checkin_plan import check_in_step_up
from caseload.db.tables.window import excusal
from caseload.domain.ids import new_id
from caseload.domain.people import the_service
from caseload.domain.schedule import Weekday, local_day
from caseload.jobs.check_ins import STEP_UP_CHECK_INS
from tests.api.conftest import Clinic
from tests.api.house import DAY, ZONE, House, open_house

pytestmark = pytest.mark.anyio

NO_JOB: Any = None


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def fortnightly(house: House, client: Any) -> dict[str, Any]:
    tomorrow = local_day(house.clinic.service.clock(), ZONE) + DAY
    body = {
        "every": 2,
        "unit": "weeks",
        "weekday": tuple(Weekday)[tomorrow.weekday()],
        "at": "09:00",
        "starts_on": str(tomorrow),
        "mode": "telephone",
    }
    made = await house.robin.post(f"/clients/{client.id}/check-in-plans", body, key=str(uuid4()))
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_client_is_seen_more_often_for_a_while_and_a_retry_says_the_same(house: House) -> None:
    client = await house.client()
    plan = await fortnightly(house, client)
    assert plan["step_up"] is None
    today = local_day(house.clinic.service.clock(), ZONE)
    path, key, body = (
        f"/check-in-plans/{plan['id']}/step-up",
        str(uuid4()),
        {"ground": "relapse", "occurred_on": str(today)},
    )

    assert (await house.robin.post(path, body, key=str(uuid4()))).status_code == 428
    raised = await house.robin.post(path, body, key=key, headers={"If-Match": '"1"'})
    assert raised.status_code == 200, raised.text
    said = raised.json()
    assert (said["version"], said["terms"]["every"], [each["every"] for each in said["later_phases"]]) == (2, 1, [2])
    assert said["step_up"] == {
        "ground": "relapse",
        "occurred_on": str(today),
        "last_on": str(today + 90 * DAY),
        "base_version": 1,
        "record": None,
        "rule": "US-1 us.check_in_step_up",
    }
    waiting = [each for each in await house.check_ins(client.id) if each["waiting"]]
    assert len(waiting) == 9
    assert (await house.robin.post(path, body, key=key, headers={"If-Match": '"1"'})).json() == said
    assert (await house.robin.get(f"/check-in-plans/{plan['id']}")).json() == said

    again = await house.robin.post(path, body, key=str(uuid4()), headers={"If-Match": '"2"'})
    assert again.status_code == 409
    late = body | {"occurred_on": str(today + DAY)}
    refused = await house.robin.post(path, late, key=str(uuid4()), headers={"If-Match": '"2"'})
    assert [each["field"] for each in refused.json()["errors"]] == ["occurred_on"]


async def test_an_escalated_overdose_leads_to_more_contact_once(house: House) -> None:
    client = await house.client()
    plan = await fortnightly(house, client)
    told = {"ground": "overdose", "said": "Found by a neighbour"}
    raised = await house.robin.post(f"/clients/{client.id}/escalations", told, key=str(uuid4()))
    assert raised.status_code == 201, raised.text

    service = house.clinic.service
    for _ in range(2):
        async with service.work(by=the_service(), event="check_in.stepped_up") as work:
            await STEP_UP_CHECK_INS.step(work, NO_JOB)
            assert plan["id"] not in {str(each.plan) for each in await due_to_step_up(work.connection, now=work.now)}
            led = await work.connection.execute(
                select(check_in_step_up.c.version, check_in_step_up.c.ground).where(
                    check_in_step_up.c.plan_id == UUID(plan["id"])
                )
            )
            assert [tuple(row) for row in led] == [(2, "overdose")]
            if work.journal.is_empty:
                await work.drop()
    said = (await house.robin.get(f"/check-in-plans/{plan['id']}")).json()
    assert said["step_up"]["ground"] == "overdose"
    assert said["step_up"]["record"] in raised.text


@pytest.mark.parametrize(
    ("reason", "back_after", "looked_after", "ground"),
    [("prison", 2, 3, "prison"), ("hospital", 2, 16, "hospital"), ("hospital", 2, 2, None), ("hospital", 2, 17, None),
     ("travel", 2, 3, None)],
)  # fmt: skip
async def test_who_is_back_from_prison_or_hospital_is_found_from_the_day_after(
    house: House, reason: str, back_after: int, looked_after: int, ground: str | None
) -> None:
    client = await house.client()
    plan = await fortnightly(house, client)
    now = house.clinic.service.clock()
    away = {
        "client_id": client.id,
        "programme_id": house.programme,
        "reason": reason,
        "first_on": now.date(),
        "last_on": now.date() + back_after * DAY,
        "told_by": "their mother",
        "note": "",
        "recorded_by": house.robin.staff.id,
        "recorded_at": now,
    }
    async with house.clinic.service.engine.connect() as connection:
        await connection.begin()
        await connection.execute(insert(excusal).values(id=new_id(), **away))
        found = await due_to_step_up(connection, now=now + looked_after * DAY)
        ours = [each.what for each in found if str(each.plan) == plan["id"]]
        assert [(each.ground, each.on) for each in ours] == (
            [] if ground is None else [(ground, now.date() + (back_after + 1) * DAY)]
        )
        longer = away | {"first_on": away["last_on"], "last_on": now.date() + 30 * DAY}
        await connection.execute(insert(excusal).values(id=new_id(), **longer))
        found = await due_to_step_up(connection, now=now + looked_after * DAY)
        assert not [each for each in found if str(each.plan) == plan["id"]], "still there"
        await connection.rollback()
