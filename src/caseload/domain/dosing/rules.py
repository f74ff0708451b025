"""What stands in the way of a dose: pure decisions from facts, each naming its rule, its days and the profile version.

About to be given: any of these refuses it. Already given: it is recorded all the same, and these are the rules that
the exception names. One list of rules serves both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

from caseload.domain.dosing.at_home import covered
from caseload.domain.dosing.away import after_naltrexone, against_absence
from caseload.domain.dosing.facts import AlreadyGiven, Facts, Giving, Held
from caseload.domain.dosing.injecting import Injected, against_delivery, against_window, next_injection, not_yet
from caseload.domain.dosing.lapses import in_titration
from caseload.domain.dosing.missed import DaysWithout, days_without
from caseload.domain.dosing.own import not_signed_for, too_close
from caseload.domain.dosing.refusal import Refusal, Rule, policy, text
from caseload.domain.dosing.steps import waiting
from caseload.domain.dosing.suspected import against_another_registration
from caseload.domain.dosing.tolerance import against_gaps, is_enough
from caseload.domain.ids import DecisionId, ReplacementId
from caseload.domain.medication import Acting, MedicationRecord, Order, Standing, Supply, in_conflict
from caseload.domain.medicines import LONG_ACTING, Medicine
from caseload.domain.profiles import Profile

EVERYTHING_COMMITTED: Final = datetime(9999, 1, 1, tzinfo=UTC)
"""The moment for judging what is about to be given: whatever was committed before the lock counts, by whatever clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the rules say about one dose."""

    broken: tuple[Refusal, ...]
    uses: DecisionId | None
    """The decision that the dose uses up."""
    without: DaysWithout
    to_do: tuple[Refusal, ...] = ()
    """What must be done although it stands in no way: somebody is told."""


def judge(
    giving: Giving, day: date, facts: Facts, record: MedicationRecord, *, at: datetime, now: datetime
) -> Judgement:
    """Judge one dose for a dosing day by the profile in force on that day.

    `at` is the moment whose orders, holds and decisions count: `EVERYTHING_COMMITTED` for what is about to be given.
    """
    rules = record.rules_on(day)
    broken: list[Refusal] = []
    if giving.given_at > now:
        broken.append(Refusal(rule=Rule.FUTURE, says="It lies in the future.", facts={"now": text(now)}))
    if facts.given is not None:
        broken.append(_already_given(facts.given, record))
    broken += covered(facts.at_home, day, rules)
    broken += _against_order(giving, day, facts, at)
    broken += _of_order(giving, facts, rules)
    if facts.held is not None:
        broken.append(held_back(facts.held))
    broken += against_interval(giving, day, facts, record, rules)
    broken += too_close(giving, facts, record, rules)
    broken += against_another_registration(facts.under_another, giving.medicine, day, giving.given_at, rules)
    beside = not_signed_for(facts.order, facts.beside, facts.together, record, rules)
    broken += against_others(giving.medicine, day, beside, facts.answered, rules)
    broken += against_delivery(facts.delivery, facts.order, day, rules)
    broken += against_opioid(facts.order, day, facts.answered, rules)
    without = DaysWithout(last=facts.last)
    if giving.form not in LONG_ACTING:
        without = days_without(facts.last, day, facts.earlier, record)
    in_the_way = asks_of(giving, day, facts, without, record)
    to_do = tuple(in_titration(without, facts.order, facts.earlier, record, day))
    if not in_the_way:
        return Judgement(broken=tuple(broken), uses=None, without=without, to_do=to_do)
    if facts.allowed is None or not is_enough(facts.allowed, without, giving.medicine, facts.order, record, rules):
        return Judgement(broken=(*broken, *in_the_way), uses=None, without=without, to_do=to_do)
    broken += against_decision(giving, facts.allowed.at_most_mg, facts.allowed.decision)
    return Judgement(broken=tuple(broken), uses=facts.allowed.decision, without=without, to_do=to_do)


def due_mg(giving: Giving, facts: Facts, judgement: Judgement) -> Decimal | None:
    """How much is due: what the order says, or less where the decision that is used says so; None without an order."""
    ordered = facts.order.amounts_mg.get(giving.part) if facts.order is not None else None
    decided = facts.allowed.at_most_mg if facts.allowed is not None and judgement.uses is not None else None
    if ordered is None or decided is None:
        return ordered
    return min(ordered, decided)


def _already_given(given: AlreadyGiven, record: MedicationRecord) -> Refusal:
    when = f" at {record.clock(given.given_at)}" if given.given_at is not None else ""
    if given.given_by is not None:
        says = f"{given.given_by} gave this part of the day{when}."
    elif given.covered:
        says = f"{given.source} says that this part of the day was taken{when}."
    else:
        says = f"The history from {given.source} has a dose on this day."
    return Refusal(
        rule=Rule.ALREADY_GIVEN,
        says=f"{says} Do not give it again.",
        facts={
            "dose": str(given.dose),
            "given_at": text(given.given_at) if given.given_at is not None else None,
            "given_by": given.given_by,
            "part": given.part,
            "source": given.source,
        },
    )


def held_back(held: Held) -> Refusal:
    """What a hold says at the window."""
    facts: dict[str, object] = {"hold": str(held.hold), "reason": held.reason, "raised_at": text(held.raised_at)}
    if held.order is not None:
        says = "The order is held. A prescriber must clear the hold before anything is given under it."
        return Refusal(rule=Rule.ORDER_HELD, says=says, facts=facts | {"order": str(held.order)})
    if held.on_day is not None:
        says = "The dose is held. A prescriber must clear the hold before it is given."
        aim = {"day": str(held.on_day), "part": held.part}
        return Refusal(rule=Rule.DOSE_HELD, says=says, facts=facts | aim)
    says = "The client is held. A prescriber must clear the hold before anything is given."
    return Refusal(rule=Rule.CLIENT_HELD, says=says, facts=facts)


def _against_order(giving: Giving, day: date, facts: Facts, at: datetime) -> list[Refusal]:
    order = facts.order
    standing = order.standing(day, at) if order is not None else None
    if order is None or standing is not Standing.IN_FORCE:
        found: dict[str, object] = {} if order is None else {"order": str(order.id), "standing": standing}
        return [
            Refusal(
                rule=Rule.NO_ORDER_IN_FORCE,
                says="No signed order is in force for this day. Ask a prescriber.",
                facts={**found, "day": str(day)},
            )
        ]
    broken: list[Refusal] = []
    if order.supply is not Supply.WINDOW:
        says = "A pharmacy supplies this order: give nothing here. Ask a prescriber for an order for our window."
        broken.append(
            Refusal(rule=Rule.SUPPLIED_ELSEWHERE, says=says, facts={"order": str(order.id), "supply": order.supply})
        )
    if order.form in LONG_ACTING:
        broken += not_yet(order, next_injection(order, injected_until_now(facts)), day)
    elif not order.is_scheduled(day):
        broken.append(
            Refusal(
                rule=Rule.NOT_SCHEDULED,
                says=f"The order asks for a dose every {order.every_days} days, and not on this one.",
                facts={"order": str(order.id), "day": str(day), "every_days": order.every_days},
            )
        )
    return broken + against_content(giving, order)


def _of_order(giving: Giving, facts: Facts, rules: Profile) -> list[Refusal]:
    """What the profile says of the order itself: a word that nobody signed in time, a step that waits."""
    if facts.order is None:
        return []
    found = against_word(facts.order, giving.given_at, rules)
    due = facts.order.amounts_mg.get(giving.part, Decimal())
    if facts.step_waits is not None and giving.amount_mg > due:
        found.append(waiting(facts.order, facts.step_waits, rules))
    return found


def against_word(order: Order, at: datetime, rules: Profile) -> list[Refusal]:
    """Whether it is a verbal order whose deadline has passed without its prescriber's signature."""
    if not order.is_overdue(at):
        return []
    return [
        Refusal(
            rule=Rule.COUNTERSIGN_OVERDUE,
            says="A verbal order was not countersigned in time. Give nothing before its prescriber has signed it.",
            policy=policy(rules.ordering.verbal.rule, rules),
            facts={
                "order": str(order.id),
                "prescriber": str(order.verbal_by),
                "countersign_by": text(order.countersign_by or at),
            },
        )
    ]


