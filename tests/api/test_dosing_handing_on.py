"""The last-dose statement for another provider: by consent or in an emergency, and in the client's account."""

from datetime import timedelta
from typing import Any

import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.days import pass_days
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.api.homes import begun
from tests.api.test_dosing_statements import ago, dosed_daily, state, taken, verify
from tests.api.test_window_lost import decide, given, replace, vomited

pytestmark = pytest.mark.anyio


def consent(here: Dispensary, **said: Any) -> dict[str, Any]:
    return {
        "kind": "named",
        "form": "us-named-2026-02",
        "discloser_id": str(here.programme),
        "recipients": [{"name": "Riverside OTP"}],
        "categories": ["medication"],
        "purposes": ["treatment"],
        "expiry": {"last_day": "2040-05-01"},
        "signature": {"signatory": "client", "name": "Alex Example", "signed_at": "2026-03-01T12:00:00Z"},
        **said,
    }


def telling(**said: Any) -> dict[str, Any]:
    return {
        "recipient": {"name": "Riverside OTP"},
        "name": "Kim Lee, nurse",
        "facility": "Riverside OTP",
        "purpose": "treatment",
        "check": {"method": "call_back", "detail": "the number in the state's directory"},
        **said,
    }


async def american(clinic: Clinic, **said: Any) -> Dispensary:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    if said:
        given = await here.nurse.post(f"/clients/{here.client}/consents", consent(here, **said))
        assert given.status_code == 201, given.text
    return here


async def test_without_a_consent_nothing_leaves_and_the_refusal_says_why(clinic: Clinic) -> None:
    here = await american(clinic)
    await dosed_daily(here, then=1, amounts_mg={"whole": "50"})
    path = f"/clients/{here.client}/last-dose-statements"
    refused = await here.nurse.post(path, telling())
    told = refused.json()
    assert (refused.status_code, told["type"]) == (409, "urn:caseload:problem:nothing-allows-it")
    assert (told["facts"]["reason"], told["facts"]["category"]) == ("no_consent", "medication")
    assert refused.headers["audit-entry"]
    assert (await here.nurse.get(f"/clients/{here.client}/disclosures")).json()["items"] == []


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"categories": ["attendance"]}, "other_category"),
        ({"purposes": ["clients_request"]}, "other_purpose"),
        ({"recipients": [{"name": "Hillside OTP"}]}, "no_consent"),
    ],
)
async def test_a_consent_for_something_else_is_no_ground(clinic: Clinic, given: dict[str, Any], reason: str) -> None:
    here = await american(clinic, **given)
    await here.order(amounts_mg={"whole": "50"})
    refused = await here.nurse.post(f"/clients/{here.client}/last-dose-statements", telling())
    assert (refused.status_code, refused.json()["facts"]["reason"]) == (409, reason)


async def test_by_consent_it_tells_the_last_dose_with_the_notice_and_stands_in_the_account(clinic: Clinic) -> None:
    here = await american(clinic, categories=["medication"])
    await dosed_daily(here, then=3, amounts_mg={"whole": "50"})
    path, key = f"/clients/{here.client}/last-dose-statements", fresh()
    made = await here.nurse.post(path, telling(), key=key)
    assert made.status_code == 201, made.text
    told = made.json()
    assert (await here.nurse.post(path, telling(), key=key)).json() == told
    assert (told["ground"], told["categories"]) == ("consent", ["medication"])
    assert "42 CFR part 2 prohibits" in told["notice"]
    content = told["content"]
    assert (content["last_dose"]["day"], content["last_dose"]["amount_mg"]) == (ago(here, 3), "50")
    assert content["missed_days"] == [ago(here, 2), ago(here, 1)]
    assert content["take_homes"] is None, "the consent says nothing of take-homes"
    assert (await here.prescriber.get(f"/last-dose-statements/{told['id']}")).json() == told
    [line] = (await here.nurse.get(f"/clients/{here.client}/disclosures")).json()["items"]
    assert line == {
        name: value for name, value in told.items() if name not in {"content", "disputes", "notice", "scope"}
    }


