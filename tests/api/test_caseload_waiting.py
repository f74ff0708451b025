"""The waiting list: nobody has to be put on it to be on it, and nobody leaves it without a word."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Person
from tests.api.test_caseload import LEVEL
from tests.api.test_leaving import House, house

pytestmark = pytest.mark.anyio

__all__ = ["house"]


async def registered(house: House, *, by: Person | None = None) -> str:
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    made = await (by or house.supervisor).post("/clients", {"programme_id": str(house.programme), "identity": identity})
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


async def admit(house: House, client: str) -> None:
    said = {"counsellor_id": str(house.first.staff.id), "level_of_care": LEVEL}
    assert (await house.supervisor.post(f"/clients/{client}/episodes", said)).status_code == 201


async def waiting(house: House, *, by: Person | None = None, query: str = "") -> dict[str, Any]:
    answer = await (by or house.supervisor).get(f"/caseload/waiting-list?programme={house.programme}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def order(house: House) -> list[str]:
    return [each["client_id"] for each in (await waiting(house))["items"]]


async def say(house: House, client: str, priority: str, *, by: Person | None = None, **said: Any) -> httpx.Response:
    wish = {"client_id": client, "priority": priority, "reason": "Asked on the telephone.", **said}
    return await (by or house.supervisor).post("/caseload/waiting-list", wish, key=str(uuid4()))


async def leave(house: House, client: str, **said: Any) -> httpx.Response:
    wish = {"why": "elsewhere", "reason": "Goes to a clinic nearer home.", **said}
    return await house.supervisor.post(f"/caseload/waiting-list/{client}/departure", wish)


async def test_whoever_was_registered_and_never_admitted_waits_without_anybody_saying_so(house: House) -> None:
    client, other = await registered(house), await registered(house)
    await admit(house, other)

    (line,) = (await waiting(house))["items"]

    assert (line["client_id"], line["priority"], line["reason"]) == (client, None, None)
    assert abs(datetime.fromisoformat(line["since"]) - house.clinic.service.clock()) < timedelta(minutes=5)
    await admit(house, client)
    assert await order(house) == []


async def test_the_most_urgent_stand_first_and_then_the_longest_waiting_and_whom_nobody_has_looked_at_before_all(
    house: House,
) -> None:
    routine, late, early, soon = [await registered(house) for _ in range(4)]
    now = house.clinic.service.clock()
    for client, priority, days in (
        (routine, "routine", 90),
        (late, "urgent", 1),
        (early, "urgent", 2),
        (soon, "soon", 5),
    ):
        said = await say(house, client, priority, since=(now - timedelta(days=days)).isoformat())
        assert said.status_code == 204, said.text
    new = await registered(house)

    assert await order(house) == [new, early, late, soon, routine]
    first = await waiting(house, query="&limit=2")
    second = await waiting(house, query=f"&limit=2&after={first['next']}")
    third = await waiting(house, query=f"&limit=2&after={second['next']}")
    paged = [each["client_id"] for page in (first, second, third) for each in page["items"]]
    assert (paged, third["next"]) == ([new, early, late, soon, routine], None)
    assert (await say(house, routine, "urgent", since=(now - timedelta(days=90)).isoformat())).status_code == 204
    assert await order(house) == [new, routine, early, late, soon], "the newest word counts"
    assert (await waiting(house))["items"][1]["reason"] == "Asked on the telephone."


async def test_who_does_not_wait_any_more_leaves_with_a_word_and_comes_back_with_one(house: House) -> None:
    client = await registered(house)

    assert (await leave(house, client, reason=" ")).status_code == 422
    assert (await leave(house, client)).status_code == 204
    assert await order(house) == []
    assert (await leave(house, client)).status_code == 404
    assert (await say(house, client, "soon")).status_code == 204
    assert await order(house) == [client]


async def test_a_word_counts_until_the_next_admission_and_after_a_discharge_somebody_says_it_anew(house: House) -> None:
    client = await registered(house)
    assert (await say(house, client, "urgent")).status_code == 204
    await admit(house, client)
    assert await order(house) == []
    assert (await say(house, client, "urgent")).status_code == 409, "in care"
    assert (await leave(house, client)).status_code == 404
    assert (await house.supervisor.post(f"/clients/{client}/discharge", {"reason": "dropped_out"})).status_code == 201
    assert await order(house) == [], "who has left does not wait by themselves"

    assert (await say(house, client, "soon")).status_code == 204

    assert await order(house) == [client]
    await admit(house, client)
    assert await order(house) == []


async def test_what_cannot_be_said_is_refused(house: House) -> None:
    client, now = await registered(house), house.clinic.service.clock()

    async def refused(**said: Any) -> list[str]:
        answer = await say(house, client, "soon", **said)
        assert answer.status_code == 422, answer.text
        return [each["field"] for each in answer.json()["errors"]]

    assert await refused(reason="") == ["reason"]
    assert await refused(reason="x" * 501) == ["reason"]
    assert await refused(since=(now + timedelta(minutes=10)).isoformat()) == ["since"]
    assert await refused(since=(now - timedelta(days=3661)).isoformat()) == ["since"]
    assert (
        await say(house, client, "soon", reason="x" * 500, since=(now + timedelta(minutes=1)).isoformat())
    ).status_code == 204
    assert (await say(house, client, "soon", since=(now - timedelta(days=3659)).isoformat())).status_code == 204


async def test_only_who_admits_there_sees_who_waits(house: House) -> None:
    client, mine = await registered(house), await registered(house, by=house.first)
    stranger = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))
    nurse = await house.clinic.person((Role.NURSE, house.programme))

    assert (await stranger.get(f"/caseload/waiting-list?programme={house.programme}")).status_code == 403
    assert (await say(house, client, "soon", by=stranger)).status_code == 404
    assert [each["client_id"] for each in (await waiting(house, by=house.first))["items"]] == [mine], "their own"
    assert {each["client_id"] for each in (await waiting(house, by=nurse))["items"]} == {client, mine}


async def test_whoever_has_died_does_not_wait(house: House) -> None:
    client = await registered(house)
    told = await house.supervisor.post(f"/clients/{client}/deaths", {"source": "The family."})
    assert told.status_code == 201, told.text
    assert await order(house) == []


async def test_a_retry_says_it_once_and_of_two_at_once_one_may_be_told_to_look_again(house: House) -> None:
    client = await registered(house)
    said = {"client_id": client, "priority": "soon", "reason": "Asked."}
    both = [await house.supervisor.post("/caseload/waiting-list", said, key="list-1") for _ in range(2)]
    assert [each.status_code for each in both] == [204, 204]

    answers = await asyncio.gather(*[say(house, client, "urgent") for _ in range(4)])

    codes = {each.status_code for each in answers}
    assert codes <= {204, 409}
    assert 204 in codes
    assert [each["priority"] for each in (await waiting(house))["items"]] == ["urgent"]
    gone = {"why": "other", "reason": "Moved away."}
    path = f"/caseload/waiting-list/{client}/departure"
    assert [(await house.supervisor.post(path, gone, key="gone-1")).status_code for _ in range(2)] == [204, 204]
