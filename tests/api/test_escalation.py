"""Escalations over HTTP: open until a named clinician acknowledges them, and what to do meanwhile."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.house import House, open_house

pytestmark = pytest.mark.anyio

SAID: dict[str, Any] = {"ground": "safeguarding", "said": "The neighbour's child was alone with the bottles."}


@pytest.fixture
async def house(clinic: Clinic) -> House:
    return await open_house(clinic, profile="UK")


async def raised(house: House, **changes: Any) -> dict[str, Any]:
    client = await house.client()
    answer = await house.robin.post(f"/clients/{client.id}/escalations", {**SAID, **changes})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_whoever_raises_one_is_told_on_the_spot_what_to_do(house: House) -> None:
    client, key = await house.client(), str(uuid4())

    first = await house.robin.post(f"/clients/{client.id}/escalations", SAID, key=key)
    again = await house.robin.post(f"/clients/{client.id}/escalations", SAID, key=key)

    assert (first.status_code, again.json()) == (201, first.json()), first.text
    assert "999" in first.json()["instruction"]["says"]
    one = first.json()["escalation"]
    assert (one["said"], one["acknowledgement"]) == (SAID["said"], None)
    assert (await house.robin.get("/open-escalations")).json() == {"items": [one], "next": None}
    assert (await house.robin.get(f"/clients/{client.id}/escalations")).json() == {"items": [one], "next": None}


@pytest.mark.parametrize("said", [" ", "x" * 4001])
async def test_it_says_what_was_seen(house: House, said: str) -> None:
    client = await house.client()

    refused = await house.robin.post(f"/clients/{client.id}/escalations", {**SAID, "said": said})

    assert [each["field"] for each in refused.json()["errors"]] == ["said"]


async def test_it_stays_open_until_a_named_clinician_acknowledges_it(house: House) -> None:
    one = (await raised(house))["escalation"]
    path = f"/escalations/{one['id']}/acknowledgement"
    nurse, key = await house.clinic.person((Role.NURSE, house.programme)), str(uuid4())

    assert (await house.robin.post(path, {"doing": "I have seen it."})).status_code == 403, (
        "a counsellor is no clinician"
    )
    assert (await nurse.post(path, {"doing": " "})).status_code == 422
    assert len((await nurse.get("/open-escalations")).json()["items"]) == 1
    done = await nurse.post(path, {"doing": "Went to see them; the social worker knows."}, key=key)
    again = await nurse.post(path, {"doing": "Went to see them; the social worker knows."}, key=key)
    other = await nurse.post(path, {"doing": "Once more."})

    assert (done.status_code, again.json()) == (201, done.json()), done.text
    assert done.json()["acknowledgement"]["acknowledged_by"] == str(nurse.staff.id)
    assert (other.status_code, other.json()["facts"]["by"]) == (409, str(nurse.staff.id))
    assert (await nurse.get("/open-escalations")).json()["items"] == []
    assert (await house.robin.get(f"/clients/{one['client_id']}/escalations")).json()["items"] == [done.json()]


async def test_of_many_who_acknowledge_it_at_once_one_does_and_the_others_learn_who(house: House) -> None:
    one = (await raised(house))["escalation"]
    nurses = [await house.clinic.person((Role.NURSE, house.programme)) for _ in range(3)]

    answers = await asyncio.gather(
        *(each.post(f"/escalations/{one['id']}/acknowledgement", {"doing": "On my way."}) for each in nurses)
    )

    assert sorted(each.status_code for each in answers) == [201, 409, 409]
    won = next(each.json() for each in answers if each.status_code == 201)
    lost = [each.json() for each in answers if each.status_code == 409]
    assert {each["facts"]["by"] for each in lost} == {won["acknowledgement"]["acknowledged_by"]}


async def test_nobody_sees_what_is_open_beyond_their_reach(house: House) -> None:
    one = (await raised(house))["escalation"]
    elsewhere = await house.clinic.programme()
    stranger = await house.clinic.person((Role.NURSE, elsewhere))
    colleague = await house.clinic.person((Role.COUNSELLOR, house.programme))

    assert (await stranger.get("/open-escalations")).json()["items"] == []
    assert (await colleague.get("/open-escalations")).json()["items"] == []
    assert (await stranger.post(f"/escalations/{one['id']}/acknowledgement", {"doing": "x"})).status_code == 404
    assert (await stranger.get(f"/clients/{one['client_id']}/escalations")).status_code == 404


async def test_the_open_ones_come_oldest_first_in_pages_and_of_one_programme(house: House) -> None:
    ids = [(await raised(house))["escalation"]["id"] for _ in range(3)]
    other = await open_house(house.clinic)
    nurse = await house.clinic.person((Role.NURSE, house.programme), (Role.NURSE, other.programme))
    elsewhere = (await raised(other))["escalation"]["id"]

    first = (await nurse.get("/open-escalations", params={"limit": 2})).json()
    rest = (await nurse.get("/open-escalations", params={"limit": 2, "after": first["next"]})).json()
    there = (await nurse.get("/open-escalations", params={"programme": str(other.programme)})).json()

    assert [each["id"] for each in (*first["items"], *rest["items"])] == [*ids, elsewhere]
    assert [each["id"] for each in there["items"]] == [elsewhere]


async def test_a_programme_writes_its_own_instruction_in_versions(house: House) -> None:
    director = await house.clinic.person((Role.MEDICAL_DIRECTOR, house.programme))
    path = f"/programmes/{house.programme}/emergency-instruction"
    usual = await house.robin.get(path)
    assert (usual.headers["ETag"], usual.json()["decided_by"]) == ('"0"', None)
    own = {"says": "Press the red button under the desk, then call 999."}

    assert (await director.put(path, own)).status_code == 428
    assert (await house.robin.put(path, own, headers={"If-Match": '"0"'})).status_code == 403
    assert (await director.put(path, {"says": " "}, headers={"If-Match": '"0"'})).status_code == 422
    assert (await director.put(path, {"says": "x" * 2001}, headers={"If-Match": '"0"'})).status_code == 422
    written = await director.put(path, own, headers={"If-Match": '"0"'})
    stale = await director.put(path, own, headers={"If-Match": '"0"'})

    assert (written.status_code, written.headers["ETag"], stale.status_code) == (200, '"1"', 412), written.text
    assert (await house.robin.get(path)).json() == written.json()
    assert (await raised(house))["instruction"]["says"] == own["says"]


async def test_two_who_write_it_at_once_make_one_version(house: House) -> None:
    directors = [await house.clinic.person((Role.MEDICAL_DIRECTOR, house.programme)) for _ in range(2)]
    path = f"/programmes/{house.programme}/emergency-instruction"

    answers = await asyncio.gather(
        *(each.put(path, {"says": "Call 999."}, headers={"If-Match": '"0"'}) for each in directors)
    )

    assert sorted(each.status_code for each in answers) in ([200, 409], [200, 412])
