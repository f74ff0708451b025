"""The worked examples of the domain reference, through the API: which is where.

Those that no other file tells stand here, each with its own days and amounts.
"""

import importlib
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from tests.api.conftest import Clinic
from tests.api.dispensary import days_ago, dispensary, fresh
from tests.api.homes import begun, rules_of
from tests.api.storeroom import storeroom

pytestmark = pytest.mark.anyio

EXAMPLES: Mapping[int, tuple[str, str]] = {
    3: ("test_dosing_missed", "test_example_3_one_missed_dose_in_titration_is_told_to_the_prescriber"),
    6: ("test_dosing_missed", "test_example_6_an_australian_who_missed_four_is_proposed_the_lower_of_40_and_half"),
    9: ("test_dosing_missed", "test_example_9_after_five_the_order_cannot_be_given_as_it_stands"),
    12: ("test_takehome", "test_whoever_took_six_home_has_missed_nothing_on_the_seventh_day"),
    15: ("test_worked_examples", "test_a_first_day_of_90_mg_is_allowed_with_a_rationale_that_stays_on_the_order"),
    18: ("test_takehome", "test_the_ladder_of_the_day_of_treatment_is_a_maximum"),
    21: ("test_takehome", "test_the_ladder_of_the_day_of_treatment_is_a_maximum"),
    24: ("test_takehome", "test_no_federal_ladder_stands_above_buprenorphine_but_a_decision_is_needed"),
    27: ("test_takehome", "test_housing_is_no_criterion"),
    30: ("test_admission", "test_30_of_an_admission_on_1_june_the_examination_and_the_assessment_are_due_by_15_june"),
    33: (
        "test_interim",
        "test_33_of_an_interim_treatment_from_1_january_29_june_is_the_last_day_and_the_plan_is_due_by_30_april",
    ),
    36: ("test_dosing_injections", "test_example_36_naltrexone_after_an_opioid_that_only_the_client_tells_of"),
    39: ("test_observation", "test_a_cows_total_is_told_by_its_band"),
    42: (
        "test_checkin_instruments",
        "test_what_is_filled_in_is_scored_in_the_answer_and_stands_with_the_client",
    ),
    45: ("test_signing", "test_whoever_gave_a_dose_cannot_countersign_it"),
    48: ("test_signing", "test_a_signed_dose_that_is_amended_keeps_both_versions_and_waits_again"),
    51: ("test_signing", "test_the_witness_of_what_is_gone_is_never_who_handled_it_and_finds_it_in_their_queue"),
    54: (
        "test_worked_examples",
        "test_a_loss_discovered_on_a_tuesday_is_notified_by_wednesday_and_told_in_full_after_45_days",
    ),
    57: ("test_worked_examples", "test_a_uk_register_asks_who_collects_methadone_and_points_it_out_of_buprenorphine"),
    60: ("test_consent", "test_60_a_consent_to_a_mother_without_end_is_refused"),
    63: ("test_consent", "test_63_a_consent_to_attendance_allows_attendance_and_refuses_the_doses"),
    66: ("test_disclosure", "test_66_an_emergency_is_told_at_once_and_stays_open_until_the_record_is_complete"),
    69: (
        "test_disclosure",
        "test_69_a_subpoena_alone_is_refused_with_its_rule_and_a_court_order_with_its_fields_is_not",
    ),
    87: (
        "test_worked_examples",
        "test_a_dose_that_is_recorded_the_next_day_keeps_both_times_and_counts_when_it_was_given",
    ),
    90: ("test_window_lost", "test_a_vomited_dose_is_not_replaced_without_a_decision_and_stays_as_it_was"),
}
"""By their numbers: the module beside this one, and the test."""


@pytest.mark.parametrize("number", EXAMPLES)
def test_each_worked_example_is_a_test(number: int) -> None:
    module, name = EXAMPLES[number]
    assert callable(getattr(importlib.import_module(f"tests.api.{module}"), name))


