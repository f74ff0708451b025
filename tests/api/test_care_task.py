"""Care tasks over HTTP: asked for by a colleague, listed by what is due first, done once."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.house import DAY, House, open_house

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic)


async def tasks(house: House, by: Person | None = None, **query: Any) -> list[dict[str, Any]]:
    answer = await (by or house.robin).get("/care-tasks", params=query)
    assert answer.status_code == 200, answer.text
    return [line["task"] for line in answer.json()["items"]]


def asked(house: House, **changes: Any) -> dict[str, Any]:
    due = house.clinic.service.clock() + DAY
    return {"says": "Look for a dentist.", "for_staff": str(house.robin.staff.id), "due_at": due.isoformat(), **changes}


async def test_a_colleague_asks_for_something_and_it_is_done_once(house: House) -> None:
    client, key = await house.client(), str(uuid4())
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    path = f"/clients/{client.id}/care-tasks"

    first = await nurse.post(path, body := asked(house), key=key)
    again = await nurse.post(path, body, key=key)
    assert (first.status_code, again.json()) == (201, first.json()), first.text
    task = first.json()
    assert (task["kind"], task["rule"], task["done"]) == ("asked", None, None)
    assert await tasks(house) == [task]
    assert await tasks(house, nurse) == []
    assert await tasks(house, nurse, programme=str(house.programme)) == [task]

    finish = f"/care-tasks/{task['id']}/completion"
    assert (await house.robin.post(finish, {"said": " "})).status_code == 422
    assert (await house.robin.post(finish, {"said": "x" * 2001})).status_code == 422
    done_key = str(uuid4())
    done = await house.robin.post(finish, {"said": "On Friday at ten."}, key=done_key)
    assert (await house.robin.post(finish, {"said": "On Friday at ten."}, key=done_key)).json() == done.json()
    twice = await nurse.post(finish, {"said": "Me too."})

    assert (done.status_code, done.json()["done"]["done_by"]) == (201, str(house.robin.staff.id))
    assert (twice.status_code, twice.json()["facts"]["by"]) == (409, str(house.robin.staff.id))
    assert await tasks(house) == []
    assert (await house.robin.get(path)).json()["items"] == [done.json()]


async def test_of_two_who_do_it_at_once_one_does(house: House) -> None:
    client = await house.client()
    task = (await house.robin.post(f"/clients/{client.id}/care-tasks", asked(house))).json()
    nurses = [await house.clinic.person((Role.NURSE, house.programme)) for _ in range(2)]

    answers = await asyncio.gather(
        *(each.post(f"/care-tasks/{task['id']}/completion", {"said": "Done."}) for each in nurses)
    )

    assert sorted(each.status_code for each in answers) == [201, 409]


async def test_whoever_could_not_see_it_is_not_asked(house: House) -> None:
    client = await house.client()
    colleague = await house.clinic.person((Role.COUNSELLOR, house.programme))
    elsewhere = await house.clinic.person((Role.NURSE, await house.clinic.programme()))
    path = f"/clients/{client.id}/care-tasks"

    for who in (colleague, elsewhere):
        refused = await house.robin.post(path, asked(house, for_staff=str(who.staff.id)))
        assert [each["field"] for each in refused.json()["errors"]] == ["for_staff"]
        assert (await who.get(path)).status_code == 404
        assert await tasks(house, who) == []
    past = asked(house, due_at=house.clinic.service.clock().isoformat(), says="x" * 2001)
    far = asked(house, due_at=(house.clinic.service.clock() + 367 * DAY).isoformat())
    assert {each["field"] for each in (await house.robin.post(path, past)).json()["errors"]} == {"due_at", "says"}
    assert (await house.robin.post(path, far)).status_code == 422
    assert (await house.robin.post(f"/care-tasks/{uuid4()}/completion", {"said": "x"})).status_code == 404
    assert (await elsewhere.get("/care-tasks", params={"programme": str(house.programme)})).status_code == 403


async def test_the_list_comes_by_what_is_due_first_in_pages(house: House) -> None:
    client = await house.client()
    now = house.clinic.service.clock()
    ids = [
        (
            await house.robin.post(
                f"/clients/{client.id}/care-tasks", asked(house, due_at=(now + days * DAY).isoformat())
            )
        ).json()["id"]
        for days in (3, 1, 2)
    ]
    wanted = [ids[1], ids[2], ids[0]]

    for query in ({}, {"programme": str(house.programme)}):
        by = house.robin if not query else await house.clinic.person((Role.SUPERVISOR, house.programme))
        first = (await by.get("/care-tasks", params={**query, "limit": 2})).json()
        rest = (await by.get("/care-tasks", params={**query, "limit": 2, "after": first["next"]})).json()
        assert [each["task"]["id"] for each in (*first["items"], *rest["items"])] == wanted
        assert rest["next"] is None
