"""An accounting of disclosures for a client's request: granted when one was made for it, and given as it was made."""

import asyncio
import hashlib
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from caseload.api.disclosure.printing import printed
from caseload.domain.access import Role
from tests.api.conftest import Clinic, Person
from tests.api.test_rights import Office

pytestmark = pytest.mark.anyio

REPORT = {
    "recipient": {"name": "The police"},
    "name": "Officer Bell, county police",
    "categories": ["presence"],
    "manner": "spoken",
    "ground": "crime_on_premises",
    "stated": {"crime": "A theft.", "where": "At the desk.", "authority": "Police"},
    "check": {"method": "document", "detail": "Badge"},
}


@pytest.fixture
async def office(clinic: Clinic) -> Office:
    here = await clinic.programme(profile="US", time_zone="America/Phoenix")
    nurse = await clinic.person((Role.NURSE, here))
    identity = {"given_name": "Ada", "family_name": uuid4().hex, "birth_date": "1984-02-29"}
    registered = await nurse.post("/clients", {"programme_id": str(here), "identity": identity})
    assert registered.status_code == 201, registered.text
    people = [
        await clinic.person((role, programme))
        for role, programme in (
            (Role.FRONT_DESK, here),
            (Role.PRIVACY_OFFICER, here),
            (Role.PRIVACY_OFFICER, await clinic.programme()),
        )
    ]
    return Office(clinic, registered.json()["id"], nurse, *people)


async def reported(office: Office) -> dict[str, Any]:
    told = await office.nurse.post(f"/clients/{office.client}/disclosures", REPORT)
    assert told.status_code == 201, told.text
    return told.json()


async def make(office: Office, request: dict[str, Any], definition: str = "hipaa", *, by: Person | None = None) -> Any:
    path = f"/rights-requests/{request['id']}/accountings"
    return await (by or office.officer).post(path, {"definition": definition})


async def test_a_request_for_an_accounting_is_granted_once_one_was_made_for_it(office: Office) -> None:
    told, asked = await reported(office), await office.taken("accounting")
    looked = await office.officer.get(f"/clients/{office.client}/disclosure-accountings/hipaa")
    assert looked.status_code == 200, "to look at one is not to make it for the client"
    refused = await office.answered(asked, outcome="granted")
    assert (refused.status_code, refused.json()["title"]) == (409, "What this answer says has not been done.")
    assert "accounting" in refused.json()["detail"]

    made = await make(office, asked)

    assert made.status_code == 201, made.text
    fact = made.json()
    assert (fact["request_id"], fact["client_id"], fact["definition"]) == (asked["id"], office.client, "hipaa")
    assert (fact["rule"], fact["lines"], fact["made_by"]) == ("45 CFR 164.528", 1, str(office.officer.staff.id))
    file = await office.officer.get(f"/rights-accountings/{fact['id']}/file")
    assert hashlib.sha256(file.content).hexdigest() == fact["sha256"]
    assert [line["id"] for line in file.json()["lines"]] == [told["id"]]
    printed = await office.officer.get(f"/rights-accountings/{fact['id']}/file", params={"format": "pdf"})
    assert printed.content.startswith(b"%PDF-")
    in_part = await office.answered(asked, outcome="granted_in_part")
    assert [each["field"] for each in in_part.json()["errors"]] == ["outcome"], "nothing of it was withheld"
    assert (await office.answered(asked, outcome="granted")).status_code == 201


async def restrict(office: Office) -> None:
    """To the nurse's colleague alone: neither the nurse nor the officer is named."""
    named = await office.clinic.person((Role.COUNSELLOR, office.nurse.staff.holdings[0].programme))
    body = {"kind": "colleague", "reason": "Works at another site.", "staff": [str(named.staff.id)]}
    made = await office.officer.post(f"/clients/{office.client}/restrictions", body)
    assert made.status_code == 201, made.text


@pytest.mark.parametrize("definition", ["hipaa", "part2"])
async def test_a_restricted_clients_accounting_says_what_anybody_elses_does(office: Office, definition: str) -> None:
    await reported(office)
    asked = await office.taken("accounting")
    direct = f"/clients/{office.client}/disclosure-accountings/{definition}"
    before, open_to_all = (await make(office, asked, definition)).json(), (await office.officer.get(direct)).json()
    assert before["lines"] + before["left_out"] == 1

    await restrict(office)

    made = await make(office, asked, definition)
    assert made.status_code == 201, made.text
    assert [made.json()[each] for each in ("lines", "left_out")] == [before[each] for each in ("lines", "left_out")]
    files = [await office.officer.get(f"/rights-accountings/{each}/file") for each in (before["id"], made.json()["id"])]
    first, second = [each.json() for each in files]
    assert second == {**first, "as_of": second["as_of"]}
    looked = await office.officer.get(direct)
    assert (looked.status_code, looked.json()["lines"]) == (200, open_to_all["lines"])
    assert looked.json()["left_out"] == open_to_all["left_out"]
    assert (await office.stranger.get(direct)).status_code == 404
    assert (await office.answered(asked, outcome="granted")).status_code == 201