async def test_a_first_day_of_90_mg_is_allowed_with_a_rationale_that_stays_on_the_order(clinic: Clinic) -> None:
    """Worked example 15 (42 CFR 8.12(h)(3)(ii))."""
    here = await dispensary(clinic, profile="US", time_zone="America/New_York")
    drafted = await here.draft(amounts_mg={"whole": "90"})
    asked = await here.sign(drafted)
    assert (asked.status_code, asked.json()["facts"]["rules"][0]["facts"]["first_day_mg"]) == (409, "90")

    signed = await here.sign(drafted, "us.first_day", reason="Verified transfer dose, OTP X.")

    assert signed.status_code == 201, signed.text
    kept = (await here.nurse.get(f"/orders/{drafted['id']}")).json()
    assert [each["reason"] for each in kept["confirmed"]] == ["Verified transfer dose, OTP X."]
    assert (await here.give(kept)).status_code == 201


async def test_a_loss_discovered_on_a_tuesday_is_notified_by_wednesday_and_told_in_full_after_45_days(
    clinic: Clinic,
) -> None:
    """Worked example 54 (21 CFR 1301.76(b))."""
    store = await storeroom(clinic, profile="US", time_zone="America/New_York")
    loss = await store.pharmacist.post(
        f"/programmes/{store.here.programme}/stock-losses",
        {
            "kind": "theft",
            "what": "A bottle is gone.",
            "amount_mg": "40",
            "discovered_at": datetime(2026, 6, 9, 10, tzinfo=store.here.zone).isoformat(),
        },
        key=fresh(),
    )
    assert (loss.status_code, loss.json()["notice_by"], loss.json()["form_by"]) == (201, "2026-06-10", "2026-07-24")


async def test_a_uk_register_asks_who_collects_methadone_and_points_it_out_of_buprenorphine(clinic: Clinic) -> None:
    """Worked example 57 (Misuse of Drugs Regulations 2001, regulation 19; buprenorphine is Schedule 3)."""
    made, _ = await begun(clinic, profile="UK", time_zone="Europe/London")
    await made.may_take(7)
    refused = await made.hand_out(1, collected_by_client=False)
    assert rules_of(refused) == ["collector_not_said"], refused.text
    told = refused.json()["facts"]["rules"][0]
    assert (told["policy"], told["facts"]["medicine"]) == ("uk.register of UK-1", "methadone")
    kept = await made.hand_out(1)
    assert (kept.status_code, kept.json()["collector"]) == (201, "client")
    assert [each["rule"] for each in kept.json()["warnings"]] == ["proof_of_identity_not_said"]
    asked = await made.hand_out(2, identity={"requested": False, "provided": False})
    assert (asked.status_code, asked.json()["warnings"]) == (201, [])

    tablets = {
        "medicine": "buprenorphine",
        "form": "sublingual_tablet",
        "strength_mg": "8",
        "amounts_mg": {"whole": "8"},
    }
    other, _ = await begun(clinic, profile="UK", time_zone="Europe/London", order=tablets)
    await other.may_take(7, medicine="buprenorphine")
    warned = await other.hand_out(1, amount_mg="8", collected_by_client=False)
    assert (warned.status_code, warned.json()["collector"]) == (201, "not_said"), warned.text
    assert [(each["rule"], each["facts"]["medicine"]) for each in warned.json()["warnings"]] == [
        ("collector_not_said", "buprenorphine"),
        ("proof_of_identity_not_said", "buprenorphine"),
    ]


async def test_a_dose_that_is_recorded_the_next_day_keeps_both_times_and_counts_when_it_was_given(
    clinic: Clinic,
) -> None:
    """Worked example 87: what happened decides for the clinic, what was recorded stands in the log."""
    here = await dispensary(clinic)
    given_at = datetime.fromisoformat(days_ago(here, 1))
    order = await here.order()
    before = here.clinic.service.clock()

    answer = await here.give(order, given_at=given_at.isoformat(), late={"reason": "The network was down."})

    late = answer.json()
    assert (answer.status_code, late["entry"]) == (201, "late")
    assert datetime.fromisoformat(late["given_at"]) == given_at
    assert before <= datetime.fromisoformat(late["recorded_at"]) <= here.clinic.service.clock()
    assert late["dosing_day"] == str(here.today - timedelta(days=1))
    assert [each["id"] for each in (await here.chart())["doses"]] == [late["id"]]
    assert answer.headers["audit-entry"]
