"""Holds over HTTP: aimed at an order, at the dose of a day or at the client; who was told, and what clears them."""

from datetime import timedelta
from typing import Any

import anyio
import pytest

from tests.api.conftest import Clinic, Person
from tests.api.days import pass_days
from tests.api.dispensary import PASSWORD, Dispensary, dispensary, fresh
from tests.api.test_dosing import rules
from tests.api.test_dosing_statements import ago, report, taken

pytestmark = pytest.mark.anyio


async def hold(here: Dispensary, **said: Any) -> dict[str, Any]:
    path, body, key = f"/clients/{here.client}/holds", {"reason": "medical", **said}, fresh()
    kept = await here.nurse.post(path, body, key=key)
    assert kept.status_code == 201, kept.text
    assert (await here.nurse.post(path, body, key=key)).json() == kept.json()
    return kept.json()


async def clear(here: Dispensary, held: dict[str, Any]) -> None:
    cleared = await here.prescriber.post(f"/holds/{held['id']}/clearance", {"reason": "Seen.", "password": PASSWORD})
    assert cleared.status_code == 201, cleared.text


async def in_the_way(here: Dispensary) -> list[str]:
    due = (await here.chart())["due"]
    listed = (await here.nurse.get(f"/programmes/{here.programme}/dispensing")).json()["items"]
    assert [each["due"]["in_the_way"] for each in listed] == [due["in_the_way"]]
    return [each["rule"] for each in due["in_the_way"]]


async def waiting(here: Dispensary) -> list[str]:
    return [each["id"] for each in (await here.prescriber.get(f"/programmes/{here.programme}/holds")).json()["items"]]


