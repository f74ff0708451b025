"""Caseloads over HTTP and in the tables: never two responsible counsellors, never none, and two people at once."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.conftest import Counts

pytestmark = pytest.mark.anyio

LEVEL = {"edition": "asam_4", "level": "1.5"}


@dataclass(frozen=True)
class House:
    """A programme with a supervisor and two counsellors."""

    programme: ProgrammeId
    supervisor: Person
    first: Person
    second: Person

    async def client(self) -> str:
        """Somebody registered here."""
        made = await self.supervisor.post(
            "/clients",
            {
                "programme_id": str(self.programme),
                "identity": {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"},
            },
        )
        assert made.status_code == 201, made.text
        return made.json()["id"]

    async def admitted(self) -> str:
        """Somebody admitted, with the first counsellor responsible."""
        client = await self.client()
        made = await self.admit(client)
        assert made.status_code == 201, made.text
        return client

    async def admit(self, client: str, **options: Any) -> Any:
        """Ask for an admission."""
        return await self.supervisor.post(
            f"/clients/{client}/episodes",
            {"counsellor_id": str(self.first.staff.id), "level_of_care": LEVEL},
            **options,
        )


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme()
    return House(
        programme,
        await clinic.person((Role.SUPERVISOR, programme)),
        await clinic.person((Role.COUNSELLOR, programme)),
        await clinic.person((Role.COUNSELLOR, programme)),
    )


async def on_caseload(person: Person) -> list[str]:
    return [line["client_id"] for line in (await person.get("/caseload?limit=200")).json()["items"]]


async def test_a_handover_moves_a_client_from_one_caseload_to_the_other(house: House) -> None:
    client = await house.admitted()
    assert await on_caseload(house.first) == [client]

    passed = await house.supervisor.post(f"/clients/{client}/handovers", {"to": str(house.second.staff.id)})

    assert passed.status_code == 201, passed.text
    assert (await on_caseload(house.first), await on_caseload(house.second)) == ([], [client])
    assert (await house.first.get(f"/clients/{client}")).status_code == 404, "not theirs any more"


async def test_a_retried_admission_answers_the_first_one_again(house: House) -> None:
    client = await house.client()

    first = await house.admit(client, key="admission-1")
    again = await house.admit(client, key="admission-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    other = await house.supervisor.post(
        f"/clients/{client}/episodes",
        {"counsellor_id": str(house.second.staff.id), "level_of_care": LEVEL},
        key="admission-1",
    )
    assert other.status_code == 422
    without_a_key = await house.admit(client)
    assert without_a_key.status_code == 409


@pytest.mark.parametrize("what", ["handovers", "covers"])
async def test_a_retried_handover_or_cover_answers_the_first_one_again(house: House, what: str) -> None:
    client, now = await house.admitted(), datetime.now(UTC)
    asked = {
        "handovers": {"to": str(house.second.staff.id)},
        "covers": {
            "counsellor_id": str(house.second.staff.id),
            "starts_at": now.isoformat(),
            "ends_at": (now + timedelta(days=7)).isoformat(),
            "reason": "leave",
        },
    }[what]

    first = await house.supervisor.post(f"/clients/{client}/{what}", asked, key=f"{what}-1")
    again = await house.supervisor.post(f"/clients/{client}/{what}", asked, key=f"{what}-1")

    assert (first.status_code, again.status_code) == (201, 201), again.text
    assert first.json() == again.json()


async def test_two_handovers_at_once_leave_exactly_one_responsible(house: House, clinic: Clinic) -> None:
    client = await house.admitted()
    third = await clinic.person((Role.COUNSELLOR, house.programme))

    answers = await asyncio.gather(
        *[
            house.supervisor.post(f"/clients/{client}/handovers", {"to": str(to.staff.id)})
            for to in (house.second, third) * 4
        ]
    )

    assert {answer.status_code for answer in answers} <= {201, 409, 422}
    assert 201 in {answer.status_code for answer in answers}
    lists = [await on_caseload(person) for person in (house.first, house.second, third)]
    assert sorted(map(len, lists)) == [0, 0, 1]


async def test_a_handover_lasts_until_the_one_that_is_planned(house: House, clinic: Clinic) -> None:
    client, now = await house.admitted(), clinic.service.clock()
    third = await clinic.person((Role.COUNSELLOR, house.programme))

    async def hand_over(to: Person, days: int) -> int:
        effective_at = (now + timedelta(days=days)).isoformat()
        said = {"to": str(to.staff.id), **({"effective_at": effective_at} if days else {})}
        return (await house.supervisor.post(f"/clients/{client}/handovers", said)).status_code

    assert [await hand_over(third, 7), await hand_over(third, 7), await hand_over(house.second, 0)] == [201, 409, 201]
    async with clinic.service.engine.connect() as connection:
        found = await connection.execute(
            text(
                "select counsellor_id, upper(period) from clinic.responsibility "
                "where client_id = cast(:client as uuid) order by lower(period)"
            ),
            {"client": client},
        )
        periods = [(counsellor, until and until.date()) for counsellor, until in found]
    assert periods == [
        (house.first.staff.id, now.date()),
        (house.second.staff.id, (now + timedelta(days=7)).date()),
        (third.staff.id, None),
    ]


async def test_a_covered_client_is_on_both_caseloads_until_the_cover_ends(house: House) -> None:
    client = await house.admitted()
    now = datetime.now(UTC)

    covered = await house.supervisor.post(
        f"/clients/{client}/covers",
        {
            "counsellor_id": str(house.second.staff.id),
            "starts_at": (now - timedelta(minutes=1)).isoformat(),
            "ends_at": (now + timedelta(days=7)).isoformat(),
            "reason": "leave",
        },
    )

    assert covered.status_code == 201, covered.text
    assert (await on_caseload(house.first), await on_caseload(house.second)) == ([client], [client])


async def test_a_discharge_ends_responsibility_and_a_return_keeps_the_former_episode(house: House) -> None:
    client = await house.admitted()

    ended = await house.supervisor.post(f"/clients/{client}/discharge", {"reason": "completed"})

    assert (ended.status_code, ended.json()) == (201, {"waits": None}), ended.text
    assert await on_caseload(house.first) == []
    returned = await house.admit(client)
    assert returned.status_code == 201
    episodes = (await house.supervisor.get(f"/clients/{client}/episodes")).json()["items"]
    assert [each["discharge_reason"] for each in episodes] == [None, "completed"]
    assert episodes[0]["returns_from"] == episodes[1]["id"]


async def test_a_discharge_leaves_nobody_waiting_and_takes_back_what_was_planned(house: House, clinic: Clinic) -> None:
    client, now = await house.admitted(), clinic.service.clock()
    desk = await clinic.person((Role.FRONT_DESK, house.programme))
    planned = await house.supervisor.post(
        f"/clients/{client}/handovers",
        {"to": str(house.second.staff.id), "effective_at": (now + timedelta(days=7)).isoformat()},
    )
    covers = [
        await house.supervisor.post(
            f"/clients/{client}/covers",
            {
                "counsellor_id": str(house.second.staff.id),
                "starts_at": (now + timedelta(days=begins)).isoformat(),
                "ends_at": (now + timedelta(days=begins + 3)).isoformat(),
                "reason": "leave",
            },
        )
        for begins in (-1, 2)
    ]
    session = await plan_session(house, clinic, client)
    assert [made.status_code for made in (planned, *covers, session)] == [201] * 4
    assert await expected(desk, house, clinic) == {client}
    assert await on_caseload(house.second) == [client]

    gone = await house.first.post(f"/clients/{client}/discharge", {"reason": "completed"})

    assert gone.status_code == 201, gone.text
    assert await expected(desk, house, clinic) == set()
    (place,) = (await house.supervisor.get(f"/sessions/{session.json()['session']['id']}")).json()["roster"]
    assert (place["cancelled_by"], place["cancellation_reason"]) == ("provider", "Discharged: completed")
    assert (await house.second.get(f"/clients/{client}")).status_code == 404
    kept = await taken_back(clinic, client)
    assert kept == sorted([planned.json()["id"], *(cover.json()["id"] for cover in covers)])


@pytest.mark.parametrize("added", ["place", "plan", "cover"])
async def test_nothing_added_at_the_moment_of_a_discharge_outlives_it(
    house: House, clinic: Clinic, counts: Counts, added: str
) -> None:
    desk = await clinic.person((Role.FRONT_DESK, house.programme))
    for _ in range(counts(3, full=50)):
        client, now = await house.admitted(), clinic.service.clock()
        session = await plan_session(house, clinic)
        adding = {
            "place": (f"/sessions/{session.json()['session']['id']}/bookings", {"clients": [client]}),
            "plan": (
                f"/clients/{client}/check-in-plans",
                {"every": 1, "unit": "days", "at": "23:59", "starts_on": now.date().isoformat(), "mode": "in_person"},
            ),
            "cover": (
                f"/clients/{client}/covers",
                {
                    "counsellor_id": str(house.second.staff.id),
                    "starts_at": now.isoformat(),
                    "ends_at": (now + timedelta(days=3)).isoformat(),
                    "reason": "leave",
                },
            ),
        }
        gone, made = await asyncio.gather(
            house.supervisor.post(f"/clients/{client}/discharge", {"reason": "completed"}),
            house.supervisor.post(*adding[added]),
        )
        assert gone.status_code == 201, gone.text
        assert made.status_code in {201, 409, 422}, made.text
        assert await expected(desk, house, clinic) == set()
        assert (await house.second.get(f"/clients/{client}")).status_code == 404


async def plan_session(house: House, clinic: Clinic, *clients: str) -> Any:
    """An individual session of tomorrow; clients may be booked."""
    begins = clinic.service.clock() + timedelta(days=1)
    return await house.supervisor.post(
        f"/programmes/{house.programme}/sessions",
        {
            "kind": "individual",
            "title": "Key work",
            "starts_at": begins.isoformat(),
            "ends_at": (begins + timedelta(hours=1)).isoformat(),
            "facilitators": [str(house.first.staff.id)],
            "clients": list(clients),
            "clashes_agreed": True,
        },
    )


async def expected(desk: Person, house: House, clinic: Clinic) -> set[str]:
    """Whom the front desk expects today and on the days around tomorrow."""
    today = clinic.service.clock().date()
    days = [
        await desk.get(f"/programmes/{house.programme}/appointments?on={today + timedelta(days=days)}")
        for days in range(3)
    ]
    return {each["client_id"] for found in days for each in found.json()["items"]}


async def taken_back(clinic: Clinic, client: str) -> list[str]:
    """The handovers and covers of a client that are kept as taken back."""
    async with clinic.service.engine.connect() as connection:
        found = await connection.execute(
            text(
                "select id from clinic.responsibility_taken_back where client_id = cast(:client as uuid) "
                "union all select id from clinic.cover_taken_back where client_id = cast(:client as uuid)"
            ),
            {"client": client},
        )
        return sorted(str(each) for each in found.scalars())


async def test_a_level_of_care_is_in_force_from_its_day_on_and_not_before(house: House, clinic: Clinic) -> None:
    client, today = await house.admitted(), clinic.service.clock().date()

    moved = await house.supervisor.post(
        f"/clients/{client}/levels-of-care",
        {
            "level_of_care": {"edition": "asam_4", "level": "2.1"},
            "from_on": (today + timedelta(days=30)).isoformat(),
        },
    )

    assert moved.status_code == 204, moved.text
    (episode,) = (await house.supervisor.get(f"/clients/{client}/episodes")).json()["items"]
    assert episode["level_of_care"] == LEVEL


async def test_nobody_becomes_responsible_after_their_account_was_closed(house: House, clinic: Clinic) -> None:
    client, administrator = await house.admitted(), await clinic.person((Role.ADMINISTRATOR, None))
    closed = await administrator.post(f"/staff/{house.second.staff.id}/deactivation", {"reason": "Left the clinic."})
    assert closed.status_code == 204, closed.text

    refused = await house.supervisor.post(f"/clients/{client}/handovers", {"to": str(house.second.staff.id)})
    led = await house.supervisor.post(
        f"/programmes/{house.programme}/sessions",
        {
            "kind": "individual",
            "title": "Key work",
            "starts_at": "2026-11-30T10:00:00Z",
            "ends_at": "2026-11-30T11:00:00Z",
            "facilitators": [str(house.second.staff.id)],
        },
    )

    assert [each["field"] for each in refused.json()["errors"]] == ["to"]
    assert [each["field"] for each in led.json()["errors"]] == ["facilitators.0"]


async def test_a_counsellor_sees_whom_they_registered_until_somebody_is_responsible(house: House) -> None:
    key = str(uuid4())
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    said = {"programme_id": str(house.programme), "identity": identity}
    made = await house.first.post("/clients", said, key=key)
    client = made.json()["id"]

    assert (await house.first.post("/clients", said, key=key)).json() == made.json()
    assert (await house.second.get(f"/clients/{client}")).status_code == 404
    admitted = await house.first.post(
        f"/clients/{client}/episodes", {"counsellor_id": str(house.second.staff.id), "level_of_care": LEVEL}
    )
    assert admitted.status_code == 201, admitted.text
    assert (await house.first.get(f"/clients/{client}")).status_code == 404
    assert (await house.second.get(f"/clients/{client}")).status_code == 200


async def test_an_episode_without_anybody_responsible_cannot_be_committed(house: House, clinic: Clinic) -> None:
    client = await house.admitted()

    with pytest.raises(IntegrityError, match="without a responsible counsellor"):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(
                text("delete from clinic.responsibility where client_id = cast(:client as uuid)"), {"client": client}
            )
    with pytest.raises(IntegrityError, match="without a responsible counsellor"):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(
                text(
                    "update clinic.responsibility set period = tstzrange(lower(period), now() + interval '1 day') "
                    "where client_id = cast(:client as uuid)"
                ),
                {"client": client},
            )


async def test_two_responsible_at_one_moment_cannot_be_stored(house: House, clinic: Clinic) -> None:
    client = await house.admitted()

    with pytest.raises(IntegrityError, match="responsibility_one_at_a_time"):
        async with clinic.service.engine.begin() as connection:
            await connection.execute(
                text(
                    "insert into clinic.responsibility "
                    "select gen_random_uuid(), client_id, episode_id, counsellor_id, "
                    "tstzrange(now() + interval '1 day', null), note, recorded_by, recorded_at "
                    "from clinic.responsibility where client_id = cast(:client as uuid)"
                ),
                {"client": client},
            )


async def test_a_client_of_another_programme_does_not_exist_for_us(house: House, clinic: Clinic) -> None:
    client = await house.admitted()
    elsewhere = await clinic.programme()
    stranger = await clinic.person((Role.SUPERVISOR, elsewhere))

    for path in (f"/clients/{client}", f"/clients/{client}/episodes"):
        assert (await stranger.get(path)).status_code == 404
    refused = await stranger.post(f"/clients/{client}/handovers", {"to": str(house.second.staff.id)})
    assert refused.status_code == 404


async def test_somebody_like_a_known_client_is_left_to_the_records_lead(house: House, clinic: Clinic) -> None:
    elsewhere = await clinic.programme()
    front_desk = await clinic.person((Role.FRONT_DESK, elsewhere))
    lead = await clinic.person((Role.PRIVACY_OFFICER, None))
    name = uuid4().hex
    identity = {"given_name": "Grace", "family_name": name, "birth_date": "1990-07-01"}
    known = await house.supervisor.post("/clients", {"programme_id": str(house.programme), "identity": identity})

    refused = await front_desk.post("/clients", {"programme_id": str(elsewhere), "identity": identity})

    assert refused.status_code == 409
    assert known.json()["id"] not in refused.text
    assert name not in refused.text
    seen = await lead.post("/clients/matches/search", identity)
    assert [each["client_id"] for each in seen.json()["items"]] == [known.json()["id"]]
    decided = await lead.post("/clients/matches/decisions", {"identity": identity, "reason": "a twin brother"})
    assert decided.status_code == 204, decided.text
    tried = [await front_desk.post("/clients", {"programme_id": str(elsewhere), "identity": identity}) for _ in "ab"]
    assert [each.status_code for each in tried] == [201, 409], "a word of the records lead lets one through"
