"""How far apart doses of two days lie, also when one of them was written down late, in parts, or put right."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.domain.dosing import Dose, Kind
from caseload.domain.medication import Order
from caseload.domain.medicines import DosePart
from tests.db.test_dosing import change
from tests.factories.window import MORNING, TODAY, Window, window, wish

pytestmark = pytest.mark.anyio

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LATER = MORNING + 2 * DAY
"""When everything is written down."""


def hour(days: int, hours: float) -> datetime:
    """So many hours after midnight of a day; in London in November that is UTC."""
    return datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=MORNING.tzinfo) + days * DAY + hours * HOUR


async def in_parts(here: Window) -> Order:
    halves = {DosePart.MORNING: Decimal(30), DosePart.EVENING: Decimal(30)}
    return await here.order(wish(amounts_mg=halves), now=hour(0, 0))


async def late(here: Window, order: Order, at: datetime, part: DosePart = DosePart.WHOLE) -> Dose:
    amount = str(order.amounts_mg[part])
    return await here.late(order, given_at=at, now=LATER, amount_mg=amount, part=part)


@pytest.mark.parametrize(("apart", "kind"), [(8, Kind.ORDINARY), (7.5, Kind.EXCEPTION)])
async def test_an_hour_that_is_put_right_lies_apart_from_the_dose_of_the_next_day_or_holds_the_next(
    connection: AsyncConnection, apart: float, kind: Kind
) -> None:
    here = await window(connection)
    order = await here.order(now=hour(0, 0))
    first = await late(here, order, hour(0, 8))
    await late(here, order, hour(1, 6))
    amended = await change(here, first, at=LATER, given_at=hour(1, 6 - apart))
    assert amended.kind is kind
    assert amended.rules == (("too_soon",) if kind is Kind.EXCEPTION else ())
    held = [hold.dose for hold in await here.doses().holds_of(here.client)]
    assert held == ([amended.id] if kind is Kind.EXCEPTION else [])


@pytest.mark.parametrize(("apart", "kind"), [(8, Kind.ORDINARY), (7.5, Kind.EXCEPTION)])
async def test_an_hour_that_is_put_right_lies_apart_from_the_dose_of_the_day_before(
    connection: AsyncConnection, apart: float, kind: Kind
) -> None:
    here = await window(connection)
    order = await here.order(now=hour(0, 0))
    await late(here, order, hour(0, 23))
    second = await late(here, order, hour(1, 10))
    assert (await change(here, second, at=LATER, given_at=hour(0, 23 + apart))).kind is kind


async def test_what_is_put_right_without_touching_its_hour_is_not_asked_about_hours(
    connection: AsyncConnection,
) -> None:
    here = await window(connection)
    order = await here.order(now=hour(0, 0))
    first = await late(here, order, hour(0, 23))
    second = await late(here, order, hour(1, 6))
    assert (first.kind, second.kind) == (Kind.ORDINARY, Kind.EXCEPTION)
    assert (await change(here, first, at=LATER, amount_mg=Decimal(50))).kind is Kind.ORDINARY


@pytest.mark.parametrize(("apart", "kind"), [(8, Kind.ORDINARY), (7.5, Kind.EXCEPTION)])
async def test_a_late_entry_lies_apart_from_the_next_dose_as_that_was_put_right(
    connection: AsyncConnection, apart: float, kind: Kind
) -> None:
    here = await window(connection)
    order = await here.order(now=hour(0, 0))
    second = await late(here, order, hour(1, 10))
    await change(here, second, at=LATER, given_at=hour(1, 6))
    assert (await late(here, order, hour(1, 6 - apart))).kind is kind


@pytest.mark.parametrize(("apart", "kind"), [(8, Kind.ORDINARY), (7.5, Kind.EXCEPTION)])
async def test_a_part_that_is_written_down_after_a_later_part_of_its_day_lies_apart_from_the_day_before(
    connection: AsyncConnection, apart: float, kind: Kind
) -> None:
    here = await window(connection)
    order = await in_parts(here)
    await late(here, order, hour(0, 22), DosePart.EVENING)
    assert (await late(here, order, hour(1, 20), DosePart.EVENING)).kind is Kind.ORDINARY
    assert (await late(here, order, hour(0, 22 + apart), DosePart.MORNING)).kind is kind
