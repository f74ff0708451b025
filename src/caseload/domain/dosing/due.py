"""What is due to a client on a dosing day, and what stands in the way: the same rules as at the window, asked before.

The chart, the dispensing list and the downtime sheet all show this one answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from caseload.domain.dosing.at_home import AtHome, covered
from caseload.domain.dosing.away import Away, after_naltrexone, against_absence
from caseload.domain.dosing.facts import Allowed, AlreadyGiven, Held, Lately, Observed, TakenPart
from caseload.domain.dosing.guest import against_guest, guest_on
from caseload.domain.dosing.injecting import Injected, InjectionStanding, NextInjection, against_window, next_injection
from caseload.domain.dosing.lapses import in_titration
from caseload.domain.dosing.missed import DaysWithout, Taken, days_without
from caseload.domain.dosing.own import not_signed_for, ordered_beside
from caseload.domain.dosing.refusal import Refusal
from caseload.domain.dosing.rules import EVERYTHING_COMMITTED, against_opioid, against_others, against_word, held_back
from caseload.domain.dosing.steps import step_on, waiting
from caseload.domain.dosing.suspected import UnderAnother, against_another_registration
from caseload.domain.dosing.tolerance import against_gaps, is_enough
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, OrderId, ProgrammeId
from caseload.domain.medication import Acting, GuestDays, MedicationRecord, Order, Standing, Supply
from caseload.domain.medicines import LONG_ACTING, DosePart

DAYS_BACK, DAYS_AHEAD = 366, 31
"""How far from today a dosing day may lie for which somebody asks what is due."""


def check_day(day: date, today: date) -> None:
    """Raise `Invalid` for a day so far off that the question makes no sense."""
    if not today - timedelta(days=DAYS_BACK) <= day <= today + timedelta(days=DAYS_AHEAD):
        raise Invalid(Fault("day", f"must lie from {DAYS_BACK} days ago to {DAYS_AHEAD} days ahead"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Morning:
    """What the record of one client says on a dosing day."""

    record: MedicationRecord
    orders: Sequence[Order]
    """Signed orders, as far back as the last dose."""
    given: Sequence[AlreadyGiven]
    last: Taken | None
    held: Held | None
    allowed: Allowed | None
    beside: Sequence[Acting] = ()
    answered: frozenset[str] = frozenset()
    taken_since: Sequence[TakenPart] = ()
    observed: Sequence[Observed] = ()
    lately: Sequence[Lately] = ()
    injected: Sequence[Injected] = ()
    away: Sequence[Away] = ()
    at_home: Sequence[AtHome] = ()
    """What the client holds, or has taken, at home for the day."""
    guests: Sequence[GuestDays] = ()
    """The agreements that make the client a guest."""
    under_another: Sequence[UnderAnother] = ()
    """What registrations took that may be this client's."""
    place: ProgrammeId | None = None
    """The programme that asks; None for the home programme."""
    at: datetime | None = None
    """The moment it is asked, for the deadlines of verbal orders."""
    together: Sequence[Order] = ()
    """The client's orders, where any two stood beside each other."""
    asked: OrderId | None = None
    """Of two orders beside each other the one that is meant; None where one is in force."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DuePart:
    """One part of the day."""

    part: DosePart
    amount_mg: Decimal
    given: AlreadyGiven | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due to a client on a dosing day."""

    day: date
    order: Order | None
    """The order in force that asks for a dose on this day; None when there is none."""
    parts: tuple[DuePart, ...]
    without: DaysWithout
    in_the_way: tuple[Refusal, ...]
    allowed: Allowed | None
    """The decision that the next dose would use."""
    waits: Refusal | None = None
    """A step up that has come and not taken effect: less is due, and the prescriber is asked."""
    injection: NextInjection | None = None
    """When the injection may come, and until when it is not overdue."""
    to_do: tuple[Refusal, ...] = ()
    """What must be done although it stands in no way: somebody is told."""
    beside: tuple[Refusal, ...] = ()
    """The medicine that is ordered beside it, and the rule about the two that a prescriber overrode."""
    guest: GuestDays | None = None
    """The agreement that makes the client a guest on this day, elsewhere or here."""

    @property
    def is_open(self) -> bool:
        """Whether a part of the day has not been given yet."""
        return any(part.given is None for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTo:
    """A line of the dispensing list: to whom what is due, and what stands in the way."""

    client: ClientId
    home: ProgrammeId
    given_name: str
    family_name: str
    birth_date: date
    due: Due
    held: Held | None = None


def orders_on(day: date, orders: Sequence[Order]) -> Sequence[Order]:
    """The orders in force on a day, by everything that was committed: one, or two beside each other, the earlier part first."""
    found = [order for order in orders if order.standing(day, EVERYTHING_COMMITTED) is Standing.IN_FORCE]
    return sorted(found, key=lambda order: DosePart.EVENING in order.amounts_mg)


def order_on(day: date, orders: Sequence[Order], asked: OrderId | None = None) -> Order | None:
    """The order in force on a day; of two beside each other the one that is asked for, else the earlier part's."""
    found = orders_on(day, orders)
    return next((order for order in found if order.id == asked), found[0] if found else None)


def due_on(day: date, morning: Morning) -> Due:
    """Say what is due and what stands in the way of it."""
    order = order_on(day, morning.orders, morning.asked)
    coming = _coming(order, morning)
    if order is None or order.supply is not Supply.WINDOW or not _asks(order, day, coming):
        return Due(
            day=day,
            order=None,
            parts=(),
            without=DaysWithout(last=morning.last),
            in_the_way=(),
            allowed=None,
            guest=guest_on(morning.guests, day),
        )
    rules = morning.record.rules_on(day)
    waits = None
    if order.steps:
        course = step_on(order, day, morning.taken_since, morning.observed)
        order = replace(order, amounts_mg=course.step.amounts_mg)
        waits = waiting(order, course.waits, rules) if course.waits is not None else None
    without = DaysWithout(last=morning.last)
    if order.form not in LONG_ACTING:
        without = days_without(morning.last, day, morning.orders, morning.record)
    in_the_way = [held_back(morning.held)] if morning.held is not None else []
    in_the_way += covered(_of_its_parts(order, morning.at_home), day, rules)
    in_the_way += against_guest(
        morning.guests,
        day,
        at=EVERYTHING_COMMITTED,
        place=morning.place or morning.record.programme,
        order=order.id,
        record=morning.record,
    )
    in_the_way += against_another_registration(morning.under_another, order.medicine, day, morning.at, rules)
    in_the_way += against_word(order, morning.at, rules) if morning.at is not None else []
    beside = not_signed_for(order, morning.beside, morning.together, morning.record, rules)
    in_the_way += against_others(order.medicine, day, beside, morning.answered, rules)
    in_the_way += against_opioid(order, day, morning.answered, rules)
    if coming is not None:
        ladder = against_window(coming, day, rules)
    else:
        ladder = against_gaps(without, morning.lately, order.medicine, order, morning.orders, morning.record, day)
        ladder += against_absence(without, morning.away, order.medicine, rules)
    ladder += after_naltrexone(order.medicine, morning.last, morning.beside, day, morning.answered, rules)
    allowed = None
    if ladder and is_enough(morning.allowed, without, order.medicine, order, morning.record, rules):
        allowed = morning.allowed
    elif ladder:
        in_the_way += ladder
    most = allowed.at_most_mg if allowed is not None else None
    parts = tuple(
        DuePart(
            part=part,
            amount_mg=amount if most is None else min(amount, most),
            given=next((given for given in morning.given if given.part.meets(part)), None),
        )
        for part, amount in order.amounts_mg.items()
    )
    return Due(
        day=day,
        order=order,
        parts=parts,
        without=without,
        in_the_way=tuple(in_the_way),
        allowed=allowed,
        waits=waits,
        injection=coming,
        to_do=tuple(in_titration(without, order, morning.orders, morning.record, day)),
        beside=tuple(ordered_beside(order, day, morning.together, morning.record, rules)),
        guest=guest_on(morning.guests, day),
    )


def _of_its_parts(order: Order, at_home: Sequence[AtHome]) -> Sequence[AtHome]:
    return [unit for unit in at_home if any(unit.part.meets(part) for part in order.amounts_mg)]


def _coming(order: Order | None, morning: Morning) -> NextInjection | None:
    """The next injection, where the order is one; where nothing more is known, counted from the last dose alone."""
    if order is None or order.form not in LONG_ACTING:
        return None
    injected = morning.injected
    if not injected and morning.last is not None:
        injected = [Injected(day=morning.last.day, medicine=morning.last.medicine, site=None)]
    return next_injection(order, injected)


def _asks(order: Order, day: date, coming: NextInjection | None) -> bool:
    if coming is None:
        return order.is_scheduled(day)
    given_today = coming.last is not None and coming.last.day == day
    return given_today or coming.standing(day) is not InjectionStanding.NOT_YET