async def test_an_accounting_counts_for_the_request_for_which_it_was_made_and_for_no_other(office: Office) -> None:
    first, second = await office.taken("accounting"), await office.taken("accounting")
    copy = await office.taken("record_copy")
    assert (await make(office, first)).status_code == 201
    assert (await office.answered(second, outcome="granted")).status_code == 409
    assert (await office.answered(second, outcome="withdrawn")).status_code == 201, "what is not granted needs none"
    wrong = await make(office, copy)
    assert (wrong.status_code, wrong.json()["title"]) == (
        409,
        "This request asks for something else than an accounting of disclosures.",
    )
    assert (await make(office, second)).json()["title"] == "This request has been answered."


async def test_what_was_given_stays_as_it_was_made_whatever_is_told_later(office: Office) -> None:
    asked = await office.taken("accounting")
    before = (await make(office, asked)).json()
    await reported(office)
    after = (await make(office, asked)).json()

    listed = (await office.officer.get(f"/rights-requests/{asked['id']}/accountings")).json()["items"]
    assert listed == [after, before]
    assert [each["lines"] for each in listed] == [1, 0]
    files = [await office.officer.get(f"/rights-accountings/{each['id']}/file") for each in listed]
    assert [hashlib.sha256(file.content).hexdigest() for file in files] == [each["sha256"] for each in listed]


async def test_a_retry_makes_one_accounting(office: Office) -> None:
    asked, key = await office.taken("accounting"), uuid4().hex
    path = f"/rights-requests/{asked['id']}/accountings"
    first, again = [await office.officer.post(path, {"definition": "part2"}, key=key) for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    assert len((await office.officer.get(path)).json()["items"]) == 1


async def test_two_officers_at_once_grant_it_once_and_nothing_is_made_after_the_answer(
    clinic: Clinic, office: Office
) -> None:
    asked = await office.taken("accounting")
    assert (await make(office, asked)).status_code == 201
    colleague = await clinic.person((Role.PRIVACY_OFFICER, None))
    body = {"outcome": "granted", "says": "By letter."}
    answer = f"/rights-requests/{asked['id']}/answer"

    one, other, another = await asyncio.gather(
        office.officer.post(answer, body), colleague.post(answer, body), make(office, asked, by=colleague)
    )

    assert sorted(each.status_code for each in (one, other)) == [201, 409]
    assert another.status_code in {201, 409}, another.text
    made = (await office.officer.get(f"/rights-requests/{asked['id']}/accountings")).json()["items"]
    assert len(made) == 1 + (another.status_code == 201)


async def test_who_is_out_of_reach_or_not_the_privacy_officer_makes_and_reads_none(office: Office) -> None:
    asked = await office.taken("accounting")
    made = (await make(office, asked)).json()
    path = f"/rights-requests/{asked['id']}/accountings"
    for person, status in ((office.stranger, 404), (office.nurse, 403)):
        answers = [
            await person.post(path, {"definition": "hipaa"}),
            await person.get(path),
            await person.get(f"/rights-accountings/{made['id']}/file"),
        ]
        assert [each.status_code for each in answers] == [status] * 3


def test_an_accounting_that_was_kept_with_fewer_or_other_fields_is_still_printed() -> None:
    """Every key but the bare ones may be missing in what was given years ago, and what we do not know is passed over."""
    line = {
        "day": "2026-11-01",
        "name": "A court",
        "categories": ["drug_screens"],
        "purpose": "public_duty",
        "rule": "R",
    }
    kept = {"rule": "R", "says": "S", "since": "2020-11-01", "as_of": "2026-11-02T03:04:00Z", "time_zone": "UTC"}
    paper = printed(msgspec.json.encode({**kept, "lines": [line], "something": "else"}))
    assert (paper["since"], paper["as_of"], paper["left_out"]) == ("2020-11-01", "2026-11-02 03:04 UTC", [])
    assert paper["lines"] == [{"day": "2026-11-01", "to": "A court", "what": "drug screens", "why": "public duty (R)"}]
    against = printed(msgspec.json.encode({**kept, "lines": [{**line, "facility": "County", "was_allowed": False}]}))
    assert against["lines"][0]["to"] == "A court, County"
    assert against["lines"][0]["why"] == "public duty (R); nothing allowed it"
