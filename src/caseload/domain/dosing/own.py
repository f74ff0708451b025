"""Two medicines ordered beside each other: each is counted by its own doses, and each is given in spite of the other.

Usually the agonists count together, so that whoever goes over from one to the other has a last dose. On a day on which
both were ordered a dose of the one says nothing of the other: the last dose, the days without, repeated gaps, partial
doses, steps and the interval are those of the medicine itself (each ladder names its medicine).
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal

from caseload.domain.dosing.facts import Facts, Giving, Lately, TakenPart
from caseload.domain.dosing.missed import Taken
from caseload.domain.dosing.refusal import Refusal, Rule, policy, text
from caseload.domain.medication import (
    Acting,
    Confirmed,
    MedicationRecord,
    Order,
    both_ordered,
    is_another,
    name_each_other,
    stood_beside,
    was_in_force,
)
from caseload.domain.medicines import ACTION, LONG_ACTING, Action, Form, Medicine
from caseload.domain.profiles import Profile


def counts_for(
    medicine: Medicine, other: Medicine | None, day: date, orders: Sequence[Order], record: MedicationRecord
) -> bool:
    """Whether a dose of a day tells of the tolerance to a medicine; None for a dose that stands beside no other."""
    if other is None or not is_another(medicine, other):
        return True
    return both_ordered(medicine, other, orders, day, record) is None


def own_parts(
    medicine: Medicine, taken: Iterable[TakenPart], orders: Sequence[Order], record: MedicationRecord
) -> Sequence[TakenPart]:
    """What counts for a medicine of what was taken."""
    return [each for each in taken if counts_for(medicine, each.medicine, each.day, orders, record)]


def own_lately(
    medicine: Medicine, lately: Iterable[Lately], orders: Sequence[Order], record: MedicationRecord
) -> Sequence[Lately]:
    """What counts for a medicine of what was taken lately."""
    return [each for each in lately if counts_for(medicine, each.medicine, each.day, orders, record)]


def own_first(orders: Iterable[Order], medicine: Medicine) -> Sequence[Order]:
    """The orders with those of this medicine before those that may stand beside it on the same day."""
    return sorted(orders, key=lambda order: is_another(order.medicine, medicine))


def beside_since(
    medicine: Medicine, last: Taken | None, orders: Sequence[Order], record: MedicationRecord
) -> date | None:
    """The first day on which both stood beside each other, where the last dose is of the other one; else None."""
    if last is None or not is_another(medicine, last.medicine):
        return None
    pair = both_ordered(medicine, last.medicine, orders, last.day, record)
    return max(order.starts_on for order in pair) if pair is not None else None


def last_of_parts(taken: Iterable[TakenPart], medicine: Medicine, form: Form) -> Taken | None:
    """The last of what was taken with the same action and duration; of several at an unknown hour the smallest."""
    like = [
        Taken(day=each.day, at=each.at, medicine=each.medicine, amount_mg=each.amount_mg)
        for each in alike(taken, medicine, form)
        if each.medicine is not None
    ]
    return max(like, key=_how_late, default=None)


def alike(taken: Iterable[TakenPart], medicine: Medicine, form: Form) -> Sequence[TakenPart]:
    """What was taken with the same action and duration."""
    return [
        each
        for each in taken
        if each.medicine is not None
        and ACTION[each.medicine] is ACTION[medicine]
        and (each.form in LONG_ACTING) is (form in LONG_ACTING)
    ]


def _how_late(taken: Taken) -> tuple[date, float, Decimal]:
    return taken.day, taken.at.timestamp() if taken.at is not None else float("-inf"), -taken.amount_mg


def not_signed_for(
    order: Order | None, acting: Sequence[Acting], orders: Sequence[Order], record: MedicationRecord, rules: Profile
) -> Sequence[Acting]:
    """What acts beside an order without the signature of the order under which it was given.

    Who signed that order named this one and overrode the rule, for as long as both were in force.
    """
    if order is None:
        return acting
    return [
        each
        for each in acting
        if not any(
            name_each_other(order, other)
            and not is_another(other.medicine, each.medicine)
            and was_in_force(other, each.on, record)
            and _answer_about(order.medicine, other, rules) is not None
            for other in orders
        )
    ]


def too_close(giving: Giving, facts: Facts, record: MedicationRecord, rules: Profile) -> list[Refusal]:
    """A dose of the other medicine that lies nearer than doses of one may, unless a prescriber signed that they do."""
    said = rules.minimum_interval
    apart = timedelta(hours=said.hours)
    broken: list[Refusal] = []
    for other in facts.of_another:
        if other.medicine is None or other.at is None or abs(giving.given_at - other.at) >= apart:
            continue
        pair = both_ordered(giving.medicine, other.medicine, facts.together, other.day, record)
        if pair is None:
            continue
        if any(each.rule == said.rule for order in pair for each in order.confirmed):
            continue
        says = (
            f"{other.medicine} was given at {record.clock(other.at)}, beside which this is ordered. Ask a prescriber."
        )
        told: dict[str, object] = {"other_dose_at": text(other.at), "hours": said.hours, "medicine": other.medicine}
        broken.append(Refusal(rule=Rule.TOO_SOON, says=says, policy=policy(said.rule, rules), facts=told))
    return broken[:1]


def ordered_beside(
    order: Order, day: date, orders: Sequence[Order], record: MedicationRecord, rules: Profile
) -> list[Refusal]:
    """What stands on screen beside an order: the other medicine, the rule about the two, and who signed it, and why."""
    other = stood_beside(order, orders, day, record)
    if other is None:
        return []
    answer = _answer_about(order.medicine, other, rules) or _answer_about(other.medicine, order, rules)
    part = next(iter(other.amounts_mg))
    facts: dict[str, object] = {"order": str(other.id), "medicine": other.medicine, "part": part}
    if answer is not None:
        facts |= {"reason": answer.reason}
    return [
        Refusal(
            rule=Rule.ORDERED_BESIDE,
            says=f"{other.medicine} is ordered beside it, in the {part}. Each is given in its own part of the day.",
            policy="" if answer is None else f"{answer.rule} of {answer.profile}-{answer.profile_version}",
            facts=facts,
        )
    ]


def _answer_about(medicine: Medicine, order: Order, rules: Profile) -> Confirmed | None:
    """The prescriber's override about another medicine, signed with an order."""
    both = {ACTION[medicine], ACTION[order.medicine]}
    said = rules.ordering.antagonist_beside if Action.ANTAGONIST in both else rules.ordering.another_agonist_beside
    return next((each for each in order.confirmed if each.rule == said.rule), None)
