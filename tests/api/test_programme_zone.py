"""A programme that moves to another time zone: its past keeps its days, nothing is due twice, and nobody is dosed twice."""

import asyncio
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.people import the_service
from caseload.domain.schedule import local_day
from caseload.domain.zones import is_same_day
from caseload.jobs.kind import Step
from caseload.jobs.zones import FOLLOW_ZONES
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.api.house import DAY, ZONE, House, open_house

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)
PROBLEM = "urn:caseload:problem:"
EAST, WEST = ZoneInfo("America/Bogota"), ZoneInfo("Pacific/Honolulu")
"""Two hours later and three hours earlier than in Phoenix; none of them has a summer time."""
NO_JOB: Any = None


def elsewhere(clinic: Clinic) -> ZoneInfo:
    """A zone with the same day as Phoenix at the hour at which this runs."""
    return EAST if is_same_day(clinic.service.clock(), ZONE, EAST) else WEST


def apart(clinic: Clinic, *, days_ago: int) -> datetime:
    """A moment so many days ago that lies on another day in the zone that the programme moves to."""
    first = clinic.service.clock() - days_ago * DAY
    hours = (first + number * HOUR for number in range(24))
    return next(each for each in hours if not is_same_day(each, ZONE, elsewhere(clinic)))


async def move(clinic: Clinic, programme: ProgrammeId, *, by: Person | None = None, **said: Any) -> httpx.Response:
    by = by or await clinic.person((Role.ADMINISTRATOR, None))
    key = said.pop("key", None) or fresh()
    body = {"time_zone": elsewhere(clinic).key, "reason": "The county changed its time.", **said}
    return await by.post(f"/programmes/{programme}/zone-moves", body, key=key)


async def moved(clinic: Clinic, programme: ProgrammeId) -> dict[str, Any]:
    answer = await move(clinic, programme)
    assert answer.status_code == 201, answer.text
    return answer.json()


def is_withdrawn(check_in: dict[str, Any]) -> bool:
    outcome: dict[str, Any] | None = check_in["outcome"]
    return outcome is not None and outcome["ended"] == "withdrawn"


async def follow(clinic: Clinic) -> None:
    """Let everything that is planned follow, step by step, as the job does."""
    step = Step.MORE
    while step is Step.MORE:
        async with clinic.service.work(by=the_service(), event=FOLLOW_ZONES.name) as work:
            step = await FOLLOW_ZONES.step(work, NO_JOB)
            if work.journal.is_empty:
                await work.drop()


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


@pytest.fixture
async def here(clinic: Clinic) -> Dispensary:
    return await dispensary(clinic, time_zone=ZONE.key)


async def test_a_move_is_a_dated_row_that_a_retry_does_not_repeat(clinic: Clinic, house: House) -> None:
    administrator, key = await clinic.person((Role.ADMINISTRATOR, None)), fresh()
    first, again = [await move(clinic, house.programme, by=administrator, key=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json()), first.text
    said = first.json()
    assert (said["number"], said["from_zone"], said["to_zone"], said["moved_by"]) == (
        1,
        ZONE.key,
        elsewhere(clinic).key,
        str(administrator.staff.id),
    )
    listed = (await house.robin.get(f"/programmes/{house.programme}/zone-moves")).json()
    assert listed == {"time_zone": elsewhere(clinic).key, "items": [said]}
    shown = (await house.robin.get("/programmes")).json()["items"]
    assert [each["time_zone"] for each in shown if each["id"] == str(house.programme)] == [elsewhere(clinic).key]


async def test_of_several_who_move_it_at_once_one_does(clinic: Clinic, house: House) -> None:
    administrator = await clinic.person((Role.ADMINISTRATOR, None))
    answers = await asyncio.gather(*(move(clinic, house.programme, by=administrator) for _ in range(4)))
    assert len([each for each in answers if each.status_code == 201]) == 1
    assert {each.json()["type"] for each in answers if each.status_code != 201} <= {
        f"{PROBLEM}zone-move-raced",
        f"{PROBLEM}clocks-unsteady",
        f"{PROBLEM}invalid",
    }
    listed = (await house.robin.get(f"/programmes/{house.programme}/zone-moves")).json()["items"]
    assert [each["number"] for each in listed] == [1]


async def test_what_cannot_be_is_refused_and_says_from_when_it_can(clinic: Clinic, house: House) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("time_zone", {"time_zone": "Mars/Olympus"}),
        ("time_zone", {"time_zone": ZONE.key}),
        ("reason", {"reason": " "}),
    ]
    for where, said in wrong:
        refused = await move(clinic, house.programme, **said)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [where])
    line = await clinic.programme(time_zone="Pacific/Kiritimati")
    refused = await move(clinic, line, time_zone="Pacific/Honolulu")
    assert (refused.status_code, refused.json()["type"]) == (409, f"{PROBLEM}zones-apart")
    await moved(clinic, house.programme)
    refused = await move(clinic, house.programme, time_zone=ZONE.key)
    assert (refused.status_code, refused.json()["type"]) == (409, f"{PROBLEM}clocks-unsteady")
    assert datetime.fromisoformat(refused.json()["facts"]["possible_from"]) > clinic.service.clock() + 24 * HOUR
    assert (await move(clinic, house.programme, by=house.robin)).status_code == 403
    assert (await move(clinic, ProgrammeId(ClientId(house.programme)), by=house.robin)).status_code == 403


