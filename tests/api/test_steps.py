"""Orders in steps, and where they are supplied, over HTTP."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from caseload.domain.access import Role
from tests.api.conftest import Clinic
from tests.api.dispensary import PASSWORD, Dispensary, days_ago, dispensary, fresh
from tests.api.test_measured import DEPOT

pytestmark = pytest.mark.anyio


async def rising(here: Dispensary, *, taken_in_full: bool) -> dict[str, Any]:
    """An order of 30 that goes up to 40 today, as the window meets it three days after its first dose."""
    order = await here.order(
        amounts_mg={"whole": "30"},
        steps=[{"from_on": str(here.today + timedelta(days=1)), "amounts_mg": {"whole": "40"}}],
    )
    await begin_earlier(here, order, days=3)
    for days in (3, 2, 1):
        less = {} if taken_in_full or days != 2 else {"amount_mg": "20", "less_reason": "Spat out the rest."}
        said: dict[str, Any] = {"given_at": days_ago(here, days), "late": {"reason": "Paper."}, **less}
        assert (await here.give(order, **said)).status_code == 201
    holds = (await here.prescriber.get(f"/programmes/{here.programme}/holds")).json()["items"]
    for hold in holds:
        seen = {"reason": "Seen.", "password": PASSWORD}
        assert (await here.prescriber.post(f"/holds/{hold['id']}/clearance", seen)).status_code == 201
    return order


async def begin_earlier(here: Dispensary, order: dict[str, Any], *, days: int) -> None:
    """Move an order into the past, as its owner only can: the step that is tomorrow's becomes today's."""
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    await owner.execute(
        "update clinic.medication_order set starts_on = starts_on - $1::int,"
        " step_from = array(select day - 1 from unnest(step_from) day) where id = $2",
        days,
        order["id"],
    )
    await owner.close()


async def look(here: Dispensary, **said: Any) -> None:
    seen = {"sedation": "alert", "intoxicated": False, **said}
    path, key = f"/clients/{here.client}/pre-dose-observations", fresh()
    kept = await here.nurse.post(path, seen, key=key)
    assert (kept.status_code, kept.json()["dosing_day"]) == (201, str(here.today))
    assert (await here.nurse.post(path, seen, key=key)).json() == kept.json()


async def asked(here: Dispensary) -> list[dict[str, Any]]:
    answer = await here.prescriber.get(f"/programmes/{here.programme}/waiting-steps")
    assert answer.status_code == 200
    return answer.json()["items"]


async def due_mg(here: Dispensary) -> list[str]:
    """What is due by the chart, which the dispensing list says too."""
    due = (await here.chart())["due"]
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"][0]["due"]
    assert (listed["parts"], listed["waits"]) == (due["parts"], due["waits"])
    return [part["amount_mg"] for part in due["parts"]]


async def test_a_step_up_counts_once_the_client_was_seen_before_the_dose(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await rising(here, taken_in_full=True)
    assert await due_mg(here) == ["30"]
    refused = await here.give(order, amount_mg="40")
    [_, told] = refused.json()["facts"]["rules"]
    assert (told["rule"], told["policy"]) == ("step_waits", "uk.step_up of UK-1")
    assert (told["facts"]["not_in_full_days"], told["facts"]["observed"]) == ([], False)
    assert [each["waits"]["facts"] for each in await asked(here)] == [told["facts"]]
    await look(here)
    assert (await due_mg(here), await asked(here)) == (["40"], [])
    assert (await here.give(order, amount_mg="40")).status_code == 201


async def test_a_partial_dose_keeps_the_step_before_and_asks_the_prescriber(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await rising(here, taken_in_full=False)
    await look(here)
    assert await due_mg(here) == ["30"]
    [waits] = await asked(here)
    assert (waits["order_id"], waits["client_id"]) == (order["id"], str(here.client))
    assert waits["waits"]["facts"]["not_in_full_days"] == [str(here.today - timedelta(days=2))]
    assert (await here.give(order, amount_mg="40")).json()["facts"]["rules"][1]["rule"] == "step_waits"
    assert (await here.give(order, amount_mg="30")).status_code == 201
    anew = await here.order(amounts_mg={"whole": "35"}, replaces=order["id"])
    assert (anew["steps"], await asked(here)) == ([], [])


@pytest.mark.parametrize("found", [{"sedation": "drowsy"}, {"intoxicated": True}])
async def test_nobody_rises_who_was_seen_unwell(clinic: Clinic, found: dict[str, Any]) -> None:
    here = await dispensary(clinic)
    await rising(here, taken_in_full=True)
    await look(here)
    await look(here, **found)
    assert await due_mg(here) == ["30"]


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({"sedation": "drowsy"}, "sedation"),
        ({"sedation": "hard_to_rouse"}, "sedation"),
        ({"sedation": "drowsy", "intoxicated": True}, "intoxication"),
    ],
)
async def test_what_was_seen_before_a_dose_holds_it_by_the_rule_of_the_profile(
    clinic: Clinic, found: dict[str, Any], reason: str
) -> None:
    """Do not dispense to a person who appears intoxicated (UK pharmacy specifications)."""
    here = await dispensary(clinic)
    order = await here.order()
    await look(here, **found)
    await look(here, **found)
    (hold,) = (await here.chart())["holds"]
    assert (hold["reason"], hold["by_rule"]) == (reason, "uk.before_the_dose")
    assert (await here.give(order)).json()["facts"]["rule"] == "client_held"
    cleared = await here.prescriber.post(f"/holds/{hold['id']}/clearance", {"reason": "Seen.", "password": PASSWORD})
    assert cleared.status_code == 201
    assert (await here.give(order)).status_code == 201


async def test_withdrawal_is_measured_in_the_same_act(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    items = {each["name"]: each for each in (await here.nurse.get("/instruments")).json()["items"]}["cows"]["items"]
    said = {"sedation": "alert", "intoxicated": False, "cows": {item["code"]: item["lowest"] for item in items}}
    path = f"/clients/{here.client}/pre-dose-observations"
    seen = (await here.nurse.post(path, said)).json()
    (kept,) = (await here.nurse.get(f"/clients/{here.client}/observations")).json()["items"]
    assert (seen["observation_id"], seen["hold_id"]) == (kept["id"], None)
    assert (kept["instrument"], kept["total"], kept["band"]) == ("cows", 0, "none")
    wrong = await here.nurse.post(path, said | {"cows": {"pulse": 3}})
    assert wrong.status_code == 422
    assert len((await here.nurse.get(f"/clients/{here.client}/observations")).json()["items"]) == 1


async def test_only_who_gives_doses_observes_and_only_a_prescriber_is_asked(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    counsellor = await clinic.person((Role.COUNSELLOR, here.programme))
    said = {"sedation": "alert", "intoxicated": False}
    assert (await counsellor.post(f"/clients/{here.client}/pre-dose-observations", said)).status_code == 403
    assert (await here.nurse.get(f"/programmes/{here.programme}/waiting-steps")).status_code == 403
    assert (
        await here.nurse.post(f"/clients/{here.client}/pre-dose-observations", said | {"sedation": "?"})
    ).status_code == 422


async def test_the_steps_are_signed_and_read_back(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    steps = [
        {"from_on": str(here.today + timedelta(days=days)), "amounts_mg": {"whole": None, "morning": am, "evening": pm}}
        for days, am, pm in ((3, "20", "12.5"), (6, "10", "5"))
    ]
    order = await here.order(amounts_mg={"morning": "20", "evening": "20"}, steps=steps)
    assert order["steps"] == steps
    assert (await here.nurse.get(f"/orders/{order['id']}")).json() == order


async def test_a_pharmacys_order_is_not_given_at_our_window(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(supply="pharmacy")
    assert order["supply"] == "pharmacy"
    refused = await here.give(order)
    assert refused.json()["facts"]["rule"] == "supplied_elsewhere"
    assert (await here.chart())["due"]["order_id"] is None
    assert (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"] == []


@pytest.mark.parametrize(
    ("profile", "zone", "said", "status"),
    [
        ("US", "America/New_York", {}, 422),
        ("US", "America/New_York", {"medicine": "buprenorphine", "form": "sublingual_tablet"}, 201),
        ("UK", "Europe/London", {}, 201),
        ("UK", "Europe/London", DEPOT, 422),
    ],
)
async def test_a_pharmacy_supplies_what_the_profile_allows_and_no_injection(
    clinic: Clinic, profile: str, zone: str, said: dict[str, Any], status: int
) -> None:
    here = await dispensary(clinic, profile=profile, time_zone=zone)
    answer = await here.prescriber.post(f"/clients/{here.client}/orders", here.wish(**said, supply="pharmacy"))
    assert answer.status_code == status
    if status == 422:
        assert [each["field"] for each in answer.json()["errors"]] == ["supply"]
