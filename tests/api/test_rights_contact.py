"""A confidential contact (45 CFR 164.522(b)), over HTTP: agreed to, obeyed wherever a client is reached, narrowed, replaced, given up."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ClientId
from tests.api.conftest import Clinic, Person
from tests.api.house import House, open_house
from tests.api.test_outreach import climb, overdue_client, say, tasks, why

pytestmark = pytest.mark.anyio

BOX: Mapping[str, Any] = {"allowed": ["text", "post"], "telephone": "555 0177", "address": "PO Box 9"}


@dataclass(frozen=True)
class Desk:
    """A house with somebody who takes requests and somebody who answers them."""

    house: House
    front: Person
    officer: Person

    async def asked(self, client: ClientId, kind: str = "confidential_contact") -> dict[str, Any]:
        body = {
            "kind": kind,
            "says": "Not at home: he opens my letters.",
            "received_at": self.house.clinic.service.clock().isoformat(),
            "check": {"method": "in_person"},
        }
        made = await self.front.post(f"/clients/{client}/rights-requests", body)
        assert made.status_code == 201, made.text
        return made.json()

    async def answered(self, request: Mapping[str, Any], **body: Any) -> Any:
        given = {"outcome": "granted", "says": "Told at the desk.", **body}
        return await self.officer.post(f"/rights-requests/{request['id']}/answer", given)

    async def agreed(self, client: ClientId, **to: Any) -> dict[str, Any]:
        made = await self.answered(await self.asked(client), contact={**(to or BOX)})
        assert made.status_code == 201, made.text
        return made.json()

    async def contact(self, client: ClientId) -> dict[str, Any]:
        return (await self.house.robin.get(f"/clients/{client}/contact")).json()


@pytest.fixture
async def desk(clinic: Clinic) -> Desk:
    house = await open_house(clinic)
    return Desk(
        house,
        await clinic.person((Role.FRONT_DESK, house.programme)),
        await clinic.person((Role.PRIVACY_OFFICER, house.programme)),
    )


async def test_what_is_agreed_is_how_the_client_is_reached_from_then_on(desk: Desk) -> None:
    client = (await desk.house.client()).id
    assert (await say(desk.house, client)).status_code == 200
    asked = await desk.asked(client)
    assert asked["reach_by"]["telephone"] == "555 0100"

    for wrong in ({}, {"contact": {"allowed": ["post"]}}):
        assert (await desk.answered(asked, **wrong)).status_code == 422
    granted = await desk.answered(asked, contact=BOX)
    assert granted.status_code == 201, granted.text

    now = await desk.contact(client)
    assert (now["version"], now["allowed"], now["is_agreed"]) == (2, ["post", "text"], True)
    assert (now["telephone"], now["address"]) == ("555 0177", "PO Box 9")
    ways = granted.json()["reach_by"]
    assert (ways["by"], ways["address"], ways["is_agreed"]) == (["text", "post"], "PO Box 9", True)
    listed = (await desk.officer.get(f"/clients/{client}/rights-requests")).json()["items"][0]
    assert listed["reach_by"] == ways
    assert listed["contact"]["to"]["address"] == "PO Box 9"
    [newest, before] = (await desk.house.robin.get(f"/clients/{client}/contact/versions")).json()["items"]
    assert (newest["agreed_in"], before["agreed_in"]) == (asked["id"], None)
    assert before["telephone"] == "555 0100", "what was said before stays readable"


async def test_what_is_not_allowed_is_not_shown_for_use(desk: Desk) -> None:
    client = (await desk.house.client()).id

    kept = await say(desk.house, client, allowed=["text"])

    assert (kept.json()["telephone"], kept.json()["address"]) == ("555 0100", None)
    assert (await desk.contact(client)) == kept.json()


async def test_nobody_widens_what_was_agreed_and_everybody_may_narrow_it(desk: Desk) -> None:
    client = (await desk.house.client()).id
    await desk.agreed(client)

    for wider in (
        {"allowed": ["text", "post", "visit"]},
        {"allowed": ["text"], "telephone": "555 0100"},
        {"allowed": ["post"], "address": "1 Example Street", "telephone": None},
    ):
        changes: dict[str, Any] = {**BOX, **wider}
        refused = await say(desk.house, client, version=1, reason="They rang.", **changes)
        assert refused.status_code == 409, refused.text
        assert "confidential_contact" in refused.json()["detail"]
    less = await desk.front.put(
        f"/clients/{client}/contact",
        {"allowed": ["post"], "address": "PO Box 9", "reason": "No texts."},
        headers={"If-Match": '"1"'},
    )

    assert less.status_code == 200, less.text
    assert (less.json()["allowed"], less.json()["telephone"]) == (["post"], None)


async def test_the_ladder_goes_no_other_way_and_says_that_it_was_agreed(desk: Desk) -> None:
    client, check_in = await overdue_client(desk.house)
    await desk.agreed(client, allowed=["post"], address="PO Box 9")

    await climb(desk.house)
    ladder = (await why(desk.house, check_in))["ladder"]

    [step] = ladder["taken"]
    assert (step["step"], step["skipped"]) == ("same_day", "no_allowed_channel")
    assert (ladder["reach_by"]["by"], ladder["reach_by"]["telephone"]) == (["post"], None)
    assert ladder["reach_by"]["address"] == "PO Box 9"


async def test_a_task_of_the_ladder_says_to_use_no_other_number_on_file(desk: Desk) -> None:
    client, _ = await overdue_client(desk.house)
    await desk.agreed(client, allowed=["text"], telephone="555 0177")

    await climb(desk.house)

    [task] = await tasks(desk.house)
    assert "Allowed: text. It was agreed" in task["says"]
    assert "0177" not in task["says"], "the number is read when it is needed"


async def test_check_ins_are_not_planned_beside_what_was_agreed_and_show_how_the_client_is_reached(desk: Desk) -> None:
    client = await desk.house.client()
    await desk.agreed(client.id)
    today = desk.house.clinic.service.clock().date().isoformat()
    terms = {"starts_on": today, "every": 1, "unit": "weeks", "weekday": "monday", "at": "10:00"}
    path = f"/clients/{client.id}/check-in-plans"

    refused = await desk.house.robin.post(path, {**terms, "mode": "telephone"})
    planned = await desk.house.robin.post(path, {**terms, "mode": "text"})

    assert (refused.status_code, planned.status_code) == (422, 201), (refused.text, planned.text)
    assert refused.json()["errors"][0]["field"] == "mode"
    changed = await desk.house.robin.put(
        f"/check-in-plans/{planned.json()['id']}",
        {**terms, "mode": "home_visit", "reason": "Closer."},
        headers={"If-Match": '"1"'},
    )
    assert changed.status_code == 422, changed.text
    [coming, *_] = (await desk.house.robin.get(f"/clients/{client.id}/check-ins")).json()["items"]
    read = (await desk.house.robin.get(f"/check-ins/{coming['id']}")).json()
    assert read["reach_by"]["by"] == ["text", "post"]


async def test_a_copy_of_the_record_is_posted_to_what_was_agreed_or_not_at_all(desk: Desk) -> None:
    client = (await desk.house.client()).id
    assert (await say(desk.house, client, allowed=["telephone"])).status_code == 200
    request = await desk.asked(client, "record_copy")
    copy = (await desk.officer.post(f"/rights-requests/{request['id']}/copies")).json()
    path = f"/record-copies/{copy['id']}"
    assert copy["reach_by"]["address"] is None
    posted = {"manner": "post", "detail": "Recorded delivery."}

    unasked = await desk.officer.post(f"{path}/release", posted)
    assert unasked.status_code == 409, "post is not among what they allow"
    await desk.agreed(client)
    electronic = await desk.officer.post(f"{path}/release", {**posted, "manner": "electronic"})
    assert electronic.status_code == 409, electronic.text
    waiting = (await desk.officer.get(f"{path}/entries", params={"waiting": True, "limit": 200})).json()["items"]
    if waiting:
        body = {"entries": [each["id"] for each in waiting], "note": "Theirs."}
        assert (await desk.officer.post(f"{path}/decisions", body)).status_code == 204
    released = await desk.officer.post(f"{path}/release", posted)

    assert released.status_code == 201, released.text
    assert released.json()["address"] == "PO Box 9"
    assert (await desk.officer.get(path)).json()["release"]["address"] == "PO Box 9"


async def test_an_accounting_says_where_the_client_is_reached_and_the_pdf_does_not(desk: Desk) -> None:
    client = (await desk.house.client()).id
    await desk.agreed(client)

    told = await desk.officer.get(f"/clients/{client}/disclosure-accountings/hipaa")

    assert told.json()["reach_by"]["address"] == "PO Box 9"
    file = await desk.officer.get(f"/clients/{client}/disclosure-accountings/hipaa", params={"format": "pdf"})
    assert file.status_code == 200
    printed, shown = (await desk.officer.get(f"/clients/{client}/accesses")).json()["items"][:2]
    assert [each["entry"]["event"] for each in (printed, shown)] == ["disclosure.accounted"] * 2
    assert set(shown["saw"]) - set(printed["saw"]) == {"contact"}


async def test_a_later_agreement_replaces_and_what_is_given_up_binds_nobody(desk: Desk) -> None:
    client = (await desk.house.client()).id
    first = await desk.agreed(client)
    second = await desk.agreed(client, allowed=[])
    assert (await desk.contact(client))["allowed"] == [], "face to face alone"

    read = (await desk.officer.get(f"/rights-requests/{first['id']}")).json()["contact"]
    assert (read["is_over"], read["ended_how"]) == (True, "replaced")
    end = f"/rights-requests/{second['id']}/contact-end"
    assert (await desk.officer.post(f"/rights-requests/{first['id']}/contact-end", {"says": "x"})).status_code == 409
    assert (await desk.officer.post(end, {"says": " "})).status_code == 422
    assert (await desk.front.post(end, {"says": "At home again."})).status_code == 403
    ended = await desk.officer.post(end, {"says": "At home again; in person."})
    assert ended.status_code == 201, ended.text
    assert (await desk.officer.post(end, {"says": "Again."})).status_code == 409

    ways = ended.json()["reach_by"]
    assert (ways["by"], ways["telephone"], ways["address"], ways["is_agreed"]) == ([], None, None, False)
    assert (await say(desk.house, client, version=2, reason="At home again.")).status_code == 200
    assert (await desk.contact(client))["telephone"] == "555 0100"


async def test_what_was_not_granted_agrees_to_nothing(desk: Desk) -> None:
    client = (await desk.house.client()).id
    asked = await desk.asked(client)

    assert (await desk.answered(asked, outcome="withdrawn", contact=BOX)).status_code == 422
    assert (await desk.answered(asked, outcome="withdrawn")).status_code == 201

    assert (await desk.contact(client))["version"] == 0
    end = await desk.officer.post(f"/rights-requests/{asked['id']}/contact-end", {"says": "x"})
    assert end.status_code == 409


async def test_whoever_writes_it_down_while_it_is_agreed_loses_or_is_overruled(desk: Desk) -> None:
    client = (await desk.house.client()).id
    asked = await desk.asked(client)

    said, agreed = await asyncio.gather(say(desk.house, client), desk.answered(asked, contact=BOX))
    if agreed.status_code != 201:
        assert agreed.status_code == 409, agreed.text
        agreed = await desk.answered(asked, contact=BOX)
        assert agreed.status_code == 201, agreed.text

    assert said.status_code in {200, 409, 412}
    assert (await desk.contact(client))["address"] == "PO Box 9"


async def test_what_was_agreed_to_be_heeded_is_heeded_whatever_is_said_later(desk: Desk) -> None:
    client = (await desk.house.client()).id
    await desk.agreed(client, **BOX, heed="Plain envelopes.")

    less: dict[str, Any] = {**BOX, "heed": None}
    assert (await say(desk.house, client, version=1, reason="The same.", **less)).status_code == 200
    assert (await desk.contact(client))["heed"] == "Plain envelopes."
    more: dict[str, Any] = {**BOX, "heed": "Not in August."}
    said = await say(desk.house, client, version=2, reason="Is away.", **more)

    assert said.json()["heed"] == (await desk.contact(client))["heed"] == "Plain envelopes.\nNot in August."
    again: dict[str, Any] = {**BOX, "heed": said.json()["heed"]}
    assert (await say(desk.house, client, version=3, reason="As it was read.", **again)).json()["heed"] == again["heed"]


async def test_writing_it_down_forgets_no_safety_warning(desk: Desk) -> None:
    client = (await desk.house.client()).id
    path = f"/clients/{client}/related-people"
    body = {"name": "Sam", "relationship": "partner", "in_household": True}
    person = (await desk.house.robin.post(path, body)).json()["id"]
    risk = {"kind": "domestic_risk", "note": "Has hurt them."}
    assert (await desk.house.robin.post(f"{path}/{person}/warnings", risk)).status_code == 201

    kept = (await say(desk.house, client)).json()

    assert (kept["closed"], kept["beware"]) == (["post"], "domestic_risk")
    assert await desk.contact(client) == kept


async def test_whoever_sees_no_contacts_is_not_shown_how_a_client_is_reached(desk: Desk) -> None:
    client, clinic, programme = (await desk.house.client()).id, desk.house.clinic, desk.house.programme
    agreed = await desk.agreed(client)
    pharmacist = await clinic.person((Role.PHARMACIST, programme))
    auditor = await clinic.person((Role.AUDITOR, None))
    elsewhere = await clinic.person((Role.AUDITOR, None), (Role.FRONT_DESK, await clinic.programme()))
    assert (await pharmacist.get(f"/clients/{client}/contact")).status_code == 403

    asks = {
        "kind": "access_report",
        "says": "Who looked?",
        "received_at": clinic.service.clock().isoformat(),
        "check": {"method": "in_person"},
    }
    taken = await pharmacist.post(f"/clients/{client}/rights-requests", asks)
    assert (taken.status_code, taken.json()["reach_by"]) == (201, None), taken.text
    for reader in (auditor, elsewhere):
        read = await reader.get(f"/rights-requests/{agreed['id']}")
        assert (read.status_code, read.json()["reach_by"]) == (200, None), read.text
        assert (read.json()["contact"]["to"], read.json()["contact"]["is_over"]) == (None, False)
        assert "PO Box 9" not in read.text
        listed = (await reader.get(f"/clients/{client}/rights-requests")).json()["items"]
        assert [each["reach_by"] for each in listed] == [None, None]
    for reader in (desk.officer, desk.front):
        made = await reader.post(f"/clients/{client}/rights-requests", asks)
        assert made.json()["reach_by"]["address"] == "PO Box 9"
