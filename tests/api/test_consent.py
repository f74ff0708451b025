"""Consents and the question whether something may be told, over HTTP and into the log."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId
from tests.api.conftest import Clinic, Person
from tests.api.test_family import MOTHER

pytestmark = pytest.mark.anyio


@dataclass(frozen=True, slots=True)
class Chart:
    """A counselling nurse in the United States, a client, and the client's mother."""

    nurse: Person
    path: str
    programme: str
    mother: str

    def consent(self, **changes: Any) -> dict[str, Any]:
        return {
            "kind": "named",
            "form": "us-named-2026-02",
            "discloser_id": self.programme,
            "recipients": [{"person_id": self.mother}],
            "categories": ["attendance"],
            "purposes": ["family_involvement"],
            "expiry": {"last_day": "2040-05-01"},
            "signature": {"signatory": "client", "name": "Ada Lindqvist", "signed_at": "2026-03-01T12:00:00Z"},
            **changes,
        }

    def question(self, *categories: str, **changes: Any) -> dict[str, Any]:
        return {
            "recipient": {"person_id": self.mother},
            "categories": list(categories),
            "purpose": "family_involvement",
            "check": {"method": "in_person"},
            **changes,
        }

    async def asked(self, *categories: str, **changes: Any) -> list[dict[str, Any]]:
        answer = await self.nurse.post(f"{self.path}/disclosure-questions", self.question(*categories, **changes))
        assert answer.status_code == 200, answer.text
        assert answer.headers["audit-entry"]
        return answer.json()["items"]


async def chart_in(clinic: Clinic, profile: str) -> Chart:
    programme = await clinic.programme(profile=profile, time_zone="America/New_York")
    nurse = await clinic.person((Role.NURSE, programme))
    identity = {"given_name": "Ada", "family_name": f"Lindqvist {uuid4()}", "birth_date": "1984-02-29"}
    client = (await nurse.post("/clients", {"programme_id": str(programme), "identity": identity})).json()
    path = f"/clients/{client['id']}"
    mother = (await nurse.post(f"{path}/related-people", MOTHER)).json()
    return Chart(nurse, path, str(programme), mother["id"])


@pytest.fixture
async def chart(clinic: Clinic) -> Chart:
    return await chart_in(clinic, "US")


async def test_a_consent_is_kept_once_and_read_back(chart: Chart) -> None:
    key = str(uuid4())
    first = await chart.nurse.post(f"{chart.path}/consents", chart.consent(), key=key)
    assert first.status_code == 201, first.text
    given = first.json()
    assert (given["standing"], given["expires_at"]) == ("in_force", "2040-05-02T04:00:00Z")
    again = await chart.nurse.post(f"{chart.path}/consents", chart.consent(), key=key)
    assert (again.status_code, again.json()) == (201, given)
    del given["still_allows"]
    assert (await chart.nurse.get(f"{chart.path}/consents")).json()["items"] == [given]
    assert (await chart.nurse.get(f"{chart.path}/consents/{given['id']}")).json() == given


async def test_a_consent_that_lacks_anything_is_refused_with_everything_it_lacks(chart: Chart) -> None:
    refused = await chart.nurse.post(f"{chart.path}/consents", {"kind": "named", "form": "unheard-of"})
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {
        "form",
        "discloser_id",
        "recipients",
        "categories",
        "purposes",
        "expiry",
        "signature",
    }


async def test_60_a_consent_to_a_mother_without_end_is_refused(chart: Chart) -> None:
    refused = await chart.nurse.post(f"{chart.path}/consents", chart.consent(expiry={"never": True}))
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == ["expiry.never"]


async def test_63_a_consent_to_attendance_allows_attendance_and_refuses_the_doses(chart: Chart) -> None:
    given = (await chart.nurse.post(f"{chart.path}/consents", chart.consent())).json()
    attendance, doses = await chart.asked("attendance", "medication")
    assert (attendance["allowed"], attendance["reason"], attendance["consent_id"]) == (True, "consent", given["id"])
    assert attendance["notice"] == "42 CFR part 2 prohibits unauthorized use or disclosure of these records."
    assert (doses["allowed"], doses["reason"], doses["consent_id"]) == (False, "other_category", given["id"])
    assert doses["advice"]


