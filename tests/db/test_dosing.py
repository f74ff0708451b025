"""Doses in PostgreSQL: the way from a nurse's hand to the record, under every rule."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.domain.dosing import DoseRefused, Kind, Rule
from tests.factories.window import MORNING, window

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)


async def test_a_dose_under_an_order_in_force_is_recorded(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    dose = await here.give(order)
    assert (dose.kind, dose.dosing_day, dose.version) == (Kind.ORDINARY, MORNING.date(), 1)
    assert "dose.recorded" in here.journal.names()


async def test_a_second_dose_of_the_same_part_is_refused_and_says_who_gave_the_first(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order()
    first = await here.give(order)
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, by=here.colleague, at=MORNING + timedelta(minutes=5))
    assert [refusal.rule for refusal in refused.value.refusals] == [Rule.ALREADY_GIVEN]
    assert refused.value.refusals[0].facts["dose"] == str(first.id)
    assert "Nora Quill" in refused.value.detail


async def test_three_missed_doses_are_refused_until_a_prescriber_has_decided(connection: AsyncConnection) -> None:
    here = await window(connection)
    order = await here.order()
    await here.give(order)
    back = MORNING + 4 * DAY
    with pytest.raises(DoseRefused) as refused:
        await here.give(order, at=back)
    assert refused.value.refusals[0].facts["missed"] == 3
    decision = await here.allow(back.date(), at=back)
    dose = await here.give(order, at=back)
    assert dose.decision == decision.id
