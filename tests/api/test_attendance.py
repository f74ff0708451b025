"""Sessions over HTTP: planned, booked, called off; the register in one call, corrected; and what it adds up to."""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import insert

from caseload.db.tables import history
from caseload.domain.access import Role
from caseload.domain.ids import ClientId, ProgrammeId, new_id
from tests.api.conftest import Clinic, Person
from tests.factories import clients, people

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class House:
    """A programme with its counsellor, who leads a group, and the clients in care there."""

    clinic: Clinic
    programme: ProgrammeId
    robin: Person

    async def client(self, *, counsellor: Person | None = None, **options: Any) -> str:
        async with self.clinic.service.engine.begin() as connection:
            made = await clients.in_care(
                connection,
                programme=self.programme,
                counsellor=(counsellor or self.robin).staff.id,
                **options,
            )
        return str(made.id)

    async def plan(self, *on_roster: str, by: Person | None = None, hours_ago: int = 2, **wanted: Any) -> str:
        """A session of an hour that began so many hours ago; returns its id."""
        starts_at = self.clinic.service.clock() - hours_ago * HOUR
        body = {
            "kind": "group",
            "title": "Relapse prevention",
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + HOUR).isoformat(),
            "clients": on_roster,
            **wanted,
        }
        made = await (by or self.robin).post(f"/programmes/{self.programme}/sessions", body, key=str(uuid4()))
        assert made.status_code == 201, made.text
        return made.json()["session"]["id"]


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    return House(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))


def line(client: str, status: str = "attended", **more: Any) -> dict[str, Any]:
    return {"client_id": client, "status": status, **more}


async def test_a_group_register_is_taken_in_one_call(house: House) -> None:
    ada, ben, cleo, dan = [await house.client() for _ in range(4)]
    session = await house.plan(ada, ben, cleo, dan)

    taken = await house.robin.post(
        f"/sessions/{session}/register",
        {
            "lines": [
                line(ada, note="Spoke about work"),
                line(ben, "attended_late", late_minutes=10),
                line(cleo, "left_early", left_early_minutes=20),
                line(dan, "did_not_attend"),
            ],
            "note": "Triggers",
        },
        key=str(uuid4()),
    )

    assert taken.status_code == 201, taken.text
    assert taken.headers["ETag"] == '"1"'
    assert [each["minutes"] for each in taken.json()["register"]["lines"]] == [60, 50, 40, 0]
    assert (await house.robin.get(f"/sessions/{session}")).json() == taken.json()


async def test_a_register_whose_common_note_names_somebody_says_whom(house: House) -> None:
    ada, ben = await house.client(given_name="Zoë"), await house.client(given_name="Ben", family_name="Okafor")
    session = await house.plan(ada, ben)
    body = {"lines": [line(ada), line(ben)], "note": "ZOE spoke of triggers."}

    taken = await house.robin.post(f"/sessions/{session}/register", body)
    mended = await house.robin.put(
        f"/sessions/{session}/register", {**body, "note": "Triggers.", "reason": "Named"}, headers={"If-Match": '"1"'}
    )

    assert taken.json()["note_names"] == [ada]
    assert mended.json()["note_names"] == []


async def test_a_register_sent_twice_is_the_same_with_the_key_and_a_conflict_without(house: House) -> None:
    ada, key = await house.client(), str(uuid4())
    session = await house.plan(ada)
    path, body = f"/sessions/{session}/register", {"lines": [line(ada)]}

    first = await house.robin.post(path, body, key=key)
    again = await house.robin.post(path, body, key=key)
    other = await house.robin.post(path, body)

    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 409)
    assert again.json() == first.json()
    taken_at = datetime.fromisoformat(first.json()["register"]["taken_at"])
    assert datetime.fromisoformat(other.json()["facts"]["taken_at"]) == taken_at


