"""A day is covered by a unit taken at home as it is by a verified statement: the rules make the same of both.

Statements are counted in the domain (`domain/dosing/covered.py`), units in the statements that read doses
(`db/takehome/covering.py`); what either makes of the same days is compared here, so that neither can change alone.
"""

from datetime import date
from typing import Any

import pytest

from tests.api.conftest import Clinic
from tests.api.homes import Homes, begun
from tests.api.test_dosing_statements import state, taken, verify

pytestmark = pytest.mark.anyio

GONE = 5
"""Days since the last dose here."""


async def given_today(clinic: Clinic) -> Homes:
    home, order = await begun(clinic, day_of_treatment=60)
    assert (await home.here.give(order)).status_code == 201
    return home


async def by_units(clinic: Clinic, days: tuple[int, ...]) -> dict[str, Any]:
    """Four units, of which those of other days were not taken."""
    home = await given_today(clinic)
    await home.may_take(6)
    units = await home.handed(1, 2, 3, 4)
    await home.days_pass(GONE)
    taken_ones = [unit for number, unit in enumerate(units, start=1) if number in days]
    others = [unit for number, unit in enumerate(units, start=1) if number not in days]
    if taken_ones:
        assert (await home.report(*taken_ones)).status_code == 201
    if others:
        assert (await home.report(*others, state="missing", taken=False)).status_code == 201
    return await due(home)


async def by_statement(clinic: Clinic, days: tuple[int, ...]) -> dict[str, Any]:
    """A statement about the same days, verified."""
    home = await given_today(clinic)
    await home.days_pass(GONE)
    if days:
        await verify(home.here, await state(home.here, taken(home.here, *(GONE - day for day in days))))
    return await due(home)


async def due(home: Homes) -> dict[str, Any]:
    """What is due today by the chart, which the queue and the dispensing list say too."""
    found = (await home.here.chart())["due"]
    queue = (await home.here.nurse.get(f"/programmes/{home.here.programme}/queue")).json()
    groups = ("to_attend", "held", "attended", "not_expected")
    [line] = [line for name in groups for line in queue[name] if line["client_id"] == str(home.here.client)]
    assert line["due"] == found
    await home.stops()
    last = found["last_taken"]
    return {
        "missed": found["missed"],
        "last": (home.here.today.toordinal() - _ordinal(last["day"]), last["amount_mg"], last["medicine"], last["at"]),
        "in_the_way": [each["rule"] for each in found["in_the_way"]],
        "to_do": [each["rule"] for each in found["to_do"]],
        "parts": [(part["part"], part["amount_mg"], part["given"]) for part in found["parts"]],
    }


def _ordinal(day: str) -> int:
    return date.fromisoformat(day).toordinal()


@pytest.mark.parametrize("days", [(1, 2, 3, 4), (1, 2, 3), (1, 2), (1,), (4,), (2, 4)])
async def test_units_and_statements_about_the_same_days_say_the_same(clinic: Clinic, days: tuple[int, ...]) -> None:
    units, statements = await by_units(clinic, days), await by_statement(clinic, days)
    assert units == statements
    assert units["missed"] == GONE - 1 - max(days)
    assert units["last"][:2] == (GONE - max(days), "60")
