"""Days covered by something besides our own doses: what another source says was taken, and somebody here verified.

Such a day counts for missed days, for the last dose taken, for the interval to the next one, for steps, and for what still
acts; it never touches our stock. What was handed out here for a day counts in the same places by itself (`at_home`). A day
that nobody covers is a day without medicine (product convention: excused is not taken).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from caseload.domain.dosing.due import Morning, order_on
from caseload.domain.dosing.facts import AlreadyGiven, Facts, Lately, TakenPart
from caseload.domain.dosing.missed import Taken
from caseload.domain.medication import LOOKS_BACK_DAYS, Acting, Order
from caseload.domain.medicines import ACTION, LONG_ACTING, DosePart, Form, Medicine

_FIRST_OF_ALL: Final = date(1, 1, 1)


class CoveredBy(StrEnum):
    """What says that a day's medicine was taken."""

    STATEMENT = "statement"
    """What another source said, and somebody here verified."""
    TAKE_HOME = "take_home"
    """A unit that was handed out here for the day. The window counts it by itself (`at_home`); here it is only told."""
    REGISTRATION = "registration"
    """What was taken under a registration that was merged into this one, here or at home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CoveredDay:
    """A part of a dosing day that was taken, without a dose of ours."""

    day: date
    part: DosePart
    at: datetime | None
    """None where only the day is known."""
    medicine: Medicine
    form: Form
    amount_mg: Decimal
    product: str | None
    by: CoveredBy
    record: UUID
    """The statement, the unit, or the merge."""
    source: str
    """Who says so, by name."""


def read_since(until: date | None, last: Taken | None, order: Order | None, day: date) -> date | None:
    """From which day on covered days can make a difference on a dosing day; None when none can.

    `until` is the last day that anything covers (`MedicationRecord.covered_until`), `last` our own last dose: for
    nearly everybody this is the whole price of the question.
    """
    if until is None:
        return None
    since = min(last.day if last is not None else _FIRST_OF_ALL, day - timedelta(days=LOOKS_BACK_DAYS))
    if order is not None and order.steps:
        since = min(since, order.starts_on)
    return since if until >= since else None


def last_of(
    last: Taken | None, covered: Iterable[CoveredDay], medicine: Medicine, form: Form, day: date
) -> Taken | None:
    """The last dose taken until a day, ours or covered, with the same action and duration.

    Of several of one day whose order nobody knows the smallest: nothing proposed for a restart rests on the larger.
    """
    found = [last] if last is not None else []
    if form not in LONG_ACTING:
        found += [
            Taken(day=each.day, at=each.at, medicine=each.medicine, amount_mg=each.amount_mg)
            for each in covered
            if each.day <= day and each.form not in LONG_ACTING and ACTION[each.medicine] is ACTION[medicine]
        ]
    return max(found, key=_how_late, default=None)


def _how_late(taken: Taken) -> tuple[date, float, Decimal]:
    return taken.day, taken.at.timestamp() if taken.at is not None else float("-inf"), -taken.amount_mg


def given_by(covered: Iterable[CoveredDay], day: date) -> Sequence[AlreadyGiven]:
    """The parts of a day that are covered."""
    return [
        AlreadyGiven(
            dose=each.record, part=each.part, given_at=each.at, given_by=None, source=each.source, covered=True
        )
        for each in covered
        if each.day == day
    ]


def acting_of(covered: Iterable[CoveredDay], day: date) -> Sequence[Acting]:
    """The last day until then of every covered product."""
    last: dict[tuple[Medicine, Form, str | None], date] = {}
    for each in covered:
        if each.day <= day:
            product = (each.medicine, each.form, each.product)
            last[product] = max(each.day, last.get(product, each.day))
    return [Acting(medicine=kind, form=form, product=product, on=on) for (kind, form, product), on in last.items()]


def parts_of(covered: Iterable[CoveredDay], order: Order, day: date) -> Sequence[TakenPart]:
    """What was covered since an order began, for its steps."""
    return [_part_of(each) for each in covered if order.starts_on <= each.day <= day]


def parts_since(covered: Iterable[CoveredDay], since: date, day: date) -> Sequence[TakenPart]:
    """What was covered from a day until another."""
    return [_part_of(each) for each in covered if since <= each.day <= day]


def _part_of(each: CoveredDay) -> TakenPart:
    return TakenPart(
        day=each.day, part=each.part, amount_mg=each.amount_mg, at=each.at, medicine=each.medicine, form=each.form
    )


def lately_of(covered: Iterable[CoveredDay], since: date, day: date) -> Sequence[Lately]:
    """What was covered from a day until another, for gaps that repeat themselves."""
    return [
        Lately(day=each.day, amount_mg=each.amount_mg, decided=False, medicine=each.medicine)
        for each in covered
        if since <= each.day <= day
    ]


def counted(
    facts: Facts, covered: Sequence[CoveredDay], part: DosePart, medicine: Medicine, form: Form, day: date
) -> Facts:
    """The facts about one dose with what is covered counted as taken; what it lets act beside is among `beside`."""
    given = next((given for given in given_by(covered, day) if given.part.meets(part)), None)
    later = [each.at for each in covered if each.day > day and each.at is not None]
    if facts.next_at is not None:
        later.append(facts.next_at)
    order = facts.order
    return replace(
        facts,
        given=facts.given or given,
        last=last_of(facts.last, covered, medicine, form, day),
        taken_since=(*facts.taken_since, *(parts_of(covered, order, day) if order is not None else ())),
        before_at=_hour_before(covered, medicine, form, day),
        next_at=min(later, default=None),
    )


def _hour_before(covered: Iterable[CoveredDay], medicine: Medicine, form: Form, day: date) -> datetime | None:
    """When the last of what is covered on former days was taken, of what acts alike."""
    before = last_of(None, (each for each in covered if each.day < day and each.at is not None), medicine, form, day)
    return before.at if before is not None else None


def counted_in(morning: Morning, covered: Sequence[CoveredDay], day: date) -> Morning:
    """What the record of one client says on a dosing day, with what is covered counted as taken."""
    order = order_on(day, morning.orders)
    if order is None:
        return morning
    return replace(
        morning,
        given=(*morning.given, *given_by(covered, day)),
        last=last_of(morning.last, covered, order.medicine, order.form, day),
        taken_since=(*morning.taken_since, *parts_of(covered, order, day)),
    )