async def test_of_two_who_take_a_register_at_once_one_does(house: House) -> None:
    supervisor = await house.clinic.person((Role.SUPERVISOR, house.programme))
    ada = await house.client()
    session = await house.plan(ada)

    answers = await asyncio.gather(
        *(each.post(f"/sessions/{session}/register", {"lines": [line(ada)]}) for each in (house.robin, supervisor))
    )

    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_a_correction_is_a_new_version_and_the_old_one_stays_readable(house: House) -> None:
    ada = await house.client()
    session = await house.plan(ada)
    path = f"/sessions/{session}/register"
    correction = {"lines": [line(ada, "cancelled_by_provider")], "reason": "The room was closed"}

    assert (await house.robin.get(f"{path}s")).json()["items"] == [], "none yet, and nobody is named for it"
    assert (await house.robin.put(path, correction, headers={"If-Match": '"0"'})).status_code == 409
    await house.robin.post(path, {"lines": [line(ada, "did_not_attend")]})
    assert (await house.robin.put(path, correction)).status_code == 428
    corrected = await house.robin.put(path, correction, headers={"If-Match": '"1"'})
    assert (await house.robin.put(path, correction, headers={"If-Match": '"1"'})).status_code == 412

    assert corrected.status_code == 200, corrected.text
    versions = (await house.robin.get(f"/sessions/{session}/registers")).json()["items"]
    assert [(each["version"], each["reason"], each["lines"][0]["status"]) for each in versions] == [
        (1, None, "did_not_attend"),
        (2, "The room was closed", "cancelled_by_provider"),
    ]


async def test_every_fault_of_a_register_is_named_at_once(house: House) -> None:
    ada, ben = await house.client(), await house.client()
    session = await house.plan(ada, ben)

    refused = await house.robin.post(
        f"/sessions/{session}/register",
        {"lines": [line(ada, "attended_late"), line(str(uuid4()), walk_in=True), line(ada)]},
    )

    assert refused.status_code == 422, refused.text
    assert [each["field"] for each in refused.json()["errors"]] == [
        "lines.0.late_minutes",
        "lines.1.client_id",
        "lines.2.client_id",
        "lines",
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"lines": "all"},
        {"lines": [{"client_id": "ada", "status": "attended"}]},
        {"lines": [{"client_id": str(uuid4()), "status": "slept"}]},
        {"lines": [{"client_id": str(uuid4()), "status": "attended", "late_minutes": 10**30}]},
        {"lines": [], "started_at": "2026-06-01T10:00:00"},
        {"lines": [], "started_at": "0001-01-01T00:00:00+23:59", "ended_at": "9999-12-31T23:59:59-23:59"},
    ],
)
async def test_a_register_of_the_wrong_shape_is_refused(house: House, body: dict[str, Any]) -> None:
    session = await house.plan(await house.client())

    assert (await house.robin.post(f"/sessions/{session}/register", body)).status_code == 422


async def test_a_place_called_off_stands_in_the_register_by_itself(house: House) -> None:
    ada, ben = await house.client(), await house.client()
    session = await house.plan(ada, ben)
    off = {"client_id": ben, "cancelled_by": "client", "reason": "Work"}

    called_off = await house.robin.post(f"/sessions/{session}/cancellations", off, key=str(uuid4()))
    twice = await house.robin.post(f"/sessions/{session}/cancellations", off)
    taken = await house.robin.post(f"/sessions/{session}/register", {"lines": [line(ada)]})

    assert called_off.status_code == 201, called_off.text
    assert called_off.json()["session"]["expected"] == 1
    assert twice.status_code == 409
    assert [each["status"] for each in taken.json()["register"]["lines"]] == ["attended", "cancelled_by_client"]


async def test_a_full_session_takes_nobody_else_also_when_two_book_at_once(house: House) -> None:
    people_there = [await house.client() for _ in range(4)]
    session = await house.plan(people_there[0], capacity=2)

    answers = await asyncio.gather(
        *(house.robin.post(f"/sessions/{session}/bookings", {"clients": [each]}) for each in people_there[1:])
    )
    none = await house.robin.post(f"/sessions/{session}/bookings", {"clients": []})

    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    assert none.status_code == 422
    assert (await house.robin.get(f"/sessions/{session}")).json()["session"]["expected"] == 2


