"""Handing units out: each for its own day, by the order of that day, within what a prescriber decided.

What is about to be handed out can be refused, and every rule that stands in the way is named at once. What counts
against the decision and the ladder is what the client would then hold for days to come, closure days apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.catalogue import millilitres
from caseload.domain.dosing import DaysWithout, Held, Morning, Refusal, Rule, days_without, order_on
from caseload.domain.dosing.refusal import policy
from caseload.domain.dosing.rules import against_others, against_word, held_back
from caseload.domain.dosing.steps import step_on
from caseload.domain.dosing.tolerance import against_ladder
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, DispenseId, OrderId, ProgrammeId, StationId, UnitId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecord, Order, Supply
from caseload.domain.medication.record import LONGEST_NOTE
from caseload.domain.medicines import LONG_ACTING, DosePart, Medicine, check_milligrams
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.takehome.decision import (
    TakeHomeDecision,
    TakeHomeDecisions,
    TakeHomeRefused,
    above,
    day_of_treatment,
)
from caseload.domain.takehome.label import NoPremises
from caseload.domain.takehome.unit import Dispense, TakeHomeUnit, label_of

MOST_UNITS: Final = 200
LONGEST_NAME: Final = 200


class NothingToTakeFrom(Conflict):
    """No container that is in use holds this."""

    def __init__(self) -> None:
        super().__init__(
            "Put one of this medicine, form and strength to use, and name the station if there are several."
        )


class UnitsMoved(Conflict):
    """Somebody else has handed out one of these days."""

    def __init__(self) -> None:
        super().__init__("Read the client's take-homes again.")


class TakeHomeDispensed(Event):
    """Units were handed out to take home."""

    name: ClassVar[str] = "take_home.dispensed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One unit that is to be handed out, with the amount as it is measured."""

    for_on: date
    part: DosePart
    amount_mg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """What is about to be handed out."""

    client: ClientId
    units: tuple[Wanted, ...]
    educated: bool
    education_note: str = ""
    collected_by: str | None = None
    station: StationId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What the rules need to know, read after the client's medication record was locked."""

    record: MedicationRecord
    today: date
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
    has_premises: bool
    """Whether somebody has said what stands on the labels of the place."""

    @property
    def rules(self) -> Profile:
        """The rules in force today."""
        return self.record.rules_on(self.today)


class TakeHomes(TakeHomeDecisions, Protocol):
    """What clients have taken home. Whoever adds to it has locked the client's record first."""

    async def situation(self, record: MedicationRecord, place: ProgrammeId, days: Sequence[date], /) -> Situation:
        """What stands in the record today, with the days among these on which the window of the place is closed."""
        ...

    async def add_dispense(self, dispense: Dispense, /, *, station: StationId | None) -> None:
        """Keep it; where the programme keeps its stock, each unit takes in the same statement.

        Raises `NothingToTakeFrom`, `UnitsMoved`.
        """
        ...


async def dispense(
    handing: Handing, *, as_id: DispenseId, by: Staff, now: datetime, homes: TakeHomes, journal: Journal
) -> Dispense:
    """Hand out units for the named days, unless a rule stands in the way of any of them.

    Raises `Invalid`, `ClientUnknown`, `NotPermitted`, `NoPremises`, `TakeHomeRefused` with every rule in the way,
    `NothingToTakeFrom`, `UnitsMoved`.
    """
    record = await homes.lock(handing.client, by=by, act=Act.RECORD_DOSE)
    place = record.place(by, Act.RECORD_DOSE)
    _check(handing, record.day_of(now))
    here = await homes.situation(record, place, [wanted.for_on for wanted in handing.units])
    if not here.has_premises:
        raise NoPremises
    broken = stands_in_the_way(handing.units, here)
    if broken:
        raise TakeHomeRefused(broken, here.rules.label)
    orders = [(wanted, _order_of(wanted.for_on, here)) for wanted in handing.units]
    units = tuple(_unit(wanted, order, as_id, place, here) for wanted, order in orders if order is not None)
    made = Dispense(
        id=as_id,
        client=handing.client,
        programme=place,
        units=units,
        educated=handing.educated,
        education_note=handing.education_note,
        collected_by=handing.collected_by,
        dispensed_by=by.id,
        dispensed_at=now,
        dispensed_on=here.today,
        profile=here.rules.profile,
        profile_version=here.rules.version,
    )
    await homes.add_dispense(made, station=handing.station)
    facts: dict[str, str | int] = {"profile": here.rules.label, "units": len(units)}
    journal.tell(TakeHomeDispensed(client=made.client, records=(made.id, *(unit.id for unit in units)), facts=facts))
    return made


def _check(handing: Handing, today: date) -> None:
    faults = Faults()
    faults.check(when=not 1 <= len(handing.units) <= MOST_UNITS, where="units", problem=f"name 1 to {MOST_UNITS} units")
    for place, wanted in enumerate(handing.units):
        check_milligrams(wanted.amount_mg, f"units.{place}.amount_mg", faults)
        faults.check(
            when=wanted.for_on < today, where=f"units.{place}.for_on", problem="a day that has passed needs no unit"
        )
        twice = any(other.for_on == wanted.for_on and other.part.meets(wanted.part) for other in handing.units[:place])
        faults.check(when=twice, where=f"units.{place}", problem="this part of the day is named already")
    faults.check(
        when=not handing.educated and not handing.education_note.strip(),
        where="education_note",
        problem="say why safe carrying and storage were not talked about",
    )
    faults.check(
        when=len(handing.education_note) > LONGEST_NOTE,
        where="education_note",
        problem=f"at most {LONGEST_NOTE} characters",
    )
    collector = handing.collected_by
    faults.check(
        when=collector is not None and not 0 < len(collector.strip()) <= LONGEST_NAME,
        where="collected_by",
        problem=f"a name of 1 to {LONGEST_NAME} characters, or nothing when it was the client",
    )
    faults.raise_if_any()


