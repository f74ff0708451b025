"""Two orders beside each other: two medicines, each in a part of the day of its own, each named in what is signed.

Methadone in the morning while buprenorphine is built up in the evening, or naltrexone beside an agonist. The later order
names the earlier one, and a prescriber overrides what the profile says of the two medicines, with a reason, under the same
signature. One medicine has one order, whatever parts of the day it is given in (product convention).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import combinations

from caseload.domain.errors import Conflict
from caseload.domain.ids import OrderId
from caseload.domain.medication.beside import is_another
from caseload.domain.medication.order import Order, OrderMoved
from caseload.domain.medication.record import MedicationRecord
from caseload.domain.medicines import Medicine


class OrderInTheWay(Conflict):
    """Another order of this client is in force in the same days."""


def name_each_other(one: Order, other: Order) -> bool:
    """Whether one of the two was written beside the other."""
    return one.beside == other.id or other.beside == one.id


def was_in_force(order: Order, day: date, record: MedicationRecord) -> bool:
    """Whether something may have been given under it on a day: also on the day on which it was stopped."""
    if not order.counts or day < order.starts_on or (order.ends_on is not None and day > order.ends_on):
        return False
    if order.replaced_from is not None and order.replaced_from <= day:
        return False
    return order.stopped_at is None or day <= record.day_of(order.stopped_at)


def stood_beside(order: Order, orders: Iterable[Order], day: date, record: MedicationRecord) -> Order | None:
    """The order that was in force beside this one on a day."""
    if not was_in_force(order, day, record):
        return None
    return next((each for each in orders if name_each_other(order, each) and was_in_force(each, day, record)), None)


def both_ordered(
    medicine: Medicine, other: Medicine, orders: Sequence[Order], day: date, record: MedicationRecord
) -> tuple[Order, Order] | None:
    """The orders by which two medicines of different kinds stood beside each other on a day: the first one's, the other's."""
    for pair in combinations(orders, 2):
        if not name_each_other(*pair) or not all(was_in_force(each, day, record) for each in pair):
            continue
        for mine, theirs in (pair, (pair[1], pair[0])):
            if not is_another(mine.medicine, medicine) and not is_another(theirs.medicine, other):
                return mine, theirs
    return None


def keep_beside(replaced: Order, others: Sequence[Order], starts_on: date, ends_on: date | None) -> OrderId | None:
    """The order beside which a replacement goes on standing: the one beside which the replaced one stands."""
    return next(
        (
            each.id
            for each in others
            if name_each_other(replaced, each)
            and each.counts
            and each.stopped_at is None
            and each.overlaps(starts_on, ends_on)
        ),
        None,
    )


def require_together(order: Order, other: Order) -> None:
    """Let an order stand beside another in force in the same days; raises `OrderInTheWay` with what to do instead."""
    if order.beside != other.id:
        says = "Stop it, write this order as its replacement, or beside it in another part of the day."
    elif not is_another(order.medicine, other.medicine):
        says = "It is the same medicine: replace it by one order that holds both parts of the day."
    elif any(mine.meets(theirs) for mine in order.amounts_mg for theirs in other.amounts_mg):
        says = "Both would be given in the same part of the day: replace it by an order for another part first."
    elif other.signed_at is None:
        says = "It was given by word of mouth: its prescriber has to countersign it first."
    else:
        return
    raise OrderInTheWay(says, order=str(other.id), starts_on=str(other.starts_on))


def require_named(order: Order, beside: Iterable[Order]) -> None:
    """Raise `OrderMoved` when the order that this one names stands in none of its days."""
    if order.beside is not None and order.beside not in {each.id for each in beside}:
        raise OrderMoved(
            "The order beside which it was written has been stopped, replaced or has ended. Write a new order.",
            order=str(order.id),
            beside=str(order.beside),
        )
