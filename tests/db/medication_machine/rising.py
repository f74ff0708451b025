"""How far the steps of an order have come at most, by what was taken and seen. The orders here only rise, or only fall."""

from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise

from caseload.domain.medication import Order
from caseload.domain.medicines import DosePart
from tests.db.medication_machine.remembered import Remembered


def at_most(order: Order, part: DosePart, day: date, known: Remembered) -> Decimal:
    """The most that may be due of a part of a day."""
    steps = [(order.starts_on, order.amounts_mg), *((step.from_on, step.amounts_mg) for step in order.steps)]
    levels = [(since, amounts.get(part, Decimal())) for since, amounts in steps if since <= day or since == steps[0][0]]
    if all(later <= earlier for (_, earlier), (_, later) in pairwise(levels)):
        return levels[-1][1]
    taken = taken_before(order, part, day, known)
    shown, since = reached(levels, taken)
    if shown + 1 == len(levels):
        return levels[shown][1]
    scheduled = range(0, (day - order.starts_on).days, order.every_days)
    days = (date.fromordinal(order.starts_on.toordinal() + number) for number in scheduled)
    nothing_missed = all(taken.get(each, Decimal()) >= levels[0][1] for each in days)
    is_time = (day - since) >= levels[shown + 1][0] - levels[shown][0] and day >= levels[shown + 1][0]
    rises = nothing_missed and is_time and seen_well(day, known)
    return levels[shown + rises][1]


def reached(levels: list[tuple[date, Decimal]], taken: dict[date, Decimal]) -> tuple[int, date]:
    """The highest step that was taken in full, and since when; the first one needs no showing."""
    for number in range(len(levels) - 1, 0, -1):
        days = [day for day, amount in taken.items() if amount >= levels[number][1]]
        if days:
            return number, min(days)
    return 0, levels[0][0]


def taken_before(order: Order, part: DosePart, day: date, known: Remembered) -> dict[date, Decimal]:
    """What was taken of a part of each day since the order began, by whichever order, here and at home."""
    found: dict[date, Decimal] = {}
    for given in known.taken():
        if not given.came_back and given.dose.part is part and order.starts_on <= given.day < day:
            found[given.day] = max(given.dose.amount_mg, found.get(given.day, Decimal()))
    for each in known.units.values():
        if each.counts and each.unit.part is part and order.starts_on <= each.unit.for_on < day:
            found[each.unit.for_on] = max(each.unit.amount_mg, found.get(each.unit.for_on, Decimal()))
    for said in known.said:
        if part is DosePart.WHOLE and order.starts_on <= said.day < day:
            found[said.day] = max(said.amount_mg, found.get(said.day, Decimal()))
    return found


def seen_well(day: date, known: Remembered) -> bool:
    """Whether the last that was seen of the client on a day, before anything was given, was that they were well."""
    doses: list[datetime] = [given.at for given in known.taken() if given.day == day]
    before = [seen for seen in known.seen if seen.day == day and all(seen.at <= each for each in doses)]
    return bool(before) and max(before, key=lambda seen: seen.at).is_well