async def test_what_another_source_saw_taken_is_the_last_dose_that_is_told(clinic: Clinic) -> None:
    """Only the days after it were missed; before somebody has made sure it is told of as little as it counts."""
    here = await american(clinic, categories=["medication"])
    await dosed_daily(here, then=4, amounts_mg={"whole": "50"})
    said = await state(here, taken(here, 2, amount_mg="40"))

    async def told() -> tuple[str, str, list[str]]:
        made = await here.nurse.post(f"/clients/{here.client}/last-dose-statements", telling(), key=fresh())
        content = made.json()["content"]
        return content["last_dose"]["day"], content["last_dose"]["amount_mg"], content["missed_days"]

    assert await told() == (ago(here, 4), "50", [ago(here, 3), ago(here, 2), ago(here, 1)])
    await verify(here, said)
    assert await told() == (ago(here, 2), "40", [ago(here, 1)])


async def test_take_homes_are_told_where_the_consent_covers_them(clinic: Clinic) -> None:
    here = await american(clinic, categories=["medication", "take_home"])
    await here.order(amounts_mg={"whole": "50"})
    told = (await here.nurse.post(f"/clients/{here.client}/last-dose-statements", telling())).json()
    assert (told["categories"], told["content"]["take_homes"]) == (["medication", "take_home"], [])
    assert told["content"]["last_dose"] is None


async def test_an_emergency_needs_its_nature_and_the_facility_and_no_consent(clinic: Clinic) -> None:
    """42 CFR 2.51(c): recipient and facility, who told, when, and the nature of the emergency."""
    here = await american(clinic)
    await dosed_daily(here, then=1, amounts_mg={"whole": "50"})
    path = f"/clients/{here.client}/last-dose-statements"
    for said, fields in (
        ({"emergency": " "}, ["emergency"]),
        ({"emergency": "Overdose.", "facility": ""}, ["facility"]),
        ({"emergency": "Overdose.", "name": " "}, ["name"]),
    ):
        refused = await here.nurse.post(path, telling(**said))
        assert [each["field"] for each in refused.json()["errors"]] == fields
    told = (await here.nurse.post(path, telling(emergency="Overdose, unconscious.", facility="County ED"))).json()
    assert (told["ground"], told["consent_id"], told["rule"]) == ("emergency", None, "42 CFR 2.51")
    assert (told["notice"], told["content"]["take_homes"]) == (None, [])
    at_once = await here.nurse.post(path, telling(emergency="Overdose, unconscious.", facility=None))
    assert (at_once.status_code, at_once.json()["facility"]) == (201, None), "where they work may be filled in later"
    officer = await clinic.person((Role.PRIVACY_OFFICER, here.programme))
    waiting = (await officer.get("/emergency-releases")).json()["items"]
    assert at_once.json()["id"] in {each["id"] for each in waiting}, "until then it waits for that"


async def test_of_whom_nothing_was_ever_ordered_there_is_nothing_to_tell(clinic: Clinic) -> None:
    here = await american(clinic, categories=["medication"])
    nothing = await here.nurse.post(f"/clients/{here.client}/last-dose-statements", telling())
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:caseload:problem:nothing-to-hand-on")


async def test_an_emergency_of_a_restricted_client_is_told_and_completed_by_whoever_is_at_the_window(
    clinic: Clinic,
) -> None:
    here = await american(clinic)
    await here.order(amounts_mg={"whole": "50"})
    named = await clinic.person((Role.COUNSELLOR, here.programme))
    officer = await clinic.person((Role.PRIVACY_OFFICER, None))
    body = {"kind": "colleague", "reason": "Works here.", "staff": [str(named.staff.id)]}
    assert (await officer.post(f"/clients/{here.client}/restrictions", body)).status_code == 201
    told = await here.nurse.post(
        f"/clients/{here.client}/last-dose-statements", telling(emergency="Overdose.", facility=None)
    )
    assert (told.status_code, told.json()["missing"]) == (201, ["facility"])
    whole = await here.nurse.post(f"/disclosures/{told.json()['id']}/completion", {"facility": "County ED"})
    assert (whole.status_code, whole.json()["missing"]) == (201, [])
    assert (await officer.get(f"/emergency-releases/{told.json()['id']}")).json()["facility"] == "County ED"


