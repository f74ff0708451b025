"""When what is ordered a day has changed by much, up or down: a reason to see the client more often.

Beginning and ending a medicine is no change of its dose; days without an order make none smaller. An injection that lasts
has no daily dose. Of a regimen that is not daily the day's share counts, so that twice as much every second day is the same.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from caseload.domain.ids import OrderId
from caseload.domain.medication.order import Order
from caseload.domain.medicines import LONG_ACTING
from caseload.domain.schedule import local_day, start_of_day
from caseload.domain.zones import zone_of

_WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseChange:
    """From a day on another amount is ordered a day than before."""

    order: OrderId
    """That orders it from then on."""
    on: date
    since: datetime
    """From when on it is so: the beginning of that day, or when the order was signed, whichever is later."""


def large_changes(orders: Iterable[Order], zone: str, *, percent: int, first: date, last: date) -> Sequence[DoseChange]:
    """The days from `first` to `last` from which on the daily amount of a medicine differs by more than so much of it."""
    counting = [order for order in orders if order.counts and order.form not in LONG_ACTING]
    return [
        change
        for medicine in sorted({order.medicine for order in counting})
        for change in _of_one([order for order in counting if order.medicine is medicine], zone, percent, last)
        if change.on >= first
    ]


def _of_one(orders: Sequence[Order], zone: str, percent: int, last: date) -> Iterable[DoseChange]:
    """The changes of one medicine, of which one order is in force on a day."""
    # An order that was to begin before it was signed counts from that day on.
    turns = {turn for each in orders for turn in (*each.turns(zone), local_day(_counts_from(each), zone_of(zone)))}
    before: tuple[Decimal, int] | None = None
    for day in sorted(turn for turn in turns if turn <= last):
        order = next((each for each in orders if each.covers(day, zone)), None)
        if order is None:
            continue
        now = order.total_on(day), order.every_days
        if before is not None and _differs(before, now, percent):
            since = max(start_of_day(day, zone_of(zone)), _counts_from(order))
            yield DoseChange(order=order.id, on=day, since=since)
        before = now


def _counts_from(order: Order) -> datetime:
    """When it was signed, or taken down."""
    return order.written_at if order.signed_at is None or order.verbal_by is not None else order.signed_at


def _differs(before: tuple[Decimal, int], now: tuple[Decimal, int], percent: int) -> bool:
    """Whether a day's share differs by more than so much of what it was; nothing is divided, so nothing is rounded."""
    (was, every_was), (is_, every_is) = before, now
    return abs(is_ * every_was - was * every_is) * _WHOLE > percent * was * every_is
