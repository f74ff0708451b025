"""Steps of an order: a step down counts from its day; a step up only when what was before was taken and seen to be well.

A step up takes effect on the first day from its own on for which every scheduled dose since the last step was taken in
full, and before whose first dose somebody saw the client alert and not intoxicated. Until then the step before stays,
and the prescriber is asked: a missed or partial dose is not made good by waiting, only by an order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from caseload.domain.dosing.facts import Facts, Observed, StepWaits, TakenPart
from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.medication import Order, Step
from caseload.domain.medicines import DosePart
from caseload.domain.profiles import Profile

_ONE = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Which step of an order counts on a day."""

    step: Step
    waits: StepWaits | None


def step_on(order: Order, day: date, taken: Sequence[TakenPart], observed: Sequence[Observed]) -> Course:
    """The step that counts on a day, and the one that waits.

    `taken` are the doses since the order began, also under other orders; `observed` what was seen before them.
    """
    by_day: dict[date, dict[DosePart, Decimal]] = {}
    for each in taken:
        parts = by_day.setdefault(each.day, {})
        amount = Decimal() if each.came_back else each.amount_mg
        parts[each.part] = max(amount, parts.get(each.part, Decimal()))
    well = {each for each in _days_seen_well(taken, observed) if each <= day}
    stands, since = order.first_step, order.starts_on
    waits: StepWaits | None = None
    for step in order.steps:
        if step.from_on > day:
            break
        if not step.is_above(stands):
            stands, since, waits = step, step.from_on, None
            continue
        if waits is not None:
            continue
        begins = min((each for each in well if each >= step.from_on), default=None)
        if begins is not None and not _not_in_full(order, stands, since, begins - _ONE, by_day):
            stands, since = step, begins
            continue
        gone = _not_in_full(order, stands, since, day - _ONE, by_day)
        waits = StepWaits(step=step, stays=stands, not_in_full=gone, observed=day in well)
    return Course(step=stands, waits=waits)


def _not_in_full(
    order: Order, step: Step, first: date, last: date, by_day: Mapping[date, Mapping[DosePart, Decimal]]
) -> tuple[date, ...]:
    """The scheduled days of a step on which not every part was taken in full."""
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(
        day
        for day in days
        if order.is_scheduled(day)
        and any(by_day.get(day, {}).get(part, Decimal()) < amount for part, amount in step.amounts_mg.items())
    )


def _days_seen_well(taken: Sequence[TakenPart], observed: Sequence[Observed]) -> set[date]:
    """The days on which the client was seen well before anything was given, and not unwell after that."""
    first_dose: dict[date, datetime | None] = {}
    for each in taken:
        known = first_dose.get(each.day, each.at)
        first_dose[each.day] = min(known, each.at) if known is not None and each.at is not None else None
    last_seen: dict[date, Observed] = {}
    for seen in sorted(observed, key=lambda seen: seen.at):
        dose_at = first_dose.get(seen.day)
        if seen.day not in first_dose or (dose_at is not None and seen.at <= dose_at):
            last_seen[seen.day] = seen
    return {day for day, seen in last_seen.items() if seen.is_well}


def in_step(facts: Facts, day: date) -> Facts:
    """The facts with the amounts of the step that counts on a day in the place of the order's first."""
    order = facts.order
    if order is None or not order.steps:
        return facts
    course = step_on(order, day, facts.taken_since, facts.observed)
    return replace(facts, order=replace(order, amounts_mg=course.step.amounts_mg), step_waits=course.waits)


def waiting(order: Order, waits: StepWaits, rules: Profile) -> Refusal:
    """What a step that waits says: to the nurse, and to the prescriber who is asked."""
    said = rules.ordering.step_up
    return Refusal(
        rule=Rule.STEP_WAITS,
        says=said.says,
        policy=policy(said.rule, rules),
        facts={
            "order": str(order.id),
            "step_from": str(waits.step.from_on),
            "step_mg": str(waits.step.total_mg),
            "stays_mg": str(waits.stays.total_mg),
            "not_in_full_days": [str(day) for day in waits.not_in_full],
            "observed": waits.observed,
        },
    )
