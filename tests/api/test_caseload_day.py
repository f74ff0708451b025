"""A counsellor's day and a programme's dashboard over HTTP: what comes first and why, and one number for one thing."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.house import DAY, ZONE, House, open_house
from tests.factories import clients
from tests.factories.clients import InCare

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Practice:
    """A counsellor and a colleague whom they cover, and who supervises both."""

    house: House
    kim: Person
    supervisor: Person

    @property
    def now(self) -> datetime:
        return self.house.clinic.service.clock()

    async def others(self) -> InCare:
        """A client of the colleague, whom the counsellor covers."""
        async with self.house.clinic.service.engine.begin() as connection:
            found = await clients.in_care(
                connection, programme=self.house.programme, counsellor=self.kim.staff.id, given_name="Ben"
            )
            await clients.cover(
                connection,
                found.id,
                counsellor=self.house.robin.staff.id,
                starts_at=self.now - DAY,
                ends_at=self.now + DAY,
            )
        return found

    async def day(self, of: Person | None = None) -> dict[str, Any]:
        answer = await (of or self.house.robin).get("/day")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def dashboard(self, by: Person | None = None) -> dict[str, Any]:
        answer = await (by or self.supervisor).get(f"/programmes/{self.house.programme}/dashboard")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def session(self, *expected: InCare, starts_at: datetime, minutes: int = 60) -> str:
        body = {
            "kind": "group",
            "title": "Relapse prevention",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(minutes=minutes)).isoformat(),
            "clients": [str(each.id) for each in expected],
        }
        made = await self.house.robin.post(f"/programmes/{self.house.programme}/sessions", body)
        assert made.status_code == 201, made.text
        return made.json()["session"]["id"]


@pytest.fixture
async def practice(clinic: Clinic) -> Practice:
    house = await open_house(clinic)
    return Practice(
        house,
        await clinic.person((Role.COUNSELLOR, house.programme)),
        await clinic.person((Role.SUPERVISOR, house.programme)),
    )


async def test_a_counsellor_sees_what_matters_first_and_why(practice: Practice) -> None:
    house = practice.house
    ada, ben = await house.client(), await practice.others()
    await house.planned(ben, days_ago=20)
    session = await practice.session(ada, starts_at=practice.now - 3 * HOUR)
    raised = await house.robin.post(f"/clients/{ada.id}/escalations", {"ground": "overdose", "said": "Found at home."})
    note = await house.robin.post(
        f"/sessions/{session}/notes", {"text": "Talked about work.", "client_id": str(ada.id)}
    )
    assert (raised.status_code, note.status_code) == (201, 201), raised.text + note.text
    offered = await practice.supervisor.post(
        "/caseload/terms",
        {"programme_id": str(house.programme), "handovers_wait": True, "reason": "Agreed in the team."},
    )
    assert offered.status_code == 204, offered.text
    passed = await practice.supervisor.post(
        f"/clients/{ben.id}/handovers", {"to": str(house.robin.staff.id), "note": "Knows the family."}
    )
    assert passed.json()["waits"] is True, passed.text

    found = await practice.day()

    first, *late, second_last, last = found["items"]
    assert (first["matter"], first["band"], first["client_id"]) == ("escalation", "at_once", str(ada.id))
    assert first["why"] == "Escalated because of overdose, and no clinician has taken it on yet."
    assert {(each["matter"], each["band"]) for each in late} == {("overdue_check_in", "late"), ("register", "late")}
    assert [each["at"] for each in late] == sorted(each["at"] for each in late)
    overdue = next(each for each in late if each["matter"] == "overdue_check_in")
    assert (overdue["client_id"], overdue["given_name"], overdue["covering"]) == (str(ben.id), "Ben", True)
    assert "no check-in has been completed since" in overdue["why"]
    register = next(each for each in late if each["matter"] == "register")
    assert (register["record_id"], [each["client_id"] for each in register["expected"]]) == (session, [str(ada.id)])
    # Which of the two waits longer depends on nothing but their moments.
    assert {(each["matter"], each["record_id"]) for each in (second_last, last)} == {
        ("offer", passed.json()["id"]),
        ("note", note.json()["id"]),
    }
    assert (await practice.day(practice.kim))["items"][-1]["client_id"] == str(ben.id)


async def test_who_has_arrived_stands_in_the_session(practice: Practice) -> None:
    ada = await practice.house.client()
    session = await practice.session(ada, starts_at=practice.now - timedelta(minutes=1))
    arrived = await practice.supervisor.post(f"/appointments/{session}/arrivals", {"client_id": str(ada.id)})
    assert arrived.status_code == 201, arrived.text

    (line,) = (await practice.day())["items"]

    assert (line["matter"], line["band"], line["title"], line["leads"]) == (
        "session",
        "today",
        "Relapse prevention",
        True,
    )
    assert line["expected"][0]["arrived_at"] == arrived.json()["arrived_at"] is not None
    assert line["why"] == "You lead it, it has begun: 1 of 1 have arrived."


async def test_the_same_number_stands_wherever_overdue_is_counted(practice: Practice) -> None:
    house = practice.house
    own, covered, others = await house.client(), await practice.others(), await house.client()
    for client, days in ((own, 30), (covered, 16), (others, 9)):
        await house.planned(client, days_ago=days)
    handed = await practice.supervisor.post(f"/clients/{others.id}/handovers", {"to": str(practice.kim.staff.id)})
    assert handed.status_code == 201, handed.text
    waiting = (await house.overdue(counsellor=str(house.robin.staff.id)))[0]
    done = {"mode": "telephone", "occurred_at": practice.now.isoformat()}
    completed = await house.robin.post(f"/check-ins/{waiting['check_in_id']}/completion", done)
    assert completed.status_code == 201, completed.text

    dashboard = await practice.dashboard()
    carried = {each["counsellor_id"]: each["overdue_check_ins"] for each in dashboard["counsellors"]}
    seen: set[str] = set()
    for who in (house.robin, practice.kim):
        listed = [each["check_in_id"] for each in await house.overdue(who)]
        day = await practice.day(who)
        late = [each["record_id"] for each in day["items"] if each["matter"] == "overdue_check_in"]
        counted = (await who.get("/overdue-check-ins/count")).json()["count"]
        assert listed == late
        assert len(listed) == day["overdue_check_ins"] == counted == carried[str(who.staff.id)] > 0
        seen |= set(listed)
    everybody = await house.overdue(practice.supervisor, programme=str(house.programme))
    assert dashboard["check_ins"]["overdue"] == len(everybody) == len(seen)
    loads = (await practice.supervisor.get(f"/caseload/counsellors?programme={house.programme}")).json()["items"]
    assert loads == dashboard["counsellors"]


async def test_a_dashboard_counts_what_its_lists_show(practice: Practice) -> None:
    house = practice.house
    ada, _, gone = await house.client(), await house.client(), await house.client()
    identity = {"given_name": "Cleo", "family_name": "Frank", "birth_date": "1984-02-29"}
    made = await practice.supervisor.post("/clients", {"programme_id": str(house.programme), "identity": identity})
    left = await practice.supervisor.post(f"/clients/{gone.id}/discharge", {"reason": "completed"})
    raised = await house.robin.post(f"/clients/{ada.id}/escalations", {"ground": "overdose", "said": "Found at home."})
    assert (made.status_code, left.status_code, raised.status_code) == (201, 201, 201), left.text
    session = await practice.session(ada, starts_at=practice.now)
    await practice.supervisor.post(f"/appointments/{session}/arrivals", {"client_id": str(ada.id)})

    found = await practice.dashboard()

    assert found["clients"] == {"in_care": 2, "waiting": 1, "left": 1}
    assert found["levels_of_care"] == [{"level_of_care": {"edition": "asam_4", "level": "1.5"}, "clients": 2}]
    (waiting,) = found["waiting_list"]
    listed = (await practice.supervisor.get(f"/caseload/waiting-list?programme={house.programme}")).json()["items"]
    assert (waiting["priority"], waiting["clients"], waiting["since"]) == (None, 1, listed[0]["since"])
    assert found["open_escalations"] == 1
    assert found["today"] == {"sessions": 1, "expected": 1, "arrived": 1}
    assert {each["responsible"] for each in found["counsellors"]} == {2, 0}
    assert str(ada.id) not in str(found), "it names nobody"


async def test_hours_are_judged_as_each_clients_own_week_is(practice: Practice) -> None:
    house = practice.house
    none, short, met, stepped_down, new = [await house.client() for _ in range(4)] + [
        await house.client(since=practice.now - timedelta(minutes=5))
    ]
    today: date = practice.now.astimezone(ZONE).date()
    moves = [(client, "2.1", "2020-01-02") for client in (short, met, stepped_down)]
    for client, level, from_on in (*moves, (stepped_down, "1.5", today.isoformat())):
        move = {"level_of_care": {"edition": "asam_4", "level": level}, "from_on": from_on}
        assert (await house.robin.post(f"/clients/{client.id}/levels-of-care", move)).status_code == 204
    last_monday = today - timedelta(days=today.weekday() + 7)
    for number, there in enumerate(((short, met), (met,))):
        starts_at = datetime.combine(last_monday, time(8), ZONE) + number * DAY
        session = await practice.session(*there, starts_at=starts_at, minutes=300)
        lines = [{"client_id": str(each.id), "status": "attended"} for each in there]
        taken = await house.robin.post(f"/sessions/{session}/register", {"lines": lines})
        assert taken.status_code == 201, taken.text

    hours = (await practice.dashboard())["hours"]

    assert (hours["first"], hours["last"]) == (last_monday.isoformat(), (last_monday + 6 * DAY).isoformat())
    standings: list[str] = []
    for client in (none, short, met, stepped_down, new):
        query = {"from": hours["first"], "until": hours["last"]}
        weeks = (await house.robin.get(f"/clients/{client.id}/hours", params=query)).json()["items"]
        standings += [each["standing"] for each in weeks]
    assert standings == ["met", "short", "met", "short", "not_a_whole_week"]
    assert {name: hours[name] for name in ("met", "short", "over", "no_rule", "not_a_whole_week")} == {
        "met": 2,
        "short": 2,
        "over": 0,
        "no_rule": 0,
        "not_a_whole_week": 1,
    }


async def test_only_who_answers_for_the_programme_sees_its_dashboard(practice: Practice) -> None:
    path = f"/programmes/{practice.house.programme}/dashboard"
    elsewhere = await practice.house.clinic.programme()
    stranger = await practice.house.clinic.person((Role.SUPERVISOR, elsewhere))

    assert (await stranger.get(path)).status_code == 403
    assert (await practice.house.robin.get(path)).status_code == 403
