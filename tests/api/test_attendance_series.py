"""Series over HTTP: whole or not at all, each session for itself; clashes, waiting lists, and clocks that change."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import httpx
import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.api.dispensary import fresh
from tests.factories import clients

pytestmark = pytest.mark.anyio

NEW_YORK = ZoneInfo("America/New_York")
A_DAY, HOUR = timedelta(days=1), timedelta(hours=1)
PROBLEM = "urn:caseload:problem:"
WAITS = """
    select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
    and query ilike 'insert into clinic.therapy_session_booking%'
"""


@dataclass
class House:
    """A programme in New York with a counsellor who plans series."""

    clinic: Clinic
    programme: ProgrammeId
    robin: Person

    @property
    def today(self) -> date:
        return self.clinic.service.clock().astimezone(NEW_YORK).date()

    @property
    def next_year(self) -> int:
        return self.today.year + 1

    async def client(self, counsellor: Person | None = None) -> str:
        async with self.clinic.service.engine.begin() as connection:
            made = await clients.in_care(
                connection, programme=self.programme, counsellor=(counsellor or self.robin).staff.id
            )
        return str(made.id)

    def wish(self, **said: Any) -> dict[str, Any]:
        return {
            "kind": "group",
            "title": "Morning group",
            "every": 1,
            "unit": "days",
            "at": "10:00",
            "starts_on": str(self.today + A_DAY),
            "ends_on": str(self.today + 3 * A_DAY),
            "minutes": 60,
            **said,
        }

    async def plan(self, *, key: str | None = None, **said: Any) -> httpx.Response:
        return await self.robin.post(f"/programmes/{self.programme}/session-series", self.wish(**said), key=key)

    async def planned(self, **said: Any) -> list[dict[str, Any]]:
        answer = await self.plan(**said)
        assert answer.status_code == 201, answer.text
        return answer.json()["items"]

    async def one(self, *on_roster: str, **said: Any) -> httpx.Response:
        """A single session tomorrow at ten, local time."""
        starts_at = datetime.combine(self.today + A_DAY, datetime.min.time(), NEW_YORK) + 10 * HOUR
        body = {
            "kind": "group",
            "title": "Group",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + HOUR).isoformat(),
            "clients": on_roster,
            **said,
        }
        return await self.robin.post(f"/programmes/{self.programme}/sessions", body)


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    return House(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))


async def _waiting(outside: asyncpg.Connection) -> int:
    """The process of the database that waits to put somebody on a roster."""
    for _ in range(1_000):
        if (found := await outside.fetchval(WAITS)) is not None:
            return found
        await asyncio.sleep(0.01)
    pytest.fail("nobody waits")


def local(session: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(session["starts_at"]).astimezone(NEW_YORK)


async def test_a_series_is_planned_whole_and_once(house: House) -> None:
    ada, key = await house.client(), fresh()

    first, again = [await house.plan(key=key, clients=[ada], link="https://meet.example.org/g") for _ in range(2)]

    assert (first.status_code, again.json()) == (201, first.json()), first.text
    sessions = first.json()["items"]
    assert [each["series_on"] for each in sessions] == [str(house.today + n * A_DAY) for n in (1, 2, 3)]
    assert {local(each).hour for each in sessions} == {10}
    assert {(each["expected"], each["capacity"], each["link"]) for each in sessions} == {
        (1, 12, "https://meet.example.org/g")
    }
    read = await house.robin.get(f"/session-series/{first.json()['id']}")
    assert read.json() == first.json()


async def test_a_time_that_does_not_exist_and_one_that_happens_twice(house: House) -> None:
    """Half past two on the second Sunday of March is half past three; half past one in November is the first of two."""
    year = house.next_year
    march = next(date(year, 3, day) for day in range(8, 15) if date(year, 3, day).weekday() == 6)
    november = next(date(year, 11, day) for day in range(1, 8) if date(year, 11, day).weekday() == 6)

    gap = await house.planned(at="02:30", starts_on=str(march - A_DAY), ends_on=str(march + A_DAY))
    twice = await house.planned(at="01:30", starts_on=str(november), ends_on=str(november))

    assert [(local(each).hour, local(each).minute) for each in gap] == [(2, 30), (3, 30), (2, 30)]
    assert (local(twice[0]).hour, local(twice[0]).utcoffset()) == (1, -4 * HOUR)


async def test_a_month_that_is_shorter_has_its_last_day(house: House) -> None:
    year = house.next_year
    monthly = await house.planned(
        unit="months", month_day=31, starts_on=f"{year}-01-01", ends_on=f"{year}-04-30", kind="education"
    )
    assert [each["series_on"][5:] for each in monthly][2:] == ["03-31", "04-30"]
    assert monthly[1]["series_on"][5:] in {"02-28", "02-29"}


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"ends_on_days": 800, "starts_on_days": 1}, "ends_on"),
        ({"ends_on_days": 402, "starts_on_days": 2}, "ends_on"),
        ({"unit": "weeks", "weekday": "absent", "ends_on_days": 1}, "ends_on"),
        ({"ends_on_days": 0}, "ends_on"),
        ({"minutes": 0}, "minutes"),
        ({"minutes": 721}, "minutes"),
        ({"capacity": 200}, "capacity"),
        ({"every": 0}, "every"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"starts_on": "2000-01-01", "ends_on": "2000-01-05"}, "starts_at"),
    ],
)
async def test_a_rule_that_does_not_end_or_names_nothing_is_refused(
    house: House, said: dict[str, Any], field: str
) -> None:
    for name in ("starts_on", "ends_on"):
        if f"{name}_days" in said:
            said = {**said, name: str(house.today + said[f"{name}_days"] * A_DAY)}
    said = {name: value for name, value in said.items() if not name.endswith("_days")}
    if said.get("weekday") == "absent":
        tomorrow = house.today + A_DAY
        days = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        said = {**said, "weekday": days[tomorrow.weekday() - 1], "ends_on": str(tomorrow)}

    refused = await house.plan(**said)

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field), refused.text


async def test_the_longest_series_is_400_sessions(house: House) -> None:
    sessions = await house.planned(ends_on=str(house.today + 400 * A_DAY), minutes=15)
    assert len(sessions) == 400


async def test_of_a_series_that_clashes_once_nothing_is_planned(house: House) -> None:
    day = house.today + 2 * A_DAY
    [other] = await house.planned(starts_on=str(day), ends_on=str(day), place="Room 3")

    refused = await house.plan(place="room  3")

    assert (refused.status_code, refused.json()["type"]) == (409, PROBLEM + "session-clashes")
    told = refused.json()["facts"]["clashes"]
    assert {(each["of"], each["session_id"]) for each in told} == {("room", other["id"]), ("facilitator", other["id"])}
    for ahead in (1, 3):
        listed = await house.robin.get(f"/programmes/{house.programme}/sessions?on={house.today + ahead * A_DAY}")
        assert listed.json()["items"] == []
    assert (await house.plan(place="Room 3", clashes_agreed=True)).status_code == 201


async def test_who_may_not_be_expected_is_named_and_a_full_series_refused(house: House) -> None:
    ada, ben = await house.client(), await house.client()
    other = await house.client(await house.clinic.person((Role.COUNSELLOR, house.programme)))
    wrong = await house.plan(clients=[ada, ada, other])
    assert [each["field"] for each in wrong.json()["errors"]] == ["clients.1", "clients.2"]
    full = await house.plan(clients=[ada, ben], capacity=1)
    assert (full.status_code, full.json()["type"]) == (409, PROBLEM + "session-full")


async def test_of_two_who_take_one_room_at_once_one_gets_it(house: House) -> None:
    kim = await house.clinic.person((Role.COUNSELLOR, house.programme))
    path, body = f"/programmes/{house.programme}/session-series", house.wish(place="Room 3")

    answers = await asyncio.gather(*(each.post(path, body) for each in (house.robin, kim)))

    assert sorted(each.status_code for each in answers) == [201, 409]
    listed = await house.robin.get(f"/programmes/{house.programme}/sessions?on={house.today + A_DAY}")
    assert len(listed.json()["items"]) == 1


async def test_a_series_whose_process_is_killed_half_way_is_not_there_and_can_be_planned_again(house: House) -> None:
    """Its sessions are written and their rosters are not, when its connection is ended, as a kill ends it."""
    ada, key = await house.client(), fresh()
    holder, outside = [await asyncpg.connect(house.clinic.addresses.owner) for _ in range(2)]
    async with holder.transaction():
        await holder.execute("lock table clinic.therapy_session_booking in exclusive mode")
        planning = asyncio.create_task(house.plan(key=key, clients=[ada]))
        await outside.execute("select pg_terminate_backend($1)", await _waiting(outside))
        killed = await planning
    left = await outside.fetchval(
        "select count(*) from clinic.therapy_session where programme_id = $1", house.programme
    )
    for each in (holder, outside):
        await each.close()
    assert (killed.status_code >= 500, left) == (True, 0)
    assert len(await house.planned(key=key, clients=[ada])) == 3


async def test_one_session_is_moved_with_its_roster_and_no_other_is_touched(house: House) -> None:
    ada, ben, cleo = [await house.client() for _ in range(3)]
    first, second, third = await house.planned(clients=[ada, ben], capacity=2, place="Room 3")
    await house.robin.post(f"/sessions/{second['id']}/waiting-list", {"clients": [cleo]})
    starts_at = datetime.fromisoformat(second["starts_at"]) + HOUR / 2
    body = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + HOUR).isoformat(), "reason": "Fire drill."}
    key, path = fresh(), f"/sessions/{second['id']}/move"

    silent = await house.robin.post(path, {**body, "reason": " "})
    moved = await house.robin.post(path, body, key=key)
    again = await house.robin.post(path, body, key=key)
    twice = await house.robin.post(path, body)

    assert silent.status_code == 422
    assert (moved.status_code, again.json()) == (201, moved.json()), moved.text
    new = moved.json()
    assert (new["session"]["series_on"], new["session"]["expected"]) == (second["series_on"], 2)
    assert [each["client_id"] for each in new["waiting"]] == [cleo]
    assert (twice.status_code, twice.json()["type"]) == (409, PROBLEM + "session-moved")
    old = (await house.robin.get(f"/sessions/{second['id']}")).json()
    assert (old["session"]["moved_to"], old["session"]["expected"]) == (new["session"]["id"], 0)
    assert {each["cancelled_by"] for each in old["roster"]} == {"provider"}
    refusals: list[tuple[str, dict[str, Any]]] = [
        ("bookings", {"clients": [cleo]}),
        ("waiting-list", {"clients": [cleo]}),
        ("register", {"lines": []}),
        ("cancellations", {"client_id": ada, "cancelled_by": "client", "reason": "x"}),
    ]
    for route, said in refusals:
        refused = await house.robin.post(f"/sessions/{second['id']}/{route}", said)
        assert (refused.status_code, refused.json()["type"]) == (409, PROBLEM + "session-moved"), route
    series = (await house.robin.get(f"/session-series/{second['series_id']}")).json()["items"]
    assert [each for each in series if each["id"] in {first["id"], third["id"]}] == [first, third]
    clash = await house.one(place="Room 3")
    assert clash.status_code == 409, "the new time is taken"
    attendance = (await house.robin.get(f"/clients/{ada}/attendance")).json()
    assert (attendance["counted"], attendance["cancelled_by_provider"]) == (0, 0)


async def test_a_session_moved_onto_another_is_refused_and_stays(house: House) -> None:
    first, second, _ = await house.planned()
    body = {"starts_at": second["starts_at"], "ends_at": second["ends_at"], "reason": "Together"}
    refused = await house.robin.post(f"/sessions/{first['id']}/move", body)
    nowhere = await house.robin.post(f"/sessions/{first['id']}/move", {**body, "clashes_agreed": True, "place": ""})
    meant = await house.robin.post(f"/sessions/{first['id']}/move", {**body, "clashes_agreed": True, "place": "Hall"})
    assert (refused.status_code, meant.status_code, nowhere.status_code) == (409, 201, 422), nowhere.text
    assert meant.json()["session"]["place"] == "Hall"


async def test_one_session_is_called_off_and_its_room_is_free(house: House) -> None:
    ada = await house.client()
    first, second, third = await house.planned(clients=[ada], place="Room 3")
    key, path = fresh(), f"/sessions/{first['id']}/calling-off"

    off = await house.robin.post(path, {"reason": "The boiler is broken."}, key=key)
    again = await house.robin.post(path, {"reason": "The boiler is broken."}, key=key)

    assert (off.status_code, again.json()) == (201, off.json()), off.text
    assert [each["status"] for each in off.json()["register"]["lines"]] == ["cancelled_by_provider"]
    assert (await house.one(place="Room 3")).status_code == 201
    series = (await house.robin.get(f"/session-series/{first['series_id']}")).json()["items"]
    assert series[1:] == [second, third]
    told = (await house.robin.get(f"/clients/{ada}/attendance")).json()
    assert (told["counted"], told["cancelled_by_provider"], told["rate_percent"]) == (0, 1, None)
    closed = await house.robin.post(f"/sessions/{first['id']}/waiting-list", {"clients": [ada]})
    assert closed.status_code == 409


async def test_a_client_who_is_expected_twice_at_one_time_is_warned_of(house: House) -> None:
    ada, kim = await house.client(), await house.clinic.person((Role.COUNSELLOR, house.programme))
    [other, *_] = await house.planned(clients=[ada])
    starts_at = datetime.fromisoformat(other["starts_at"])

    alone = await house.one(facilitators=[str(kim.staff.id)])
    made = await house.one(ada, facilitators=[str(kim.staff.id)], clashes_agreed=True)
    behind = await house.one(
        ada,
        starts_at=(starts_at + HOUR).isoformat(),
        ends_at=(starts_at + 2 * HOUR).isoformat(),
        facilitators=[str(kim.staff.id)],
    )

    assert made.status_code == 201, made.text
    assert alone.json()["clashes"] == behind.json()["clashes"] == []
    assert [(each["client_id"], each["session_id"]) for each in made.json()["clashes"]] == [(ada, other["id"])]


async def test_whoever_waits_longest_moves_up_when_a_place_comes_free(house: House) -> None:
    ada, ben, cleo, dan = [await house.client() for _ in range(4)]
    session = (await house.one(ada, capacity=1)).json()["session"]["id"]
    path = f"/sessions/{session}/waiting-list"

    early = await house.robin.post(path, {"clients": [ada]})
    nobody = await house.robin.post(path, {"clients": []})
    waits = await house.robin.post(path, {"clients": [ben, cleo]}, key=fresh())
    twice = await house.robin.post(path, {"clients": [cleo]})
    wrong = await house.robin.post(path, {"clients": [dan, dan]})
    gone = await house.robin.post(f"{path}/withdrawal", {"client_id": ben}, key=fresh())
    again = await house.robin.post(f"{path}/withdrawal", {"client_id": ben})
    await house.robin.post(path, {"clients": [dan]})
    off = await house.robin.post(
        f"/sessions/{session}/cancellations", {"client_id": ada, "cancelled_by": "client", "reason": "Work"}
    )

    assert (early.status_code, nobody.status_code, twice.status_code, wrong.status_code) == (409, 422, 409, 422)
    assert waits.status_code == 201, waits.text
    assert [each["client_id"] for each in waits.json()["waiting"]] == [ben, cleo]
    assert ([each["client_id"] for each in gone.json()["waiting"]], again.status_code) == ([cleo], 409)
    assert off.status_code == 201, off.text
    now = (await house.robin.get(f"/sessions/{session}")).json()
    assert [each["client_id"] for each in now["waiting"]] == [dan]
    assert {each["client_id"]: each["cancelled_by"] for each in now["roster"]} == {ada: "client", cleo: None}
    back = await house.robin.post(path, {"clients": [ben]})
    assert (back.status_code, back.json()["type"]) == (409, PROBLEM + "already-on-roster")


async def test_nobody_waits_where_there_is_room_or_one_client(house: House) -> None:
    ada, ben = await house.client(), await house.client()
    room = (await house.one(ada, capacity=2)).json()["session"]["id"]
    alone = (await house.one(ada, kind="individual", clashes_agreed=True)).json()["session"]["id"]

    left = await house.robin.post(f"/sessions/{room}/waiting-list", {"clients": [ben]})
    one = await house.robin.post(f"/sessions/{alone}/waiting-list", {"clients": [ben]})

    assert (left.status_code, left.json()["type"]) == (409, PROBLEM + "places-left")
    assert (one.status_code, one.json()["errors"][0]["field"]) == (422, "session_id")


async def test_a_discharge_gives_the_place_to_whoever_waits_and_never_to_whoever_has_left(house: House) -> None:
    ada, ben, cleo = [await house.client() for _ in range(3)]
    session = (await house.one(ada, capacity=1)).json()["session"]["id"]
    await house.robin.post(f"/sessions/{session}/waiting-list", {"clients": [ben, cleo]})

    for leaving in (ben, ada):
        left = await house.robin.post(f"/clients/{leaving}/discharge", {"reason": "completed"})
        assert left.status_code < 300, left.text

    now = (await house.robin.get(f"/sessions/{session}")).json()
    assert [each["client_id"] for each in now["roster"] if each["cancelled_by"] is None] == [cleo]


async def test_a_group_of_200_is_refused_unless_the_programme_holds_such(house: House) -> None:
    refused = await house.one(capacity=200)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "capacity")
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    path = f"/programmes/{house.programme}/session-rules"
    rules = (await supervisor.get(path)).json()
    await supervisor.put(path, {**rules, "group_places": 200}, headers={"If-Match": '"0"'})
    assert (await house.one(capacity=200)).status_code == 201


async def test_a_series_is_read_in_its_programme_only(house: House) -> None:
    sessions = await house.planned()
    stranger = await house.clinic.person((Role.COUNSELLOR, await house.clinic.programme()))
    answer = await stranger.get(f"/session-series/{sessions[0]['series_id']}")
    assert (answer.status_code, answer.json()["type"]) == (404, PROBLEM + "series-unknown")


async def test_a_medical_review_is_led_by_a_prescriber(house: House) -> None:
    doctor = await house.clinic.person((Role.PRESCRIBER, house.programme))
    ada = await house.client()
    made = await house.one(ada, kind="medical_review", facilitators=[str(doctor.staff.id)])
    assert made.status_code == 201, made.text
    session = made.json()["session"]["id"]
    off = await doctor.post(f"/sessions/{session}/calling-off", {"reason": "Ill."})
    assert off.status_code == 201, off.text
