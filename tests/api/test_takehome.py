"""Take-homes over HTTP: from the prescriber's decision to the unit that came back, and the window in between."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from caseload.db.takehome.premises import TheirPremises
from caseload.db.takehome.returns import Returns
from caseload.domain.access import Act
from caseload.domain.ids import DispenseId, ReturnId, UnitId, new_id
from caseload.domain.takehome import OutcomeMoved, PremisesMoved, UnitsMoved
from caseload.request.work import Work
from tests.api.conftest import Clinic
from tests.api.dispensary import fresh
from tests.api.homes import BUPRENORPHINE, MET, begun, homes, rules_of

pytestmark = pytest.mark.anyio


async def test_from_the_decision_to_the_unit_that_came_back(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    decision = await made.may_take(6)
    assert (decision["ceiling_days"], decision["ceiling_rule"]) == (28, "us.take_home_ladder")
    assert (await made.here.give(order)).status_code == 201
    units = await made.handed(*range(1, 7))
    assert [unit["amount_mg"] for unit in units] == ["60"] * 6
    await made.days_pass(5)
    assert await made.stops() == ["take_home_covers"]
    refused = await made.here.give(order)
    assert rules_of(refused) == ["take_home_covers"]
    [told] = refused.json()["facts"]["rules"]
    assert (told["policy"], told["facts"]["label"]) == ("us.take_home_covers of US-1", units[4]["label"])
    assert (told["facts"]["day"], told["facts"]["reported_taken"]) == (str(made.here.today), False)
    assert (await made.report(*units[:4])).status_code == 201
    assert await made.stops() == ["take_home_covers"]
    assert (await made.report(units[4], state="full", taken=False)).status_code == 201
    assert await made.stops() == []
    assert (await made.here.give(order)).status_code == 201


async def test_whoever_took_six_home_has_missed_nothing_on_the_seventh_day(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(6)
    assert (await made.here.give(order)).status_code == 201
    await made.handed(*range(1, 7))
    await made.days_pass(7)
    due = (await made.here.chart())["due"]
    assert (due["missed"], due["last_taken"]["day"], due["in_the_way"]) == (0, str(made.day(-1)), [])
    assert (await made.here.give(order)).status_code == 201


@pytest.mark.parametrize(("day_of_treatment", "allowed"), [(1, 7), (14, 7), (15, 14), (30, 14), (31, 28), (400, 28)])
async def test_the_ladder_of_the_day_of_treatment_is_a_maximum(
    clinic: Clinic, day_of_treatment: int, allowed: int
) -> None:
    made, _ = await begun(clinic, day_of_treatment=day_of_treatment)
    kept = await made.may_take(allowed)
    assert (kept["day_of_treatment"], kept["ceiling_days"], kept["days"]) == (day_of_treatment, allowed, allowed)
    first = str(made.day(1 - day_of_treatment))
    assert kept["first_dose_on"] == first
    refused = await made.decide(allowed + 1)
    assert rules_of(refused) == ["take_home_ceiling"]
    [told] = refused.json()["facts"]["rules"]
    assert told["policy"] == "us.take_home_ladder of US-1"
    assert told["facts"] == {
        "days": allowed + 1,
        "at_most_days": allowed,
        "day_of_treatment": day_of_treatment,
        "first_dose_on": first,
    }
    assert [each["id"] for each in (await made.read())["decisions"]] == [kept["id"]]


async def test_before_the_first_dose_it_is_the_first_day_of_treatment(clinic: Clinic) -> None:
    made = await homes(clinic)
    kept = await made.may_take(7)
    assert (kept["day_of_treatment"], kept["first_dose_on"]) == (1, None)
    assert rules_of(await made.decide(8)) == ["take_home_ceiling"]


async def test_no_federal_ladder_stands_above_buprenorphine_but_a_decision_is_needed(clinic: Clinic) -> None:
    made, _ = await begun(clinic, day_of_treatment=3, order=BUPRENORPHINE)
    refused = await made.hand_out(1, amount_mg="16")
    assert rules_of(refused) == ["take_home_not_decided"]
    assert refused.json()["facts"]["rules"][0]["policy"] == "us.take_home_criteria of US-1"
    kept = await made.may_take(28, medicine="buprenorphine_naloxone")
    assert (kept["day_of_treatment"], kept["ceiling_days"], kept["ceiling_rule"]) == (3, None, None)
    units = await made.handed(*range(28), amount_mg="16")
    assert {unit["decision_id"] for unit in units} == {kept["id"]}
    assert rules_of(await made.hand_out(28, amount_mg="16")) == ["take_home_more_than_decided"]


async def test_a_decision_about_one_medicine_lets_no_other_go(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7, medicine="buprenorphine_naloxone")
    assert rules_of(await made.hand_out(1)) == ["take_home_not_decided"]


@pytest.mark.parametrize("criterion", list(MET))
async def test_each_of_the_six_is_answered_and_one_not_met_is_explained(clinic: Clinic, criterion: str) -> None:
    made, _ = await begun(clinic)
    missing = {key: value for key, value in MET.items() if key != criterion}
    refused = await made.decide(7, answers=missing)
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (
        422,
        [f"answers.{criterion}"],
    )
    refused = await made.decide(7, answers=MET | {criterion: {"met": False, "note": " "}})
    assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (
        422,
        [f"answers.{criterion}"],
    )
    kept = await made.may_take(7, answers=MET | {criterion: {"met": False, "note": "Lives with a brother who uses."}})
    assert kept["answers"][criterion] == {"met": False, "note": "Lives with a brother who uses."}


async def test_housing_is_no_criterion(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    refused = await made.decide(7, answers=MET | {"housing": {"met": False, "note": "Unstable."}})
    assert [each["field"] for each in refused.json()["errors"]] == ["answers.housing"]
    kept = await made.may_take(28, rationale="Sleeps at a hostel; the box is kept at work.")
    assert kept["days"] == 28


async def test_a_decision_is_signed_by_a_prescriber_and_says_why_and_until_when(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"rationale": " "}, "rationale"),
        ({"review_on": str(made.day(0))}, "review_on"),
        ({"review_on": str(made.day(91))}, "review_on"),
        ({"answers": MET | {"stores_safely": {"met": True, "note": "x" * 4001}}}, "answers.stores_safely"),
    )
    for said, field in wrong:
        refused = await made.decide(7, **said)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
    for days in (-1, 93):
        assert [each["field"] for each in (await made.decide(days)).json()["errors"]] == ["days"]
    assert (await made.decide(7, by=made.here.nurse)).status_code == 403
    assert (await made.decide(7, password="not the password")).status_code in {401, 403}
    key = fresh()
    kept = await made.decide(7, key=key, review_on=str(made.day(1)))
    assert (await made.decide(7, key=key, review_on=str(made.day(1)))).json() == kept.json()
    assert [each["id"] for each in (await made.read())["decisions"]] == [kept.json()["id"]]


async def test_the_newest_decision_counts_also_one_that_allows_nothing(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    none = await made.may_take(0, rationale="Bottles came back broken.")
    refused = await made.hand_out(1)
    assert rules_of(refused) == ["take_home_more_than_decided"]
    assert refused.json()["facts"]["rules"][0]["facts"] == {
        "days": 1,
        "held_days": [],
        "decision": none["id"],
        "decided_days": 0,
    }
    await made.may_take(2)
    assert (await made.hand_out(1, 2)).status_code == 201


async def test_what_the_client_holds_counts_until_its_day_is_over_or_it_is_back(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(3)
    units = await made.handed(1, 2)
    refused = await made.hand_out(3, 4)
    assert rules_of(refused) == ["take_home_more_than_decided"]
    assert refused.json()["facts"]["rules"][0]["facts"]["held_days"] == [unit["for_on"] for unit in units]
    await made.handed(3)
    assert rules_of(await made.hand_out(4)) == ["take_home_more_than_decided"]
    assert (await made.report(units[0], state="full", taken=False)).status_code == 201
    await made.handed(4)
    await made.days_pass(3)
    assert rules_of(await made.hand_out(2, 3)) == ["take_home_more_than_decided"]
    await made.handed(2)


async def test_the_ladder_counts_on_the_day_on_which_units_are_handed_out(clinic: Clinic) -> None:
    made, _ = await begun(clinic, day_of_treatment=31)
    await made.may_take(28)
    gone = "delete from clinic.dose where client_id = $1 and dosing_day < $2"
    await made.as_owner(gone, made.here.client, made.day(-1))
    refused = await made.hand_out(*range(1, 9))
    assert rules_of(refused) == ["take_home_ceiling"]
    told = refused.json()["facts"]["rules"][0]
    assert (told["facts"]["day_of_treatment"], told["facts"]["at_most_days"], told["facts"]["days"]) == (2, 7, 8)
    assert (await made.hand_out(*range(1, 8))).status_code == 201


async def test_closed_days_count_apart_and_need_no_decision_in_the_us(clinic: Clinic) -> None:
    made, _ = await begun(clinic, day_of_treatment=3)
    await made.close(2, 5)
    assert rules_of(await made.hand_out(1, 2)) == ["take_home_not_decided"]
    [sunday] = await made.handed(2)
    assert (sunday["is_closure"], sunday["decision_id"]) == (True, None)
    await made.may_take(7)
    units = await made.handed(1, 3, 4, 5, 6, 7, 8, 9)
    assert [unit["is_closure"] for unit in units] == [False, False, False, True, False, False, False, False]
    assert rules_of(await made.hand_out(10)) == ["take_home_more_than_decided", "take_home_ceiling"]


async def test_closed_days_need_a_decision_where_the_profile_says_so(clinic: Clinic) -> None:
    made, _ = await begun(clinic, profile="UK", time_zone="Europe/London")
    await made.close(1)
    assert rules_of(await made.hand_out(1)) == ["take_home_not_decided"]
    kept = await made.may_take(0)
    assert kept["ceiling_days"] is None
    [unit] = await made.handed(1)
    assert (unit["is_closure"], unit["decision_id"]) == (True, kept["id"])


async def test_each_unit_is_what_the_order_of_its_day_asks_for(clinic: Clinic) -> None:
    made = await homes(clinic)
    steps = [
        {"from_on": str(made.day(number)), "amounts_mg": {"whole": amount}} for number, amount in ((2, "30"), (4, "50"))
    ]
    await made.here.order(amounts_mg={"whole": "40"}, steps=steps, ends_on=str(made.day(6)))
    await made.may_take(7)
    refused = await made.hand_out(1, 2, amount_mg="40")
    assert rules_of(refused) == ["another_amount"]
    told = refused.json()["facts"]["rules"][0]["facts"]
    assert (told["day"], told["ordered_mg"]) == (str(made.day(2)), "30.000")
    await made.handed(1, amount_mg="40")
    # A step up waits for what nobody can have seen yet: the amount before it goes home.
    await made.handed(2, 3, 4, 6, amount_mg="30")
    assert rules_of(await made.hand_out(7, amount_mg="30")) == ["no_order_in_force"]


async def test_only_scheduled_days_of_our_own_orders_and_never_an_injection(clinic: Clinic) -> None:
    made = await homes(clinic)
    await made.may_take(7)
    order = await made.here.order(every_days=2)
    assert rules_of(await made.hand_out(1)) == ["not_scheduled"]
    refused = await made.here.nurse.post(
        f"/clients/{made.here.client}/take-homes",
        {
            "units": [{"for_on": str(made.day(2)), "amount_mg": "30", "part": "evening"}],
            "educated": True,
            "collected_by_client": True,
        },
        key=fresh(),
    )
    assert rules_of(refused) == ["part_not_ordered"]
    await made.handed(2)
    stop = {"reason": "Moves to the injection.", "password": "correct horse battery staple"}
    assert (await made.here.prescriber.post(f"/orders/{order['id']}/stop", stop)).status_code == 201
    depot = {"medicine": "buprenorphine", "form": "extended_release_injection", "strength_mg": "128"}
    await made.here.order(**depot, amounts_mg={"whole": "128"}, every_days=28, starts_on=str(made.day(3)))
    await made.may_take(7, medicine="buprenorphine")
    assert rules_of(await made.hand_out(3, amount_mg="128")) == ["never_taken_home"]


async def test_what_a_pharmacy_supplies_is_not_handed_out_here(clinic: Clinic) -> None:
    made = await homes(clinic)
    await made.may_take(7, medicine="buprenorphine_naloxone")
    await made.here.order(**BUPRENORPHINE, supply="pharmacy")
    assert rules_of(await made.hand_out(1, amount_mg="16")) == ["supplied_elsewhere"]


async def test_no_day_is_handed_out_twice_or_beside_a_dose_at_the_window(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(7)
    key = fresh()
    first = await made.hand_out(1, 2, key=key)
    assert (await made.hand_out(1, 2, key=key)).json() == first.json()
    refused = await made.hand_out(2, 3)
    assert rules_of(refused) == ["dispensed_already"]
    assert refused.json()["facts"]["rules"][0]["facts"]["unit"] == first.json()["units"][1]["id"]
    assert (await made.here.give(order)).status_code == 201
    assert rules_of(await made.hand_out(0)) == ["already_given"]
    assert len((await made.read())["units"]) == 2


async def test_a_unit_for_today_takes_the_place_of_the_dose_at_the_window(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(7)
    [unit] = await made.handed(0)
    assert rules_of(await made.here.give(order)) == ["take_home_covers"]
    assert (await made.report(unit)).status_code == 201
    refused = await made.here.give(order)
    assert rules_of(refused) == ["take_home_covers"]
    assert refused.json()["facts"]["rules"][0]["facts"]["reported_taken"] is True
    assert await made.stops() == ["take_home_covers"]


async def test_the_evening_part_of_a_split_dose_goes_home(clinic: Clinic) -> None:
    made = await homes(clinic)
    order = await made.here.order(amounts_mg={"morning": "30", "evening": "20"})
    await made.may_take(7)
    assert (await made.here.give(order, part="morning", amount_mg="30")).status_code == 201
    evening = {
        "units": [{"for_on": str(made.day(0)), "amount_mg": "20", "part": "evening"}],
        "educated": True,
        "collected_by_client": True,
    }
    path = f"/clients/{made.here.client}/take-homes"
    kept = await made.here.nurse.post(path, evening, key=fresh())
    assert kept.status_code == 201
    assert rules_of(await made.here.give(order, part="evening", amount_mg="20")) == ["take_home_covers"]
    morning = {
        "units": [{"for_on": str(made.day(0)), "amount_mg": "30", "part": "morning"}],
        "educated": True,
        "collected_by_client": True,
    }
    assert rules_of(await made.here.nurse.post(path, morning, key=fresh())) == ["already_given"]
    assert (await made.report(kept.json()["units"][0], state="full", taken=False)).status_code == 201
    assert (await made.here.give(order, part="evening", amount_mg="20")).status_code == 201


async def test_nobody_takes_home_what_they_would_not_be_given(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    await made.days_pass(3)
    refused = await made.hand_out(1)
    assert rules_of(refused) == ["missed_doses", "take_home_suspended"]
    await made.here.hold()
    assert rules_of(await made.hand_out(1)) == ["client_held", "missed_doses", "take_home_suspended"]


async def test_what_is_handed_out_must_be_said_in_full(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    path = f"/clients/{made.here.client}/take-homes"
    assert (
        await made.here.nurse.post(path, {"units": [], "educated": True, "collected_by_client": True})
    ).status_code == 422
    one = {"for_on": str(made.day(1)), "amount_mg": "60"}
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"units": []}, "units"),
        ({"units": [one, one]}, "units.1"),
        ({"units": [one, one | {"part": "morning"}]}, "units.1"),
        ({"units": [one | {"for_on": str(made.day(-1))}]}, "units.0.for_on"),
        ({"units": [one | {"for_on": str(made.day(93))}]}, "units.0.for_on"),
        ({"units": [one | {"amount_mg": "0"}]}, "units.0.amount_mg"),
        ({"units": [one], "educated": False}, "education_note"),
        ({"units": [one], "education_note": "x" * 4001}, "education_note"),
        ({"units": [one], "collected_by": " "}, "collected_by"),
        ({"units": [one], "collected_by": "x" * 201}, "collected_by"),
    )
    for said, field in wrong:
        refused = await made.here.nurse.post(path, {"educated": True, **said}, key=fresh())
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field])
    assert rules_of(await made.hand_out(*range(85, 93))) == ["take_home_more_than_decided"]
    kept = await made.hand_out(1, educated=False, education_note="Knows it by heart.", collected_by="Her sister May")
    assert (kept.json()["educated"], kept.json()["collected_by"]) == (False, "Her sister May")


async def test_a_label_says_whose_it_is_and_whence(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    handed = (await made.hand_out(1, 2)).json()
    labels = (await made.here.nurse.get(f"/take-homes/{handed['id']}/labels")).json()["items"]
    assert [label["unit"] for label in labels] == handed["units"]
    first = labels[0]
    assert (first["address"], first["telephone"]) == ("1 Quay Street, Springfield", "555 0100")
    assert (first["family_name"], bool(first["programme"])) == ("Example", True)
    assert first["unit"]["amount_ml"] == "60"
    assert len({label["unit"]["label"] for label in labels}) == 2
    assert (await made.here.nurse.get(f"/take-homes/{fresh()}/labels")).status_code == 404


async def test_nothing_is_handed_out_without_an_address_for_its_label(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    handed = (await made.hand_out(1)).json()
    premises = f"/programmes/{made.here.programme}/premises"
    assert (await made.here.nurse.get(premises)).json()["telephone"] == "555 0100"
    key, said = fresh(), {"address": " 2 Quay Street ", "telephone": "555 0101"}
    moved = await made.administrator.post(premises, said, key=key)
    assert moved.json() == {"address": "2 Quay Street", "telephone": "555 0101"}
    assert (await made.administrator.post(premises, said, key=key)).json() == moved.json()
    for wrong in ({"address": " "}, {"telephone": "x" * 41}):
        assert (await made.administrator.post(premises, said | wrong)).status_code == 422
    assert (await made.supervisor.post(premises, said)).status_code == 403
    await made.as_owner("delete from clinic.programme_premises where programme_id = $1", made.here.programme)
    assert (await made.here.nurse.get(premises)).status_code == 409
    assert (await made.hand_out(2)).json()["type"] == "urn:caseload:problem:no-premises"
    assert (await made.here.nurse.get(f"/take-homes/{handed['id']}/labels")).status_code == 409


async def test_a_nurse_of_another_programme_finds_nothing(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    decision = await made.may_take(7)
    handed = (await made.hand_out(1)).json()
    other = (await homes(clinic)).here
    for answer in (
        await other.nurse.get(f"/clients/{made.here.client}/take-homes"),
        await other.nurse.get(f"/take-homes/{handed['id']}/labels"),
        await made.hand_out(2, by=other.nurse),
        await made.report(handed["units"][0], by=other.nurse),
        await made.suspend(decision, by=other.prescriber),
    ):
        assert answer.status_code == 404


async def test_days_said_to_be_untaken_are_missed_and_those_after_the_last_one_count(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(6)
    assert (await made.here.give(order)).status_code == 201
    units = await made.handed(*range(1, 7))
    await made.days_pass(7)
    assert (await made.report(*units[:4])).status_code == 201
    assert (await made.report(*units[4:], state="missing", taken=False)).status_code == 201
    due = (await made.here.chart())["due"]
    assert (due["missed"], due["last_taken"]["day"]) == (2, str(made.day(-3)))
    assert await made.stops() == []
    assert (
        await made.report(units[3], state="missing", taken=False, reason="He found it unopened.")
    ).status_code == 201
    assert await made.stops() == ["missed_doses"]
    assert rules_of(await made.here.give(order)) == ["missed_doses"]


async def test_what_is_said_of_a_unit_is_put_right_by_a_version_until_it_came_back_full(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(3)
    units = await made.handed(1, 2, 3)
    key = fresh()
    told = await made.report(units[0], key=key, informant="His mother", note="By telephone.")
    assert (await made.report(units[0], key=key, informant="His mother", note="By telephone.")).json() == told.json()
    assert (told.json()["informant"], told.json()["units"][0]["version"]) == ("His mother", 1)
    wrong: tuple[tuple[dict[str, Any], dict[str, Any], str], ...] = (
        (units[0], {}, "units.0.reason"),
        (units[0], {"reason": " "}, "units.0.reason"),
        (units[1], {"reason": "x"}, "units.0.reason"),
        (units[1], {"state": "full"}, "units.0.taken"),
        (units[1], {"informant": " "}, "informant"),
        (units[1], {"note": "x" * 4001}, "note"),
        ({"id": fresh()}, {}, "units.0.unit_id"),
    )
    for unit, said, field in wrong:
        refused = await made.report(unit, **said)
        assert (refused.status_code, [each["field"] for each in refused.json()["errors"]]) == (422, [field]), said
    assert (await made.report()).status_code == 422
    assert [each["field"] for each in (await made.report(units[1], units[1])).json()["errors"]] == ["units.1"]
    found = await made.report(units[0], state="full", taken=False, reason="It was in her bag.")
    assert found.json()["units"][0]["version"] == 2
    again = await made.report(units[0], reason="No.")
    assert [each["field"] for each in again.json()["errors"]] == ["units.0"]
    [kept] = [each for each in (await made.read())["units"] if each["id"] == units[0]["id"]]
    assert (kept["outcome"]["state"], kept["outcome"]["taken"], kept["outcome"]["version"]) == ("full", False, 2)


async def test_only_what_came_back_full_leaves_its_day_free(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    full, lost = await made.handed(1, 2)
    assert (await made.report(full, state="full", taken=False)).status_code == 201
    assert (await made.report(lost, state="missing", taken=False)).status_code == 201
    assert rules_of(await made.hand_out(1, 2)) == ["dispensed_already"]
    [again] = await made.handed(1)
    assert again["replaces"] == full["id"]
    assert (await made.report(again, state="full", taken=False)).status_code == 201
    [third] = await made.handed(1)
    assert third["replaces"] == again["id"]
    assert rules_of(await made.hand_out(1)) == ["dispensed_already"]


async def test_a_dose_given_beside_a_unit_is_recorded_and_holds_the_next(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(7)
    await made.handed(0)
    said: dict[str, Any] = {"given_at": clinic.service.clock().isoformat(), "late": {"reason": "Paper."}}
    late = await made.here.give(order, **said)
    assert (late.status_code, late.json()["kind"], late.json()["rules"]) == (201, "exception", ["take_home_covers"])
    assert "client_held" in await made.stops()


async def test_a_suspended_decision_lets_nothing_go_until_another_one(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    decision = await made.may_take(7)
    assert (await made.suspend(decision, by=made.here.nurse)).status_code == 403
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"reason": " "}, "reason"),
        ({"review_on": str(made.day(0))}, "review_on"),
    )
    for said, field in wrong:
        refused = await made.suspend(decision, **said)
        assert [each["field"] for each in refused.json()["errors"]] == [field]
    key = fresh()
    suspended = await made.suspend(decision, key=key)
    assert suspended.status_code == 201
    assert (suspended.json()["suspension"]["policy"], suspended.json()["suspension"]["reason"]) == (None, "Sold one.")
    assert (await made.suspend(decision, key=key)).json() == suspended.json()
    assert (await made.suspend(decision)).json()["type"] == "urn:caseload:problem:decision-replaced"
    refused = await made.hand_out(1)
    assert rules_of(refused) == ["take_home_suspended"]
    assert refused.json()["facts"]["rules"][0]["facts"]["reason"] == "Sold one."
    await made.may_take(3)
    assert (await made.hand_out(1)).status_code == 201
    assert (await made.suspend(decision)).status_code == 409


async def test_a_decision_lasts_until_its_review_date(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(7, review_on=str(made.day(2)))
    for _ in range(2):
        await made.here.give(order)
        await made.days_pass(1)
    assert (await made.hand_out(1)).status_code == 201
    await made.here.give(order)
    await made.days_pass(1)
    refused = await made.hand_out(2)
    assert rules_of(refused) == ["take_home_review_due"]
    assert refused.json()["facts"]["rules"][0]["policy"] == "us.take_home_review of US-1"


async def test_three_missed_doses_suspend_by_the_rule_of_the_profile_and_two_do_not(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(7)
    await made.here.give(order)
    await made.days_pass(3)
    assert (await made.here.give(order)).status_code == 201
    assert (await made.hand_out(1)).status_code == 201
    [unit] = (await made.read())["units"]
    await made.report(unit, state="full", taken=False)
    await made.days_pass(4)
    refused = await made.hand_out(1)
    assert rules_of(refused) == ["missed_doses", "take_home_suspended"]
    told = refused.json()["facts"]["rules"][1]
    assert (told["policy"], told["facts"]["missed"]) == ("us.take_home_suspension of US-1", 3)
    await made.allow()
    assert (await made.here.give(order)).status_code == 201
    [decision] = (await made.read())["decisions"]
    suspension = decision["suspension"]
    assert (suspension["policy"], suspension["missed"]) == ("us.take_home_suspension of US-1", 3)
    assert suspension["review_on"] == str(made.day(7))
    assert rules_of(await made.hand_out(1)) == ["take_home_suspended"]


async def test_a_decision_made_after_the_doses_were_missed_stays(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(7)
    await made.here.give(order)
    await made.days_pass(4)
    await made.may_take(2, rationale="Was in hospital; knows what happened.")
    await made.allow()
    assert (await made.here.give(order)).status_code == 201
    assert [each["suspension"] for each in (await made.read())["decisions"]] == [None, None]
    assert (await made.hand_out(1, 2)).status_code == 201


async def test_the_day_of_treatment_begins_anew_with_each_episode(clinic: Clinic) -> None:
    made, _ = await begun(clinic, day_of_treatment=40)
    assert (await made.read())["day_of_treatment"] == 40
    admitted = "insert into clinic.episode (id, client_id, programme_id, admitted_on, period, recorded_by, recorded_at)"
    values = " select gen_random_uuid(), $1, $2, $3::date, tstzrange(now() - $4::int * interval '1 day', "
    rest = " $5::timestamptz), $6, now()"
    ended = clinic.service.clock() - timedelta(days=20)
    given = (made.here.client, made.here.programme, made.day(-50), 50, ended, made.here.nurse.staff.id)
    await made.as_owner(admitted + values + rest, *given)
    assert (await made.read())["day_of_treatment"] == 2
    again = (made.here.client, made.here.programme, made.day(0), 0, None, made.here.nurse.staff.id)
    await made.as_owner(admitted + values + rest, *again)
    assert (await made.read())["day_of_treatment"] == 1


async def test_a_prescriber_sees_what_is_to_be_looked_at_again_and_why(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    path = f"/programmes/{made.here.programme}/take-home-reviews"

    async def reviews() -> list[tuple[str, list[str], str]]:
        answer = await made.here.prescriber.get(path)
        assert answer.status_code == 200
        return [(each["decision"]["id"], each["reasons"], each["review_by"]) for each in answer.json()["items"]]

    first = await made.may_take(7, review_on=str(made.day(5)))
    [unit] = await made.handed(1)
    assert await reviews() == []
    await made.report(unit, state="missing", taken=False)
    assert await reviews() == [(first["id"], ["unit_missing"], str(made.day(5)))]
    await made.report(unit, state="empty", taken=True, reason="It was in the bin.")
    assert await reviews() == []
    await made.days_pass(4)
    assert await reviews() == []
    await made.days_pass(1)
    assert await reviews() == [(first["id"], ["review_due"], str(made.day(0)))]
    second = await made.may_take(7)
    assert await reviews() == []
    await made.suspend(second)
    assert await reviews() == [(second["id"], ["suspended"], str(made.day(14)))]
    assert (await made.here.nurse.get(path)).status_code == 403
    elsewhere = (await homes(clinic)).here
    assert (await elsewhere.prescriber.get(path)).status_code == 403


async def test_what_is_still_out_is_what_nobody_has_accounted_for(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    first, second = await made.handed(1, 2)
    await made.report(first)
    by = made.here.nurse.staff
    async with clinic.service.work(by=by, event="take_home.recovery", writes=False) as work:
        out = await Returns(work.connection, work.journal, now=work.now).still_out(made.here.client)
        work.circumstances.act = Act.SEE_MEDICATION
    assert [str(unit.id) for unit in out] == [second["id"]]


async def test_a_hold_aimed_at_a_day_or_an_order_stops_what_it_is_aimed_at(clinic: Clinic) -> None:
    made, order = await begun(clinic)
    await made.may_take(7)
    holds = f"/clients/{made.here.client}/holds"
    aimed = await made.here.nurse.post(holds, {"reason": "medical", "on_day": str(made.day(2)), "part": "whole"})
    assert aimed.status_code == 201
    refused = await made.hand_out(1, 2)
    assert rules_of(refused) == ["dose_held"]
    await made.handed(1)
    assert (await made.here.nurse.post(holds, {"reason": "medical", "order_id": order["id"]})).status_code == 201
    assert rules_of(await made.hand_out(3)) == ["order_held"]


async def test_what_was_handed_out_takes_the_client_off_the_queue_of_its_day(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    await made.may_take(7)
    await made.handed(0)
    queue = (await made.here.nurse.get(f"/programmes/{made.here.programme}/queue")).json()
    assert [each["client_id"] for each in queue["not_expected"]] == [str(made.here.client)]


async def test_the_keys_settle_what_two_keep_at_once(clinic: Clinic) -> None:
    made, _ = await begun(clinic)
    decision = await made.may_take(7)
    handed = (await made.hand_out(1)).json()
    told = await made.report(handed["units"][0])
    await made.suspend(decision)
    by = made.here.nurse.staff

    async def again(keep: Callable[[Returns, Work], Awaitable[None]]) -> None:
        async with clinic.service.work(by=by, event="take_home.again") as work:
            work.circumstances.act = Act.RECORD_DOSE
            await keep(Returns(work.connection, work.journal, now=work.now), work)

    async def the_units(store: Returns, _: Work) -> None:
        kept = await store.dispense(DispenseId(UUID(handed["id"])), by=by, act=Act.RECORD_DOSE)
        new = DispenseId(new_id())
        units = [replace(unit, id=UnitId(new_id()), dispense=new, label=f"{unit.label}-2") for unit in kept.units]
        await store.add_dispense(replace(kept, id=new, units=tuple(units)), station=None)

    async def the_report(store: Returns, _: Work) -> None:
        kept = await store.report(ReturnId(UUID(told.json()["id"])), by=by, act=Act.RECORD_DOSE)
        await store.add_report(replace(kept, id=ReturnId(new_id())), [])

    async def the_premises(_: Returns, work: Work) -> None:
        places = TheirPremises(work.connection)
        premises = await places.premises(made.here.programme)
        assert premises is not None
        await places.add_premises(premises)

    for keep, refused in ((the_units, UnitsMoved), (the_report, OutcomeMoved), (the_premises, PremisesMoved)):
        with pytest.raises(refused):
            await again(keep)