async def test_nobody_but_a_move_changes_a_programmes_zone(clinic: Clinic, house: House) -> None:
    service = await asyncpg.connect(clinic.addresses.service)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.execute("update clinic.programme set time_zone = 'UTC' where id = $1", house.programme)
    await service.close()
    owner = await asyncpg.connect(clinic.addresses.owner)
    said = "insert into clinic.programme_zone_move values (gen_random_uuid(), $1, 9, now(), $2, $3, 'Why', $4)"
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="moved from that zone already"):
        await owner.execute(said, house.programme, "UTC", "Asia/Tokyo", house.robin.staff.id)
    await moved(clinic, house.programme)
    earlier = said.replace("now()", "now() - interval '1 day'")
    with pytest.raises(asyncpg.IntegrityConstraintViolationError, match="moved from that zone already"):
        await owner.execute(earlier, house.programme, elsewhere(clinic).key, ZONE.key, house.robin.staff.id)
    await owner.close()


async def test_todays_dose_stays_todays_and_nobody_gets_a_second_one(clinic: Clinic, here: Dispensary) -> None:
    order = await here.order()
    first = await here.give(order)
    assert first.status_code == 201, first.text
    before = await here.chart()
    refused = await here.give(order)
    await moved(clinic, here.programme)
    after = await here.chart()
    assert (after["doses"], after["due"]["in_the_way"]) == (before["doses"], before["due"]["in_the_way"])
    second = await here.give(order)
    assert (
        (second.status_code, second.json()["type"])
        == (refused.status_code, refused.json()["type"])
        == (
            409,
            refused.json()["type"],
        )
    )
    [line] = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    assert line["due"]["in_the_way"] == after["due"]["in_the_way"]


async def test_a_dose_of_before_the_move_that_is_told_after_it_has_the_day_that_it_had(
    clinic: Clinic, here: Dispensary
) -> None:
    order, given_at = await here.order(), apart(clinic, days_ago=4)
    await moved(clinic, here.programme)
    late = await here.give(order, given_at=given_at.isoformat(), late={"reason": "The network was down."})
    assert (late.status_code, late.json().get("dosing_day")) == (201, str(local_day(given_at, ZONE))), late.text


async def test_the_first_dose_after_a_move_is_given_and_is_of_the_same_day(clinic: Clinic, here: Dispensary) -> None:
    order = await here.order()
    await moved(clinic, here.programme)
    given = await here.give(order)
    assert (given.status_code, given.json()["dosing_day"]) == (201, str(here.today)), given.text


async def test_each_day_of_a_plan_has_one_check_in_at_the_same_wall_clock_and_the_past_stays(
    clinic: Clinic, house: House
) -> None:
    client = await house.client()
    await house.planned(client, days_ago=5, every=1)
    before, late = await house.check_ins(client.id), await house.overdue()
    at = datetime.fromisoformat(before[0]["due_at"]).astimezone(ZONE).time()
    await moved(clinic, house.programme)
    assert await house.overdue() == late
    await follow(clinic)
    await follow(clinic)

    assert await house.overdue() == late != []
    there = [each for each in await house.check_ins(client.id) if not is_withdrawn(each)]
    days = [each["scheduled_on"] for each in there]
    first = local_day(clinic.service.clock(), ZONE) - 5 * DAY
    assert days == [str(first + number * DAY) for number in range(len(days))]
    assert days[: len(before)] == [each["scheduled_on"] for each in before]
    today = str(local_day(clinic.service.clock(), ZONE))
    assert [each for each in there if each["scheduled_on"] <= today] == [
        each for each in before if each["scheduled_on"] <= today
    ]
    shown = {
        datetime.fromisoformat(each["due_at"]).astimezone(elsewhere(clinic)).time()
        for each in there
        if each["scheduled_on"] > today
    }
    assert shown == {at}


