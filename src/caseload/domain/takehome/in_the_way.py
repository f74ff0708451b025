"""Which rules stand in the way of handing units out: the order of each day, the decision, the ladders, the holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from caseload.domain.dosing import DaysWithout, Held, Morning, Refusal, Rule, days_without, orders_on
from caseload.domain.dosing.guest import against_guest
from caseload.domain.dosing.own import not_signed_for
from caseload.domain.dosing.refusal import policy
from caseload.domain.dosing.rules import EVERYTHING_COMMITTED, against_others, against_word, held_back
from caseload.domain.dosing.steps import step_on
from caseload.domain.dosing.suspected import against_handing_out
from caseload.domain.dosing.tolerance import against_ladder
from caseload.domain.ids import OrderId, ProgrammeId
from caseload.domain.medication import MedicationRecord, Order, Supply
from caseload.domain.medicines import LONG_ACTING, DosePart, Medicine
from caseload.domain.profiles import Profile
from caseload.domain.takehome.decision import (
    TakeHomeDecision,
    above,
    day_of_treatment,
)
from caseload.domain.takehome.unit import TakeHomeUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One unit that is to be handed out, with the amount as it is measured."""

    for_on: date
    part: DosePart
    amount_mg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the rules need to know, read after the client's medication record was locked."""

    record: MedicationRecord
    today: date
    place: ProgrammeId
    """Where it would be handed out."""
    morning: Morning
    began: date | None
    """The first dose of the episode."""
    units: Sequence[TakeHomeUnit]
    """Those for today and later, and those that nobody has accounted for."""
    closed: frozenset[date]
    decisions: Mapping[Medicine, TakeHomeDecision]
    """The newest decision about each medicine."""
    holds: Sequence[Held]
    """The holds in force, whatever they are aimed at."""
    all_orders: Sequence[Order]
    """Those that stand in force no longer, and drafts, among them."""
    has_premises: bool
    """Whether somebody has said what stands on the labels of the place."""
    beside: Mapping[Medicine, Morning] = field(default_factory=dict[Medicine, Morning])
    """What the record says of each medicine, where two were ordered beside each other."""

    @property
    def rules(self) -> Profile:
        """The rules in force today."""
        return self.record.rules_on(self.today)

    def of(self, medicine: Medicine) -> Morning:
        """What the record says of a medicine today."""
        return self.beside.get(medicine, self.morning)


def stands_in_the_way(wanted: Sequence[Wanted], here: Situation) -> list[Refusal]:
    """Every rule that stands in the way of handing these out."""
    orders = [(each, order_for(each, here)) for each in wanted]
    broken = [refusal for each, order in orders for refusal in _against_day(each, order, here)]
    named = {order.id: order for _, order in orders if order is not None}
    broken += [held_back(each) for each in here.holds if _is_aimed(each, wanted, frozenset(named))]
    broken += [against_handing_out(here.today)] if here.record.suspected_with is not None else []
    broken += _against_today(list(named.values()), here)
    for medicine in sorted({order.medicine for order in named.values()}):
        days = {each.for_on for each, order in orders if order is not None and order.medicine is medicine}
        broken += _against_decision(medicine, days, here)
    return broken


def order_for(wanted: Wanted, here: Situation) -> Order | None:
    """The order of a part of a day, with the amounts of the step that counts on it by what is known today.

    Of two beside each other the one that has this part.
    """
    found = orders_on(wanted.for_on, here.morning.orders)
    order = next((each for each in found if wanted.part in each.amounts_mg), found[0] if found else None)
    if order is None or not order.steps:
        return order
    morning = here.of(order.medicine)
    step = step_on(order, wanted.for_on, morning.taken_since, morning.observed).step
    return replace(order, amounts_mg=step.amounts_mg)


def _against_day(wanted: Wanted, order: Order | None, here: Situation) -> list[Refusal]:
    """What the order of the day, and what is in the client's hands for it, say against one unit."""
    day: dict[str, object] = {"day": str(wanted.for_on), "part": wanted.part}
    if order is None:
        says = "No signed order is in force on this day. Ask a prescriber."
        return [Refusal(rule=Rule.NO_ORDER_IN_FORCE, says=says, facts=day)]
    facts = day | {"order": str(order.id)}
    if order.form in LONG_ACTING:
        says = "A long-acting injection is given here and never handed to the client."
        return [Refusal(rule=Rule.NEVER_TAKEN_HOME, says=says, facts=facts | {"form": order.form})]
    broken: list[Refusal] = []
    if order.supply is not Supply.WINDOW:
        says = "A pharmacy supplies this order: hand nothing out here."
        broken.append(Refusal(rule=Rule.SUPPLIED_ELSEWHERE, says=says, facts=facts))
    if not order.is_scheduled(wanted.for_on):
        says = f"The order asks for a dose every {order.every_days} days, and not on this one."
        broken.append(Refusal(rule=Rule.NOT_SCHEDULED, says=says, facts=facts))
    ordered = order.amounts_mg.get(wanted.part)
    if ordered is None:
        says = f"The order has no {wanted.part} part: it orders {' and '.join(sorted(order.amounts_mg))}."
        broken.append(Refusal(rule=Rule.PART_NOT_ORDERED, says=says, facts=facts))
    elif ordered != wanted.amount_mg:
        says = "The order of this day asks for another amount."
        broken.append(Refusal(rule=Rule.ANOTHER_AMOUNT, says=says, facts=facts | {"ordered_mg": str(ordered)}))
    broken += against_guest(
        here.morning.guests,
        wanted.for_on,
        at=EVERYTHING_COMMITTED,
        place=here.place,
        order=order.id,
        record=here.record,
    )
    return broken + _against_twice(wanted, day, here)


