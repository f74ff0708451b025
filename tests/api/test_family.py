"""The people around a client over HTTP."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person

pytestmark = pytest.mark.anyio

MOTHER: dict[str, Any] = {
    "name": "Rosa Lindqvist",
    "relationship": "mother",
    "language": "pt-BR",
    "contact_by": ["text", "telephone"],
    "phone": "020 7946 0000",
}


@dataclass(frozen=True, slots=True)
class Chart:
    """A nurse and a client of one programme."""

    programme: ProgrammeId
    nurse: Person
    client: UUID

    @property
    def path(self) -> str:
        return f"/clients/{self.client}"


@pytest.fixture
async def chart(clinic: Clinic) -> Chart:
    programme = await clinic.programme()
    nurse = await clinic.person((Role.NURSE, programme))
    identity = {"given_name": "Ada", "family_name": f"Lindqvist {uuid4()}", "birth_date": "1984-02-29"}
    made = await nurse.post("/clients", {"programme_id": str(programme), "identity": identity})
    assert made.status_code == 201, made.text
    return Chart(programme, nurse, UUID(made.json()["id"]))


async def test_somebody_around_a_client_is_added_once_and_read_back(chart: Chart) -> None:
    key = str(uuid4())
    first = await chart.nurse.post(f"{chart.path}/related-people", MOTHER, key=key)
    assert (first.status_code, first.headers["etag"]) == (201, '"1"')
    again = await chart.nurse.post(f"{chart.path}/related-people", MOTHER, key=key)
    assert (again.status_code, again.json()) == (201, first.json())
    listed = await chart.nurse.get(f"{chart.path}/related-people")
    assert listed.json()["items"] == [first.json()]
    one = await chart.nurse.get(f"{chart.path}/related-people/{first.json()['id']}")
    assert one.json() == first.json()


async def test_a_change_names_the_version_it_saw(chart: Chart) -> None:
    person = (await chart.nurse.post(f"{chart.path}/related-people", MOTHER)).json()
    path, change = (
        f"{chart.path}/related-people/{person['id']}",
        {"person": {**MOTHER, "phone": None}, "reason": "moved"},
    )
    assert (await chart.nurse.put(path, change)).status_code == 428
    assert (await chart.nurse.put(path, change, headers={"If-Match": '"2"'})).status_code == 412
    changed = await chart.nurse.put(path, change, headers={"If-Match": '"1"'})
    assert (changed.status_code, changed.headers["etag"], changed.json()["phone"]) == (200, '"2"', None)
    assert (await chart.nurse.put(path, change, headers={"If-Match": '"1"'})).status_code == 412


async def test_every_fault_is_named_at_once(chart: Chart) -> None:
    order = {"kind": "legal_representative", "first_day": "2026-03-01", "last_day": "2026-02-28"}
    wrong = {"name": " ", "relationship": "guardian", "involvements": [order], "phone": "", "language": "x"}
    refused = await chart.nurse.post(f"{chart.path}/related-people", wrong)
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {
        "name",
        "phone",
        "language",
        "involvements.0.evidence",
        "involvements.0.last_day",
    }


async def added(chart: Chart, *involvements: dict[str, Any]) -> dict[str, Any]:
    made = await chart.nurse.post(f"{chart.path}/related-people", {**MOTHER, "involvements": list(involvements)})
    assert made.status_code == 201, made.text
    return made.json()


async def test_a_way_of_taking_part_begins_once_and_ends_with_a_reason(chart: Chart) -> None:
    mother = await added(chart)
    path, key = f"{chart.path}/related-people/{mother['id']}/involvements", str(uuid4())
    wanted = {"kind": "care_partner", "first_day": "2026-03-01", "last_day": "2040-03-01"}
    begun = await chart.nurse.post(path, wanted, key=key)
    assert (begun.status_code, (await chart.nurse.post(path, wanted, key=key)).json()) == (201, begun.json())
    [partner] = begun.json()["involvements"]
    assert (partner["runs"], partner["last_day"], partner["evidence"]) == (True, "2040-03-01", None)
    twice = await chart.nurse.post(path, wanted)
    assert (twice.status_code, twice.json()["title"]) == (
        409,
        "They take part in this way already on some of these days.",
    )
    end, key = {"reason": "She works nights now."}, str(uuid4())
    over = await chart.nurse.post(f"{path}/{partner['id']}/end", end, key=key)
    assert (over.status_code, over.json()["person"]["involvements"][0]["runs"]) == (201, False)
    assert over.json()["person"]["involvements"][0]["ended_because"] == "She works nights now."
    assert (await chart.nurse.post(f"{path}/{partner['id']}/end", end, key=key)).json() == over.json()
    assert (await chart.nurse.post(f"{path}/{partner['id']}/end", end)).status_code == 409
    assert (await chart.nurse.post(f"{path}/{uuid4()}/end", end)).status_code == 404


async def test_an_emergency_contact_who_is_removed_leaves_nothing_behind_unsaid(clinic: Clinic, chart: Chart) -> None:
    mother = await added(chart, {"kind": "emergency_contact"}, {"kind": "care_partner"})
    listed = (await chart.nurse.get(f"{chart.path}/related-people")).json()
    assert listed["is_without_emergency_contact"] is False
    signed = {
        "kind": "named",
        "form": "uk-named-2024-01",
        "discloser_id": str(chart.programme),
        "recipients": [{"person_id": mother["id"]}],
        "categories": ["emergency"],
        "purposes": ["emergency_contact"],
        "expiry": {"last_day": "2040-05-01"},
        "signature": {"signatory": "client", "name": "Ada", "signed_at": "2026-03-01T12:00:00Z"},
    }
    consent = (await chart.nurse.post(f"{chart.path}/consents", signed)).json()
    assert consent["no_longer_involved"] == []

    path, reason = f"{chart.path}/related-people/{mother['id']}", {"reason": "They do not speak any more."}
    gone = await chart.nurse.post(f"{path}/removal", reason)
    assert gone.status_code == 201, gone.text
    assert gone.json()["is_without_emergency_contact"] is True
    assert (gone.json()["names_them"], gone.json()["signed_by_them"]) == ([consent["id"]], [])
    listed = (await chart.nurse.get(f"{chart.path}/related-people")).json()
    assert (listed["is_without_emergency_contact"], [each["id"] for each in listed["items"]]) == (True, [mother["id"]])
    [after] = (await chart.nurse.get(f"{chart.path}/consents")).json()["items"]
    assert (after["standing"], after["no_longer_involved"]) == ("in_force", [mother["id"]])
    question = {
        "recipient": {"person_id": mother["id"]},
        "categories": ["emergency"],
        "purpose": "emergency_contact",
        "check": {"method": "in_person"},
    }
    answers = (await chart.nurse.post(f"{chart.path}/disclosure-questions", question)).json()
    assert (answers["items"][0]["allowed"], answers["no_longer_involved"]) == (True, [mother["id"]])
    desk = await clinic.person((Role.FRONT_DESK, chart.programme))
    assert (await desk.post(f"{chart.path}/disclosure-questions", question)).json()["no_longer_involved"] == []
    one = (await chart.nurse.get(f"{chart.path}/consents/{consent['id']}")).json()
    assert one["no_longer_involved"] == [mother["id"]]
    again = await chart.nurse.post(f"{path}/removal", reason)
    assert (again.status_code, again.json()["title"]) == (409, "They do not take part in any way.")


async def test_what_a_relative_says_is_recorded_without_consent_and_read_back(chart: Chart) -> None:
    mother = (await chart.nurse.post(f"{chart.path}/related-people", MOTHER)).json()
    key, said = str(uuid4()), {"text": "He sleeps badly.", "person_id": mother["id"], "confidential": True}
    first = await chart.nurse.post(f"{chart.path}/family-information", said, key=key)
    assert first.status_code == 201, first.text
    again = await chart.nurse.post(f"{chart.path}/family-information", said, key=key)
    assert again.json() == first.json()
    listed = await chart.nurse.get(f"{chart.path}/family-information")
    assert listed.json()["items"] == [first.json()]
    stranger = await chart.nurse.post(f"{chart.path}/family-information", {"text": "news", "person_id": str(uuid4())})
    assert stranger.status_code == 404


@pytest.mark.parametrize(("way", "said"), [("confidence", "confided"), ("withdrawal", "taken_back")])
async def test_what_was_told_is_mended_once_even_by_two_at_once_and_a_retry_is_told_the_same(
    chart: Chart, way: str, said: str
) -> None:
    told = (await chart.nurse.post(f"{chart.path}/family-information", {"text": "news", "source": "a caller"})).json()
    path, body, key = f"{chart.path}/family-information/{told['id']}/{way}", {"reason": "She asked."}, str(uuid4())
    assert (told["confidential"], told["confided"], told["taken_back"]) == (False, None, None)

    answers = await asyncio.gather(*(chart.nurse.post(path, body, key=each) for each in (key, str(uuid4()))))
    done = next(each for each in answers if each.status_code == 201)
    again = await chart.nurse.post(path, body, key=done.request.headers["Idempotency-Key"])

    assert sorted(each.status_code for each in answers) == [201, 409]
    assert (again.json(), again.json()["confidential"]) == (done.json(), way == "confidence")
    assert (done.json()[said]["reason"], done.json()[said]["recorded_by"]) == ("She asked.", str(chart.nurse.staff.id))
    assert (await chart.nurse.get(f"{chart.path}/family-information")).json()["items"] == [done.json()]
    nobody = await chart.nurse.post(f"{chart.path}/family-information/{uuid4()}/{way}", body)
    assert nobody.status_code == 404


async def test_families_are_hidden_from_whoever_has_no_part_in_them(clinic: Clinic, chart: Chart) -> None:
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    pharmacist = await clinic.person((Role.PHARMACIST, chart.programme))
    for path in (f"{chart.path}/related-people", f"{chart.path}/family-information"):
        assert (await elsewhere.get(path)).status_code == 404
        assert (await pharmacist.get(path)).status_code == 403
        assert (await clinic.client().get(f"/api/v1{path}")).status_code == 401


async def test_a_safety_warning_stops_the_answer_and_the_disclosure_until_it_is_lifted(
    clinic: Clinic, chart: Chart
) -> None:
    mother = await added(chart, {"kind": "care_partner"})
    signed = {
        "kind": "named",
        "form": "uk-named-2024-01",
        "discloser_id": str(chart.programme),
        "recipients": [{"person_id": mother["id"]}],
        "categories": ["attendance"],
        "purposes": ["family_involvement"],
        "expiry": {"last_day": "2040-05-01"},
        "signature": {"signatory": "client", "name": "Ada", "signed_at": "2026-03-01T12:00:00Z"},
    }
    assert (await chart.nurse.post(f"{chart.path}/consents", signed)).status_code == 201
    question = {
        "recipient": {"person_id": mother["id"]},
        "categories": ["attendance"],
        "purpose": "family_involvement",
        "check": {"method": "in_person"},
    }

    async def asked(by: Person) -> dict[str, Any]:
        return (await by.post(f"{chart.path}/disclosure-questions", question)).json()["items"][0]

    assert (await asked(chart.nurse))["allowed"] is True
    path, key = f"{chart.path}/related-people/{mother['id']}/warnings", str(uuid4())
    risk = {"kind": "domestic_risk", "note": "Has hurt her. Speak with Ada alone."}
    warned = await chart.nurse.post(path, risk, key=key)
    assert (warned.status_code, (await chart.nurse.post(path, risk, key=key)).json()) == (201, warned.json())
    assert (await chart.nurse.post(path, risk)).status_code == 409
    [warning] = warned.json()["warnings"]
    assert (warning["stands"], warning["note"]) == (True, risk["note"])
    assert (await asked(chart.nurse))["reason"] == "safety_warning"
    desk = await clinic.person((Role.FRONT_DESK, chart.programme))
    seen = await asked(desk)
    assert (seen["allowed"], seen["reason"], "warning" in str(seen)) == (False, "no_consent", False)
    told = {**question, "name": "Rosa Lindqvist", "manner": "spoken"}
    refused = await chart.nurse.post(f"{chart.path}/disclosures", told)
    assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, "safety_warning"), refused.text

    lifting, key = f"{path}/{warning['id']}/lifting", str(uuid4())
    lifted = await chart.nurse.post(lifting, {"reason": "Ada has moved out."}, key=key)
    assert (lifted.status_code, lifted.json()["warnings"][0]["stands"]) == (201, False), lifted.text
    again = await chart.nurse.post(lifting, {"reason": "Ada has moved out."}, key=key)
    assert again.json() == lifted.json()
    assert (await chart.nurse.post(lifting, {"reason": "Ada has moved out."})).status_code == 409
    assert (await asked(chart.nurse))["allowed"] is True
    assert (await chart.nurse.post(f"{chart.path}/disclosures", told)).status_code == 201
