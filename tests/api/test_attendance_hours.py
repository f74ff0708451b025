"""Hours, rates and retention over HTTP: as the registers say, against the level of care, with what is left out said."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.factories import clients
from tests.factories.people import LONG_AGO

pytestmark = pytest.mark.anyio

NEW_YORK = ZoneInfo("America/New_York")
A_DAY = timedelta(days=1)


@dataclass
class House:
    """A programme in New York with a counsellor, and clients at intensive outpatient care."""

    clinic: Clinic
    programme: ProgrammeId
    robin: Person
    supervisor: Person

    @property
    def today(self) -> date:
        return self.clinic.service.clock().astimezone(NEW_YORK).date()

    @property
    def last_monday(self) -> date:
        """The Monday of the last week that is over."""
        return self.today - timedelta(days=self.today.weekday() + 7)

    async def client(self, *, since: datetime = LONG_AGO, level: str | None = "2.1") -> str:
        async with self.clinic.service.engine.begin() as connection:
            made = await clients.in_care(
                connection, programme=self.programme, counsellor=self.robin.staff.id, since=since
            )
        if level is not None:
            move = {"level_of_care": {"edition": "asam_4", "level": level}, "from_on": "2020-01-02"}
            answer = await self.robin.post(f"/clients/{made.id}/levels-of-care", move)
            assert answer.status_code == 204, answer.text
        return str(made.id)

    async def attend(self, client: str, day: date, minutes: int, **said: Any) -> None:
        """A session from noon on, with its register."""
        starts_at = datetime.combine(day, time(12), NEW_YORK)
        kind = said.pop("kind", "group")
        body = {
            "kind": kind,
            "title": "Group",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
            "clients": [client],
        }
        made = await self.robin.post(f"/programmes/{self.programme}/sessions", body, key=str(uuid4()))
        assert made.status_code == 201, made.text
        line = {"client_id": client, "status": "attended", **said}
        taken = await self.robin.post(f"/sessions/{made.json()['session']['id']}/register", {"lines": [line]})
        assert taken.status_code == 201, taken.text


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    robin = await clinic.person((Role.COUNSELLOR, programme))
    return House(clinic, programme, robin, await clinic.person((Role.SUPERVISOR, programme)))


async def test_a_weeks_hours_stand_against_the_level_of_care(house: House) -> None:
    client, monday = await house.client(), house.last_monday
    for day in range(3):
        await house.attend(client, monday + day * A_DAY, 180)
    await house.attend(client, monday, 50, kind="peer_support")
    await house.attend(client, monday, 60, status="did_not_attend")
    await house.attend(client, monday - A_DAY, 539)

    answer = await house.robin.get(f"/clients/{client}/hours?from={monday - 7 * A_DAY}&until={monday + 6 * A_DAY}")

    assert answer.status_code == 200, answer.text
    before, week = answer.json()["items"]
    assert (before["minutes"], before["standing"]) == (539, "short")
    assert (week["minutes"], week["peer_support_minutes"], week["sessions"]) == (540, 50, 3)
    assert (week["standing"], week["at_least_minutes"], week["below_minutes"]) == ("met", 540, 1200)
    assert week["level_of_care"] == {"edition": "asam_4", "level": "2.1"}
    assert week["rule"].startswith("hours-1/asam_4/2.1: ")


@pytest.mark.parametrize(
    ("level", "minutes", "standing"),
    [
        ("1.5", 539, "met"),
        ("1.5", 540, "over"),
        ("2.1", 539, "short"),
        ("2.1", 540, "met"),
        ("2.1", 19 * 60, "met"),
        ("2.1", 1199, "met"),
        ("2.1", 1200, "over"),
        ("2.5", 1199, "short"),
        ("2.5", 1200, "met"),
        ("1.7", 540, "no_rule"),
    ],
)
async def test_each_level_of_care_asks_for_its_hours_to_the_minute(
    house: House, level: str, minutes: int, standing: str
) -> None:
    """Below 9 hours, 9 to 19, 20 and more (domain reference, 4.1): by the minutes of the registers, on four days."""
    client, monday = await house.client(level=level), house.last_monday
    for day in range(4):
        await house.attend(client, monday + 2 * day * A_DAY, minutes // 4 + (minutes % 4 if day == 3 else 0))
    # Nothing of this counts: not attended, called off, in error, self-reported, and the minute before the week.
    for status in ("did_not_attend", "cancelled_by_client", "cancelled_by_provider", "recorded_in_error"):
        await house.attend(client, monday + A_DAY, 60, status=status)
    await house.attend(client, monday + 3 * A_DAY, 60, kind="peer_support")

    week = await house.robin.get(f"/clients/{client}/hours?from={monday}&until={monday + 6 * A_DAY}")

    [found] = week.json()["items"]
    assert (found["minutes"], found["standing"]) == (minutes, standing)


@pytest.mark.parametrize(
    ("said", "minutes", "counts"),
    [
        ({"status": "attended_late", "late_minutes": 52}, 8, "attended"),
        ({"status": "attended_late", "late_minutes": 53}, 7, "too_short"),
        ({"status": "left_early", "left_early_minutes": 52}, 8, "attended"),
        ({"status": "left_early", "left_early_minutes": 53}, 7, "too_short"),
        ({"status": "left_early", "late_minutes": 10, "left_early_minutes": 42}, 8, "attended"),
    ],
)
async def test_who_was_late_or_left_early_attended_from_eight_minutes_on(
    house: House, said: dict[str, Any], minutes: int, counts: str
) -> None:
    """An hour of which so much is left, and eight minutes as the profile says (4.2 of the domain reference)."""
    client, day = await house.client(), house.today - 2 * A_DAY
    await house.attend(client, day, 60, **said)

    told = (await house.robin.get(f"/clients/{client}/attendance")).json()

    assert (told["minutes"], told["counted"]) == (minutes, 1)
    assert {what: told[what] for what in ("attended", "too_short")} == {"attended": 0, "too_short": 0} | {counts: 1}


async def test_the_last_eight_weeks_are_shown_and_begin_where_the_programme_says(house: House) -> None:
    client, path = await house.client(), f"/programmes/{house.programme}/session-rules"
    rules = (await house.supervisor.get(path)).json()
    await house.supervisor.put(path, {**rules, "week_starts_on": "sunday"}, headers={"If-Match": '"0"'})

    weeks = (await house.robin.get(f"/clients/{client}/hours")).json()["items"]

    assert len(weeks) == 8
    assert {date.fromisoformat(each["first"]).weekday() for each in weeks} == {6}
    assert weeks[-1]["first"] <= str(house.today) <= weeks[-1]["last"]
    assert weeks[-1]["standing"] == "running"


@pytest.mark.parametrize(
    "asked", ["from=2026-02-02&until=2026-02-01", "from=1999-12-31", "from=2020-01-01&until=2023-01-01"]
)
async def test_absurd_periods_are_refused(house: House, asked: str) -> None:
    client = await house.client()
    paths = (f"/programmes/{house.programme}/attendance", f"/programmes/{house.programme}/retention")
    for path in (f"/clients/{client}/hours", *paths):
        assert (await house.supervisor.get(f"{path}?{asked}")).status_code == 422


async def test_hours_of_somebody_elses_client_are_nobodys_business(house: House) -> None:
    client, other = await house.client(), await house.clinic.person((Role.COUNSELLOR, house.programme))
    assert (await other.get(f"/clients/{client}/hours")).status_code == 404


async def test_the_rate_of_a_programme_is_what_its_clients_add_up_to(house: House) -> None:
    ada, ben, day = await house.client(), await house.client(), house.today - 2 * A_DAY
    await house.attend(ada, day, 60)
    await house.attend(ada, day, 60, status="cancelled_by_provider")
    await house.attend(ben, day, 60, status="did_not_attend")
    await house.attend(ben, day, 7)
    await house.attend(ben, house.today - 40 * A_DAY, 60)

    told = (await house.supervisor.get(f"/programmes/{house.programme}/attendance")).json()

    assert (told["attended"], told["too_short"], told["did_not_attend"]) == (1, 1, 1)
    assert (told["cancelled_by_provider"], told["counted"], told["rate_percent"]) == (1, 3, 33)
    parts = [
        (await house.robin.get(f"/clients/{each}/attendance?from={house.today - 27 * A_DAY}")).json()
        for each in (ada, ben)
    ]
    for what in ("attended", "too_short", "did_not_attend", "cancelled_by_provider", "minutes", "counted"):
        assert sum(each[what] for each in parts) == told[what]
    elsewhere = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))
    for path in ("attendance", "retention"):
        assert (await elsewhere.get(f"/programmes/{house.programme}/{path}")).status_code == 403


async def test_retention_says_what_it_leaves_out(house: House) -> None:
    now = house.clinic.service.clock()
    for days in (200, 120, 100, 10):
        await house.client(since=now - timedelta(days=days), level=None)
    gone = await house.client(since=now - timedelta(days=150), level=None)
    left = {"reason": "dropped_out", "effective_at": (now - timedelta(days=100)).isoformat(), "note": "No answer."}
    answer = await house.robin.post(f"/clients/{gone}/discharge", left)
    assert answer.status_code in {200, 201, 204}, answer.text

    told = (await house.supervisor.get(f"/programmes/{house.programme}/retention")).json()

    assert told == {
        "days": 90,
        "retained": 3,
        "completed": 0,
        "left": 1,
        "counted": 4,
        "rate_percent": 75,
        "died_or_transferred": 0,
        "not_yet": 1,
        "registered_twice": 0,
    }
    week = (await house.supervisor.get(f"/programmes/{house.programme}/retention?days=7")).json()
    assert (week["days"], week["counted"], week["rate_percent"]) == (7, 5, 100)
    for days in (0, 732):
        refused = await house.supervisor.get(f"/programmes/{house.programme}/retention?days={days}")
        assert refused.status_code == 422
