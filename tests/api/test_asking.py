"""What a profile asks before an order counts, and what still acts at the window, over HTTP."""

from typing import Any

import pytest

from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, Dispensary, days_ago, dispensary, fresh
from tests.api.test_measured import DEPOT

pytestmark = pytest.mark.anyio

NALTREXONE: dict[str, Any] = {
    "medicine": "naltrexone",
    "form": "tablet",
    "strength_mg": "50",
    "amounts_mg": {"whole": "50"},
    "no_opioid_known": "Asked: none.",
}


def rules(answer: Any) -> list[str]:
    """The rules that ask, by their names in the profile."""
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:caseload:problem:order-needs-confirmation")
    return [each["rule"] for each in answer.json()["facts"]["rules"]]


@pytest.mark.parametrize(
    ("profile", "zone", "amount", "asks"),
    [
        ("US", "America/New_York", "50", []),
        ("US", "America/New_York", "51", ["us.first_day"]),
        ("UK", "Europe/London", "30", []),
        ("UK", "Europe/London", "30.5", ["uk.first_day"]),
    ],
)
async def test_a_high_first_day_counts_only_with_a_reason(
    clinic: Clinic, profile: str, zone: str, amount: str, asks: list[str]
) -> None:
    here = await dispensary(clinic, profile=profile, time_zone=zone)
    drafted = await here.draft(amounts_mg={"whole": amount})
    answer = await here.sign(drafted)
    if not asks:
        assert (answer.status_code, answer.json()["confirmed"]) == (201, [])
        return
    assert rules(answer) == asks
    told = answer.json()["facts"]["rules"][0]
    assert (told["policy"], told["facts"]["first_day_mg"]) == (f"{asks[0]} of {profile}-1", amount)
    assert (await here.nurse.get(f"/orders/{drafted['id']}")).json()["standing"] == "draft"
    signed = await here.sign(drafted, *asks, reason="Verified transfer dose.")
    assert (signed.status_code, signed.json()["standing"]) == (201, "in_force")
    [kept] = signed.json()["confirmed"]
    assert (kept["rule"], kept["reason"], kept["facts"]) == (asks[0], "Verified transfer dose.", told["facts"])
    assert (await here.nurse.get(f"/orders/{drafted['id']}")).json() == signed.json()


async def test_a_reason_belongs_to_a_rule_that_asks(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    drafted = await here.draft()
    for asked, reason in (("uk.rise", "Not asked."), ("uk.first_day", " ")):
        refused = await here.sign(drafted, asked, reason=reason)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, f"confirmed.{asked}")
    assert (await here.sign(drafted, "uk.first_day", "uk.first_day")).status_code == 422


async def test_a_signature_that_was_asked_back_can_be_made_with_the_same_key_and_only_once(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    drafted, key = await here.draft(), fresh()
    said = {"password": PASSWORD, "confirmed": [{"rule": "uk.first_day", "reason": "Transferred."}]}
    assert rules(await here.sign(drafted)) == ["uk.first_day"]
    signed = await here.prescriber.post(f"/orders/{drafted['id']}/signature", said, key=key)
    assert signed.status_code == 201
    again = await here.prescriber.post(f"/orders/{drafted['id']}/signature", said, key=key)
    assert again.json() == signed.json()


async def test_a_steep_rise_and_days_left_open_are_asked_about_together(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    first = await here.order(ends_on=str(here.today))
    assert (await here.give(first)).status_code == 201
    beyond = await here.draft(
        amounts_mg={"whole": "75"}, starts_on=str(here.today.fromordinal(here.today.toordinal() + 3))
    )
    assert rules(await here.sign(beyond)) == ["uk.uncovered_days", "uk.rise"]
    assert (await here.sign(beyond, "uk.uncovered_days")).status_code == 409
    assert (await here.sign(beyond, "uk.uncovered_days", "uk.rise")).status_code == 201


async def test_a_depot_of_last_month_counts_although_its_order_is_stopped(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    depot = await here.order(**DEPOT)
    assert (await here.give(depot)).status_code == 201
    stop = {"reason": "Moves to methadone.", "password": PASSWORD}
    assert (await here.prescriber.post(f"/orders/{depot['id']}/stop", stop)).status_code == 201
    methadone = await here.draft(form="oral_concentrate", strength_mg="10", amounts_mg={"whole": "20"})
    asked = await here.sign(methadone)
    assert rules(asked) == ["us.another_agonist_beside"]
    assert asked.json()["facts"]["rules"][0]["facts"]["last_on"] == str(here.today)
    naltrexone = await here.draft(**NALTREXONE)
    assert rules(await here.sign(naltrexone)) == ["us.antagonist_beside"]
    signed = await here.sign(methadone, "us.another_agonist_beside", reason="Bridging, agreed with the client.")
    assert signed.status_code == 201


async def swallowed_elsewhere(here: Dispensary, medicine: str, amount: str) -> None:
    """A dose of yesterday without an order of ours, looked at by the prescriber."""
    said = {"order_id": None, "medicine": medicine, "form": "tablet", "amount_mg": amount}
    late = {"given_at": days_ago(here, 1), "late": {"reason": "Told by the hospital."}}
    kept = await here.nurse.post(f"/clients/{here.client}/doses", said | late, key=fresh())
    assert kept.status_code == 201, kept.text
    hold = (await here.prescriber.get(f"/programmes/{here.programme}/holds")).json()["items"][0]
    cleared = await here.prescriber.post(f"/holds/{hold['id']}/clearance", {"reason": "Seen.", "password": PASSWORD})
    assert cleared.status_code == 201


async def test_what_was_taken_after_the_signature_stands_in_the_way_at_the_window(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(amounts_mg={"whole": "20"})
    await swallowed_elsewhere(here, "naltrexone", "50")
    refused = await here.give(order)
    [told] = refused.json()["facts"]["rules"]
    assert (told["rule"], told["policy"]) == ("another_acts", "uk.antagonist_beside of UK-1")
    assert told["facts"]["medicine"] == "naltrexone"
    assert [each["rule"] for each in (await here.chart())["due"]["in_the_way"]] == ["another_acts"]
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    assert [each["rule"] for each in listed[0]["due"]["in_the_way"]] == ["another_acts"]


async def test_a_prescriber_who_signs_in_spite_of_it_lets_the_dose_through(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    first = await here.order(amounts_mg={"whole": "20"})
    await swallowed_elsewhere(here, "naltrexone", "50")
    anew = await here.draft(amounts_mg={"whole": "20"}, replaces=first["id"])
    assert rules(await here.sign(anew)) == ["uk.antagonist_beside"]
    signed = (await here.sign(anew, "uk.antagonist_beside", reason="Vomited at once, seen by the ward.")).json()
    assert (await here.give(signed)).status_code == 201


async def test_buprenorphine_beside_buprenorphine_stands_in_nobodys_way(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    depot = await here.order(**DEPOT)
    assert (await here.give(depot)).status_code == 201
    film: dict[str, Any] = {"medicine": "buprenorphine_naloxone", "form": "sublingual_film", "strength_mg": "8"}
    drafted = await here.draft(**film, amounts_mg={"whole": "8"}, replaces=depot["id"])
    assert (await here.sign(drafted)).status_code == 201
