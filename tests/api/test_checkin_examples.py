"""Check-ins by their worked examples (domain reference, section 5), over HTTP, and each again on its boundary."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from caseload.db.programme import Programmes
from caseload.domain.access import Role
from caseload.domain.people import the_service
from caseload.jobs.outreach import CLIMB_LADDERS, climb_in
from tests.api.conftest import Clinic, Person
from tests.api.test_checkin_calendar import MINUTE, Office, due, open_office, utc
from tests.factories import people

pytestmark = pytest.mark.anyio

INSTANT = timedelta(microseconds=1)
DAY = timedelta(days=1)


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    return await open_office(clinic)


@pytest.mark.parametrize(
    ("planned", "rule", "ends"),
    [
        # Quarterly: seven days (a convention), across a leap day.
        ("2028-02-20T12:00", {"every": 13, "unit": "weeks", "weekday": "friday", "starts_on": "2028-02-25"},
         "2028-03-03T14:00"),
        # A day of grace that is the leap day; the one after 28 February of other years is in March.
        ("2028-02-20T12:00", {"every": 1, "unit": "weeks", "weekday": "monday", "starts_on": "2028-02-28"},
         "2028-02-29T14:00"),
        ("2027-02-20T12:00", {"every": 1, "unit": "weeks", "weekday": "sunday", "starts_on": "2027-02-28"},
         "2027-03-01T14:00"),
        # The day on which clocks go forward has 23 hours, the one on which they go back 25.
        ("2027-03-10T12:00", {"every": 1, "unit": "weeks", "weekday": "saturday", "starts_on": "2027-03-13"},
         "2027-03-14T13:00"),
        ("2027-11-03T12:00", {"every": 1, "unit": "weeks", "weekday": "saturday", "starts_on": "2027-11-06"},
         "2027-11-07T14:00"),
        # Three days over the end of a month, seven over the end of a year.
        ("2027-04-20T12:00", {"every": 2, "unit": "weeks", "weekday": "thursday", "starts_on": "2027-04-29"},
         "2027-05-02T13:00"),
        ("2027-12-20T12:00", {"every": 1, "unit": "months", "month_day": 31, "starts_on": "2027-12-31"},
         "2028-01-07T14:00"),
    ],
)  # fmt: skip
async def test_it_is_overdue_after_the_last_instant_of_its_grace(
    office: Office, planned: str, rule: dict[str, Any], ends: str
) -> None:
    [first, *_] = await office.plan(utc(planned), at="09:00", **rule)
    assert datetime.fromisoformat(first["grace_ends_at"]) == utc(ends)
    assert not await office.is_late(first, utc(ends))
    assert await office.is_late(first, utc(ends) + INSTANT)


@pytest.mark.parametrize(
    ("closed", "ends"),
    [
        (["2027-06-16"], "2027-06-17T13:00"),
        (["2027-06-16", "2027-06-17", "2027-06-18"], "2027-06-19T13:00"),
        (["2027-06-14", "2027-06-17"], "2027-06-16T13:00"),
    ],
)
async def test_bank_holidays_extend_the_grace_and_those_beside_it_do_not(
    office: Office, closed: list[str], ends: str
) -> None:
    """Weekly on Tuesday at 09:00 with a day of grace: no day of it is counted on a closed day."""
    supervisor = (await office.clinic.person((Role.SUPERVISOR, office.programme))).staff
    async with office.at(utc("2027-06-07T12:00")):
        async with office.clinic.service.engine.begin() as connection:
            token = await people.signed_in(connection, supervisor.id, at=utc("2027-06-07T12:00"))
        said = {"days": closed, "reason": "Holiday"}
        path = f"/programmes/{office.programme}/closure-days"
        answer = await Person(supervisor, office.clinic.client(token)).post(path, said, key=str(uuid4()))
        assert answer.status_code in {200, 201}, answer.text
    rule = {"every": 1, "unit": "weeks", "weekday": "tuesday", "at": "09:00", "starts_on": "2027-06-15"}
    [first, *_] = await office.plan(utc("2027-06-14T10:00"), **rule)
    assert due([first]) == [utc("2027-06-15T13:00")]
    assert not await office.is_late(first, utc(ends))
    assert await office.is_late(first, utc(ends) + INSTANT)


async def test_an_attempt_is_no_completion_and_a_contact_within_the_window_is(office: Office) -> None:
    rule = {"every": 2, "unit": "weeks", "weekday": "tuesday", "at": "09:00", "starts_on": "2027-06-15"}
    [first, *_] = await office.plan(utc("2027-06-01T12:00"), **rule)
    late = datetime.fromisoformat(first["grace_ends_at"]) + MINUTE
    async with office.at(late) as robin:
        tried = {"attempted_at": late.isoformat(), "mode": "telephone", "result": "no_answer"}
        answer = await robin.post(f"/check-ins/{first['id']}/attempts", tried, key=str(uuid4()))
        assert answer.status_code == 201, answer.text
    assert await office.is_late(first, late)
    async with office.at(late) as robin:
        # Told late, but it took place in the first minute of the early window.
        done = {"mode": "telephone", "occurred_at": first["counts_from"]}
        answer = await robin.post(f"/check-ins/{first['id']}/completion", done, key=str(uuid4()))
        assert answer.status_code == 201, answer.text
    assert not await office.is_late(first, late)


async def test_the_client_moves_it_one_interval_at_most_and_the_provider_resets_it(office: Office) -> None:
    rule = {"every": 1, "unit": "weeks", "weekday": "tuesday", "at": "09:00", "starts_on": "2027-03-09"}
    [first, *_] = await office.plan(utc("2027-03-01T12:00"), **rule)
    limit = datetime.fromisoformat(first["movable_until"])
    assert limit == utc("2027-03-16T13:00"), "a week later at the same hour, which the clocks have meanwhile moved"
    path = f"/check-ins/{first['id']}/moves"
    async with office.at(utc("2027-03-09T12:00")) as robin:
        for moment, asked_by, status in (
            (limit + MINUTE, "client", 422),
            (limit - DAY, "client", 201),
            (limit, "client", 201),
            (limit + MINUTE, "client", 422),
            (limit + 3 * DAY, "provider", 201),
            (limit + 10 * DAY, "client", 201),
            (limit + 10 * DAY + MINUTE, "client", 422),
        ):
            said = {"due_at": moment.isoformat(), "asked_by": asked_by, "reason": "Works late."}
            answer = await robin.post(path, said, key=str(uuid4()))
            assert answer.status_code == status, (moment, asked_by, answer.text)


@pytest.mark.parametrize(
    ("starts_on", "begins"),
    [
        ("2027-01-05", ["2027-02-02", "2027-04-06", "2028-01-05"]),
        ("2028-01-04", ["2028-02-01", "2028-04-04", "2029-01-03"]),
        ("2027-12-31", ["2028-01-28", "2028-03-31", "2028-12-30"]),
    ],
)
async def test_the_usual_phases_begin_on_day_28_on_day_91_and_after_a_year(
    office: Office, starts_on: str, begins: list[str]
) -> None:
    """Weekly, fortnightly, every four weeks, every thirteen (5.1, a convention), also over a leap day."""
    first = date.fromisoformat(starts_on)
    weekday = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[first.weekday()]
    body = {
        "every": 1,
        "unit": "weeks",
        "weekday": weekday,
        "at": "09:00",
        "starts_on": starts_on,
        "mode": "telephone",
        "usual_phases": True,
    }
    async with office.at(utc(f"{starts_on}T06:00")) as robin:
        made = await robin.post(f"/clients/{office.client}/check-in-plans", body, key=str(uuid4()))
    assert made.status_code == 201, made.text
    later = made.json()["later_phases"]
    assert [each["every"] for each in (made.json()["terms"], *later)] == [1, 2, 4, 13]
    assert [date.fromisoformat(each["starts_on"]) - first for each in later] == [28 * DAY, 91 * DAY, 365 * DAY]
    assert [each["starts_on"] for each in later] == begins


async def climb(office: Office, moment: datetime) -> list[str]:
    """Have the job look at that moment; the steps taken so far of the one that is overdue."""
    service = office.clinic.service
    async with office.at(moment) as robin:
        async with service.work(by=the_service(), event=CLIMB_LADDERS.name) as work:
            programme = await Programmes(work.connection).get(office.programme)
            if await climb_in(work, programme) == 0:
                await work.drop()
        [line, *_] = (await robin.get("/overdue-check-ins")).json()["items"]
        said = (await robin.get(f"/overdue-check-ins/{line['check_in_id']}")).json()
    return [each["step"] for each in said["ladder"]["taken"]]


STEPS = ["same_day", "next_day", "consented_contact", "letter", "team_review", "case_conference"]


@pytest.mark.parametrize(
    ("starts_on", "overdue", "moments"),
    [
        # Due on Tuesday at 09:00 with a day of grace: from Wednesday at 09:00 on.
        ("2027-06-15", "2027-06-16T13:00",
         ["2027-06-16T13:00", "2027-06-17T13:00", "2027-06-18T13:00", "2027-06-21T13:00", "2027-06-26T13:00",
          "2027-06-30T13:00"]),
        # Over the night on which the clocks go forward: at the same hour of the wall.
        ("2027-03-09", "2027-03-10T14:00",
         ["2027-03-10T14:00", "2027-03-11T14:00", "2027-03-12T14:00", "2027-03-15T13:00", "2027-03-20T13:00",
          "2027-03-24T13:00"]),
        # Over a leap day.
        ("2028-02-22", "2028-02-23T14:00",
         ["2028-02-23T14:00", "2028-02-24T14:00", "2028-02-25T14:00", "2028-02-28T14:00", "2028-03-04T14:00",
          "2028-03-08T14:00"]),
    ],
)  # fmt: skip
async def test_each_step_of_the_ladder_is_taken_at_its_moment_and_not_before(
    office: Office, starts_on: str, overdue: str, moments: list[str]
) -> None:
    """The same day, +1 and +2 working days, +5, +10, +14 days (5.3, a convention), each at the hour at which it became overdue."""
    rule = {"every": 13, "unit": "weeks", "weekday": "tuesday", "at": "09:00", "starts_on": starts_on, "grace_days": 1}
    await office.plan(utc(f"{starts_on}T06:00"), **rule)
    assert utc(overdue) == utc(moments[0])
    for number, moment in enumerate(moments):
        if number:
            assert await climb(office, utc(moment) - MINUTE) == STEPS[:number]
        assert await climb(office, utc(moment) + INSTANT) == STEPS[: number + 1]
