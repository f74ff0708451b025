"""More contact for a while over HTTP, and by the job that looks at what has been recorded."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert, select

from caseload.db.checkin.stepping import due_to_step_up
from caseload.db.tables.checkin_plan import check_in_step_up
from caseload.db.tables.window import excusal
from caseload.domain.access import Role
from caseload.domain.ids import new_id
from caseload.domain.people import the_service
from caseload.domain.schedule import Weekday, local_day
from caseload.jobs.check_ins import STEP_UP_CHECK_INS
from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, give_password
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


@pytest.mark.parametrize("ground", ["overdose", "missed_doses"])
async def test_what_was_escalated_leads_to_more_contact_once(house: House, ground: str) -> None:
    client = await house.client()
    plan = await fortnightly(house, client)
    told = {"ground": ground, "said": "Told by a neighbour"}
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
            assert [tuple(row) for row in led] == [(2, ground)]
            if work.journal.is_empty:
                await work.drop()
    said = (await house.robin.get(f"/check-in-plans/{plan['id']}")).json()
    assert said["step_up"]["ground"] == ground
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


@pytest.mark.parametrize(
    ("left_as", "looked_after", "ground"),
    [
        ("incarcerated", 0, "prison"),
        ("incarcerated", 13, "prison"),
        ("incarcerated", 15, None),
        ("dropped_out", 0, None),
    ],
)
async def test_who_comes_back_after_prison_had_ended_their_care_is_seen_more_often_whatever_is_planned(
    house: House, left_as: str, looked_after: int, ground: str | None
) -> None:
    client = await house.client()
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    left = await supervisor.post(f"/clients/{client.id}/discharge", {"reason": left_as})
    assert left.status_code == 201, left.text
    level = {"edition": "asam_4", "level": "1.5"}
    back = await supervisor.post(
        f"/clients/{client.id}/episodes", {"counsellor_id": str(house.robin.staff.id), "level_of_care": level}
    )
    assert back.status_code == 201, back.text
    plan = await fortnightly(house, client)
    assert plan["step_up"] is None

    found = [await after(house, looked_after, plan["id"]) for _ in range(2)]

    assert found[0] == found[1], "once"
    if ground is None:
        assert found[0] is None
    else:
        today = local_day(house.clinic.service.clock(), ZONE)
        assert (found[0]["ground"], found[0]["record"]) == (ground, back.json()["id"])
        assert (found[0]["occurred_on"], found[0]["last_on"]) == (str(today), str(today + 90 * DAY))
        stepped = (await house.robin.get(f"/check-in-plans/{plan['id']}")).json()
        assert (stepped["terms"]["every"], [each["every"] for each in stepped["later_phases"]]) == (1, [2])


async def said(house: House, plan: str, *, days_ago: int, **answers: Any) -> dict[str, Any]:
    """A completed check-in of a plan that began so many days ago: what the client said of their use."""
    found = (await house.robin.get(f"/check-in-plans/{plan}")).json()
    waits = [each for each in await house.check_ins(found["client_id"]) if each["waiting"] and each["plan_id"] == plan]
    at = (house.clinic.service.clock() - days_ago * DAY).isoformat()
    done = {"mode": "telephone", "occurred_at": at, "answers": answers}
    answer = await house.robin.post(f"/check-ins/{waits[0]['id']}/completion", done, key=str(uuid4()))
    assert answer.status_code == 201, answer.text
    return answer.json()


async def rarely(house: House) -> str:
    """A plan for every two weeks that began two weeks ago and some minutes: one check-in is late, and one is due."""
    return await house.planned(await house.client(), days_ago=14, every=14)


async def test_use_after_none_is_a_relapse_and_leads_to_more_contact_with_the_answers_once(house: House) -> None:
    plan = await rarely(house)
    await said(house, plan, days_ago=13, use_days_28=0)
    assert (await house.robin.get(f"/check-in-plans/{plan}")).json()["step_up"] is None
    last = await said(house, plan, days_ago=0, use_days_28=2)

    raised = (await house.robin.get(f"/check-in-plans/{plan}")).json()
    today = local_day(house.clinic.service.clock(), ZONE)
    found = raised["step_up"]
    assert (found["ground"], found["record"], found["occurred_on"]) == ("relapse", last["id"], str(today))
    assert (raised["version"], raised["terms"]["every"], raised["terms"]["unit"]) == (2, 1, "weeks")
    assert last["step_up"] == found

    corrected = {"ended": "completed", "reason": "Three.", "mode": "telephone", "answers": {"use_days_28": 3}}
    corrected |= {"occurred_at": last["outcome"]["occurred_at"]}
    once_more = await house.robin.put(f"/check-ins/{last['id']}/outcome", corrected, headers={"If-Match": '"1"'})
    assert (once_more.status_code, once_more.json()["step_up"]) == (200, found), once_more.text
    assert (await house.robin.get(f"/check-in-plans/{plan}")).json() == raised


async def test_what_turns_out_to_be_a_relapse_by_a_correction_leads_to_it_too(house: House) -> None:
    plan = await rarely(house)
    await said(house, plan, days_ago=13, use_days_30=0)
    last = await said(house, plan, days_ago=0, use_days_28=0)
    corrected = {"ended": "completed", "reason": "Told later.", "mode": "telephone", "answers": {"use_days_28": 1}}
    corrected |= {"occurred_at": last["outcome"]["occurred_at"]}
    answer = await house.robin.put(f"/check-ins/{last['id']}/outcome", corrected, headers={"If-Match": '"1"'})
    assert answer.status_code == 200, answer.text
    assert (await house.robin.get(f"/check-in-plans/{plan}")).json()["step_up"]["ground"] == "relapse"


async def test_who_uses_as_the_time_before_is_seen_as_often_as_before(house: House) -> None:
    plan = await rarely(house)
    assert (await said(house, plan, days_ago=13, use_days_28=4))["step_up"] is None
    assert (await said(house, plan, days_ago=0, use_days_28=9))["step_up"] is None
    assert (await house.robin.get(f"/check-in-plans/{plan}")).json()["version"] == 1


async def test_a_daily_dose_that_changes_by_more_than_a_fifth_leads_to_more_contact_on_its_day(house: House) -> None:
    client = await house.client()
    plan = await fortnightly(house, client)
    prescriber = await house.clinic.person((Role.PRESCRIBER, house.programme))
    await give_password(house.clinic, prescriber)
    today = local_day(house.clinic.service.clock(), ZONE)
    steps = [(1, "36"), (2, "44")]
    wish = {
        "medicine": "methadone",
        "form": "oral_solution",
        "strength_mg": "1",
        "amounts_mg": {"whole": "30"},
        "starts_on": str(today),
        "steps": [{"from_on": str(today + days * DAY), "amounts_mg": {"whole": mg}} for days, mg in steps],
    }
    order = await prescriber.post(f"/clients/{client.id}/orders", wish, key=str(uuid4()))
    assert order.status_code == 201, order.text
    signature: dict[str, Any] = {"password": PASSWORD}
    signed = await prescriber.post(f"/orders/{order.json()['id']}/signature", signature, key=str(uuid4()))
    if signed.status_code == 409:
        rules = [{"rule": each["rule"], "reason": "Seen."} for each in signed.json()["facts"]["rules"]]
        signed = await prescriber.post(
            f"/orders/{order.json()['id']}/signature", signature | {"confirmed": rules}, key=str(uuid4())
        )
    assert signed.status_code == 201, signed.text

    found = [await after(house, days, plan["id"]) for days in (0, 1, 2, 2)]
    assert found[:2] == [None, None], "from 30 to 36 mg is a fifth, and no more"
    assert found[2] == found[3]
    assert (found[2]["ground"], found[2]["occurred_on"]) == ("dose_change", str(today + 2 * DAY))
    assert found[2]["record"] == order.json()["id"]


async def after(house: House, days: int, plan: str) -> Any:
    """Have the job look so many days from now; how the plan then is stepped up."""
    service = house.clinic.service
    before = service.clock
    object.__setattr__(service, "clock", lambda: before() + days * DAY)
    try:
        async with service.work(by=the_service(), event="check_in.stepped_up") as work:
            await STEP_UP_CHECK_INS.step(work, NO_JOB)
            if work.journal.is_empty:
                await work.drop()
    finally:
        object.__setattr__(service, "clock", before)
    return (await house.robin.get(f"/check-in-plans/{plan}")).json()["step_up"]
