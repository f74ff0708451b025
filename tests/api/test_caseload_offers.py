"""Handovers that wait for the new counsellor: the former answers until then, whatever becomes of the asking."""

import asyncio
from typing import Any
from uuid import uuid4

import httpx
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Person
from tests.api.test_caseload import on_caseload
from tests.api.test_caseload_load import ENDED, by_owner, temporary
from tests.api.test_caseload_together import caseloads, hand_over, never_alone
from tests.api.test_leaving import House, house
from tests.conftest import Counts
from tests.factories import people

pytestmark = pytest.mark.anyio

__all__ = ["house"]


@pytest.fixture
async def asking(house: House) -> House:
    """The house, where handovers wait."""
    assert await wait(house) == 204
    return house


async def wait(house: House, *, wanted: bool = True, **said: Any) -> int:
    wish = {"programme_id": str(house.programme), "handovers_wait": wanted, "reason": "Agreed by the team.", **said}
    return (await house.supervisor.post("/caseload/terms", wish)).status_code


async def offered(to: Person) -> list[dict[str, Any]]:
    answer = await to.get("/caseload/offers")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def waiting(house: House) -> list[dict[str, Any]]:
    answer = await house.supervisor.get(f"/caseload/handovers/waiting?programme={house.programme}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def accept(by: Person, offer: str, **options: Any) -> httpx.Response:
    return await by.post(f"/caseload/offers/{offer}/acceptance", **options)


async def test_a_handover_waits_and_the_former_answers_until_it_is_accepted(asking: House) -> None:
    client, key = await asking.admitted(), str(uuid4())
    said = {"to": str(asking.second.staff.id), "note": "Works in the evening."}

    made = await asking.supervisor.post(f"/clients/{client}/handovers", said, key=key)

    assert (made.status_code, made.json()["waits"]) == (201, True), made.text
    assert await caseloads(asking.first, asking.second) == [[client], []]
    (offer,) = await offered(asking.second)
    assert await offered(asking.first) == []
    assert await waiting(asking) == [offer]
    assert (offer["client_id"], offer["note"], offer["responsible_counsellor_id"], offer["to"]) == (
        client,
        "Works in the evening.",
        str(asking.first.staff.id),
        str(asking.second.staff.id),
    )
    assert (await asking.second.get(f"/clients/{client}")).status_code == 404, "not theirs yet"

    taken = await accept(asking.second, offer["id"], key="yes-1")

    assert taken.status_code == 204, taken.text
    assert (await accept(asking.second, offer["id"], key="yes-1")).status_code == 204
    assert (await accept(asking.second, offer["id"])).status_code == 409
    assert await caseloads(asking.first, asking.second) == [[], [client]]
    assert await waiting(asking) == await offered(asking.second) == []
    again = await asking.supervisor.post(f"/clients/{client}/handovers", said, key=key)
    assert again.json() == made.json(), "a retry gets the first answer"
    await never_alone(asking, [client])


async def test_of_a_restricted_client_who_does_not_name_them_a_counsellor_learns_that_one_waits_and_whom_to_ask(
    asking: House,
) -> None:
    client = await asking.admitted()
    officer = await asking.clinic.person((Role.PRIVACY_OFFICER, None))
    names = [str(each.staff.id) for each in (asking.first, asking.supervisor)]
    body = {"kind": "colleague", "reason": "Works here.", "staff": names}
    restricted = await officer.post(f"/clients/{client}/restrictions", body)
    assert restricted.status_code == 201, restricted.text
    said = {"to": str(asking.second.staff.id), "note": "Ada works at the pharmacy."}
    made = await asking.supervisor.post(f"/clients/{client}/handovers", said)
    assert (made.status_code, made.json()["waits"]) == (201, True), made.text

    answer = await asking.second.get("/caseload/offers")

    [offer] = answer.json()["items"]
    hidden = {each: offer[each] for each in ("client_id", "given_name", "family_name", "birth_date", "note")}
    assert hidden == dict.fromkeys(hidden)
    assert (offer["id"], offer["offered_by"]) == (made.json()["id"], str(asking.supervisor.staff.id))
    [shown] = await waiting(asking)
    assert (shown["client_id"], shown["note"]) == (client, said["note"])

    path = f"/restrictions/{restricted.json()['id']}/staff"
    assert (await officer.post(path, {"staff_id": str(asking.second.staff.id)})).status_code == 201
    assert await offered(asking.second) == [shown]
    assert (await accept(asking.second, offer["id"])).status_code == 204


async def test_what_is_accepted_before_its_moment_is_planned_for_it(asking: House) -> None:
    client = await asking.admitted()
    made = await asking.hand_over(client, asking.second, days=7)

    assert (await accept(asking.second, made.json()["id"])).status_code == 204

    assert await caseloads(asking.first, asking.second) == [[client], []]
    periods = (await asking.supervisor.get(f"/clients/{client}/handovers")).json()["items"]
    assert [each["is_planned"] for each in periods] == [True, False]
    assert periods[0]["since"] == made.json()["since"]
    await never_alone(asking, [client])


async def test_what_is_declined_says_why_and_leaves_everything_as_it_is(asking: House) -> None:
    client = await asking.admitted()
    offer = (await asking.hand_over(client, asking.second)).json()["id"]

    silent = await asking.second.post(f"/caseload/offers/{offer}/refusal", {"reason": " "})
    said = await asking.second.post(f"/caseload/offers/{offer}/refusal", {"reason": "We are related."}, key="no-1")

    assert (silent.status_code, said.status_code) == (422, 204)
    again = await asking.second.post(f"/caseload/offers/{offer}/refusal", {"reason": "We are related."}, key="no-1")
    assert again.status_code == 204
    assert (await accept(asking.second, offer)).status_code == 409
    assert (await asking.second.post(f"/caseload/offers/{offer}/refusal", {"reason": "No."})).status_code == 409
    assert await waiting(asking) == []
    assert await caseloads(asking.first, asking.second) == [[client], []]


async def test_only_who_is_asked_may_answer_and_only_who_hands_over_may_withdraw(asking: House) -> None:
    client = await asking.admitted()
    offer = (await asking.hand_over(client, asking.second)).json()["id"]
    stranger = await asking.clinic.person((Role.SUPERVISOR, await asking.clinic.programme()))

    assert (await accept(asking.first, offer)).status_code == 404
    assert (await asking.first.post(f"/caseload/offers/{offer}/refusal", {"reason": "No."})).status_code == 404
    assert (await accept(asking.supervisor, offer)).status_code == 403
    path = f"/caseload/handovers/waiting/{offer}/withdrawal"
    assert (await stranger.post(path)).status_code == 404
    assert (await stranger.get(f"/caseload/handovers/waiting?programme={asking.programme}")).status_code == 403
    assert [(await asking.supervisor.post(path, key="back-1")).status_code for _ in range(2)] == [204, 204]
    assert (await asking.supervisor.post(path)).status_code == 409
    assert (await accept(asking.second, offer)).status_code == 409
    assert await on_caseload(asking.first) == [client]


async def test_another_handover_takes_the_place_of_one_that_waits(asking: House) -> None:
    third = await asking.clinic.person((Role.COUNSELLOR, asking.programme))
    client = await asking.admitted()
    first = (await asking.hand_over(client, asking.second)).json()["id"]

    second = (await asking.hand_over(client, third)).json()["id"]

    assert await offered(asking.second) == []
    assert [each["id"] for each in await waiting(asking)] == [second]
    assert (await accept(asking.second, first)).status_code == 409
    without = await asking.supervisor.post(
        f"/clients/{client}/handovers", {"to": str(asking.second.staff.id), "at_once": True}
    )
    at_once = await asking.supervisor.post(
        f"/clients/{client}/handovers",
        {"to": str(asking.second.staff.id), "at_once": True, "note": "Left today; nobody can be reached."},
    )
    assert [each["field"] for each in without.json()["errors"]] == ["note"]
    assert (at_once.status_code, at_once.json()["waits"]) == (201, False)
    assert await waiting(asking) == []
    assert (await accept(third, second)).status_code == 409
    assert await on_caseload(asking.second) == [client]


async def test_whoever_hands_over_to_themselves_is_not_asked(asking: House) -> None:
    both = await asking.clinic.person((Role.SUPERVISOR, asking.programme), (Role.COUNSELLOR, asking.programme))
    client, other = await asking.admitted(), await asking.admitted()

    made = await both.post(f"/clients/{client}/handovers", {"to": str(both.staff.id)})
    many = await hand_over(asking, both, by=both, clients=[other])

    assert made.json()["waits"] is False
    assert [each["waits"] for each in many.json()["items"]] == [False]
    assert (await caseloads(both))[0] == sorted([client, other])


async def test_many_wait_and_are_answered_one_by_one(asking: House) -> None:
    clients = sorted([await asking.admitted() for _ in range(3)])
    await asking.hand_over(clients[0], asking.second)
    said: dict[str, Any] = {"of": str(asking.first.staff.id), "key": "call-9"}

    made = await hand_over(asking, asking.second, **said)

    assert made.status_code == 201, made.text
    items = made.json()["items"]
    assert [(each["client_id"], each["waits"]) for each in items] == [(client, True) for client in clients]
    assert (await accept(asking.second, items[0]["handover_id"])).status_code == 204
    assert [each["client_id"] for each in await waiting(asking)] == clients[1:]
    assert await caseloads(asking.first, asking.second) == [clients[1:], clients[:1]]
    assert (await hand_over(asking, asking.second, **said)).json() == made.json()
    await never_alone(asking, clients)
    at_once = await hand_over(asking, asking.second, of=str(asking.first.staff.id), at_once=True, note="Left today.")
    assert [each["waits"] for each in at_once.json()["items"]] == [False, False]
    assert await waiting(asking) == []
    silent = await hand_over(asking, asking.first, clients=clients, at_once=True)
    assert [each["field"] for each in silent.json()["errors"]] == ["note"]


async def test_of_a_whole_caseload_nothing_may_be_planned_where_handovers_wait(house: House) -> None:
    third = await house.clinic.person((Role.COUNSELLOR, house.programme))
    client = await house.admitted(to=third)
    assert (await house.hand_over(client, house.first, days=5)).status_code == 201
    assert await wait(house) == 204

    refused = await hand_over(house, house.second, of=str(house.first.staff.id))

    assert [each["field"] for each in refused.json()["errors"]] == ["of"]
    assert await waiting(house) == []


async def test_a_discharge_ends_what_waits(asking: House) -> None:
    client = await asking.admitted()
    offer = (await asking.hand_over(client, asking.second)).json()["id"]

    assert (await asking.supervisor.post(f"/clients/{client}/discharge", {"reason": "completed"})).status_code == 201

    assert await waiting(asking) == await offered(asking.second) == []
    assert (await accept(asking.second, offer)).status_code == 409


async def test_whose_role_has_ended_cannot_accept(asking: House) -> None:
    somebody, grant = await temporary(asking)
    async with asking.clinic.service.engine.begin() as connection:
        await people.grant(
            connection, to=somebody.staff.id, role=Role.COUNSELLOR, programme=await asking.clinic.programme()
        )
    client = await asking.admitted()
    later = (await asking.hand_over(client, somebody, days=29)).json()["id"]
    await by_owner(asking, "update clinic.role_grant set ends_at = now() + interval '20 days' where id = $1", grant)
    assert (await accept(somebody, later)).status_code == 409
    await by_owner(asking, ENDED, grant)
    assert (await accept(somebody, later)).status_code == 403
    assert await offered(somebody) == []
    assert len(await waiting(asking)) == 1, "the supervisor sees that nobody answers"


async def test_of_two_who_change_it_at_once_one_does(asking: House, counts: Counts) -> None:
    for place in range(counts(4, full=40)):
        client = await asking.admitted()
        offer = (await asking.hand_over(client, asking.second)).json()["id"]
        by, path, body = (
            (asking.supervisor, f"/caseload/handovers/waiting/{offer}/withdrawal", None),
            (asking.supervisor, f"/clients/{client}/discharge", {"reason": "completed"}),
            (asking.second, f"/caseload/offers/{offer}/acceptance", None),
            (asking.second, f"/caseload/offers/{offer}/refusal", {"reason": "No time."}),
        )[place % 4]
        both = await asyncio.gather(accept(asking.second, offer), by.post(path, body))
        codes = [each.status_code for each in both]
        assert codes in ([204, 409], [409, 204], [409, 201], [204, 201]), [each.text for each in both]
        if codes[1] != 201:
            await never_alone(asking, [client])


async def test_the_terms_are_said_in_versions_by_who_hands_over_there(house: House) -> None:
    stranger = await house.clinic.person((Role.SUPERVISOR, await house.clinic.programme()))
    said = {"programme_id": str(house.programme), "handovers_wait": True, "reason": "x"}

    assert (await stranger.post("/caseload/terms", said)).status_code == 403
    assert await wait(house, reason=" ") == 422
    assert await wait(house, reason="x" * 501) == 422
    assert await wait(house, reason="x" * 500) == 204
    assert await wait(house, wanted=False) == 204
    client = await house.admitted()
    assert (await house.hand_over(client, house.second)).json()["waits"] is False
    both = await asyncio.gather(*[wait(house) for _ in range(4)])
    assert set(both) <= {204, 409}
    assert 204 in both


async def test_what_waits_comes_in_pages(asking: House) -> None:
    made = [(await asking.hand_over(await asking.admitted(), asking.second)).json()["id"] for _ in range(3)]
    for person, path in (
        (asking.second, "/caseload/offers?limit=2"),
        (asking.supervisor, f"/caseload/handovers/waiting?programme={asking.programme}&limit=2"),
    ):
        first = (await person.get(path)).json()
        second = (await person.get(f"{path}&after={first['next']}")).json()
        assert [each["id"] for each in (*first["items"], *second["items"])] == made
        assert second["next"] is None