async def test_a_revocation_ends_what_may_be_told_from_its_receipt_on(chart: Chart) -> None:
    given = (await chart.nurse.post(f"{chart.path}/consents", chart.consent())).json()
    path, key = f"{chart.path}/consents/{given['id']}/revocation", str(uuid4())
    revoked = await chart.nurse.post(path, {"how": "spoken"}, key=key)
    assert (revoked.status_code, revoked.json()["standing"]) == (201, "revoked")
    assert (await chart.nurse.post(path, {"how": "spoken"}, key=key)).status_code == 201
    twice = await chart.nurse.post(path, {"how": "in_writing"})
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:already-revoked")
    [attendance] = await chart.asked("attendance")
    assert (attendance["allowed"], attendance["reason"]) == (False, "revoked")


async def test_a_revocation_cannot_be_received_in_the_future(chart: Chart) -> None:
    given = (await chart.nurse.post(f"{chart.path}/consents", chart.consent())).json()
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    path = f"{chart.path}/consents/{given['id']}/revocation"
    refused = await chart.nurse.post(path, {"how": "spoken", "received_at": tomorrow})
    assert [error["field"] for error in refused.json()["errors"]] == ["received_at"]


async def test_the_event_ends_the_consent_that_was_tied_to_it(chart: Chart) -> None:
    tied = chart.consent(expiry={"event": "discharge from this episode"})
    given = (await chart.nurse.post(f"{chart.path}/consents", tied)).json()
    path, key = f"{chart.path}/consents/{given['id']}/expiry-event", str(uuid4())
    ended = await chart.nurse.post(path, {}, key=key)
    assert (ended.status_code, ended.json()["standing"]) == (201, "expired")
    assert (await chart.nurse.post(path, {}, key=key)).json()["ended_by_event_at"]
    assert (await chart.nurse.post(path, {})).status_code == 409
    assert (await chart.asked("attendance"))[0]["reason"] == "expired"


async def test_presence_needs_consent_in_the_united_states_and_may_be_acknowledged_in_britain(
    clinic: Clinic, chart: Chart
) -> None:
    britain = await chart_in(clinic, "UK")
    assert (await chart.asked("presence", known_already=True))[0]["allowed"] is False
    assert (await britain.asked("presence", known_already=True))[0]["reason"] == "already_known"
    for each in (chart, britain):
        free = await each.asked("being_heard", "general_information")
        assert [answer["reason"] for answer in free] == ["nothing_disclosed"] * 2


async def test_what_was_agreed_not_to_be_told_is_not_acknowledged_to_whoever_knows_it(clinic: Clinic) -> None:
    britain = await chart_in(clinic, "UK")
    asked = {
        "kind": "restriction",
        "says": "My mother is not to hear it from you.",
        "received_at": (clinic.service.clock() - timedelta(minutes=1)).isoformat(),
        "check": {"method": "in_person"},
    }
    request = (await britain.nurse.post(f"{britain.path}/rights-requests", asked)).json()
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    restricts = {"categories": ["presence"], "recipient": {"person_id": britain.mother}}
    granted = {"outcome": "granted", "says": "Agreed.", "restricts": restricts}
    assert (await officer.post(f"/rights-requests/{request['id']}/answer", granted)).status_code == 201
    for recipient in ({"person_id": britain.mother}, {"name": "Rosa Lindqvist"}):
        [answer] = await britain.asked("presence", known_already=True, recipient=recipient)
        assert (answer["allowed"], answer["reason"]) == (False, "agreed_restriction")
    [another] = await britain.asked("presence", known_already=True, recipient={"name": "Jon Okafor"})
    assert another["reason"] == "already_known"


async def test_the_front_desk_may_ask_but_sees_no_consents(clinic: Clinic, chart: Chart) -> None:
    desk = await clinic.person((Role.FRONT_DESK, chart.nurse.staff.holdings[0].programme))
    asked = await desk.post(f"{chart.path}/disclosure-questions", chart.question("attendance"))
    assert [answer["allowed"] for answer in asked.json()["items"]] == [False]
    assert (await desk.get(f"{chart.path}/consents")).status_code == 403
    assert (await desk.post(f"{chart.path}/consents", chart.consent())).status_code == 403