def against_content(giving: Giving, order: Order) -> list[Refusal]:
    """What the order says against the medicine and the amount themselves, whenever they are given."""
    broken: list[Refusal] = []
    if (giving.medicine, giving.form) != (order.medicine, order.form):
        broken.append(
            Refusal(
                rule=Rule.ANOTHER_MEDICINE,
                says="It is another medicine or form than the order says.",
                facts={"order": str(order.id), "medicine": order.medicine, "form": order.form},
            )
        )
    ordered = order.amounts_mg.get(giving.part)
    if ordered is None:
        parts = sorted(order.amounts_mg)
        says = f"The order has no {giving.part} part: it orders {' and '.join(parts)}."
        facts: dict[str, object] = {"order": str(order.id), "parts": parts}
        broken.append(Refusal(rule=Rule.PART_NOT_ORDERED, says=says, facts=facts))
    elif giving.amount_mg > ordered:
        broken.append(
            Refusal(
                rule=Rule.MORE_THAN_ORDERED,
                says="It is more than the order says.",
                facts={"order": str(order.id), "ordered_mg": str(ordered)},
            )
        )
    return broken


def against_decision(giving: Giving, at_most_mg: Decimal | None, decision: DecisionId | ReplacementId) -> list[Refusal]:
    """Whether the dose is more than a clinician decided, for a restart or in the place of another."""
    if at_most_mg is None or giving.amount_mg <= at_most_mg:
        return []
    return [
        Refusal(
            rule=Rule.MORE_THAN_DECIDED,
            says="It is more than was decided.",
            facts={"at_most_mg": str(at_most_mg), "decision": str(decision)},
        )
    ]