def stands_in_the_way(wanted: Sequence[Wanted], here: Situation) -> list[Refusal]:
    """Every rule that stands in the way of handing these out."""
    orders = {each.for_on: _order_of(each.for_on, here) for each in wanted}
    broken = [refusal for each in wanted for refusal in _against_day(each, orders[each.for_on], here)]
    named = {order.id: order for order in orders.values() if order is not None}
    broken += [held_back(each) for each in here.holds if _is_aimed(each, wanted, frozenset(named))]
    broken += _against_today(list(named.values()), here)
    for medicine in sorted({order.medicine for order in named.values()}):
        days = {day for day, order in orders.items() if order is not None and order.medicine is medicine}
        broken += _against_decision(medicine, days, here)
    return broken


def _order_of(day: date, here: Situation) -> Order | None:
    """The order in force on a day, with the amounts of the step that counts on it by what is known today."""
    order = order_on(day, here.morning.orders)
    if order is None or not order.steps:
        return order
    step = step_on(order, day, here.morning.taken_since, here.morning.observed).step
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
    return broken + _against_twice(wanted, day, here)


def _against_twice(wanted: Wanted, facts: dict[str, object], here: Situation) -> list[Refusal]:
    """What was handed out or given already: only what came back full leaves its day free."""
    broken: list[Refusal] = []
    for unit in _for_part(wanted, here):
        if not unit.is_back:
            says = f"Unit {unit.label} was handed out for this day already."
            told = facts | {"unit": str(unit.id), "dispensed_on": str(unit.dispensed_on)}
            broken.append(Refusal(rule=Rule.DISPENSED_ALREADY, says=says, facts=told))
    given = [each for each in here.morning.given if wanted.for_on == here.today and each.part.meets(wanted.part)]
    if given:
        says = "This part of today was given at the window. Do not give it again."
        broken.append(Refusal(rule=Rule.ALREADY_GIVEN, says=says, facts=facts | {"dose": str(given[0].dose)}))
    return broken


def _for_part(wanted: Wanted, here: Situation) -> list[TakeHomeUnit]:
    """The units for a part of a day that no later one has taken the place of."""
    same = [unit for unit in here.units if unit.for_on == wanted.for_on and unit.part.meets(wanted.part)]
    replaced = {unit.replaces for unit in same}
    return [unit for unit in same if unit.id not in replaced]


def _is_aimed(held: Held, wanted: Sequence[Wanted], orders: frozenset[OrderId]) -> bool:
    """Whether a hold is aimed at any of these: at the client, at an order of theirs, at the dose of a day."""
    if held.on_day is None:
        return held.order is None or held.order in orders
    return any(each.for_on == held.on_day and (held.part is None or each.part.meets(held.part)) for each in wanted)


def _without(here: Situation) -> DaysWithout:
    return days_without(here.morning.last, here.today, here.morning.orders, here.record)


def _against_today(orders: Sequence[Order], here: Situation) -> list[Refusal]:
    """What would stand in the way at the window today: nobody takes home what they would not be given."""
    morning, rules = here.morning, here.rules
    broken: list[Refusal] = []
    for order in orders:
        broken += against_word(order, morning.at, rules) if morning.at is not None else []
        if order.form not in LONG_ACTING:
            broken += against_others(order.medicine, here.today, morning.beside, morning.answered, rules)
            broken += against_ladder(_without(here), order.medicine, rules)
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
    missed = _without(here).missed
    if after is not None and len(missed) >= after and decision.decided_on <= missed[after - 1]:
        told = named | {"missed": len(missed), "missed_days": [str(day) for day in missed]}
        by = policy(rules.suspension.rule, here.rules)
        return [Refusal(rule=Rule.TAKE_HOME_SUSPENDED, says=rules.suspension.says, policy=by, facts=told)]
    if decision.review_on < here.today:
        told = named | {"review_on": str(decision.review_on)}
        by = policy(rules.review.rule, here.rules)
        return [Refusal(rule=Rule.TAKE_HOME_REVIEW_DUE, says=rules.review.says, policy=by, facts=told)]
    return []


def _unit(wanted: Wanted, order: Order, dispensed: DispenseId, place: ProgrammeId, here: Situation) -> TakeHomeUnit:
    """The unit as it is labelled; called once nothing stands in its way."""
    new = UnitId(new_id())
    is_closure = wanted.for_on in here.closed
    decision = here.decisions.get(order.medicine)
    needs_none = is_closure and not here.rules.take_home.closure.needs_decision
    back = [unit.id for unit in _for_part(wanted, here) if unit.part is wanted.part]
    return TakeHomeUnit(
        id=new,
        dispense=dispensed,
        client=here.record.client,
        programme=place,
        order=order.id,
        decision=None if decision is None or needs_none else decision.id,
        for_on=wanted.for_on,
        part=wanted.part,
        medicine=order.medicine,
        form=order.form,
        strength_mg=order.strength_mg,
        amount_mg=wanted.amount_mg,
        amount_ml=millilitres(wanted.amount_mg, order.form, order.strength_mg),
        label=label_of(new),
        is_closure=is_closure,
        dispensed_on=here.today,
        replaces=back[0] if back else None,
    )