async def test_the_privacy_officer_sees_one_clients_consents_by_identifier(clinic: Clinic, chart: Chart) -> None:
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    assert (await officer.get(f"{chart.path}/consents")).json() == {"items": []}


async def test_a_consent_is_listed_as_its_last_day_comes_near(clinic: Clinic, chart: Chart) -> None:
    async def until(days: int) -> str:
        last_day = (datetime.now(ZoneInfo("America/New_York")) + timedelta(days=days)).date()
        body = chart.consent(expiry={"last_day": str(last_day)})
        return (await chart.nurse.post(f"{chart.path}/consents", body)).json()["id"]

    for days in (3, 12, 31):
        await until(days)
    nearest, revoked = await until(1), await until(2)
    await chart.nurse.post(f"{chart.path}/consents/{revoked}/revocation", {"how": "spoken"})
    found = (await chart.nurse.get("/expiring-consents")).json()["items"]
    assert [(each["days_left"], each["alert"]) for each in found] == [(1, 7), (3, 7), (12, 14)]
    assert found[0]["consent_id"] == nearest
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    assert (await stranger.get("/expiring-consents")).json() == {"items": []}


async def test_what_a_representative_signed_stays_and_what_they_want_after_their_authority_is_refused(
    chart: Chart,
) -> None:
    order = {"kind": "legal_representative", "evidence": "Order 12/26, in the safe", "first_day": "2026-02-01"}
    guardian = {**MOTHER, "involvements": [order]}
    added = await chart.nurse.post(f"{chart.path}/related-people", guardian)
    person = added.json()["id"]
    signed = {
        "signatory": "representative",
        "name": "Rosa Lindqvist",
        "signed_at": "2026-03-01T12:00:00Z",
        "representative_id": person,
        "document_sha256": "ab" * 32,
    }
    given = await chart.nurse.post(f"{chart.path}/consents", chart.consent(signature=signed))
    assert (given.status_code, given.json()["signature"]) == (201, signed)
    assert (await chart.asked("attendance"))[0]["allowed"] is True
    consent = given.json()["id"]
    path = f"{chart.path}/related-people/{person}/involvements"
    authority = added.json()["involvements"][0]["id"]
    over = {"reason": "The order was lifted.", "ended_at": "2026-03-01T12:00:01Z"}
    ended = await chart.nurse.post(f"{path}/{authority}/end", over)
    assert (ended.status_code, ended.json()["signed_by_them"]) == (201, [consent])
    assert (await chart.asked("attendance"))[0]["allowed"] is True

    again = await chart.nurse.post(
        f"{chart.path}/consents",
        chart.consent(signature={**signed, "signed_at": "2026-03-01T12:00:01Z", "document_sha256": "x"}),
    )
    problems = {error["field"]: error["problem"] for error in again.json()["errors"]}
    assert set(problems) == {"signature.document_sha256", "signature.representative_id"}
    assert problems["signature.representative_id"].startswith("had no authority any more")
    revocation = f"{chart.path}/consents/{consent}/revocation"
    said = {"how": "spoken", "representative_id": person}
    refused = await chart.nurse.post(revocation, said)
    assert [error["field"] for error in refused.json()["errors"]] == ["representative_id"]
    revoked = await chart.nurse.post(revocation, {**said, "received_at": "2026-03-01T12:00:00.5Z"})
    assert (revoked.status_code, revoked.json()["standing"]) == (201, "revoked")


async def test_what_was_signed_after_an_authority_had_ended_never_counted_once_we_learn_of_it(chart: Chart) -> None:
    order = {"kind": "legal_representative", "evidence": "Order 12/26", "first_day": "2026-02-01"}
    guardian = (await chart.nurse.post(f"{chart.path}/related-people", {**MOTHER, "involvements": [order]})).json()
    signed = {
        "signatory": "representative",
        "name": "Rosa Lindqvist",
        "signed_at": "2026-03-01T12:00:00Z",
        "representative_id": guardian["id"],
        "document_sha256": "ab" * 32,
    }
    given = await chart.nurse.post(f"{chart.path}/consents", chart.consent(signature=signed))
    assert (await chart.asked("attendance"))[0]["allowed"] is True
    path = f"{chart.path}/related-people/{guardian['id']}/involvements/{guardian['involvements'][0]['id']}/end"
    learnt = {"reason": "The court had lifted it in February.", "ended_at": "2026-02-20T00:00:00Z"}
    assert (await chart.nurse.post(path, learnt)).json()["signed_by_them"] == []
    assert (await chart.asked("attendance"))[0]["reason"] == "without_authority"
    read = await chart.nurse.get(f"{chart.path}/consents/{given.json()['id']}")
    assert read.json()["standing"] == "without_authority"


