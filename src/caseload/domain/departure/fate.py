"""What becomes of the medicine of a client who leaves: decided by a prescriber, in one of four ways."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise

from caseload.domain.ids import OrderId, StaffId
from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medicines import LONG_ACTING


class Fate(StrEnum):
    """What a prescriber decides about the medicine of a client who leaves."""

    CONTINUE = "continue"
    """It is given to a date and ends there."""
    TAPER = "taper"
    """It goes down by the steps of an order that is signed, and ends with it."""
    TRANSFER = "transfer"
    """Another provider takes over: the last dose here is that of a date."""
    STOP = "stop"
    """It ends now."""


def running(orders: Sequence[Order], record: MedicationRecord, today: date) -> Sequence[Order]:
    """The orders under which something may still be given, today or later: signed, or spoken and taken down."""
    return [order for order in orders if order.counts and order.stopped_at is None and _lasts(order, record, today)]


def _lasts(order: Order, record: MedicationRecord, today: date) -> bool:
    last = order.last_day(record.time_zone)
    return last is None or last >= max(today, order.starts_on)


def outlasts(order: Order, record: MedicationRecord, until: date) -> bool:
    """Whether it would still be in force after a date."""
    last = order.last_day(record.time_zone)
    return last is None or last > until


def goes_down(orders: Sequence[Order], record: MedicationRecord, today: date, until: date) -> bool:
    """Whether all of them together are ordered to sink: never more than the day before, and less before they end."""
    days = [today + timedelta(days=number) for number in range((until - today).days + 1)]
    totals = [_total(orders, record, day) for day in days]
    ordered = [total for total in totals if total]
    falls = all(later <= earlier for earlier, later in pairwise(totals))
    return falls and bool(ordered) and ordered[-1] < ordered[0]


def _total(orders: Sequence[Order], record: MedicationRecord, day: date) -> Decimal:
    """What all of them order for a day, as their steps are written; one that is given every few days counts on each."""
    covering = (order for order in orders if order.starts_on <= day and not _ends_before(order, record, day))
    return sum((order.total_on(day) for order in covering), Decimal())


def _ends_before(order: Order, record: MedicationRecord, day: date) -> bool:
    last = order.last_day(record.time_zone)
    return last is not None and last < day


def shortened(
    order: Order, until: date, *, as_id: OrderId, version: int, by: StaffId, now: datetime, today: date
) -> Order | None:
    """The same order as one that ends on a date and replaces it; None where only a prescriber can write that one.

    One with steps (a step up may wait), an injection, one that nobody has signed yet or that something replaces
    already, and one that asks for nothing until then.
    """
    if order.steps or order.form in LONG_ACTING or order.signed_at is None or order.replaced_by is not None:
        return None
    begins = max(today, order.starts_on)
    begins += timedelta(days=-(begins - order.starts_on).days % order.every_days)
    if begins > until:
        return None
    return replace(
        order,
        id=as_id,
        version=version,
        replaces=order.id,
        starts_on=begins,
        ends_on=until,
        written_by=by,
        written_at=now,
        signed_at=None,
        verbal_by=None,
        countersign_by=None,
        confirmed=(),
    )