async def test_of_an_injection_or_an_order_that_ended_the_last_dose_is_told_all_the_same(clinic: Clinic) -> None:
    here = await american(clinic, categories=["medication"])
    ended = await here.order(amounts_mg={"whole": "50"}, ends_on=str(here.today))
    assert (await here.give(ended)).status_code == 201
    await pass_days(here, 2)
    path = f"/clients/{here.client}/last-dose-statements"
    told = (await here.nurse.post(path, telling())).json()["content"]
    assert (told["medicine"], told["missed_days"]) == ("methadone", [ago(here, 1)])
    depot = {"medicine": "buprenorphine", "form": "extended_release_injection", "strength_mg": "96", "every_days": 28}
    await here.order(**depot, amounts_mg={"whole": "96"})
    told = (await here.nurse.post(path, telling())).json()["content"]
    assert (told["form"], told["last_dose"], told["missed_days"]) == ("extended_release_injection", None, [])


async def test_the_account_is_read_by_whoever_may_read_consents_and_comes_in_pages(clinic: Clinic) -> None:
    here = await american(clinic, categories=["medication"])
    await here.order(amounts_mg={"whole": "50"})
    path = f"/clients/{here.client}/last-dose-statements"
    made = [(await here.nurse.post(path, telling())).json()["id"] for _ in range(3)]
    account = f"/clients/{here.client}/disclosures"
    officer = await clinic.person((Role.PRIVACY_OFFICER, here.programme))
    page = (await officer.get(account, params={"limit": 2})).json()
    rest = (await officer.get(account, params={"limit": 2, "after": page["next"]})).json()
    assert [each["id"] for each in page["items"] + rest["items"]] == made[::-1]
    assert (await officer.get(f"/last-dose-statements/{made[0]}")).status_code == 403
    assert (await officer.post(path, telling())).status_code == 403
    elsewhere = await clinic.person((Role.NURSE, await clinic.programme()))
    for answer in (
        await elsewhere.post(path, telling()),
        await elsewhere.get(f"/last-dose-statements/{made[0]}"),
        await elsewhere.get(account),
    ):
        assert answer.status_code == 404


async def test_the_units_that_are_held_at_home_are_told_by_day(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(3)
    assert (await made.here.give(order)).status_code == 201
    await made.handed(1, 2, 3)
    await made.days_pass(1)
    given = await made.here.nurse.post(
        f"/clients/{made.here.client}/consents", consent(made.here, categories=["medication", "take_home"])
    )
    assert given.status_code == 201, given.text
    told = (await made.here.nurse.post(f"/clients/{made.here.client}/last-dose-statements", telling())).json()
    assert told["content"]["take_homes"] == [
        {"day": str(made.here.today + timedelta(days=ahead)), "amount_mg": "60"} for ahead in range(3)
    ]


async def test_what_was_given_for_a_dose_that_came_back_is_told_with_the_whole_day(clinic: Clinic) -> None:
    here = await american(clinic, categories=["medication"])
    first = await given(here)
    await vomited(here, first)
    assert (await decide(here, first)).status_code == 201
    assert (await replace(here, first, amount_mg="20")).status_code == 201

    answer = await here.nurse.post(f"/clients/{here.client}/last-dose-statements", telling())
    last = answer.json()["content"]["last_dose"]
    assert last["amount_mg"] == "20"
    told = [
        (each["medicine"], each["amount_mg"], each["came_back_after_minutes"], each["is_replacement"])
        for each in last["all_of_that_day"]
    ]
    assert told == [("methadone", first["amount_mg"], 0, False), ("methadone", "20", None, True)]
    assert [each["at"] for each in last["all_of_that_day"]][-1] == last["at"]