def injected_until_now(facts: Facts) -> Sequence[Injected]:
    """The injections before this one; where nothing more is known of them, the last one alone."""
    if facts.injected or facts.last is None:
        return facts.injected
    return [Injected(day=facts.last.day, medicine=facts.last.medicine, site=None)]


def asks_of(giving: Giving, day: date, facts: Facts, without: DaysWithout, record: MedicationRecord) -> list[Refusal]:
    """What a prescriber's decision may let through: days without medicine, or the window of an injection."""
    rules = record.rules_on(day)
    lost = after_naltrexone(giving.medicine, facts.last, facts.beside, day, facts.answered, rules)
    if giving.form not in LONG_ACTING:
        gaps = against_gaps(without, facts.lately, giving.medicine, facts.order, facts.earlier, record, day)
        return [*gaps, *against_absence(without, facts.away, giving.medicine, rules), *lost]
    if facts.order is None or facts.order.form not in LONG_ACTING:
        return lost
    return [*against_window(next_injection(facts.order, injected_until_now(facts)), day, rules), *lost]


def against_interval(
    giving: Giving, day: date, facts: Facts, record: MedicationRecord, rules: Profile
) -> list[Refusal]:
    """Doses of different dosing days must lie apart, so that midnight does not make two of one."""
    apart = timedelta(hours=rules.minimum_interval.hours)
    before = facts.last.at if facts.last is not None and facts.last.day < day else facts.before_at
    nearest = [other for other in (before, facts.next_at) if other is not None and abs(giving.given_at - other) < apart]
    if not nearest:
        return []
    other = nearest[0]
    says = f"{rules.minimum_interval.says} Wait until {record.clock(other + apart)}."
    if other is facts.next_at:
        says = f"The dose of a later day was given at {record.clock(other)}. Give nothing on top of it."
    return [
        Refusal(
            rule=Rule.TOO_SOON,
            says=says,
            policy=policy(rules.minimum_interval.rule, rules),
            facts={"other_dose_at": text(other), "hours": rules.minimum_interval.hours},
        )
    ]


def against_others(
    medicine: Medicine, day: date, beside: Sequence[Acting], answered: frozenset[str], rules: Profile
) -> list[Refusal]:
    """What still acts and does not go together with this, unless a prescriber has signed the order in spite of it."""
    return [
        Refusal(
            rule=Rule.ANOTHER_ACTS,
            says=f"{conflict.acting.medicine} of {conflict.acting.on} is in the way until {conflict.until}."
            " Give nothing before a prescriber has signed an order in spite of it.",
            policy=policy(conflict.said.rule, rules),
            facts=conflict.facts,
        )
        for conflict in in_conflict(medicine, day, beside, rules.ordering)
        if conflict.said.rule not in answered
    ]


def against_opioid(order: Order | None, day: date, answered: frozenset[str], rules: Profile) -> list[Refusal]:
    """Whether naltrexone would come too soon after the last opioid, unless a prescriber signed the order in spite of it."""
    said = rules.ordering.antagonist_beside
    if order is None or order.last_opioid_on is None or said.rule in answered:
        return []
    free = order.last_opioid_on + timedelta(days=said.other_opioid_free_days)
    if day >= free:
        return []
    return [
        Refusal(
            rule=Rule.OPIOID_TOO_RECENT,
            says=f"The last opioid was used on {order.last_opioid_on}: naltrexone may come from {free} on.",
            policy=policy(said.rule, rules),
            facts={"last_opioid_on": str(order.last_opioid_on), "from_on": str(free), "day": str(day)},
        )
    ]
