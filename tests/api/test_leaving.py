"""Whoever leaves, or stops counselling, leaves no client with nobody: refused, by how many, and two at the same moment."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.accounts import Accounts
from caseload.db.people.roles import Roles
from caseload.domain.access import Role
from caseload.domain.ids import GrantId, ProgrammeId
from caseload.domain.people import COMMAND_LINE
from tests.api.conftest import Clinic, Person
from tests.api.test_sign_in import waiting_for_a_lock
from tests.conftest import Counts

pytestmark = pytest.mark.anyio


@dataclass(frozen=True)
class House:
    """A programme with a supervisor and two counsellors, and who looks after their accounts."""

    clinic: Clinic
    programme: ProgrammeId
    administrator: Person
    supervisor: Person
    first: Person
    second: Person

    async def admitted(self, *, to: Person | None = None, programme: ProgrammeId | None = None) -> str:
        """Somebody admitted, with the first counsellor responsible."""
        supervisor, where = self.supervisor, programme or self.programme
        if programme is not None:
            supervisor = await self.clinic.person((Role.SUPERVISOR, programme))
        identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
        made = await supervisor.post("/clients", {"programme_id": str(where), "identity": identity})
        client = str(made.json()["id"])
        said = {
            "counsellor_id": str((to or self.first).staff.id),
            "level_of_care": {"edition": "asam_4", "level": "1.5"},
        }
        assert (await supervisor.post(f"/clients/{client}/episodes", said)).status_code == 201
        return client

    async def hand_over(self, client: str, to: Person, *, days: int = 0) -> httpx.Response:
        at = {"effective_at": (self.clinic.service.clock() + timedelta(days=days)).isoformat()} if days else {}
        return await self.supervisor.post(f"/clients/{client}/handovers", {"to": str(to.staff.id), **at})

    async def close(self, whose: Person) -> httpx.Response:
        return await self.administrator.post(f"/staff/{whose.staff.id}/deactivation", {"reason": "left the clinic"})

    async def revoke(self, whose: Person, *, programme: ProgrammeId | None = None) -> httpx.Response:
        grant = await self.counselling(whose, programme or self.programme)
        return await self.administrator.post(f"/roles/{grant}/revocation", {"reason": "other work"})

    async def counselling(self, whose: Person, programme: ProgrammeId) -> GrantId:
        """The grant of the role of counsellor."""
        roles = (await self.administrator.get(f"/staff/{whose.staff.id}")).json()["roles"]
        held = {(each["role"], each["programme_id"]): each["id"] for each in roles}
        return GrantId(held["counsellor", str(programme)])


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme()
    return House(
        clinic,
        programme,
        await clinic.person((Role.ADMINISTRATOR, None)),
        await clinic.person((Role.SUPERVISOR, programme)),
        await clinic.person((Role.COUNSELLOR, programme)),
        await clinic.person((Role.COUNSELLOR, programme)),
    )


Leaving = Callable[[House, Person], Coroutine[Any, Any, httpx.Response]]
BOTH = pytest.mark.parametrize("leave", [House.close, House.revoke], ids=["the account", "the role"])


def refusal(answer: httpx.Response) -> tuple[int, str, Any]:
    said = answer.json()
    return answer.status_code, said["type"], said["facts"]


def still(clients: int) -> tuple[int, str, dict[str, int]]:
    return 409, "urn:caseload:problem:still-responsible", {"clients": clients}


@BOTH
async def test_whoever_has_clients_hands_them_over_first(house: House, leave: Leaving) -> None:
    clients = [await house.admitted(), await house.admitted()]
    began = house.clinic.service.clock()

    refused = await leave(house, house.first)

    assert refusal(refused) == still(2)
    assert "They answer for 2 clients" in refused.json()["detail"]
    assert "hands every client over first" in refused.json()["detail"]
    assert not any(client in refused.text for client in clients)
    assert (await house.first.get("/me")).json()["roles"][0]["role"] == "counsellor", "nothing has changed"
    assert (await house.hand_over(clients[0], house.second)).status_code == 201
    refused = await leave(house, house.first)
    assert "They answer for one client," in refused.json()["detail"]
    assert (await house.supervisor.post(f"/clients/{clients[1]}/discharge", {"reason": "completed"})).status_code == 201
    assert (await leave(house, house.first)).status_code == 204
    assert await _entries(house, began) == ["refused", "refused", "done"]


async def _entries(house: House, since: Any) -> list[str]:
    """How what the administrator asked for ended, from the first on."""
    auditor = await house.clinic.person((Role.AUDITOR, None))
    asked = {"since": since.isoformat(), "actor": str(house.administrator.staff.id), "limit": 100}
    items = (await auditor.get("/audit/entries", params=asked)).json()["items"]
    told = [each for each in items if each["operation"] != "R"]
    return [each["outcome"] for each in sorted(told, key=lambda each: each["id"])]


@BOTH
async def test_a_handover_that_is_planned_counts_on_both_sides(house: House, leave: Leaving) -> None:
    client = await house.admitted()
    assert (await house.hand_over(client, house.second, days=7)).status_code == 201

    assert refusal(await leave(house, house.first)) == still(1), "until then they are responsible"
    assert refusal(await leave(house, house.second)) == still(1), "from then on they will be"


async def test_a_role_goes_when_the_clients_are_another_programmes(house: House) -> None:
    elsewhere = await house.clinic.programme()
    both = await house.clinic.person((Role.COUNSELLOR, house.programme), (Role.COUNSELLOR, elsewhere))
    await house.admitted(to=both, programme=elsewhere)

    assert refusal(await house.revoke(both, programme=elsewhere)) == still(1)
    assert (await house.revoke(both)).status_code == 204
    assert refusal(await house.close(both)) == still(1)


@BOTH
async def test_who_is_given_a_client_at_the_same_moment_either_stays_or_does_not_get_them(
    house: House, leave: Leaving, counts: Counts
) -> None:
    client = await house.admitted()
    for _ in range(counts(5, full=50)):
        leaver = await house.clinic.person((Role.COUNSELLOR, house.programme))
        given, left = await asyncio.gather(house.hand_over(client, leaver), leave(house, leaver))
        assert (given.status_code, left.status_code) in {(201, 409), (422, 204)}
        if given.status_code == 201:
            assert (await house.hand_over(client, house.first)).status_code == 201


@BOTH
async def test_a_client_given_meanwhile_is_seen_by_who_closes_the_account_or_takes_the_role(
    house: House, leave: Leaving
) -> None:
    client, engine = await house.admitted(), house.clinic.service.engine
    async with engine.connect() as giving:
        await giving.begin()
        # As a handover does it, before it is committed.
        await Accounts(giving).hold_still(house.second.staff.id, shared=True)
        leaving = asyncio.create_task(leave(house, house.second))
        await waiting_for_a_lock(engine)
        await _give(giving, client, house)
        await giving.commit()

    assert refusal(await leaving) == still(1)


async def _give(connection: AsyncConnection, client: str, house: House) -> None:
    await connection.exec_driver_sql(
        "update clinic.responsibility set period = tstzrange(lower(period), now()) where client_id = $1", (client,)
    )
    await connection.exec_driver_sql(
        "insert into clinic.responsibility select gen_random_uuid(), client_id, episode_id, $2, "
        "tstzrange(now(), null), note, recorded_by, now() from clinic.responsibility where client_id = $1",
        (client, house.second.staff.id),
    )


@pytest.mark.parametrize("what", ["account", "role"])
async def test_who_left_meanwhile_is_given_no_client(house: House, what: str) -> None:
    client, engine = await house.admitted(), house.clinic.service.engine
    leaver = house.second.staff.id
    grant = await house.counselling(house.second, house.programme)
    async with engine.connect() as leaving:
        await leaving.begin()
        await Accounts(leaving).hold_still(leaver)
        giving = asyncio.create_task(house.hand_over(client, house.second))
        await waiting_for_a_lock(engine)
        at = house.clinic.service.clock()  # later than what the handover calls now
        if what == "account":
            await Accounts(leaving).deactivate(leaver, reason="left", by=COMMAND_LINE, at=at)
        else:
            roles = Roles(leaving)
            held = await roles.get(grant)
            await roles.revoke(held, reason="left", by=house.administrator.staff.id, at=at)
        await leaving.commit()

    answer = await giving
    assert answer.status_code == 422, answer.text
    assert [each["field"] for each in answer.json()["errors"]] == ["to"]
