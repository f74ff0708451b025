"""Messages to whoever sees a client next: at the window, as their counsellor, leading a group; and who has seen to each."""

import asyncio
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.test_attendance import House

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(clinic: Clinic) -> House:
    programme = await clinic.programme(time_zone="America/New_York", profile="US")
    return House(clinic, programme, await clinic.person((Role.COUNSELLOR, programme)))


async def leave(by: Person, client: str, *places: str, text: str = "Ask about the letter.") -> str:
    answer = await by.post(f"/clients/{client}/window-messages", {"text": text, "places": list(places)})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def in_the_day(by: Person) -> list[dict[str, Any]]:
    return [line for line in (await by.get("/day")).json()["items"] if line["matter"] == "message"]


async def test_a_message_for_the_counsellor_stands_in_their_day_until_they_have_seen_to_it(house: House) -> None:
    ada, ben = await house.client(), await house.client()
    desk = await house.clinic.person((Role.FRONT_DESK, house.programme))
    message = await leave(desk, ada, "counsellor")
    await leave(desk, ben, "window")

    [line] = await in_the_day(house.robin)
    assert (line["record_id"], line["client_id"], line["title"], line["band"]) == (
        message, ada, "Ask about the letter.", "today",
    )  # fmt: skip

    path = f"/clients/{ada}/messages/{message}/clearing"
    assert (await desk.post(path)).status_code == 403
    both = await asyncio.gather(*(house.robin.post(path) for _ in range(2)))
    assert sorted(each.status_code for each in both) == [204, 409]
    assert await in_the_day(house.robin) == []
    [kept] = (await desk.get(f"/clients/{ada}/messages")).json()["items"]
    assert (kept["id"], kept["cleared_by"], kept["places"]) == (message, str(house.robin.staff.id), ["counsellor"])


async def test_whoever_is_not_meant_does_not_clear_it_and_the_first_who_is_does_so_for_all(house: House) -> None:
    ada = await house.client()
    nurse = await house.clinic.person((Role.NURSE, house.programme))
    stranger = await house.clinic.person((Role.COUNSELLOR, house.programme))
    mine, shared = await leave(nurse, ada, "counsellor"), await leave(nurse, ada, "window", "counsellor")

    elsewhere = await nurse.post(f"/clients/{ada}/window-messages/{mine}/clearing")
    assert (elsewhere.status_code, elsewhere.json()["facts"]["places"]) == (409, ["counsellor"])
    assert (await stranger.post(f"/clients/{ada}/messages/{mine}/clearing")).status_code == 404
    assert (await nurse.post(f"/clients/{ada}/window-messages/{shared}/clearing")).status_code == 204

    assert [line["record_id"] for line in await in_the_day(house.robin)] == [mine]
    nobody = await nurse.post(f"/clients/{ada}/window-messages", {"text": "x", "places": []})
    assert [each["field"] for each in nobody.json()["errors"]] == ["places"]


async def test_whoever_leads_the_session_sees_messages_about_those_who_are_expected(house: House) -> None:
    lead = await house.clinic.person((Role.COUNSELLOR, house.programme))
    ada, ben = await house.client(), await house.client()
    message = await leave(house.robin, ada, "group", text="Sit by the door.")
    await leave(house.robin, ada, "counsellor")
    await leave(house.robin, ben, "group")
    session = await house.plan(ada, hours_ago=-1, facilitators=[str(lead.staff.id)])

    shown = (await lead.get(f"/sessions/{session}")).json()["messages"]
    assert [(each["id"], each["client_id"], each["text"]) for each in shown] == [(message, ada, "Sit by the door.")]

    path = f"/sessions/{session}/messages/{message}/clearing"
    assert (await lead.post(path)).status_code == 204
    assert (await lead.post(path)).status_code == 404, "it stands there no more"
    assert (await lead.get(f"/sessions/{session}")).json()["messages"] == []


async def test_the_messages_of_a_client_come_newest_first_in_pages(house: House) -> None:
    ada = await house.client()
    ids = [await leave(house.robin, ada, "window") for _ in range(3)]
    path = f"/clients/{ada}/messages"

    first = (await house.robin.get(path, params={"limit": 2})).json()
    rest = (await house.robin.get(path, params={"after": first["next"], "limit": 2})).json()

    assert [each["id"] for each in (*first["items"], *rest["items"])] == ids[::-1]