async def test_whoever_leads_a_group_sees_all_of_it_and_a_colleague_only_their_own(house: House) -> None:
    colleague = await house.clinic.person((Role.COUNSELLOR, house.programme))
    mine, theirs = await house.client(), await house.client(counsellor=colleague)
    session = await house.plan(mine)
    booked = await colleague.post(f"/sessions/{session}/bookings", {"clients": [theirs]})
    assert booked.status_code == 201, booked.text

    async def roster(by: Person) -> set[str]:
        return {each["client_id"] for each in (await by.get(f"/sessions/{session}")).json()["roster"]}

    assert await roster(house.robin) == {mine, theirs}
    assert await roster(colleague) == {theirs}
    refused = await colleague.post(f"/sessions/{session}/register", {"lines": [line(mine), line(theirs)]})
    assert refused.status_code == 403
    taken = await house.robin.post(f"/sessions/{session}/register", {"lines": [line(mine), line(theirs)]})
    assert taken.status_code == 201, taken.text
    seen = (await colleague.get(f"/sessions/{session}/registers")).json()["items"][0]["lines"]
    assert [each["client_id"] for each in seen] == [theirs]


async def test_nobody_is_booked_from_outside_ones_reach(house: House) -> None:
    colleague = await house.clinic.person((Role.COUNSELLOR, house.programme))
    theirs = await house.client(counsellor=colleague)
    session = await house.plan()

    answers = [
        await house.robin.post(f"/sessions/{session}/bookings", {"clients": [each]}) for each in (theirs, str(uuid4()))
    ]

    assert [each.status_code for each in answers] == [422, 422]
    assert answers[0].json()["errors"] == answers[1].json()["errors"]


async def test_a_session_elsewhere_is_unknown(house: House) -> None:
    session = await house.plan(await house.client())
    stranger = await house.clinic.person((Role.COUNSELLOR, await house.clinic.programme()))

    answers = [
        await stranger.get(f"/sessions/{session}"),
        await stranger.get(f"/sessions/{session}/registers"),
        await stranger.post(f"/sessions/{session}/register", {"lines": []}),
        await stranger.post(f"/sessions/{session}/bookings", {"clients": [str(uuid4())]}),
        await house.robin.get(f"/sessions/{uuid4()}"),
    ]

    assert {each.status_code for each in answers} == {404}
    assert (await stranger.get(f"/programmes/{house.programme}/sessions")).status_code == 403


async def test_the_sessions_of_a_day_come_in_pages_and_name_nobody(house: House) -> None:
    ada = await house.client(given_name="Adalind", family_name="Unmistakable")
    noon = datetime.combine(date(2026, 6, 1), datetime.min.time()).replace(hour=16)
    made = [
        await house.plan(
            *([ada] if hour == 0 else []),
            starts_at=f"{(noon + hour * HOUR).isoformat()}Z",
            ends_at=f"{(noon + (hour + 1) * HOUR).isoformat()}Z",
        )
        for hour in range(3)
    ]
    path = f"/programmes/{house.programme}/sessions"

    first = await house.robin.get(path, params={"on": "2026-06-01", "limit": 2})
    second = await house.robin.get(path, params={"on": "2026-06-01", "limit": 2, "after": first.json()["next"]})
    other = await house.robin.get(path, params={"on": "2026-06-02"})

    assert [each["id"] for each in first.json()["items"] + second.json()["items"]] == made
    assert [each["expected"] for each in first.json()["items"]] == [1, 0]
    assert "Unmistakable" not in first.text
    assert other.json()["items"] == []
    assert (await house.robin.get(path, params={"on": "1025-01-01"})).status_code == 422


