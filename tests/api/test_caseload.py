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
    return [line["client_id"] for line in (await person.get("/caseload")).json()["items"]]


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

    assert ended.status_code == 204, ended.text
    assert await on_caseload(house.first) == []
    returned = await house.admit(client)
    assert returned.status_code == 201
    episodes = (await house.supervisor.get(f"/clients/{client}/episodes")).json()["items"]
    assert [each["discharge_reason"] for each in episodes] == [None, "completed"]
    assert episodes[0]["returns_from"] == episodes[1]["id"]


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
    let_through = await front_desk.post("/clients", {"programme_id": str(elsewhere), "identity": identity})
    assert let_through.status_code == 201