async def test_what_is_planned_after_the_move_is_planned_in_the_new_zone_and_is_left_alone(
    clinic: Clinic, house: House
) -> None:
    client = await house.client()
    await moved(clinic, house.programme)
    tomorrow = local_day(clinic.service.clock(), ZONE) + DAY
    body = {"every": 1, "unit": "days", "at": "09:00", "starts_on": str(tomorrow), "mode": "telephone"}
    made = await house.robin.post(f"/clients/{client.id}/check-in-plans", body, key=fresh())
    assert made.json()["terms"]["time_zone"] == elsewhere(clinic).key
    await follow(clinic)
    assert (await house.robin.get(f"/check-in-plans/{made.json()['id']}")).json() == made.json()


async def test_sessions_of_later_days_follow_with_whoever_is_expected_also_where_they_clash(
    clinic: Clinic, house: House
) -> None:
    client, tomorrow = await house.client(), local_day(clinic.service.clock(), ZONE) + DAY
    series = {
        "kind": "group",
        "title": "Group",
        "every": 1,
        "unit": "days",
        "at": "10:00",
        "starts_on": str(tomorrow),
        "ends_on": str(tomorrow + 2 * DAY),
        "minutes": 60,
        "clients": [str(client.id)],
    }
    planned = await house.robin.post(f"/programmes/{house.programme}/session-series", series, key=fresh())
    assert planned.status_code == 201, planned.text
    old = [each["id"] for each in planned.json()["items"]]
    await moved(clinic, house.programme)
    # Where the first one of the series will be by the new clock, with the same counsellor.
    starts_at = datetime.combine(tomorrow, time(10), elsewhere(clinic))
    taken: dict[str, Any] = {
        "kind": "group",
        "title": "Other",
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + HOUR).isoformat(),
        "clients": [],
    }
    other = await house.robin.post(f"/programmes/{house.programme}/sessions", taken, key=fresh())
    assert other.status_code == 201, other.text
    await follow(clinic)
    await follow(clinic)

    moved_to = [(await house.robin.get(f"/sessions/{each}")).json()["session"]["moved_to"] for each in old]
    instead = [(await house.robin.get(f"/sessions/{each}")).json() for each in moved_to]
    wall = [datetime.fromisoformat(each["session"]["starts_at"]).astimezone(elsewhere(clinic)) for each in instead]
    assert [(each.date(), each.time()) for each in wall] == [(tomorrow + days * DAY, time(10)) for days in range(3)]
    assert [[place["client_id"] for place in each["roster"]] for each in instead] == [[str(client.id)]] * 3
    left = (await house.robin.get(f"/sessions/{other.json()['session']['id']}")).json()["session"]
    assert (left["starts_at"], left["moved_to"]) == (other.json()["session"]["starts_at"], None)


async def test_a_past_stay_ends_on_the_day_on_which_it_ended(clinic: Clinic, house: House) -> None:
    supervisor = await clinic.person((Role.SUPERVISOR, house.programme))
    client, left_at = await house.client(), apart(clinic, days_ago=3)
    gone = await supervisor.post(
        f"/clients/{client.id}/discharge",
        {"reason": "completed", "effective_at": left_at.isoformat()},
        key=fresh(),
    )
    assert gone.status_code in {200, 201, 204}, gone.text
    paths = (
        f"/clients/{client.id}/episodes",
        f"/clients/{client.id}/levels-of-care",
        f"/clients/{client.id}/hours",
        f"/programmes/{house.programme}/retention?from=2019-12-01&until=2020-06-01",
    )
    before = [(await supervisor.get(path)).json() for path in paths]
    assert str(local_day(left_at, ZONE)) in str(before)
    await moved(clinic, house.programme)
    assert [(await supervisor.get(path)).json() for path in paths] == before
