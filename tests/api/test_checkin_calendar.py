"""Check-ins on the days on which calendars are hard, over HTTP: grace to the minute, both clock changes, leap day, month ends."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.people import Staff
from tests.api.conftest import Clinic, Person
from tests.factories import clients, people

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@dataclass
class Office:
    """A programme in New York with its counsellor and one client, at any moment that a test names."""

    clinic: Clinic
    programme: ProgrammeId
    robin: Staff
    client: ClientId

    @asynccontextmanager
    async def at(self, moment: datetime) -> AsyncGenerator[Person]:
        """The counsellor, signed in at that moment, at which the clock stands."""
        service = self.clinic.service
        before = service.clock
        object.__setattr__(service, "clock", lambda: moment)
        try:
            async with service.engine.begin() as connection:
                token = await people.signed_in(connection, self.robin.id, at=moment)
            yield Person(self.robin, self.clinic.client(token))
        finally:
            object.__setattr__(service, "clock", before)

    async def plan(self, moment: datetime, **rule: Any) -> list[dict[str, Any]]:
        """Make a plan at that moment; its check-ins, the first one first."""
        body = {"mode": "telephone", **rule}
        async with self.at(moment) as robin:
            made = await robin.post(f"/clients/{self.client}/check-in-plans", body, key=str(uuid4()))
            assert made.status_code == 201, made.text
            found = await robin.get(f"/clients/{self.client}/check-ins", params={"limit": 200})
        return found.json()["items"][::-1]

    async def is_late(self, check_in: dict[str, Any], moment: datetime) -> bool:
        """Whether it stands on the list at that moment; the count says the same."""
        async with self.at(moment) as robin:
            lines = (await robin.get("/overdue-check-ins", params={"limit": 200})).json()["items"]
            day = (await robin.get("/day")).json()
        assert day["overdue_check_ins"] == len(lines)
        return check_in["id"] in {line["check_in_id"] for line in lines}


async def open_office(clinic: Clinic) -> Office:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    robin = (await clinic.person((Role.COUNSELLOR, programme))).staff
    async with clinic.service.engine.begin() as connection:
        client = await clients.in_care(connection, programme=programme, counsellor=robin.id)
    return Office(clinic, programme, robin, client.id)


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    return await open_office(clinic)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def due(check_ins: list[dict[str, Any]]) -> list[datetime]:
    return [datetime.fromisoformat(each["due_at"]) for each in check_ins]


@pytest.mark.parametrize(("every", "unit", "grace_days"), [(1, "weeks", 1), (2, "weeks", 3), (1, "months", 7)])
async def test_the_grace_ends_with_its_last_minute(office: Office, every: int, unit: str, grace_days: int) -> None:
    """A day, three days and seven days after it was due, as the profile says (5.3 of the domain reference, a convention)."""
    on = {"weekday": "tuesday"} if unit == "weeks" else {"month_day": 15}
    starts = "2027-06-15"
    check_ins = await office.plan(utc("2027-06-14T12:00"), every=every, unit=unit, at="09:00", starts_on=starts, **on)
    ends = utc("2027-06-15T13:00") + timedelta(days=grace_days)
    assert (due(check_ins)[0], datetime.fromisoformat(check_ins[0]["grace_ends_at"])) == (utc("2027-06-15T13:00"), ends)
    assert not await office.is_late(check_ins[0], ends)
    assert await office.is_late(check_ins[0], ends + timedelta(microseconds=1))


async def test_half_past_two_on_the_night_on_which_it_does_not_exist_is_an_hour_later_on_that_day_alone(
    office: Office,
) -> None:
    check_ins = await office.plan(
        utc("2027-03-12T12:00"), every=1, unit="days", at="02:30", starts_on="2027-03-13", ends_on="2027-03-15"
    )
    assert due(check_ins) == [utc("2027-03-13T07:30"), utc("2027-03-14T07:30"), utc("2027-03-15T06:30")]


async def test_the_hour_that_comes_twice_means_the_first_and_its_day_of_grace_has_25_hours(office: Office) -> None:
    check_ins = await office.plan(
        utc("2027-11-05T12:00"),
        every=1,
        unit="days",
        at="01:30",
        starts_on="2027-11-06",
        ends_on="2027-11-08",
        grace_days=1,
    )
    assert due(check_ins) == [utc("2027-11-06T05:30"), utc("2027-11-07T05:30"), utc("2027-11-08T06:30")]
    ends = utc("2027-11-08T06:30")
    assert not await office.is_late(check_ins[1], ends - MINUTE)
    assert not await office.is_late(check_ins[1], ends)
    assert await office.is_late(check_ins[1], ends + MINUTE)


@pytest.mark.parametrize(
    ("now", "starts_on", "month_day", "days"),
    [
        ("2028-01-28T12:00", "2028-01-29", 29, ["2028-01-29", "2028-02-29"]),
        ("2027-01-28T12:00", "2027-01-29", 29, ["2027-01-29", "2027-02-28", "2027-03-29"]),
        ("2027-01-30T12:00", "2027-01-31", 31, ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("2028-02-28T12:00", "2028-02-28", 31, ["2028-02-29", "2028-03-31"]),
        ("2027-04-01T12:00", "2027-04-01", 30, ["2027-04-30", "2027-05-30"]),
    ],
)
async def test_a_month_that_is_shorter_has_its_last_day(
    office: Office, now: str, starts_on: str, month_day: int, days: list[str]
) -> None:
    check_ins = await office.plan(
        utc(now), every=1, unit="months", month_day=month_day, at="09:00", starts_on=starts_on
    )
    assert [each["scheduled_on"] for each in check_ins] == days


async def test_a_contact_counts_from_the_first_minute_of_its_window(office: Office) -> None:
    """Every two weeks, three days early (product convention): a minute before, it is refused and says from when it counts."""
    [first, *_] = await office.plan(
        utc("2027-06-14T12:00"), every=2, unit="weeks", weekday="monday", at="09:00", starts_on="2027-06-21"
    )
    from_then = datetime.fromisoformat(first["counts_from"])
    async with office.at(from_then + MINUTE) as robin:
        for moment, status in ((from_then - MINUTE, 422), (from_then, 201)):
            done = {"mode": "telephone", "occurred_at": moment.isoformat()}
            answer = await robin.post(f"/check-ins/{first['id']}/completion", done, key=str(uuid4()))
            assert answer.status_code == status, answer.text
    assert answer.json()["outcome"]["occurred_at"] == first["counts_from"]