async def test_out_of_reach_there_is_no_such_client(clinic: Clinic, chart: Chart) -> None:
    stranger = await clinic.person((Role.NURSE, await clinic.programme()))
    for answer in (
        await stranger.get(f"{chart.path}/consents"),
        await stranger.get(f"{chart.path}/consents/{uuid4()}"),
        await stranger.post(f"{chart.path}/consents", chart.consent()),
        await stranger.post(f"{chart.path}/disclosure-questions", chart.question("attendance")),
    ):
        assert answer.status_code == 404
    assert (await chart.nurse.get(f"{chart.path}/consents/{uuid4()}")).status_code == 404


async def test_the_forms_are_shown_as_clients_read_them(chart: Chart) -> None:
    shown = (await chart.nurse.get("/consent-forms")).json()["items"]
    assert {form["jurisdiction"] for form in shown} == {"US", "UK", "AU"}
    assert all(form["right_to_revoke"] for form in shown)


async def test_question_and_answer_stand_in_the_log_allowed_or_refused(clinic: Clinic, chart: Chart) -> None:
    given = (await chart.nurse.post(f"{chart.path}/consents", chart.consent())).json()
    asked = await chart.nurse.post(f"{chart.path}/disclosure-questions", chart.question("attendance", "medication"))
    auditor = await clinic.person((Role.AUDITOR, None))
    accesses = (await auditor.get(f"{chart.path}/accesses")).json()["items"]
    access = next(one for one in accesses if one["entry"]["id"] == asked.headers["audit-entry"])
    assert access["entry"]["event"] == "consent.asked"
    told = access["did"]
    assert [(one["facts"]["category"], one["facts"]["answer"]) for one in told] == [
        ("attendance", "allowed"),
        ("medication", "refused"),
    ]
    assert all(given["id"] in one["rec"] for one in told)
    assert "consent" in access["saw"]


async def test_a_minor_signs_with_a_parent_and_a_consent_keeps_the_words_that_were_attested(clinic: Clinic) -> None:
    programme = await clinic.programme(profile="US", time_zone="America/New_York")
    nurse = await clinic.person((Role.NURSE, programme))
    identity = {"given_name": "Ada", "family_name": f"Lindqvist {uuid4()}", "birth_date": "2012-02-29"}
    client = (await nurse.post("/clients", {"programme_id": str(programme), "identity": identity})).json()
    path = f"/clients/{client['id']}"
    custody = {
        "kind": "legal_representative",
        "first_day": "2012-02-29",
        "evidence": "Birth certificate, copy in the safe",
    }
    parent = (await nurse.post(f"{path}/related-people", {**MOTHER, "involvements": [custody]})).json()
    chart = Chart(nurse, path, str(programme), parent["id"])
    alone = chart.consent()
    refused = await nurse.post(f"{path}/consents", alone)
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (
        422,
        ["signature.co_signer_id"],
    )
    both = {**alone["signature"], "co_signer_id": parent["id"], "co_signed_name": "Rosa Lindqvist"}
    given = await nurse.post(f"{path}/consents", chart.consent(signature=both))
    assert given.status_code == 201, given.text
    assert given.json()["signature"] == both
    forms = (await nurse.get("/consent-forms")).json()["items"]
    [words] = {form["typed_signature"] for form in forms if form["jurisdiction"] == "US"}
    assert given.json()["attestation"] == words
    assert (await chart.asked("attendance"))[0]["allowed"] is True

    [order] = parent["involvements"]
    end = f"{path}/related-people/{parent['id']}/involvements/{order['id']}/end"
    ended = await nurse.post(end, {"reason": "The other parent has custody."})
    assert ended.json()["signed_by_them"] == [given.json()["id"]]
    assert (await chart.asked("attendance"))[0]["allowed"] is True
    never = await nurse.post(end, {"reason": "The order was forged.", "ended_at": "2012-03-01T00:00:00Z"})
    assert never.status_code == 409


