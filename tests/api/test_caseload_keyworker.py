"""A client's keyworker over HTTP: what they see and for how long, and one at a time whoever names two at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Clinic, Person
from tests.api.test_caseload import House, house

pytestmark = pytest.mark.anyio

__all__ = ["house"]


async def name(house: House, client: str, staff: Person, *, key: str | None = None, **said: Any) -> Any:
    body = {"staff_id": str(staff.staff.id), "reason": "Speaks Polish.", **said}
    return await house.supervisor.post(f"/clients/{client}/keyworkers", body, key=key)


async def keyworkers(house: House, client: str) -> list[dict[str, Any]]:
    return (await house.supervisor.get(f"/clients/{client}/keyworkers")).json()["items"]


async def test_a_keyworker_sees_the_client_and_stands_in_for_nobody(house: House) -> None:
    client = await house.admitted()
    assert (await house.second.get(f"/clients/{client}")).status_code == 404

    named = [await name(house, client, house.second, key="named-1") for _ in range(2)]

    assert [each.status_code for each in named] == [201, 201], named[0].text
    assert named[0].json() == named[1].json()
    assert (await house.second.get(f"/clients/{client}")).status_code == 200
    (line,) = (await house.second.get("/caseload")).json()["items"]
    assert (line["client_id"], line["covering"], line["keyworking"]) == (client, False, True)
    (line,) = (await house.first.get("/caseload")).json()["items"]
    assert (line["covering"], line["keyworking"]) == (False, False)
    assert (await house.second.get("/day")).json()["items"] == [], "nobody's check-ins become theirs"

    path = f"/clients/{client}/keyworkers/{named[0].json()['id']}/end"
    ended = [await house.supervisor.post(path) for _ in range(2)]

    assert [each.status_code for each in ended] == [204, 409]
    assert (await house.second.get(f"/clients/{client}")).status_code == 404
    (was,) = await keyworkers(house, client)
    assert (was["is_now"], was["ended_why"], was["ended_by"]) == (False, "ended", str(house.supervisor.staff.id))


async def test_it_ends_with_the_episode_and_a_return_begins_without_one(house: House) -> None:
    client = await house.admitted()
    assert (await name(house, client, house.second)).status_code == 201

    left = await house.supervisor.post(f"/clients/{client}/discharge", {"reason": "completed"})

    assert left.status_code == 201, left.text
    (was,) = await keyworkers(house, client)
    assert (was["is_now"], was["ended_why"]) == (False, "discharged")
    assert (await house.admit(client)).status_code == 201
    assert [each["is_now"] for each in await keyworkers(house, client)] == [False]
    assert (await house.second.get(f"/clients/{client}")).status_code == 404


async def test_of_two_who_name_one_at_once_there_is_one_keyworker(house: House, clinic: Clinic) -> None:
    third = await clinic.person(*[(each.role, each.programme) for each in house.second.staff.holdings])
    client = await house.admitted()

    answers = await asyncio.gather(name(house, client, house.second), name(house, client, third))

    assert {each.status_code for each in answers} <= {201, 409}
    assert any(each.status_code == 201 for each in answers)
    assert sum(each["is_now"] for each in await keyworkers(house, client)) == 1


async def test_two_covers_of_one_client_at_one_time_are_refused(house: House, clinic: Clinic) -> None:
    third = await clinic.person(*[(each.role, each.programme) for each in house.second.staff.holdings])
    client, now = await house.admitted(), clinic.service.clock()

    async def cover(by: Person, first: int, last: int) -> int:
        said = {
            "counsellor_id": str(by.staff.id),
            "starts_at": (now + timedelta(days=first)).isoformat(),
            "ends_at": (now + timedelta(days=last)).isoformat(),
            "reason": "Leave.",
        }
        return (await house.supervisor.post(f"/clients/{client}/covers", said)).status_code

    assert await cover(house.second, 1, 3) == 201
    assert [await cover(third, 2, 4), await cover(house.second, 0, 2)] == [409, 409]
    assert [await cover(third, 3, 4), await cover(third, 0, 1)] == [201, 201], "one after the other"


async def test_only_who_hands_over_names_a_keyworker(house: House) -> None:
    client = await house.admitted()
    body = {"staff_id": str(house.second.staff.id), "reason": "Speaks Polish."}

    assert (await house.first.post(f"/clients/{client}/keyworkers", body)).status_code == 403
    assert (await house.second.get(f"/clients/{client}/keyworkers")).status_code == 404
    assert (await house.first.get(f"/clients/{client}/keyworkers")).json() == {"items": []}
