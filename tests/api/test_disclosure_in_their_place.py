"""Somebody decides in the place of a client who cannot: in the client's best interests, or a director for payment alone."""

from datetime import timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import fresh
from tests.api.test_consent import Chart, chart_in

pytestmark = pytest.mark.anyio


def today(clinic: Clinic, *, ago: int = 0) -> str:
    """A day that the clinic has, wherever it lies."""
    return str((clinic.service.clock() - timedelta(days=ago, hours=12)).date())


def interests(chart: Chart, clinic: Clinic, **stated: Any) -> dict[str, Any]:
    said = {
        "capacity": "lacks",
        "assessed_by": "Dr Imani Cole, psychiatrist",
        "assessed_on": today(clinic, ago=1),
        "unable_to": "Cannot retain or weigh it: delirium.",
        "helped": "Asked in the morning, with her sister there.",
        "can_wait": "no",
        "decides": "nobody_else",
        "wishes": "Has always let her mother keep the medicine safe.",
        "consulted": "Her sister and the ward: both agree.",
        "interests": "Her mother looks after her from tonight; nothing less keeps her safe.",
        "told": "That she is treated here, and which days she has medicine at home.",
    } | stated
    return {
        "recipient": {"person_id": chart.mother},
        "name": "Rosa Lindqvist, mother",
        "categories": ["presence", "take_home"],
        "manner": "spoken",
        "check": {"method": "call_back"},
        "ground": "best_interests",
        "stated": {name: value for name, value in said.items() if value is not None},
    }


def by_director(clinic: Clinic, **changes: Any) -> dict[str, Any]:
    return {
        "recipient": {"group": "third_party_payers"},
        "name": "The claims clerk, Harbour Mutual",
        "categories": ["presence", "attendance"],
        "manner": "written",
        "check": {"method": "document", "detail": "the claim's form"},
        "ground": "directors_consent",
        "stated": {
            "adjudicated": "no",
            "condition_lasts": "yes",
            "condition": "In a coma since the collision.",
            "found_by": "Dr Imani Cole, intensive care",
            "found_on": today(clinic),
            "director": "Noor Haddad",
            "signed_on": today(clinic),
            "document": "Claims folder, sheet 12",
            "services": "Doses and sessions of October",
        },
        **changes,
    }


async def refused(chart: Chart, body: dict[str, Any], status: int) -> dict[str, Any]:
    answer = await chart.nurse.post(f"{chart.path}/disclosures", body, key=fresh())
    assert answer.status_code == status, answer.text
    assert (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"] == []
    return answer.json()


async def test_in_the_best_interests_of_whoever_cannot_decide_somebody_close_is_told(clinic: Clinic) -> None:
    chart = await chart_in(clinic, "UK")
    body = interests(chart, clinic)
    answer = await chart.nurse.post(f"{chart.path}/disclosures", body, key=fresh())
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["ground"], told["purpose"], told["consent_id"]) == ("best_interests", "family_involvement", None)
    assert told["stated"] == body["stated"]
    assert told["rule"] == "Mental Capacity Act 2005 (England and Wales), sections 1 to 4"
    [line] = (await chart.nurse.get(f"{chart.path}/disclosures")).json()["items"]
    assert line["id"] == told["id"]
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    assert (await officer.get(f"/disclosures/{told['id']}")).json()["stated"] == body["stated"]


@pytest.mark.parametrize("field", ["capacity", "assessed_by", "assessed_on", "interests", "consulted", "told"])
async def test_without_an_assessment_or_a_reason_it_is_refused_and_says_what_is_missing(
    clinic: Clinic, field: str
) -> None:
    chart = await chart_in(clinic, "UK")
    problem = await refused(chart, interests(chart, clinic, **{field: None}), 422)
    assert [error["field"] for error in problem["errors"]] == [f"stated.{field}"]


async def test_whoever_can_decide_again_or_was_not_assessed_lately_is_asked_themselves(clinic: Clinic) -> None:
    chart = await chart_in(clinic, "UK")
    problem = await refused(chart, interests(chart, clinic, capacity="regained"), 409)
    assert "ask the client for a consent" in problem["detail"]
    old = await refused(chart, interests(chart, clinic, assessed_on=today(clinic, ago=9)), 422)
    assert [error["field"] for error in old["errors"]] == ["stated.assessed_on"]