async def test_attendance_counts_what_the_registers_say_and_nothing_against_the_client_that_is_not_theirs(
    house: House,
) -> None:
    ada = await house.client()
    for status, more in (
        ("attended", {}),
        ("attended_late", {"late_minutes": 55}),
        ("did_not_attend", {}),
        ("cancelled_by_provider", {}),
    ):
        session = await house.plan(ada)
        taken = await house.robin.post(f"/sessions/{session}/register", {"lines": [line(ada, status, **more)]})
        assert taken.status_code == 201, taken.text

    told = (await house.robin.get(f"/clients/{ada}/attendance")).json()
    assert (told["attended"], told["too_short"], told["did_not_attend"], told["cancelled_by_provider"]) == (1, 1, 1, 1)
    assert (told["counted"], told["rate_percent"], told["minutes"]) == (3, 33, 65)
    assert (told["minimum_minutes"], told["rule"]) == (8, "US-1 us.attendance_minutes")
    lines = await house.robin.get(f"/clients/{ada}/sessions", params={"limit": 3})
    rest = await house.robin.get(f"/clients/{ada}/sessions", params={"limit": 3, "after": lines.json()["next"]})
    assert len(lines.json()["items"] + rest.json()["items"]) == 4


async def test_a_corrected_register_counts_by_its_last_version(house: House) -> None:
    ada = await house.client()
    session = await house.plan(ada)
    path = f"/sessions/{session}/register"
    await house.robin.post(path, {"lines": [line(ada, "did_not_attend")]})
    correction = {"lines": [line(ada)], "reason": "Sat at the back"}
    await house.robin.put(path, correction, headers={"If-Match": '"1"'})

    told = (await house.robin.get(f"/clients/{ada}/attendance")).json()

    assert (told["attended"], told["did_not_attend"]) == (1, 0)


async def test_brought_in_visits_count_and_what_nobody_wrote_down_does_not(house: House) -> None:
    ada = await house.client()
    await brought_in(house, ClientId(UUID(ada)))

    whole = (await house.robin.get(f"/clients/{ada}/attendance")).json()
    may = (
        await house.robin.get(f"/clients/{ada}/attendance", params={"from": "2020-05-01", "until": "2020-05-31"})
    ).json()
    backwards = await house.robin.get(
        f"/clients/{ada}/attendance", params={"from": "2020-05-02", "until": "2020-05-01"}
    )

    assert (whole["attended"], whole["did_not_attend"], whole["not_known"], whole["minutes"]) == (2, 2, 1, 0)
    assert (may["attended"], may["did_not_attend"], may["not_known"]) == (1, 1, 1)
    assert backwards.status_code == 422


async def brought_in(house: House, client: ClientId) -> None:
    """Visits as others recorded them: one of them replaced by a later import, one without a day."""
    async with house.clinic.service.engine.begin() as connection:
        by, at = await people.bystander(connection), house.clinic.service.clock()
        imported, brought = new_id(), new_id()
        await connection.execute(
            insert(history.history_import).values(id=imported, source="before", begun_by=by, begun_at=at)
        )
        await connection.execute(
            insert(history.client_history).values(
                id=brought,
                import_id=imported,
                client_id=client,
                source="before",
                external_id=str(client),
                number=1,
                content=bytes(32),
                last_day_covered=date(2020, 6, 30),
                recorded={},
                recorded_by=by,
                recorded_at=at,
            )
        )
        visits = [
            (1, date(2020, 5, 1), "unknown", None),
            (2, date(2020, 5, 8), "did_not_attend", None),
            (3, date(2020, 5, 15), "unknown", None),
            (4, date(2020, 5, 15), "attended", 3),
            (5, date(2020, 6, 5), "attended", None),
            (6, None, "did_not_attend", None),
        ]
        await connection.execute(
            insert(history.history_visit),
            [
                {
                    "history_id": brought,
                    "line": number,
                    "client_id": client,
                    "scheduled_on": day,
                    "label": "counselling",
                    "status": status,
                    "reason": "",
                    "replaces_history_id": None if replaces is None else brought,
                    "replaces_line": replaces,
                }
                for number, day, status, replaces in visits
            ],
        )


async def test_the_attendance_of_somebody_elses_client_is_unknown(house: House) -> None:
    colleague = await house.clinic.person((Role.COUNSELLOR, house.programme))
    ada = await house.client()

    assert (await colleague.get(f"/clients/{ada}/attendance")).status_code == 404
    assert (await colleague.get(f"/clients/{ada}/sessions")).status_code == 404