async def test_a_hold_says_who_was_told_and_what_clears_it(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    said = await hold(here, told=["Dr Osei, by telephone"], clears="An ECG below 500 ms.")
    assert (said["told"], said["clears"]) == (["Dr Osei, by telephone"], "An ECG below 500 ms.")
    assert (said["order_id"], said["on_day"], said["part"], said["by_rule"]) == (None, None, None, None)
    assert said["policy"] is None, "a person raised it"
    plain = await hold(here, reason="intoxication")
    assert (plain["told"], plain["clears"]) == ([], "Seen sober and awake, and a prescriber's signed decision.")
    assert set(await waiting(here)) == {said["id"], plain["id"]}


async def test_a_hold_of_an_order_ends_with_another_one(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    held = await hold(here, order_id=order["id"])
    assert await in_the_way(here) == ["order_held"]
    refused = (await here.give(order)).json()["facts"]["rules"]
    assert [(each["rule"], each["facts"]["order"]) for each in refused] == [("order_held", order["id"])]
    anew = await here.order(replaces=order["id"], amounts_mg={"whole": "40"})
    assert await in_the_way(here) == []
    assert (await here.give(anew)).status_code == 201
    await clear(here, held)


async def test_a_hold_of_an_order_is_cleared_by_a_prescriber(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    held = await hold(here, order_id=order["id"])
    await clear(here, held)
    assert (await here.give(order)).status_code == 201


async def test_a_hold_of_a_part_of_the_day_leaves_the_other_part_and_the_next_day(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(amounts_mg={"morning": "40", "evening": "20"})
    held = await hold(here, on_day=str(here.today), part="evening")
    assert await in_the_way(here) == ["dose_held"]
    assert (await here.give(order, part="morning")).status_code == 201
    refused = (await here.give(order, part="evening")).json()["facts"]["rules"][0]
    assert (refused["rule"], refused["facts"]["part"], refused["facts"]["day"]) == (
        "dose_held",
        "evening",
        str(here.today),
    )
    assert await waiting(here) == [held["id"]]
    await pass_days(here, 1)
    assert await waiting(here) == [], "the day has passed"
    assert (await here.give(order, part="morning")).status_code == 201


@pytest.mark.parametrize(
    ("part", "given", "status"), [(None, "whole", 409), ("whole", "whole", 409), ("evening", "whole", 409)]
)
async def test_a_whole_day_and_its_parts_hold_each_other(
    clinic: Clinic, part: str | None, given: str, status: int
) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    await hold(here, on_day=str(here.today), part=part)
    assert (await here.give(order, part=given)).status_code == status


async def test_a_hold_for_tomorrow_lets_todays_dose_through(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    held = await hold(here, on_day=str(here.today + timedelta(days=1)))
    assert await in_the_way(here) == []
    assert (await here.give(order)).status_code == 201
    await pass_days(here, 1)
    assert rules(await here.give(order)) == ["dose_held"]
    await clear(here, held)
    assert (await here.give(order)).status_code == 201


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"part": "evening"}, "part"),
        ({"on_day": "2020-01-01"}, "on_day"),
        ({"reason": "exception"}, "reason"),
        ({"reason": "missed_doses"}, "reason"),
        ({"reason": "other"}, "note"),
        ({"told": [" "]}, "told.0"),
        ({"clears": ""}, "clears"),
        ({"order_id": "00000000-0000-7000-8000-000000000000"}, "order_id"),
    ],
)
async def test_what_no_hold_can_be_is_refused(clinic: Clinic, said: dict[str, Any], field: str) -> None:
    here = await dispensary(clinic)
    refused = await here.nurse.post(f"/clients/{here.client}/holds", {"reason": "medical", **said})
    assert [each["field"] for each in refused.json()["errors"]] == [field]


async def test_a_hold_is_aimed_at_one_thing_and_at_a_clients_own_order(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    both = {"reason": "medical", "order_id": order["id"], "on_day": str(here.today)}
    refused = await here.nurse.post(f"/clients/{here.client}/holds", both)
    assert [each["field"] for each in refused.json()["errors"]] == ["on_day"]
    second = await here.another_client()
    theirs = await here.nurse.post(f"/clients/{second}/holds", {"reason": "medical", "order_id": order["id"]})
    assert [each["field"] for each in theirs.json()["errors"]] == ["order_id"]


async def test_a_pharmacys_missed_days_hold_the_order_by_the_rule_and_call_the_pharmacy(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order(supply="pharmacy")
    await pass_days(here, 5)
    path = f"/clients/{here.client}/orders/{order['id']}/pharmacy-reports"
    two = [*taken(here, 5, 4), *({"day": ago(here, each), "outcome": "missed"} for each in (3, 2))]
    assert (await here.nurse.post(path, report(here, two))).status_code == 201
    assert await waiting(here) == [], "two missed doses are given"
    third = [{"day": ago(here, 1), "outcome": "missed"}]
    assert (await here.nurse.post(path, report(here, third))).status_code == 201
    [held] = (await here.prescriber.get(f"/programmes/{here.programme}/holds")).json()["items"]
    assert (held["reason"], held["by_rule"], held["order_id"]) == ("missed_doses", "uk.missed.3", order["id"])
    assert held["policy"] == "uk.missed.3 of UK-1"
    assert held["clears"].startswith("A prescriber has assessed the client")
    tasks = f"/programmes/{here.programme}/medication-tasks"
    [call] = (await here.nurse.get(tasks)).json()["items"]
    assert (call["kind"], call["hold_id"]) == ("telephone_pharmacy", held["id"])
    today = [{"day": ago(here, 0), "outcome": "withheld", "reason": "Held by the clinic."}]
    assert (await here.nurse.post(path, report(here, today))).status_code == 201
    assert await waiting(here) == [held["id"]], "it holds already"
    await clear(here, held)
    assert len((await here.nurse.get(tasks)).json()["items"]) == 2, "the end of the hold is told, too"


async def test_a_hold_of_another_order_calls_no_pharmacy(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    window = await here.order(ends_on=str(here.today))
    await here.order(supply="pharmacy", starts_on=str(here.today + timedelta(days=1)))
    await pass_days(here, 1)
    await hold(here, order_id=window["id"])
    assert (await here.nurse.get(f"/programmes/{here.programme}/medication-tasks")).json()["items"] == []


async def test_a_hold_and_a_dose_at_once_leave_no_dose_after_the_hold(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    order = await here.order()
    answers: dict[str, int] = {}

    async def give() -> None:
        answers["dose"] = (await here.give(order)).status_code

    async def stop(by: Person) -> None:
        body = {"reason": "medical", "order_id": order["id"]}
        answers["hold"] = (await by.post(f"/clients/{here.client}/holds", body)).status_code

    async with anyio.create_task_group() as both:
        both.start_soon(give)
        both.start_soon(stop, here.colleague)
    assert answers["hold"] == 201
    assert answers["dose"] in {201, 409}
    assert "order_held" in rules(await here.give(order))
