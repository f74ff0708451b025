"""Who is on call, whom an escalation reaches, and what the record escalates by itself."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from caseload.db.programme import Programmes
from caseload.domain.access import Role
from caseload.domain.people import the_service
from caseload.jobs.escalations import MISSED_DOSES, PASS_ON, escalate_missed_in, pass_on_in
from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import Dispensary, dispensary
from tests.api.house import DAY, House, open_house

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def supervisor_of(house: House) -> Person:
    return await house.clinic.person((Role.SUPERVISOR, house.programme))


async def put_on_call(house: House, by: Person, who: Person, *, minutes_ago: int = 1, hours: int = 12) -> Any:
    starts = house.clinic.service.clock() - minutes_ago * MINUTE
    body = {
        "staff_id": str(who.staff.id),
        "starts_at": starts.isoformat(),
        "ends_at": (starts + timedelta(hours=hours)).isoformat(),
    }
    return await by.post(f"/programmes/{house.programme}/on-call", body)


async def raise_one(house: House) -> dict[str, Any]:
    client = await house.client()
    answer = await house.robin.post(
        f"/clients/{client.id}/escalations", {"ground": "overdose", "said": "Found on the stairs."}
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def pass_on(house: House, *, later: timedelta) -> int:
    """Have the job do what is due in this house so much later."""
    [made] = await pass_on_at_once(house, later=later, jobs=1)
    return made


async def pass_on_at_once(house: House, *, later: timedelta, jobs: int) -> list[int]:
    """The same by several jobs at once."""
    service = house.clinic.service
    before = service.clock
    object.__setattr__(service, "clock", lambda: before() + later)
    try:
        return await asyncio.gather(*(_pass_on(house) for _ in range(jobs)))
    finally:
        object.__setattr__(service, "clock", before)


async def _pass_on(house: House) -> int:
    async with house.clinic.service.work(by=the_service(), event=PASS_ON.name) as work:
        return await pass_on_in(work, await Programmes(work.connection).get(house.programme))


async def test_with_nobody_on_call_whoever_raises_it_is_told_so_and_what_to_do(house: House) -> None:
    said = await raise_one(house)

    assert said["reaches"]["on_call"] is None
    assert said["reaches"]["nobody"].startswith("Nobody is on call here now")
    assert "911" in said["instruction"]["says"]
    rota = (await house.robin.get(f"/programmes/{house.programme}/on-call")).json()
    assert (rota["now"], rota["items"], len(rota["nobody"])) == (None, [], 1)


async def test_a_check_in_with_an_answer_that_does_not_wait_says_so_too(house: House) -> None:
    client = await house.client()
    await house.planned(client, days_ago=5)
    check_in = (await house.check_ins(client.id))[0]["id"]

    done = await house.robin.post(
        f"/check-ins/{check_in}/completion", {"mode": "telephone", "answers": {"suicide": "intent"}}
    )

    assert done.json()["emergency"]["reaches"]["nobody"].startswith("Nobody is on call here now"), done.text


async def test_one_clinician_is_on_call_at_a_time_and_is_named_to_whoever_raises_one(house: House) -> None:
    supervisor, nurse = await supervisor_of(house), await house.clinic.person((Role.NURSE, house.programme))
    made = await put_on_call(house, supervisor, nurse)
    assert made.status_code == 201, made.text

    taken = await put_on_call(house, supervisor, nurse, minutes_ago=-60)
    counsellor = await put_on_call(house, supervisor, house.robin, minutes_ago=-60 * 24)
    forbidden = await put_on_call(house, house.robin, nurse, minutes_ago=-60 * 24)

    assert (taken.status_code, counsellor.status_code, forbidden.status_code) == (409, 422, 403)
    reaches = (await raise_one(house))["reaches"]
    assert (reaches["on_call"], reaches["nobody"], reaches["passed_on_after_minutes"]) == (made.json(), None, 15)
    rota = (await house.robin.get(f"/programmes/{house.programme}/on-call")).json()
    assert (rota["now"], rota["items"]) == (made.json(), [made.json()])
    assert rota["nobody"][0]["since"] == made.json()["ends_at"]


async def test_a_time_on_call_is_ended_and_frees_the_hours(house: House) -> None:
    supervisor, nurse = await supervisor_of(house), await house.clinic.person((Role.NURSE, house.programme))
    one = (await put_on_call(house, supervisor, nurse)).json()

    ended = await supervisor.post(f"/on-call/{one['id']}/end")
    again = await supervisor.post(f"/on-call/{one['id']}/end")

    assert (ended.status_code, again.status_code) == (204, 409)
    assert (await house.robin.get(f"/programmes/{house.programme}/on-call")).json()["now"] is None
    assert (await put_on_call(house, supervisor, nurse, minutes_ago=0)).status_code == 201


async def test_two_who_plan_at_once_put_one_on_call(house: House) -> None:
    supervisor, nurse = await supervisor_of(house), await house.clinic.person((Role.NURSE, house.programme))

    answers = await asyncio.gather(*(put_on_call(house, supervisor, nurse) for _ in range(2)))

    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_what_nobody_acknowledges_goes_on_and_stays_open(house: House) -> None:
    supervisor, nurse = await supervisor_of(house), await house.clinic.person((Role.NURSE, house.programme))
    await put_on_call(house, supervisor, nurse)
    one = (await raise_one(house))["escalation"]

    assert await pass_on(house, later=14 * MINUTE) == 0
    assert sorted(await pass_on_at_once(house, later=16 * MINUTE, jobs=2)) == [0, 1]
    assert await pass_on(house, later=16 * MINUTE) == 0
    [shown] = (await nurse.get("/open-escalations")).json()["items"]
    assert [(each["passed_to"], each["staff"]) for each in shown["passed"]] == [("on_call", [str(nurse.staff.id)])]

    assert await pass_on(house, later=31 * MINUTE) == 1
    [shown] = (await supervisor.get("/open-escalations")).json()["items"]
    assert [each["staff"] for each in shown["passed"]] == [[str(nurse.staff.id)], [str(supervisor.staff.id)]]

    done = await nurse.post(f"/escalations/{one['id']}/acknowledgement", {"doing": "I am with them."})
    assert [each["passed_to"] for each in done.json()["passed"]] == ["on_call", "supervisor"]
    assert await pass_on(house, later=DAY) == 0


async def test_what_is_acknowledged_in_time_goes_nowhere(house: House) -> None:
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    one = (await raise_one(house))["escalation"]
    await nurse.post(f"/escalations/{one['id']}/acknowledgement", {"doing": "I am with them."})

    assert await pass_on(house, later=DAY) == 0


async def test_with_nobody_on_call_the_supervisors_have_it_at_once(house: House) -> None:
    supervisor = await supervisor_of(house)
    await raise_one(house)

    assert await pass_on(house, later=16 * MINUTE) == 2

    [shown] = (await supervisor.get("/open-escalations")).json()["items"]
    assert [(each["passed_to"], each["staff"]) for each in shown["passed"]] == [
        ("on_call", []),
        ("supervisor", [str(supervisor.staff.id)]),
    ]


# What the dose record raises by itself.


async def raised_in(here: Dispensary) -> list[dict[str, Any]]:
    """Have the job look at the dose record of this programme, and read what it has raised of the client."""
    async with here.clinic.service.work(by=the_service(), event=MISSED_DOSES.name) as work:
        await escalate_missed_in(work, await Programmes(work.connection).get(here.programme))
    return (await here.nurse.get(f"/clients/{here.client}/escalations")).json()["items"]


async def test_three_missed_doses_are_escalated_by_the_record_itself_and_once(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    order = await here.order()
    assert (await here.give(order)).status_code == 201

    await pass_days(here, 3)
    assert await raised_in(here) == [], "two were missed"
    await pass_days(here, 1)
    first = await raised_in(here)

    [one] = first
    assert (one["ground"], one["raised_by"]) == ("missed_doses", str(the_service().id))
    since = here.today - timedelta(days=3)
    assert one["said"].startswith(f"3 doses in a row were missed, from {since} on")
    assert await raised_in(here) == first
    await pass_days(here, 1)
    assert len(await raised_in(here)) == 1, "it is the same run"

    done = await here.nurse.post(f"/escalations/{one['id']}/acknowledgement", {"doing": "Went to see them."})
    assert done.status_code == 201, done.text
    assert len(await raised_in(here)) == 1, "each run is raised once"


async def test_what_somebody_raised_themselves_is_not_raised_beside_it(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    assert (await here.give(await here.order())).status_code == 201
    await pass_days(here, 4)
    said = {"ground": "missed_doses", "said": "Not here since Thursday."}
    assert (await here.nurse.post(f"/clients/{here.client}/escalations", said)).status_code == 201

    assert [each["said"] for each in await raised_in(here)] == [said["said"]]


async def test_two_jobs_at_once_raise_a_run_once(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    assert (await here.give(await here.order())).status_code == 201
    await pass_days(here, 4)

    await asyncio.gather(*(raised_in(here) for _ in range(2)))

    assert len(await raised_in(here)) == 1
