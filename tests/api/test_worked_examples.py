"""Worked examples of the rules that no other file tells: each with its own days and amounts, through the API."""

from datetime import datetime, timedelta

import pytest

from tests.api.conftest import Clinic
from tests.api.dispensary import days_ago, dispensary, fresh
from tests.api.storeroom import storeroom

pytestmark = pytest.mark.anyio


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
