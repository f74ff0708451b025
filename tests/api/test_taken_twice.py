"""A day that turns out to have been taken twice: nothing is refused of what is told, and the next dose waits for a prescriber."""

from typing import Any

import pytest

from tests.api.conftest import Clinic
from tests.api.days import pass_days
from tests.api.dispensary import Dispensary, dispensary, fresh
from tests.api.homes import begun
from tests.api.test_dosing import rules
from tests.api.test_dosing_statements import ago, dosed_daily, state, taken, verify

pytestmark = pytest.mark.anyio


async def holds(here: Dispensary) -> list[tuple[str, str]]:
    return [(each["by_rule"], each["note"]) for each in (await here.chart())["holds"] if each["cleared_at"] is None]


def says(source: str, *days: str) -> list[tuple[str, str]]:
    note = f"{source} says that something was taken on {', '.join(days)}, when a dose was given here too."
    return [("taken_twice_holds_next", note)]


async def test_what_another_source_gave_on_a_day_of_ours_holds_the_next_dose_once_it_is_verified(
    clinic: Clinic,
) -> None:
    """A client dosed at two programmes: neither knew, and the second one tells."""
    here = await dispensary(clinic)
    order = await dosed_daily(here, then=1)
    said = await state(here, taken(here, 1, 2), source="hospital", source_name="St Example's")
    assert await holds(here) == [], "nobody has made sure"
    await verify(here, said)
    assert await holds(here) == says("St Example's", ago(here, 2), ago(here, 1))
    assert rules(await here.give(order)) == ["client_held"]
    await verify(here, await state(here, taken(here, 3), source="hospital", source_name="St Example's"))
    assert len(await holds(here)) == 1, "it is held by this already"


async def test_what_was_taken_elsewhere_on_another_day_or_was_not_taken_holds_nothing(clinic: Clinic) -> None:
    here = await dispensary(clinic)
    await dosed_daily(here, days=1, then=3)
    withheld: dict[str, Any] = {"day": ago(here, 3), "outcome": "withheld", "reason": "Drowsy."}
    await verify(here, await state(here, [withheld, *taken(here, 2, 1)]))
    assert await holds(here) == []


async def test_what_a_pharmacy_saw_taken_on_a_day_of_ours_holds_the_next_dose(clinic: Clinic) -> None:
    """The order went over to the pharmacy, and on one day both gave it."""
    here = await dispensary(clinic)
    order = await here.order(supply="pharmacy", amounts_mg={"whole": "30"})
    late = await here.give(order, amount_mg="30", late={"reason": "The pharmacy was closed."})
    assert (late.json()["kind"], late.json()["rules"]) == ("exception", ["supplied_elsewhere"])
    [hold] = (await here.chart())["holds"]
    cleared = {"reason": "Seen.", "password": "correct horse battery staple"}
    assert (await here.prescriber.post(f"/holds/{hold['id']}/clearance", cleared)).status_code == 201
    await pass_days(here, 1)
    path, key = f"/clients/{here.client}/orders/{order['id']}/pharmacy-reports", fresh()
    report = {
        "pharmacy": "Quay Pharmacy",
        "informant": "Mr Lund, pharmacist",
        "how": "telephone",
        "told_at": here.clinic.service.clock().isoformat(),
        "days": taken(here, 1, amount_mg="30"),
    }
    for _ in range(2):
        told = await here.nurse.post(path, report, key=key)
        assert told.status_code == 201, told.text
    assert await holds(here) == says("Quay Pharmacy", ago(here, 1))


async def test_a_unit_that_was_taken_after_all_holds_the_next_dose_where_the_window_had_given_it(
    clinic: Clinic,
) -> None:
    """It was lost, so the dose of the day was given here; then she says that she had found it and taken it."""
    made, order = await begun(clinic)
    await made.may_take(7)
    today, tomorrow = await made.handed(0, 1)
    assert (await made.report(today, tomorrow, state="missing", taken=False)).status_code == 201
    assert (await made.here.give(order)).status_code == 201
    assert (await made.report(tomorrow, reason="She found it.")).status_code == 201
    assert await holds(made.here) == [], "nothing was given here on that day"
    key = fresh()
    for _ in range(2):
        assert (await made.report(today, reason="She found it.", key=key)).status_code == 201
    assert await holds(made.here) == says("The report of a take-home unit", today["for_on"])
    assert "client_held" in await made.stops()
