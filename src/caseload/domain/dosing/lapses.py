"""What stands beside the run of missed doses: titration, and gaps or partial doses that repeat themselves.

A run of missed doses since the last one is the ladder's to judge. Here it is asked whether the dose is still being built
up, when one missed dose is told to the prescriber already; and whether of the last days so many were missed or taken in
part, not all in that run, that a prescriber must decide. A decision settles the days before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from caseload.domain.dosing.facts import Lately
from caseload.domain.dosing.missed import DaysWithout, Taken
from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.medication import MedicationRecord, Order, treatment_begun
from caseload.domain.medicines import LONG_ACTING
from caseload.domain.profiles import Profile
from caseload.domain.profiles.ladder import Titration

_ONE = timedelta(days=1)


def look_back(record: MedicationRecord, last: Taken | None, order: Order | None, day: date) -> date | None:
    """From which day on doses must be looked at for gaps that repeat themselves; None where there can be none.

    Nothing irregular was recorded within the look back, no dose is missing now, and no part of a day can be: nearly
    everybody, on most days.
    """
    rules = record.rules_on(day)
    ladder = rules.ladder(order.medicine) if order is not None else None
    if order is None or ladder is None or ladder.repeated is None or last is None:
        return None
    since = day - timedelta(days=ladder.repeated.of_days)
    noted = record.gaps_until is not None and record.gaps_until >= since
    return since if noted or (day - last.day).days > 1 or len(order.amounts_mg) > 1 else None


def in_titration(
    without: DaysWithout, order: Order | None, orders: Sequence[Order], record: MedicationRecord, day: date
) -> list[Refusal]:
    """Whom to tell of missed doses while the dose is still being built up, although the next one may be given."""
    rules = record.rules_on(day)
    ladder = rules.ladder(order.medicine) if order is not None and without.missed else None
    titration = ladder.titration if ladder is not None else None
    if order is None or titration is None or len(without.missed) < titration.from_missed:
        return []
    order = next((each for each in orders if each.id == order.id), order)
    if not _is_titrated(order, orders, record, without, day, titration, rules):
        return []
    facts: dict[str, object] = {"missed": len(without.missed), "missed_days": [str(each) for each in without.missed]}
    return [
        Refusal(
            rule=Rule.MISSED_IN_TITRATION,
            says=titration.says,
            policy=policy(titration.rule, rules),
            facts=facts | {"order": str(order.id)},
        )
    ]


def _is_titrated(
    order: Order,
    orders: Sequence[Order],
    record: MedicationRecord,
    without: DaysWithout,
    day: date,
    titration: Titration,
    rules: Profile,
) -> bool:
    """Whether the treatment is that young, or a step up of the order was still to come when the first was missed."""
    rises = [later.from_on for before, later in pairwise((order.first_step, *order.steps)) if later.is_above(before)]
    if any(rise >= without.missed[0] for rise in rises):
        return True
    return (day - treatment_begun(order, orders, record, rules)).days < titration.days


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapses:
    """The days of the look back on which doses were missed or taken in part."""

    missed: tuple[date, ...]
    partial: tuple[date, ...]


def repeated_gaps(
    without: DaysWithout,
    lately: Sequence[Lately],
    order: Order | None,
    orders: Sequence[Order],
    record: MedicationRecord,
    day: date,
) -> list[Refusal]:
    """What gaps and partial doses put in the way of the next one when they repeat themselves."""
    rules = record.rules_on(day)
    ladder = rules.ladder(order.medicine) if order is not None else None
    rule = ladder.repeated if ladder is not None else None
    if rule is None or not lately:
        return []
    lapses = _lapses(lately, orders, record, day - timedelta(days=rule.of_days), day)
    both = {*lapses.missed, *lapses.partial}
    if len(both) < rule.from_days or both <= set(without.missed):
        return []
    return [
        Refusal(
            rule=Rule.REPEATED_GAPS,
            says=rule.says,
            policy=policy(rule.rule, rules),
            facts={
                "of_days": rule.of_days,
                "missed_days": [str(each) for each in lapses.missed],
                "partial_days": [str(each) for each in lapses.partial],
            },
        )
    ]


def _lapses(
    lately: Sequence[Lately], orders: Sequence[Order], record: MedicationRecord, since: date, until: date
) -> Lapses:
    taken: dict[date, Decimal] = {}
    for each in lately:
        taken[each.day] = taken.get(each.day, Decimal()) + each.amount_mg
    settled = max((each.day + _ONE for each in lately if each.decided), default=since)
    missed: list[date] = []
    partial: list[date] = []
    for between in _days(max(since, settled), until):
        order = next((order for order in orders if order.covers(between, record.time_zone)), None)
        if order is None or order.form in LONG_ACTING or not order.is_scheduled(between):
            continue
        if between not in taken:
            missed.append(between)
        elif taken[between] < _least(order, between):
            partial.append(between)
    return Lapses(missed=tuple(missed), partial=tuple(partial))


def _least(order: Order, day: date) -> Decimal:
    """The least that the order may have asked for on a day: a step up may have waited."""
    reached: Mapping[date, Decimal] = {
        step.from_on: step.total_mg for step in (order.first_step, *order.steps) if step.from_on <= day
    }
    return min(reached.values())


def _days(first: date, until: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range((until - first).days))