async def test_no_country_knows_the_ground_of_another(clinic: Clinic) -> None:
    america, britain = await chart_in(clinic, "US"), await chart_in(clinic, "UK")
    for chart, body in ((america, interests(america, clinic)), (britain, by_director(clinic))):
        problem = await refused(chart, body, 409)
        assert "know no such exception" in problem["detail"]


async def test_a_director_consents_to_a_payer_for_payment_and_to_nobody_and_nothing_else(clinic: Clinic) -> None:
    chart = await chart_in(clinic, "US")
    mother = by_director(clinic, recipient={"person_id": chart.mother}, purpose="treatment", manner="spoken")
    mother |= {"check": {"method": "in_person"}}
    problem = await refused(chart, mother, 422)
    assert {error["field"] for error in problem["errors"]} == {"recipient.group", "purpose", "notice_how"}
    unsigned = by_director(clinic)
    del unsigned["stated"]["director"]
    problem = await refused(chart, unsigned, 422)
    assert [error["field"] for error in problem["errors"]] == ["stated.director"]
    answer = await chart.nurse.post(f"{chart.path}/disclosures", by_director(clinic), key=fresh())
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["purpose"], told["consent_id"], told["notice_how"]) == ("payment", None, "on_the_document")
    assert "sole purpose of payment" in told["scope"]
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    accounting = f"{chart.path}/disclosure-accountings"
    part2, hipaa = [(await officer.get(f"{accounting}/{kind}")).json() for kind in ("part2", "hipaa")]
    assert [line["id"] for line in part2["lines"]] == [told["id"]]
    assert (hipaa["lines"], sum(hipaa["left_out"].values())) == ([], 1)


async def agreed(chart: Chart, clinic: Clinic, **restricts: Any) -> None:
    asked = {
        "kind": "restriction",
        "says": "They are not to know when I come.",
        "received_at": (clinic.service.clock() - timedelta(minutes=1)).isoformat(),
        "check": {"method": "in_person"},
    }
    request = await chart.nurse.post(f"{chart.path}/rights-requests", asked)
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    granted = {"outcome": "granted", "says": "Agreed.", "restricts": restricts}
    answer = await officer.post(f"/rights-requests/{request.json()['id']}/answer", granted)
    assert answer.status_code == 201, answer.text


async def test_what_was_agreed_not_to_be_told_is_told_by_nobody_in_the_clients_place(clinic: Clinic) -> None:
    """Also where the client never gave a consent."""
    chart = await chart_in(clinic, "US")
    await agreed(chart, clinic, categories=["attendance"])
    problem = await refused(chart, by_director(clinic), 409)
    assert problem["facts"]["reason"] == "agreed_restriction"


async def test_a_restriction_on_somebody_of_the_list_is_not_passed_by_writing_out_their_name(clinic: Clinic) -> None:
    chart = await chart_in(clinic, "UK")
    await agreed(chart, clinic, categories=["presence", "take_home"], recipient={"person_id": chart.mother})
    for name in ("Rosa Lindqvist", "lindqvist, Rossa"):
        by_name = interests(chart, clinic) | {"recipient": {"name": name}, "name": name}
        by_name["check"] = {"method": "in_person"}
        problem = await refused(chart, by_name, 409)
        assert problem["facts"]["reason"] == "agreed_restriction"
        assert "from it" in problem["detail"]


async def test_a_restriction_on_a_payer_by_name_is_not_passed_by_naming_its_class(clinic: Clinic) -> None:
    chart = await chart_in(clinic, "US")
    await agreed(chart, clinic, categories=["attendance"], recipient={"name": "Blue Cross"})
    for name in ("Blue Cross", "The clerk at Blue Crosss"):
        problem = await refused(chart, by_director(clinic, recipient={"group": "health_plans"}, name=name), 409)
        assert problem["facts"]["reason"] == "agreed_restriction"
    another = by_director(clinic, recipient={"group": "health_plans"})
    assert (await chart.nurse.post(f"{chart.path}/disclosures", another, key=fresh())).status_code == 201
