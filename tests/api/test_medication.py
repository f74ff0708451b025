"""Orders, holds and decisions over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, days_ago, dispensary, fresh

pytestmark = pytest.mark.anyio


async def test_an_order_counts_only_when_it_is_signed_with_the_password(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    drafted = await here.draft(amounts_mg={"whole": "30"})
    assert drafted["standing"] == "draft"
    assert (await here.give(drafted)).json()["facts"]["rule"] == "no_order_in_force"
    path = f"/orders/{drafted['id']}/signature"
    assert (await here.prescriber.post(path, {"password": "guessed, and wrong"})).status_code in {401, 403}
    assert (await here.nurse.post(path, {"password": PASSWORD})).status_code == 403
    key = fresh()
    signed = await here.prescriber.post(path, {"password": PASSWORD}, key=key)
    assert (signed.status_code, signed.json()["standing"]) == (201, "in_force")
    assert (await here.prescriber.post(path, {"password": PASSWORD}, key=key)).json() == signed.json()
    assert (await here.prescriber.post(path, {"password": PASSWORD})).status_code == 409
    assert (await here.nurse.get(f"/orders/{drafted['id']}")).json() == signed.json()


async def test_writing_the_same_order_twice_with_one_key_writes_it_once(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    key = fresh()
    path = f"/clients/{here.client}/orders"
    first = await here.prescriber.post(path, here.wish(), key=key)
    assert (await here.prescriber.post(path, here.wish(), key=key)).json() == first.json()
    other = await here.prescriber.post(path, here.wish(amounts_mg={"whole": "90"}), key=key)
    assert other.status_code == 422
    assert len((await here.chart())["orders"]) == 1


async def test_every_fault_of_an_order_is_named_at_once(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    answer = await here.prescriber.post(
        f"/clients/{here.client}/orders",
        here.wish(form="sublingual_film", amounts_mg={}, every_days=0, starts_on=str(here.today - timedelta(days=1))),
    )
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["form", "amounts_mg", "every_days", "starts_on"]


async def test_a_change_is_a_new_order_of_the_chain_and_the_former_is_409_at_the_window(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    first = await here.order()
    second = await here.order(amounts_mg={"whole": "50"}, replaces=first["id"])
    assert (second["chain_id"], second["version"]) == (first["chain_id"], 2)
    changed = await here.give(first)
    assert (changed.status_code, changed.json()["type"]) == (409, "urn:caseload:problem:order-changed")
    assert changed.json()["facts"]["replaced_by"] == second["id"]
    assert (await here.give(second)).status_code == 201


async def test_a_second_order_of_the_same_days_is_refused(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    await here.order()
    beside = await here.draft()
    refused = await here.prescriber.post(f"/orders/{beside['id']}/signature", {"password": PASSWORD})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:caseload:problem:order-in-the-way")


async def test_a_stopped_order_is_given_no_longer(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    said = {"reason": "Side effects.", "password": PASSWORD}
    key = fresh()
    stopped = await here.prescriber.post(f"/orders/{order['id']}/stop", said, key=key)
    assert (stopped.status_code, stopped.json()["standing"]) == (201, "stopped")
    assert (await here.prescriber.post(f"/orders/{order['id']}/stop", said, key=key)).json() == stopped.json()
    assert (await here.give(order)).json()["facts"]["standing"] == "stopped"


async def test_a_hold_raised_twice_with_one_key_is_one_hold(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    key = fresh()
    path, said = f"/clients/{here.client}/holds", {"reason": "intoxication", "note": "Slurred speech."}
    first = await here.nurse.post(path, said, key=key)
    assert (await here.nurse.post(path, said, key=key)).json() == first.json()
    assert len((await here.chart())["holds"]) == 1
    refused = await here.nurse.post(path, {"reason": "exception"})
    assert refused.status_code == 422
    assert (await here.nurse.post(path, {"reason": "missed_counselling"})).status_code == 422


async def test_clearing_a_hold_is_a_prescribers_signed_decision(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    hold = await here.hold()
    path, said = f"/holds/{hold['id']}/clearance", {"reason": "Awake.", "password": PASSWORD}
    assert (await here.nurse.post(path, said)).status_code == 403
    key = fresh()
    cleared = await here.prescriber.post(path, said, key=key)
    assert (cleared.status_code, cleared.json()["kind"]) == (201, "clear_hold")
    assert (await here.prescriber.post(path, said, key=key)).json() == cleared.json()
    assert (await here.prescriber.post(path, said)).status_code == 409
    assert (await here.chart())["holds"][0]["cleared_by"] == cleared.json()["id"]


async def missed(here: Any, *, days: int) -> dict[str, Any]:
    """An order in force, and a dose that was given so many days ago; its exception has been looked at."""
    order = await here.order()
    await here.give(order, given_at=days_ago(here, days), late={"reason": "Paper."})
    hold = (await here.prescriber.get(f"/programmes/{here.programme}/holds")).json()["items"][0]
    await here.prescriber.post(f"/holds/{hold['id']}/clearance", {"reason": "Seen.", "password": PASSWORD})
    return order


async def test_missed_doses_wait_for_a_decision_that_names_its_rule_and_its_facts(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await missed(here, days=4)
    refused = await here.give(order)
    assert refused.json()["facts"]["rules"][0]["facts"]["missed"] == 3
    assert refused.json()["facts"]["rules"][0]["policy"] == "uk.missed.3 of UK-1"
    path = f"/clients/{here.client}/dosing-decisions"
    said = {"days": [str(here.today)], "reason": "Seen, sober.", "password": PASSWORD}
    key = fresh()
    decided = await here.prescriber.post(path, said, key=key)
    assert decided.status_code == 201, decided.text
    told = decided.json()
    assert (told["rules"], told["missed"], told["profile"]) == (["uk.missed.3"], 3, "UK-1")
    assert (await here.prescriber.post(path, said, key=key)).json() == told
    assert (await here.chart())["due"]["decision_id"] == told["id"]
    given = await here.give(order)
    assert (given.status_code, given.json()["decision_id"]) == (201, told["id"])


async def test_half_the_dose_after_three_missed_in_australia(clinic: Clinic) -> None:
    here = await dispensary(clinic, profile="AU", time_zone="Australia/Sydney")
    order = await missed(here, days=4)
    refused = (await here.give(order)).json()["facts"]["rules"][0]
    assert (refused["policy"], refused["facts"]["proposed_mg"]) == ("au.missed.3 of AU-1", "30.000")
    said = {
        "days": [str(here.today)],
        "reason": "Half, seen.",
        "at_most_mg": "30",
        "password": PASSWORD,
    }
    await here.prescriber.post(f"/clients/{here.client}/dosing-decisions", said)
    assert (await here.give(order)).json()["facts"]["rule"] == "more_than_decided"
    assert (await here.give(order, amount_mg="30")).status_code == 201


async def test_only_a_prescriber_decides_and_only_when_there_is_something_to_decide(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    path = f"/clients/{here.client}/dosing-decisions"
    said = {"days": [str(here.today)], "reason": "Seen.", "password": PASSWORD}
    assert (await here.nurse.post(path, said)).status_code == 403
    nothing = await here.prescriber.post(path, said)
    assert (nothing.status_code, nothing.json()["type"]) == (409, "urn:caseload:problem:nothing-to-decide")
