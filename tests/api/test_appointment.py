"""The front desk over HTTP: who is expected, who has arrived, and nothing clinical."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from caseload.db.checkin import Plans
from caseload.domain.access import Role
from caseload.domain.checkin import Mode, plan_check_ins, usual_terms
from caseload.domain.ids import PlanId, ProgrammeId, new_id
from caseload.domain.profiles.selected import Selected
from caseload.domain.programme import Programme
from caseload.domain.schedule import Recurrence, Unit
from tests.api.conftest import Clinic, Person
from tests.factories import clients
from tests.factories.checkin import Remembered
from tests.factories.clients import InCare

pytestmark = pytest.mark.anyio

ZONE = ZoneInfo("America/Phoenix")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class House:
    """A programme with a counsellor and a desk."""

    clinic: Clinic
    programme: ProgrammeId
    robin: Person
    desk: Person

    async def client(self, **options: Any) -> InCare:
        async with self.clinic.service.engine.begin() as connection:
            return await clients.in_care(
                connection, programme=self.programme, counsellor=self.robin.staff.id, **options
            )

    async def session(self, *who: InCare) -> str:
        starts_at = self.clinic.service.clock()
        made = await self.robin.post(
            f"/programmes/{self.programme}/sessions",
            {
                "kind": "family",
                "title": "A title that gives it away",
                "starts_at": starts_at.isoformat(),
                "ends_at": (starts_at + 60 * MINUTE).isoformat(),
                "clients": [str(each.id) for each in who],
            },
        )
        assert made.status_code == 201, made.text
        return made.json()["session"]["id"]

    async def check_in(self, client: InCare, *, mode: Mode) -> None:
        """A check-in that falls due now."""
        now = self.clinic.service.clock() - MINUTE
        local = (now + MINUTE).astimezone(ZONE)
        rule = Recurrence(
            every=7, unit=Unit.DAYS, at=local.time().replace(second=0, microsecond=0), starts_on=local.date()
        )
        house = Programme(id=self.programme, code="H", name="House", time_zone=ZONE.key, profiles=Selected("US"))
        async with self.clinic.service.engine.begin() as connection:
            await plan_check_ins(
                client.episode,
                usual_terms(house, rule, mode=mode, now=now),
                as_id=PlanId(new_id()),
                by=self.robin.staff,
                now=now,
                plans=Plans(connection, Remembered(), now=now),
                journal=Remembered(),
            )

    async def day(self, by: Person | None = None) -> list[dict[str, Any]]:
        answer = await (by or self.desk).get(f"/programmes/{self.programme}/appointments")
        assert answer.status_code == 200, answer.text
        return answer.json()["items"]


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme(time_zone=ZONE.key, profile="US")
    return House(
        clinic,
        programme,
        await clinic.person((Role.COUNSELLOR, programme), printed_name="Robin Ashdown"),
        await clinic.person((Role.FRONT_DESK, programme)),
    )


async def test_the_desk_sees_who_is_expected_and_with_whom_but_not_what_for(house: House) -> None:
    ada, ben = await house.client(given_name="Ada"), await house.client(given_name="Ben")
    cleo = await house.client(given_name="Cleo")
    session = await house.session(ada)
    await house.check_in(ben, mode=Mode.IN_PERSON)
    await house.check_in(cleo, mode=Mode.TELEPHONE)

    answer = await house.desk.get(f"/programmes/{house.programme}/appointments")

    items = {each["given_name"]: each for each in answer.json()["items"]}
    assert set(items) == {"Ada", "Ben"}
    assert items["Ada"]["id"] == session
    assert items["Ada"]["with_whom"] == items["Ben"]["with_whom"] == ["Robin Ashdown"]
    assert set(items["Ada"]) == {
        "id",
        "client_id",
        "given_name",
        "family_name",
        "birth_date",
        "starts_at",
        "with_whom",
        "arrived_at",
    }
    assert "gives it away" not in answer.text
    assert (await house.desk.get(f"/sessions/{session}")).status_code == 403
    assert (await house.desk.get(f"/clients/{ada.id}/check-ins")).status_code == 403


async def test_an_arrival_is_recorded_once_however_many_press_the_button(house: House) -> None:
    ada = await house.client()
    session = await house.session(ada)
    path, body = f"/appointments/{session}/arrivals", {"client_id": str(ada.id)}

    answers = await asyncio.gather(*(house.desk.post(path, body) for _ in range(3)))

    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    (line,) = await house.day()
    assert line["arrived_at"] is not None


async def test_a_retry_of_an_arrival_says_the_same_and_a_mistake_is_taken_back(house: House) -> None:
    ada, key = await house.client(), str(uuid4())
    await house.check_in(ada, mode=Mode.IN_PERSON)
    (line,) = await house.day()
    path, body = f"/appointments/{line['id']}", {"client_id": str(ada.id)}

    first = await house.desk.post(f"{path}/arrivals", body, key=key)
    again = await house.desk.post(f"{path}/arrivals", body, key=key)
    back = await house.desk.post(f"{path}/arrivals-taken-back", body)
    twice = await house.desk.post(f"{path}/arrivals-taken-back", body)
    right = await house.desk.post(f"{path}/arrivals", body)

    assert again.json() == first.json()
    assert (back.status_code, back.json()["arrived_at"]) == (201, None)
    assert (twice.status_code, right.status_code) == (409, 201)


async def test_a_place_called_off_is_not_expected(house: House) -> None:
    ada = await house.client()
    session = await house.session(ada)
    await house.robin.post(
        f"/sessions/{session}/cancellations",
        {"client_id": str(ada.id), "cancelled_by": "client", "reason": "Work"},
    )

    assert await house.day() == []
    late = await house.desk.post(f"/appointments/{session}/arrivals", {"client_id": str(ada.id)})
    assert late.status_code == 404


async def test_a_counsellor_sees_only_their_own_and_a_stranger_nothing(house: House) -> None:
    session = await house.session(await house.client())
    colleague = await house.clinic.person((Role.COUNSELLOR, house.programme))
    stranger = await house.clinic.person((Role.FRONT_DESK, await house.clinic.programme()))

    assert len(await house.day(house.robin)) == 1
    assert await house.day(colleague) == []
    assert (await stranger.get(f"/programmes/{house.programme}/appointments")).status_code == 403
    refused = await stranger.post(f"/appointments/{session}/arrivals", {"client_id": str(uuid4())})
    assert refused.status_code == 404
