"""How a dose begins and rises, as the profile asks about it: the first day's total, the size of a rise, its days and its week."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from caseload.domain.medication.order import Order
from caseload.domain.medication.record import MedicationRecord
from caseload.domain.medication.soft_stop import Before, SoftStop, text
from caseload.domain.profiles import Profile
from caseload.domain.profiles.ordering import Rising, Starting

_WEEK = timedelta(days=6)


def first_day(rule: Starting, order: Order, before: Before) -> Iterable[SoftStop]:
    """The first day's total, of whoever has had none of this medicine for long enough to begin anew."""
    had = [acting.on for acting in before.given if acting.medicine is order.medicine]
    last = max(had, default=None)
    if last is not None and (max(order.starts_on, before.today) - last).days < rule.after_days:
        return
    total = order.total_on(order.starts_on)
    if total > rule.first_day_mg:
        yield SoftStop(
            said=rule,
            facts={
                "day": str(order.starts_on),
                "first_day_mg": text(total),
                "at_most_mg": rule.first_day_mg,
                "last_taken_on": str(last) if last is not None else None,
            },
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """From a day on so much a day is ordered."""

    day: date
    total_mg: Decimal


def levels(order: Order, before: Before) -> Sequence[Level]:
    """What is ordered a day, wherever it changes: by the orders of this medicine before, and by this one."""
    others = [other for other in before.orders if other.medicine is order.medicine]
    zone = before.record.time_zone
    turns = {turn for each in (*others, order) for turn in each.turns(zone)}
    found: list[Level] = []
    for day in sorted(turns):
        total = _total(day, order, others, zone)
        if not found or found[-1].total_mg != total:
            found.append(Level(day=day, total_mg=total))
    return found


def _total(day: date, order: Order, others: Sequence[Order], zone: str) -> Decimal:
    if order.starts_on <= day and (order.ends_on is None or day <= order.ends_on):
        return order.total_on(day)
    return next((other.total_on(day) for other in others if other.covers(day, zone)), Decimal())


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """From a day on more is ordered than before."""

    day: date
    from_mg: Decimal
    size_mg: Decimal


def course(order: Order, before: Before, anew_after_days: int | None) -> tuple[date, Sequence[Rise]]:
    """When the treatment began of which this order is a part, and every rise since, the last ordered amount counting.

    Days without an order make no rise smaller: after so many of them (None: never) a treatment begins anew.
    """
    begun, last, empty_from = order.starts_on, Decimal(), None
    rises: list[Rise] = []
    for level in levels(order, before):
        if not level.total_mg:
            empty_from = level.day
            continue
        gap = (level.day - empty_from).days if empty_from is not None else 0
        if not last or (anew_after_days is not None and gap >= anew_after_days):
            begun, rises = level.day, []
        elif level.total_mg > last:
            rises.append(Rise(day=level.day, from_mg=last, size_mg=level.total_mg - last))
        last, empty_from = level.total_mg, None
    return begun, rises


def treatment_begun(order: Order, orders: Sequence[Order], record: MedicationRecord, rules: Profile) -> date:
    """The first day of the treatment with this medicine that an order continues; of brought-in history, long ago."""
    anew = next((rule.after_days for rule in rules.ordering.starting if order.medicine in rule.medicines), None)
    others = [other for other in orders if other.id != order.id]
    begun, _ = course(order, Before(record=record, orders=others, given=(), today=order.starts_on), anew)
    if record.history_until is not None and (anew is None or (begun - record.history_until).days < anew):
        return date.min
    return begun


def rises(rule: Rising, order: Order, before: Before, anew_after_days: int | None) -> Iterable[SoftStop]:
    """The first rise of this order that is larger, earlier or more in a week than the profile names."""
    begun, rises = course(order, before, anew_after_days)
    for number, rise in enumerate(rises):
        if rise.day < order.starts_on:
            continue
        facts = _against(rule, rise, begun, rises[: number + 1])
        if facts:
            told = {"day": str(rise.day), "from_mg": text(rise.from_mg), "rise_mg": text(rise.size_mg)}
            yield SoftStop(said=rule, facts=told | facts)
            return


def _against(rule: Rising, rise: Rise, begun: date, until_now: Sequence[Rise]) -> dict[str, object]:
    """What the rule says about one rise; nothing when it allows it. The first day counts as a change like a rise."""
    facts: dict[str, object] = {}
    if rule.at_most_mg is not None and rise.size_mg > rule.at_most_mg:
        facts["at_most_mg"] = rule.at_most_mg
    last = until_now[-2].day if len(until_now) > 1 else begun
    if rule.days_apart is not None and (rise.day - last).days < rule.days_apart:
        facts |= {"last_change_on": str(last), "days_apart": rule.days_apart}
    week = sum((each.size_mg for each in until_now if each.day >= rise.day - _WEEK), Decimal())
    counts = rule.week_until_day is None or (rise.day - begun).days < rule.week_until_day
    if rule.week_mg is not None and counts and week > rule.week_mg:
        facts |= {"risen_in_week_mg": text(week), "week_mg": rule.week_mg}
    return facts
