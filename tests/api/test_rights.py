"""What clients ask for about their own record, over HTTP: taken, put off, answered, and which of them are due."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from caseload.api.rights import requests
from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.factories.sequenced import sequenced

pytestmark = pytest.mark.anyio

DISPUTED = {"ground": "accurate_and_complete", "disputed": ["medication"]}


@dataclass(frozen=True)
class Office:
    """A client who asks, the desk that takes it, and the privacy officer who answers."""

    clinic: Clinic
    client: str
    nurse: Person
    desk: Person
    officer: Person
    stranger: Person

    def body(self, kind: str = "record_copy", *, days_ago: int = 0, **changes: Any) -> dict[str, Any]:
        received = self.clinic.service.clock() - timedelta(days=days_ago)
        return {
            "kind": kind,
            "says": "I would like all of it.",
            "received_at": received.isoformat(),
            "check": {"method": "in_person"},
            **changes,
        }

    async def taken(self, kind: str = "record_copy", **changes: Any) -> dict[str, Any]:
        made = await self.desk.post(f"/clients/{self.client}/rights-requests", self.body(kind, **changes))
        assert made.status_code == 201, made.text
        return made.json()

    async def answered(self, request: dict[str, Any], **body: Any) -> Any:
        return await self.officer.post(f"/rights-requests/{request['id']}/answer", {"says": "By letter.", **body})


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    here, elsewhere = await clinic.programme(profile="US", time_zone="America/Phoenix"), await clinic.programme()
    nurse = await clinic.person((Role.NURSE, here))
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    made = await nurse.post("/clients", {"programme_id": str(here), "identity": identity})
    assert made.status_code == 201, made.text
    return Office(
        clinic,
        made.json()["id"],
        nurse,
        await clinic.person((Role.FRONT_DESK, here)),
        await clinic.person((Role.PRIVACY_OFFICER, here)),
        await clinic.person((Role.PRIVACY_OFFICER, elsewhere)),
    )


async def test_a_request_is_taken_at_the_desk_and_has_a_last_day(office: Office) -> None:
    made = await office.taken(days_ago=3)
    assert made["rule"] == "US-1/us.rights.record_copy"
    assert made["last_day_on"] > made["received_on"]
    read = await office.officer.get(f"/rights-requests/{made['id']}")
    assert read.json() == made
    listed = (await office.officer.get(f"/clients/{office.client}/rights-requests")).json()["items"]
    assert [each["id"] for each in listed] == [made["id"]]


async def test_a_retry_at_the_desk_takes_one_request(office: Office) -> None:
    body, key = office.body(), uuid4().hex
    first, again = [
        await office.desk.post(f"/clients/{office.client}/rights-requests", body, key=key) for _ in range(2)
    ]
    assert (first.status_code, again.json()) == (201, first.json())


async def test_who_is_out_of_reach_learns_nothing_of_it(office: Office) -> None:
    made = await office.taken()
    asked = [
        await office.stranger.get(f"/rights-requests/{made['id']}"),
        await office.stranger.get(f"/clients/{office.client}/rights-requests"),
        await office.stranger.post(f"/clients/{office.client}/rights-requests", office.body()),
        await office.stranger.post(
            f"/rights-requests/{made['id']}/answer", {"outcome": "withdrawn", "says": "No more."}
        ),
        await office.stranger.post(
            f"/rights-requests/{made['id']}/put-off", {"reason": "Paper.", "told_on": "2026-01-01"}
        ),
    ]
    assert [each.status_code for each in asked] == [404] * 5
    due = (await office.stranger.get("/rights-requests/due")).json()
    assert office.client not in {each["client_id"] for each in due["items"]}


async def test_the_list_of_what_is_due_counts_what_is_overdue(office: Office) -> None:
    late, soon = await office.taken(days_ago=31), await office.taken("confidential_contact")
    due = (await office.officer.get("/rights-requests/due")).json()
    assert [(each["id"], each["days_left"]) for each in due["items"]] == [(late["id"], -1), (soon["id"], 7)]
    assert (due["overdue"], due["there_are_more"]) == (1, False)
    assert "says" not in due["items"][0]
    assert (await office.answered(soon, outcome="granted", contact={"allowed": []})).status_code == 201
    left = (await office.officer.get("/rights-requests/due")).json()["items"]
    assert [each["id"] for each in left] == [late["id"]]


async def test_the_list_of_what_is_due_says_when_it_stops(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        await office.taken()
    monkeypatch.setattr(requests, "MOST", 1)
    due = (await office.officer.get("/rights-requests/due")).json()
    assert (len(due["items"]), due["there_are_more"]) == (1, True)


async def test_it_is_put_off_once_with_notice(office: Office) -> None:
    made = await office.taken(days_ago=2)
    path, body = f"/rights-requests/{made['id']}/put-off", {"reason": "Paper.", "told_on": made["received_on"]}
    later = await office.officer.post(path, body)
    assert later.status_code == 201, later.text
    assert later.json()["last_day_on"] == later.json()["put_off"]["until_on"] > made["last_day_on"]
    assert (await office.officer.post(path, body)).status_code == 409
    over = await office.taken(days_ago=31)
    refused = await office.officer.post(
        f"/rights-requests/{over['id']}/put-off", {"reason": "Paper.", "told_on": over["received_on"]}
    )
    assert refused.status_code == 409


async def test_two_officers_at_once_give_one_answer(office: Office) -> None:
    made = await office.taken("restriction")
    both = await asyncio.gather(
        office.answered(made, outcome="granted", restricts={"categories": ["attendance"]}),
        office.answered(made, outcome="denied", ground="not_agreed"),
    )
    assert sorted(each.status_code for each in both) == [201, 409]


async def test_a_denial_names_a_rule_and_what_was_paid_for_is_agreed_to(office: Office) -> None:
    asked = await office.taken("amendment")
    wrong = await office.answered(asked, outcome="denied", ground="not_agreed")
    assert wrong.status_code == 422
    denied = (await office.answered(asked, outcome="denied", **DISPUTED)).json()
    assert denied["answer"]["rule"] == "US-1/us.deny.accurate_and_complete"
    paid = await office.taken("restriction", is_self_paid=True)
    refused = await office.answered(paid, outcome="denied", ground="not_agreed")
    assert refused.status_code == 409
    assert "164.522" in refused.json()["detail"]


async def test_a_client_disagrees_with_a_denied_amendment_and_the_programme_replies_once(office: Office) -> None:
    asked = await office.taken("amendment")
    path = f"/rights-requests/{asked['id']}/statements"

    async def said(side: str) -> Any:
        return await office.officer.post(path, {"side": side, "says": f" A {side}. "})

    assert (await said("disagreement")).status_code == 409
    assert (await office.answered(asked, outcome="denied", **DISPUTED)).status_code == 201
    assert [(await said(side)).status_code for side in ("rebuttal", "disagreement", "rebuttal")] == [409, 201, 201]
    assert (await said("disagreement")).status_code == 409
    assert (await office.stranger.post(path, {"side": "rebuttal", "says": "No."})).status_code == 404
    read = (await office.officer.get(f"/rights-requests/{asked['id']}")).json()
    assert [(each["side"], each["says"]) for each in read["statements"]] == [
        ("disagreement", "A disagreement."),
        ("rebuttal", "A rebuttal."),
    ]


async def test_a_report_of_accesses_is_granted_once_it_was_released(office: Office) -> None:
    asked = await office.taken("access_report")
    assert (await office.answered(asked, outcome="granted")).status_code == 409
    owner = await asyncpg.connect(office.clinic.addresses.owner)
    await sequenced(owner)
    await owner.close()
    report = (await office.officer.post(f"/clients/{office.client}/access-reports", {})).json()["id"]
    assert (await office.officer.post(f"/access-reports/{report}/release")).status_code == 201
    assert (await office.answered(asked, outcome="granted")).status_code == 201


async def test_who_asks_for_the_client_must_be_their_representative(office: Office) -> None:
    path = f"/clients/{office.client}/rights-requests"
    around = f"/clients/{office.client}/related-people"
    authority = {
        "kind": "legal_representative",
        "first_day": "2020-03-01",
        "evidence": "Order of 3 March, in the safe.",
    }
    asked: dict[str, int] = {}
    for name, involvement in {
        "partner": {"kind": "care_partner", "first_day": "2020-03-01"},
        "former guardian": {**authority, "last_day": "2021-03-01"},
        "guardian": authority,
    }.items():
        person = {"name": name, "relationship": "guardian", "involvements": [involvement]}
        made = await office.nurse.post(around, person)
        assert made.status_code == 201, made.text
        answer = await office.nurse.post(path, office.body(representative_id=made.json()["id"]))
        asked[name] = answer.status_code
    assert asked == {"partner": 422, "former guardian": 422, "guardian": 201}


async def test_the_privacy_officer_is_told_at_the_door_what_waits_for_an_answer(office: Office) -> None:
    before = (await office.officer.get("/me")).json()["to_answer"]
    soon = await office.taken("confidential_contact")
    await office.taken(days_ago=31)
    me = (await office.officer.get("/me")).json()
    assert me["to_answer"] == {"waiting": before["waiting"] + 2, "overdue": before["overdue"] + 1}
    assert office.client not in str(me)
    assert (await office.answered(soon, outcome="granted", contact={"allowed": []})).status_code == 201
    left = (await office.officer.get("/me")).json()["to_answer"]
    assert left == {"waiting": before["waiting"] + 1, "overdue": before["overdue"] + 1}
    assert (await office.nurse.get("/me")).json()["to_answer"] is None
