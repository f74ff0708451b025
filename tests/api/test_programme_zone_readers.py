"""What reads days across a move to another zone: ladder, alert, summary, calendar, and every count of what is overdue."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar

from caseload.domain.access import Role
from caseload.domain.schedule import local_day
from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.api.house import DAY, ZONE, House, open_house
from tests.api.test_on_call import raised_in
from tests.api.test_programme_zone import apart, elsewhere, follow, moved

pytestmark = pytest.mark.anyio

READER: Any = Calendar
"""Whatever stands in a calendar is of one of thirty types."""


async def last_taken_apart(clinic: Clinic) -> tuple[Dispensary, dict[str, Any], str]:
    """Whose last dose was taken days ago, at an hour that lies on another day in the zone that the programme moves to."""
    here = await dispensary(clinic, profile="US", time_zone=ZONE.key)
    order = await here.order()
    assert (await here.give(order)).status_code == 201
    await pass_days(here, 6)
    given_at = apart(clinic, days_ago=5)
    late = await here.give(order, given_at=given_at.isoformat(), late={"reason": "The network was down."})
    day = local_day(given_at, ZONE)
    assert (late.status_code, late.json().get("dosing_day")) == (201, str(day)), late.text
    assert day != local_day(given_at, elsewhere(clinic))
    return here, order, str(day)


async def test_the_ladder_counts_the_days_that_it_counted_before(clinic: Clinic) -> None:
    here, order, day = await last_taken_apart(clinic)
    before, refused = (await here.chart())["due"], await here.give(order)
    path = f"/programmes/{here.programme}/dispensing"
    [line] = (await here.nurse.get(path)).json()["items"]

    await moved(clinic, here.programme)

    after = (await here.chart())["due"]
    missed = (here.today - date.fromisoformat(day)).days - 1
    assert (after["missed"], after["last_taken"]["day"]) == (missed, day)
    assert (after["missed"], after["last_taken"], after["in_the_way"]) == (
        before["missed"],
        before["last_taken"],
        before["in_the_way"],
    )
    assert [each["rule"] for each in after["in_the_way"]] == ["missed_doses"]
    [line_after] = (await here.nurse.get(path)).json()["items"]
    assert line_after["due"]["in_the_way"] == line["due"]["in_the_way"]
    again = await here.give(order)
    assert (again.status_code, again.json()["facts"]) == (409, refused.json()["facts"])


async def test_three_missed_doses_are_escalated_once_with_the_days_of_before(clinic: Clinic) -> None:
    here, _, day = await last_taken_apart(clinic)
    await moved(clinic, here.programme)

    [one] = await raised_in(here)

    since = date.fromisoformat(day) + DAY
    assert f"from {since} on; the last dose was taken on {day}." in one["said"]
    assert await raised_in(here) == [one]


async def test_what_was_escalated_before_the_move_is_not_escalated_again(clinic: Clinic) -> None:
    here, _, _ = await last_taken_apart(clinic)
    [one] = await raised_in(here)
    done = await here.nurse.post(f"/escalations/{one['id']}/acknowledgement", {"doing": "Went to see them."})
    assert done.status_code == 201, done.text

    await moved(clinic, here.programme)

    assert [each["id"] for each in await raised_in(here)] == [one["id"]], "it is the same run, by the same days"


async def test_a_summary_says_the_same_of_the_last_dose_and_of_what_is_overdue(clinic: Clinic) -> None:
    here, _, day = await last_taken_apart(clinic)
    before = (await here.nurse.get(f"/clients/{here.client}/summary")).json()

    await moved(clinic, here.programme)

    assert (await here.nurse.get(f"/clients/{here.client}/summary")).json() == before
    assert before["medication"]["last_dose_on"] == day


async def counted(house: House, supervisor: Person, client: str) -> dict[str, Any]:
    """Every place in which overdue check-ins are counted, with what it says."""
    programme = str(house.programme)
    day = (await house.robin.get("/day")).json()
    [carried] = [
        each["overdue_check_ins"]
        for each in (await supervisor.get(f"/caseload/counsellors?programme={programme}")).json()["items"]
        if each["counsellor_id"] == str(house.robin.staff.id)
    ]
    return {
        "list": len(await house.overdue()),
        "programme": len(await house.overdue(supervisor, programme=programme)),
        "count": (await house.robin.get("/overdue-check-ins/count")).json()["count"],
        "day": day["overdue_check_ins"],
        "lines of the day": len([each for each in day["items"] if each["matter"] == "overdue_check_in"]),
        "carried": carried,
        "dashboard": (await supervisor.get(f"/programmes/{programme}/dashboard")).json()["check_ins"]["overdue"],
        "summary": (await house.robin.get(f"/clients/{client}/summary")).json()["overdue_check_ins"],
    }


async def test_every_count_of_what_is_overdue_stays_and_the_calendar_follows(clinic: Clinic) -> None:
    house = await open_house(clinic)
    supervisor = await clinic.person((Role.SUPERVISOR, house.programme))
    client = await house.client()
    await house.planned(client, days_ago=5, every=1)
    path = (await house.robin.post("/calendar-feeds", key=fresh())).json()["path"]
    before = await counted(house, supervisor, str(client.id))
    assert set(before.values()) == {before["list"]} != {0}, before

    await moved(clinic, house.programme)
    assert await counted(house, supervisor, str(client.id)) == before
    await follow(clinic)
    assert await counted(house, supervisor, str(client.id)) == before

    now = clinic.service.clock()
    waits = {
        each["id"]: datetime.fromisoformat(each["due_at"])
        for each in await house.check_ins(client.id)
        if each["waiting"] and datetime.fromisoformat(each["due_at"]) < now + timedelta(days=60)
    }
    shown = READER.from_ical((await clinic.client().get(path)).content).walk("VEVENT")
    starts = {str(event["UID"]): event["DTSTART"].dt for event in shown}
    assert starts == waits
    walls = {
        at.astimezone(elsewhere(clinic)).time()
        for at in starts.values()
        if local_day(at, elsewhere(clinic)) > local_day(now, ZONE)
    }
    assert len(walls) == 1, "each of the days to come has the one wall clock of the new zone"
