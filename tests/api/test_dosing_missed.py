"""Missed doses through the API, day by day: the worked examples, and each rung of each profile at its boundaries."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh
from tests.api.test_dosing import rules
from tests.api.test_dosing_statements import ago, dosed_daily, report, state, taken, verify

pytestmark = pytest.mark.anyio

ZONES = {"UK": "Europe/London", "AU": "Australia/Sydney", "US": "America/New_York", "US-CA-BRIDGE": "America/New_York"}
TABLET: dict[str, Any] = {"medicine": "buprenorphine", "form": "sublingual_tablet", "strength_mg": "8"}


async def here_of(clinic: Clinic, profile: str) -> Dispensary:
    return await dispensary(clinic, profile=profile, time_zone=ZONES[profile])


async def settled(here: Dispensary, *, then: int, **said: Any) -> dict[str, Any]:
    """An order under which a dose was taken three weeks ago and so many days ago; titration is over."""
    order = await here.order(**said)
    assert (await here.give(order)).status_code == 201
    await pass_days(here, 20)
    await verify(here, await state(here, taken(here, 1, amount_mg="1")))
    await pass_days(here, then)
    return order


async def decide(here: Dispensary, **said: Any) -> Any:
    return await here.prescriber.post(
        f"/clients/{here.client}/dosing-decisions",
        {"days": [str(here.today)], "reason": "Seen; sober.", "password": PASSWORD, **said},
    )


async def test_example_3_one_missed_dose_in_titration_is_told_to_the_prescriber(clinic: Clinic) -> None:
    """UK, still titrating (start 05-30). Last dose 06-03, today 06-05: given, and a contact is required."""
    here = await here_of(clinic, "UK")
    order = await dosed_daily(here, days=5, then=2, amounts_mg={"whole": "30"})
    due = (await here.chart())["due"]
    assert (due["missed"], due["in_the_way"]) == (1, [])
    [told] = due["to_do"]
    assert (told["rule"], told["policy"]) == ("missed_in_titration", "uk.titration of UK-1")
    assert told["facts"]["missed_days"] == [ago(here, 1)]
    key = fresh()
    given = await here.give(order, key=key)
    assert (await here.give(order, key=key)).json() == given.json()
    path = f"/programmes/{here.programme}/medication-tasks"
    [task] = (await here.nurse.get(path)).json()["items"]
    assert (task["kind"], task["policy"], task["dose_id"]) == ("contact_prescriber", told["policy"], given.json()["id"])
    said = {"spoke_to": "Dr Osei", "said": "Goes on as ordered."}
    done = await here.nurse.post(f"/medication-tasks/{task['id']}/completion", said, key=key)
    assert (done.status_code, done.json()["done"]["said"]) == (201, said["said"]), done.text
    assert (await here.nurse.post(f"/medication-tasks/{task['id']}/completion", said, key=key)).json() == done.json()
    twice = await here.colleague.post(f"/medication-tasks/{task['id']}/completion", said)
    assert (twice.status_code, twice.json()["type"]) == (409, "urn:caseload:problem:task-done")
    assert (await here.nurse.get(path)).json()["items"] == []
    [kept] = (await here.prescriber.get(f"/clients/{here.client}/medication-tasks")).json()["items"]
    assert kept == done.json()


async def missed_list(here: Dispensary, by: Person | None = None) -> list[dict[str, Any]]:
    answer = await (by or here.nurse).get(f"/programmes/{here.programme}/missed-in-titration")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_who_missed_a_dose_in_titration_is_listed_as_soon_as_the_day_has_ended(clinic: Clinic) -> None:
    """No client need come back for it: the list is worked out from the record, and asking writes nothing."""
    here = await here_of(clinic, "UK")
    order = await dosed_daily(here, days=5, then=1, amounts_mg={"whole": "30"})
    assert await missed_list(here) == [], "yesterday's was taken, and today has not ended"
    await pass_days(here, 1)
    [line] = await missed_list(here)
    assert (line["client_id"], line["order_id"], line["task_id"]) == (str(here.client), order["id"], None)
    assert (line["policy"], line["facts"]["missed_days"]) == ("uk.titration of UK-1", [ago(here, 1)])
    assert (await here.nurse.get(f"/programmes/{here.programme}/medication-tasks")).json()["items"] == []
    assert (await here.give(order)).status_code == 201
    assert await missed_list(here) == [], "back, and the task is on the list"


async def test_the_prescriber_is_told_before_the_client_comes_back_and_once(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    order = await dosed_daily(here, days=5, then=2, amounts_mg={"whole": "30"})
    path, said, key = (
        f"/clients/{here.client}/prescriber-contacts",
        {"spoke_to": "Dr Osei", "said": "Give it if she is well."},
        fresh(),
    )
    for wrong in ({"spoke_to": " "}, {"said": ""}):
        assert (await here.nurse.post(path, {**said, **wrong})).status_code == 422
    told = await here.nurse.post(path, said, key=key)
    assert told.status_code == 201, told.text
    assert (told.json()["dose_id"], told.json()["order_id"]) == (None, order["id"])
    assert told.json()["done"]["said"] == said["said"]
    assert (await here.nurse.post(path, said, key=key)).json() == told.json()
    [line] = await missed_list(here)
    assert line["task_id"] == told.json()["id"]
    again = await here.colleague.post(path, said)
    assert (again.status_code, again.json()["type"]) == (409, "urn:caseload:problem:nothing-to-tell")

    await pass_days(here, 1)
    [line] = await missed_list(here)
    assert (line["task_id"], line["facts"]["missed"]) == (None, 2), "another day was missed since"
    assert (await here.colleague.post(path, said)).status_code == 201
    assert (await here.give(order)).status_code == 201
    assert (await here.nurse.get(f"/programmes/{here.programme}/medication-tasks")).json()["items"] == []
    assert (await here.nurse.post(path, said)).status_code == 409, "nothing is missed any more"


async def test_two_who_tell_the_prescriber_at_once_are_one_who_did(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    await dosed_daily(here, days=5, then=2, amounts_mg={"whole": "30"})
    said = {"spoke_to": "Dr Osei", "said": "Give it."}
    answers: list[int] = []

    async def tell(by: Person) -> None:
        answers.append((await by.post(f"/clients/{here.client}/prescriber-contacts", said)).status_code)

    async with anyio.create_task_group() as both:
        both.start_soon(tell, here.nurse)
        both.start_soon(tell, here.colleague)
    assert sorted(answers) == [201, 409]


@pytest.mark.parametrize(("day", "is_titration"), [(13, True), (14, False)])
async def test_titration_is_the_first_two_weeks(clinic: Clinic, *, day: int, is_titration: bool) -> None:
    here = await here_of(clinic, "UK")
    order = await here.order(amounts_mg={"whole": "30"})
    assert (await here.give(order)).status_code == 201
    await pass_days(here, day - 2)
    assert (await here.give(order, amount_mg="1", less_reason="?")).status_code in {201, 409}
    await verify(here, await state(here, taken(here, 0, amount_mg="30", part="whole")))
    await pass_days(here, 2)
    assert bool((await here.chart())["due"]["to_do"]) is is_titration


async def test_a_step_up_that_is_still_to_come_is_titration_however_long_it_lasts(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    steps = [{"from_on": str(here.today + timedelta(days=30)), "amounts_mg": {"whole": "40"}}]
    await settled(here, then=1, amounts_mg={"whole": "30"}, steps=steps)
    await pass_days(here, 1)
    assert [each["rule"] for each in (await here.chart())["due"]["to_do"]] == ["missed_in_titration"]


async def test_example_6_an_australian_who_missed_four_is_proposed_the_lower_of_40_and_half(clinic: Clinic) -> None:
    here = await here_of(clinic, "AU")
    order = await dosed_daily(here, then=5, amounts_mg={"whole": "100"})
    refused = (await here.give(order)).json()["facts"]["rules"][0]
    assert (refused["policy"], refused["facts"]["missed"]) == ("au.missed.4 of AU-1", 4)
    assert refused["facts"]["proposed_mg"] == "40.000"
    assert (await decide(here, at_most_mg="40")).status_code == 201
    assert rules(await here.give(order)) == ["more_than_decided"]
    assert (await here.give(order, amount_mg="40")).status_code == 201


@pytest.mark.parametrize("profile", ["AU", "US-CA-BRIDGE", "US"])
async def test_example_9_after_five_the_order_cannot_be_given_as_it_stands(clinic: Clinic, profile: str) -> None:
    here = await here_of(clinic, profile)
    order = await dosed_daily(here, then=6)
    assert rules(await here.give(order)) == ["missed_doses"]
    plain = await decide(here)
    assert (plain.status_code, [each["field"] for each in plain.json()["errors"]]) == (422, ["at_most_mg"])
    fresh_order = await here.order(amounts_mg={"whole": "20"}, replaces=order["id"])
    assert rules(await here.give(fresh_order)) == ["missed_doses"]
    assert (await decide(here)).status_code == 201, "a new order is the new start"
    assert (await here.give(fresh_order)).status_code == 201


async def test_a_ca_bridge_restart_is_never_more_than_the_last_dose(clinic: Clinic) -> None:
    """The higher of half the dose or 30 mg; whoever took 20 is proposed 20."""
    here = await here_of(clinic, "US-CA-BRIDGE")
    order = await dosed_daily(here, then=5, amounts_mg={"whole": "20"})
    refused = (await here.give(order)).json()["facts"]["rules"][0]
    assert (refused["policy"], refused["facts"]["proposed_mg"]) == ("us_ca_bridge.missed.4 of US-CA-BRIDGE-1", "20.000")


LADDERS = [
    # profile, missed, what the window says, the rule of the profile
    ("UK", 2, None, None),
    ("UK", 3, "missed_doses", "uk.missed.3"),
    ("UK", 4, "missed_doses", "uk.missed.3"),
    ("UK", 5, "missed_doses", "uk.missed.5"),
    ("AU", 2, None, None),
    ("AU", 3, "missed_doses", "au.missed.3"),
    ("AU", 4, "missed_doses", "au.missed.4"),
    ("AU", 5, "missed_doses", "au.missed.5"),
    ("US", 2, None, None),
    ("US", 3, "missed_doses", "us.missed.3"),
    ("US", 4, "missed_doses", "us.missed.3"),
    ("US", 5, "missed_doses", "us.missed.5"),
    ("US-CA-BRIDGE", 2, None, None),
    ("US-CA-BRIDGE", 3, None, None),
    ("US-CA-BRIDGE", 4, "missed_doses", "us_ca_bridge.missed.4"),
    ("US-CA-BRIDGE", 5, "missed_doses", "us_ca_bridge.missed.5"),
]


@pytest.mark.parametrize(("profile", "missed", "rule", "named"), LADDERS)
async def test_each_rung_of_each_ladder(
    clinic: Clinic, profile: str, missed: int, rule: str | None, named: str | None
) -> None:
    here = await here_of(clinic, profile)
    order = await dosed_daily(here, days=1, then=missed + 1, amounts_mg={"whole": "30"})
    answer = await here.give(order)
    if rule is None:
        assert answer.status_code == 201, answer.text
    else:
        [told] = answer.json()["facts"]["rules"]
        assert (told["rule"], told["policy"].partition(" of ")[0], told["facts"]["missed"]) == (rule, named, missed)


@pytest.mark.parametrize(("days", "missed", "status"), [(5, 2, 201), (7, 3, 409), (8, 3, 409)])
async def test_alternate_day_buprenorphine_counts_its_own_days(
    clinic: Clinic, days: int, missed: int, status: int
) -> None:
    here = await here_of(clinic, "UK")
    order = await here.order(**TABLET, amounts_mg={"whole": "16"}, every_days=2)
    assert (await here.give(order)).status_code == 201
    await pass_days(here, days)
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    if days % 2:
        assert listed == []
        assert "not_scheduled" in rules(await here.give(order))
        await pass_days(here, 1)
    due = (await here.chart())["due"]
    assert due["missed"] == missed
    assert (await here.give(order)).status_code == status


@pytest.mark.parametrize(("days", "missed", "status"), [(9, 2, 201), (12, 3, 409)])
async def test_naltrexone_every_third_day_counts_its_own_days(
    clinic: Clinic, days: int, missed: int, status: int
) -> None:
    here = await here_of(clinic, "US")
    said: dict[str, Any] = {"medicine": "naltrexone", "form": "tablet", "strength_mg": "50"}
    order = await here.order(**said, amounts_mg={"whole": "150"}, every_days=3, no_opioid_known="Asked: none.")
    assert (await here.give(order)).status_code == 201
    await pass_days(here, days)
    assert (await here.chart())["due"]["missed"] == missed
    assert (await here.give(order)).status_code == status


async def test_an_order_that_nobody_ever_took_is_a_run_of_missed_doses(clinic: Clinic) -> None:
    """Nobody knows of a last dose: what was ordered for a first day is not given a week later."""
    here = await here_of(clinic, "US")
    order = await here.order(amounts_mg={"whole": "50"})
    await pass_days(here, 2)
    assert (await here.chart())["due"]["missed"] == 2
    assert (await here.chart())["due"]["in_the_way"] == []
    await pass_days(here, 3)
    refused = (await here.give(order)).json()["facts"]["rules"][0]
    assert (refused["rule"], refused["facts"]["missed"], refused["facts"]["last_taken_on"]) == ("missed_doses", 5, None)
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"][0]["due"]
    assert listed == (await here.chart())["due"]
    assert (await decide(here)).status_code == 422, "an unknown last dose is a new start: name the amount"
    assert (await decide(here, at_most_mg="20")).status_code == 201
    assert (await here.give(order, amount_mg="20")).status_code == 201


async def with_gaps(here: Dispensary, gaps: set[int], *, days: int = 7, **said: Any) -> dict[str, Any]:
    """A dose on each of the last days except so many days ago; nobody stops them on the way."""
    order = await here.order(**said)
    for left in range(days, 0, -1):
        if left not in gaps:
            assert (await here.give(order)).status_code == 201
        await pass_days(here, 1)
    return order


@pytest.mark.parametrize(
    ("gaps", "says"),
    [
        ({2, 4}, None),
        ({1, 4, 7}, ["repeated_gaps"]),
        ({1, 2, 4}, ["repeated_gaps"]),
        ({1, 3, 5}, ["repeated_gaps"]),
        ({1, 2}, None),
        ({1, 2, 3}, ["missed_doses"]),
    ],
)
async def test_three_of_the_last_seven_days_ask_the_prescriber_however_they_lie(
    clinic: Clinic, gaps: set[int], says: list[str] | None
) -> None:
    here = await here_of(clinic, "UK")
    order = await with_gaps(here, gaps, amounts_mg={"whole": "30"})
    due = (await here.chart())["due"]
    assert [each["rule"] for each in due["in_the_way"]] == (says or [])
    assert (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"][0]["due"] == due
    answer = await here.give(order)
    assert (answer.status_code, says and rules(answer)) == (409 if says else 201, says)


async def test_a_gap_of_eight_days_ago_counts_no_longer(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    order = await with_gaps(here, {1, 3, 7}, amounts_mg={"whole": "30"}, days=8)
    assert rules(await here.give(order)) == ["repeated_gaps"]
    await verify(here, await state(here, taken(here, 0, amount_mg="30")))
    await pass_days(here, 1)
    assert (await here.give(order)).status_code == 201


async def test_the_ca_bridge_ladder_judges_its_run_alone(clinic: Clinic) -> None:
    here = await here_of(clinic, "US-CA-BRIDGE")
    order = await with_gaps(here, {1, 2, 3}, amounts_mg={"whole": "30"})
    assert (await here.give(order)).status_code == 201


async def test_partial_doses_count_as_gaps_and_a_decision_settles_them(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    order = await here.order()
    for _ in range(3):
        assert (await here.give(order, amount_mg="30", less_reason="Left before the second cup.")).status_code == 201
        await pass_days(here, 1)
    refused = await here.give(order)
    [told] = refused.json()["facts"]["rules"]
    assert (told["rule"], told["policy"]) == ("repeated_gaps", "uk.repeated_gaps of UK-1")
    assert (told["facts"]["missed_days"], told["facts"]["partial_days"]) == (
        [],
        [ago(here, 3), ago(here, 2), ago(here, 1)],
    )
    decided = await decide(here)
    assert (decided.status_code, decided.json()["rules"]) == (201, ["uk.repeated_gaps"]), decided.text
    assert (await here.give(order)).status_code == 201
    await pass_days(here, 1)
    assert (await here.give(order)).status_code == 201, "the days before the decision are settled"


async def test_halves_of_a_day_make_a_whole_one(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    order = await here.order(amounts_mg={"morning": "40", "evening": "20"})
    for _ in range(3):
        assert (await here.give(order, part="morning")).status_code == 201
        await pass_days(here, 1)
    assert rules(await here.give(order, part="morning")) == ["repeated_gaps"]
    evening = taken(here, 3, 2, part="evening", amount_mg="20")
    await verify(here, await state(here, evening))
    assert (await here.give(order, part="morning")).status_code == 201


async def test_a_hold_of_whom_a_pharmacy_supplies_is_telephoned_through(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    order = await here.order(supply="pharmacy")
    hold = await here.hold()
    path = f"/programmes/{here.programme}/medication-tasks"
    [call] = (await here.nurse.get(path)).json()["items"]
    assert (call["kind"], call["hold_id"], call["order_id"]) == ("telephone_pharmacy", hold["id"], order["id"])
    assert call["policy"] == "caseload.hold_tells_pharmacy of caseload-1"
    said = {"spoke_to": "Mr Patel, pharmacist", "said": "Will give nothing until we call."}
    assert (await here.nurse.post(f"/medication-tasks/{call['id']}/completion", said)).status_code == 201
    cleared = await here.prescriber.post(f"/holds/{hold['id']}/clearance", {"reason": "Seen.", "password": PASSWORD})
    assert cleared.status_code == 201
    [back] = (await here.nurse.get(path)).json()["items"]
    assert "may give again" in back["says"]
    blank = await here.nurse.post(f"/medication-tasks/{back['id']}/completion", {"spoke_to": " ", "said": ""})
    assert [each["field"] for each in blank.json()["errors"]] == ["spoke_to", "said"]


async def test_a_hold_of_whom_no_pharmacy_supplies_telephones_nobody(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    ended = await here.order(supply="pharmacy", ends_on=str(here.today))
    await pass_days(here, 1)
    assert ended["supply"] == "pharmacy"
    await here.order()
    await here.hold()
    assert (await here.nurse.get(f"/programmes/{here.programme}/medication-tasks")).json()["items"] == []


async def test_tasks_come_in_pages_and_are_the_clinicians(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    await here.order(supply="pharmacy")
    for _ in range(3):
        await here.hold()
    path = f"/programmes/{here.programme}/medication-tasks"
    page = (await here.nurse.get(path, params={"limit": 2})).json()
    rest = (await here.nurse.get(path, params={"limit": 2, "after": page["next"]})).json()
    assert (len(page["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    elsewhere = await here_of(clinic, "UK")
    assert (await elsewhere.nurse.get(path)).status_code == 403
    task = page["items"][0]["id"]
    done = await elsewhere.nurse.post(f"/medication-tasks/{task}/completion", {"spoke_to": "Me", "said": "Yes."})
    assert done.status_code == 404


async def test_what_a_pharmacy_reports_taken_and_missed_shows_gaps_at_the_window(clinic: Clinic) -> None:
    here = await here_of(clinic, "UK")
    order = await here.order(supply="pharmacy")
    await pass_days(here, 7)
    days = taken(here, 7, 5, 3, 1) + [{"day": ago(here, each), "outcome": "missed"} for each in (6, 4, 2)]
    path = f"/clients/{here.client}/orders/{order['id']}/pharmacy-reports"
    assert (await here.nurse.post(path, report(here, days))).status_code == 201
    window = await here.order(replaces=order["id"])
    assert rules(await here.give(window)) == ["repeated_gaps"]