async def test_a_recipient_spelled_another_way_is_refused_and_shown_as_it_is_on_file(
    clinic: Clinic, chart: Chart
) -> None:
    hospital = {"name": "St Mary's Hospital"}
    consent = chart.consent(recipients=[hospital, {"person_id": chart.mother}], purposes=["treatment"])
    assert (await chart.nurse.post(f"{chart.path}/consents", consent)).status_code == 201
    desk = await clinic.person((Role.FRONT_DESK, ProgrammeId(UUID(chart.programme))))

    async def asked(name: str, *, by: Person = chart.nurse, **changes: Any) -> dict[str, Any]:
        body = chart.question("attendance", recipient={"name": name}, purpose="treatment", **changes)
        answer = await by.post(f"{chart.path}/disclosure-questions", body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    otherwise = await asked("Saint Marys hospital")
    relative = await asked("Lindqvist, Rosà")
    assert [each["reason"] for each in (*otherwise["items"], *relative["items"])] == ["no_consent", "no_consent"]
    assert otherwise["recipients_on_file"] == [hospital]
    assert relative["recipients_on_file"] == [{"person_id": chart.mother}]
    assert (await asked("ST  MARY'S hospital"))["items"][0]["allowed"] is True
    for answer in (
        await asked("County Hospital"),
        await asked("Saint Marys hospital", check=None),
        await asked("Saint Marys hospital", by=desk),
    ):
        assert (answer["items"][0]["allowed"], answer["recipients_on_file"]) == (False, [])
    revoked = {"how": "spoken", "received_at": "2026-06-01T12:00:00Z"}
    [kept] = (await chart.nurse.get(f"{chart.path}/consents")).json()["items"]
    assert (await chart.nurse.post(f"{chart.path}/consents/{kept['id']}/revocation", revoked)).status_code == 201
    assert (await asked("Saint Marys hospital"))["recipients_on_file"] == []


async def test_a_relative_is_not_slipped_by_name_into_a_consent_without_end(chart: Chart) -> None:
    tpo = chart.consent(
        kind="treatment_payment_operations",
        form="us-tpo-2026-02",
        recipients=[{"name": "Lindqvist, Rosa"}, {"name": "General Hospital"}],
        purposes=["treatment"],
        expiry={"never": True},
    )
    refused = await chart.nurse.post(f"{chart.path}/consents", tpo)
    assert [error["field"] for error in refused.json()["errors"]] == ["recipients.0"]
    without = {**tpo, "recipients": tpo["recipients"][1:]}
    assert (await chart.nurse.post(f"{chart.path}/consents", without)).status_code == 201


async def test_whoever_records_a_narrower_consent_is_told_which_others_still_allow_more(chart: Chart) -> None:
    async def given(**changes: Any) -> dict[str, Any]:
        answer = await chart.nurse.post(f"{chart.path}/consents", chart.consent(**changes))
        assert answer.status_code == 201, answer.text
        return answer.json()

    wide = await given(categories=["attendance", "medication"])
    assert wide["still_allows"] == []
    by_name = await given(recipients=[{"name": "Rosa Lindqvist"}], expiry={"event": "discharge"})
    await given(recipients=[{"name": "Jon Okafor"}], categories=["medication"])
    over = await given(categories=["risk"])
    revoked = {"how": "spoken"}
    assert (await chart.nurse.post(f"{chart.path}/consents/{over['id']}/revocation", revoked)).status_code == 201
    narrow = chart.consent(expiry={"last_day": "2030-05-01"})
    first = await chart.nurse.post(f"{chart.path}/consents", narrow, key="a-narrower-one-0001")
    assert set(first.json()["still_allows"]) == {wide["id"], by_name["id"]}
    again = await chart.nurse.post(f"{chart.path}/consents", narrow, key="a-narrower-one-0001")
    assert again.json() == first.json()
    assert (await given(categories=["attendance", "medication"]))["still_allows"] == [by_name["id"]]