def _against_twice(wanted: Wanted, facts: dict[str, object], here: Situation) -> list[Refusal]:
    """What was handed out or given already: only what came back full leaves its day free."""
    broken: list[Refusal] = []
    for unit in for_part(wanted, here):
        if not unit.is_back:
            says = f"Unit {unit.label} was handed out for this day already."
            told = facts | {"unit": str(unit.id), "dispensed_on": str(unit.dispensed_on)}
            broken.append(Refusal(rule=Rule.DISPENSED_ALREADY, says=says, facts=told))
    given = [each for each in here.morning.given if wanted.for_on == here.today and each.part.meets(wanted.part)]
    if given:
        says = "This part of today was given at the window. Do not give it again."
        broken.append(Refusal(rule=Rule.ALREADY_GIVEN, says=says, facts=facts | {"dose": str(given[0].dose)}))
    return broken


def for_part(wanted: Wanted, here: Situation) -> list[TakeHomeUnit]:
    """The units for a part of a day that no later one has taken the place of."""
    same = [unit for unit in here.units if unit.for_on == wanted.for_on and unit.part.meets(wanted.part)]
    replaced = {unit.replaces for unit in same}
    return [unit for unit in same if unit.id not in replaced]


def _is_aimed(held: Held, wanted: Sequence[Wanted], orders: frozenset[OrderId]) -> bool:
    """Whether a hold is aimed at any of these: at the client, at an order of theirs, at the dose of a day."""
    if held.on_day is None:
        return held.order is None or held.order in orders
    return any(each.for_on == held.on_day and (held.part is None or each.part.meets(held.part)) for each in wanted)


def _without(medicine: Medicine, here: Situation) -> DaysWithout:
    morning = here.of(medicine)
    return days_without(morning.last, here.today, morning.orders, here.record)


def _against_today(orders: Sequence[Order], here: Situation) -> list[Refusal]:
    """What would stand in the way at the window today: nobody takes home what they would not be given."""
    rules = here.rules
    broken: list[Refusal] = []
    for order in orders:
        morning = here.of(order.medicine)
        broken += against_word(order, morning.at, rules) if morning.at is not None else []
        if order.form not in LONG_ACTING:
            beside = not_signed_for(order, morning.beside, morning.together, here.record, rules)
            broken += against_others(order.medicine, here.today, beside, morning.answered, rules)
            broken += against_ladder(_without(order.medicine, here), order.medicine, rules)
    return broken


def _against_decision(medicine: Medicine, days: set[date], here: Situation) -> list[Refusal]:
    """What the decision about a medicine, its suspension and the ladders say. Closure days count apart."""
    rules, asked = here.rules, days - here.closed
    if not asked and not rules.take_home.closure.needs_decision:
        return []
    found = _against_state(here.decisions.get(medicine), medicine, here)
    if found or not asked:
        return found
    decision = here.decisions[medicine]
    held = {
        unit.for_on
        for unit in here.units
        if unit.for_on >= here.today and unit.medicine is medicine and not unit.is_closure and not unit.is_back
    }
    together = len(asked | held)
    facts: dict[str, object] = {"days": together, "held_days": sorted(str(day) for day in held - asked)}
    broken: list[Refusal] = []
    if together > decision.days:
        says = "More days than the prescriber decided."
        told = facts | {"decision": str(decision.id), "decided_days": decision.days}
        broken.append(Refusal(rule=Rule.TAKE_HOME_MORE_THAN_DECIDED, says=says, facts=told))
    ceiling = rules.take_home.ceiling(medicine, day_of_treatment(here.began, here.today))
    if ceiling is not None and together > ceiling.at_most_days:
        refusal = above(ceiling, together, here.began, here.today, rules)
        broken.append(replace(refusal, facts=facts | refusal.facts))
    return broken


def _against_state(decision: TakeHomeDecision | None, medicine: Medicine, here: Situation) -> list[Refusal]:
    """Whether there is a decision on which something may be handed out today."""
    rules = here.rules.take_home
    if decision is None:
        said, rule, facts = rules.criteria, Rule.TAKE_HOME_NOT_DECIDED, dict[str, object](medicine=medicine)
        says = "No prescriber has decided that this medicine may be taken home."
        return [Refusal(rule=rule, says=says, policy=policy(said.rule, here.rules), facts=facts)]
    named: dict[str, object] = {"decision": str(decision.id), "decided_on": str(decision.decided_on)}
    if decision.suspension is not None:
        says = "The prescriber's decision is suspended. Nothing is handed out before another one."
        told = named | {"suspension": str(decision.suspension.id), "reason": decision.suspension.reason}
        by_rule = decision.suspension.by_rule
        by = f"{by_rule} of {decision.suspension.profile}-{decision.suspension.profile_version}" if by_rule else ""
        return [Refusal(rule=Rule.TAKE_HOME_SUSPENDED, says=says, policy=by, facts=told)]
    after = rules.suspension.after_missed
    missed = _without(medicine, here).missed
    if after is not None and len(missed) >= after and decision.decided_on <= missed[after - 1]:
        told = named | {"missed": len(missed), "missed_days": [str(day) for day in missed]}
        by = policy(rules.suspension.rule, here.rules)
        return [Refusal(rule=Rule.TAKE_HOME_SUSPENDED, says=rules.suspension.says, policy=by, facts=told)]
    if decision.review_on < here.today:
        told = named | {"review_on": str(decision.review_on)}
        by = policy(rules.review.rule, here.rules)
        return [Refusal(rule=Rule.TAKE_HOME_REVIEW_DUE, says=rules.review.says, policy=by, facts=told)]
    return []
