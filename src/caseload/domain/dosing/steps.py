"""Steps of an order: a step down counts from its day; a step up only when what was before was taken and seen to be well.

A step up takes effect on the first day from its own on for which every scheduled dose since the last step was taken in
full, and before whose first dose somebody saw the client alert and not intoxicated. Until then the step before stays,
and the prescriber is asked: a missed or partial dose is not made good by waiting, only by an order.

It takes effect by being taken: on a later day it counts only where the dose of the day on which the client was seen was
taken in full. And the days between two steps stay what was ordered: a step up that came late moves the later ones, so
that nobody who waited rises by two steps at once.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from caseload.domain.dosing.facts import Facts, Observed, StepWaits, TakenPart
from caseload.domain.dosing.refusal import Refusal, Rule, policy
from caseload.domain.medication import Order, Step
from caseload.domain.medicines import DosePart
from caseload.domain.profiles import Profile


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
    well = _days_seen_well(taken, observed)
    stage = _Stage(stands=order.first_step, since=order.starts_on, left=order.steps)
    for number in range((day - order.starts_on).days):
        before = order.starts_on + timedelta(days=number)
        stage = _after(before, stage, _reached(before, stage, well), order, by_day.get(before, {}))
    stage = _reached(day, stage, well)
    if not _waits(stage, day):
        return Course(step=stage.stands, waits=None)
    waits = StepWaits(
        step=stage.left[0],
        stays=stage.stands,
        not_in_full=stage.not_in_full,
        observed=day in well,
        opens_on=stage.opens_on,
    )
    return Course(step=stage.stands, waits=waits)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """How far the steps of an order have come."""

    stands: Step
    since: date
    left: tuple[Step, ...]
    not_in_full: tuple[date, ...] = ()
    """The scheduled days since then on which not every part was taken in full."""
    is_rising: bool = False
    """Whether a step up was reached today."""

    @property
    def opens_on(self) -> date:
        """The day before which the next step does not count: as late as the one that stands was."""
        return self.left[0].from_on + (self.since - self.stands.from_on)


def _reached(day: date, stage: _Stage, well: Collection[date]) -> _Stage:
    """The steps that are reached on a day, before anything of it is taken."""
    while _waits(stage, day):
        step = stage.left[0]
        rises = step.is_above(stage.stands)
        if rises and (stage.not_in_full or day < stage.opens_on or day not in well):
            # A step down ends the wait of those before it.
            down = next((each for each in stage.left if each.from_on <= day and not each.is_above(stage.stands)), None)
            if down is None:
                return stage
            stage = replace(stage, left=stage.left[stage.left.index(down) :])
            continue
        is_rising = rises or stage.is_rising
        stage = _Stage(stands=step, since=day, left=stage.left[1:], is_rising=is_rising)
    return stage


def _waits(stage: _Stage, day: date) -> bool:
    return bool(stage.left) and stage.left[0].from_on <= day


def _after(day: date, before: _Stage, stage: _Stage, order: Order, taken: Mapping[DosePart, Decimal]) -> _Stage:
    """How far the steps have come once a day has passed with what was taken on it."""
    if stage.is_rising and not _in_full(stage.stands, taken):
        stage = before
    if order.is_scheduled(day) and not _in_full(stage.stands, taken):
        return replace(stage, not_in_full=(*stage.not_in_full, day))
    return replace(stage, is_rising=False)


def _in_full(step: Step, taken: Mapping[DosePart, Decimal]) -> bool:
    return all(taken.get(part, Decimal()) >= amount for part, amount in step.amounts_mg.items())


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
    facts: dict[str, object] = {
        "order": str(order.id),
        "step_from": str(waits.step.from_on),
        "step_mg": str(waits.step.total_mg),
        "stays_mg": str(waits.stays.total_mg),
        "not_in_full_days": [str(day) for day in waits.not_in_full],
        "observed": waits.observed,
    }
    if waits.opens_on > waits.step.from_on:
        facts["not_before"] = str(waits.opens_on)
    return Refusal(rule=Rule.STEP_WAITS, says=said.says, policy=policy(said.rule, rules), facts=facts)
