"""Missed days: what the record says about the days since the last dose, and what the profile makes of it.

With a daily order and the last dose four days ago, three doses were missed: the days strictly between. An order that
asks for a dose every so many days counts only its own days. A day on which no order was in force is a day without
medicine and counts too; for tolerance it does not matter why. A day for which a take-home unit was handed out, and not
said to be untaken, is a day with medicine: the last of them is the last dose taken. Days after brought-in history ends
and before an order of ours was in force are not known: neither missed nor taken. Of whoever never had a dose that we
know of, the scheduled days count since something was ordered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medicines import LONG_ACTING, Medicine
from caseload.domain.profiles import Profile
from caseload.domain.profiles.ladder import GIVES, Outcome, Rung

_ONE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The last dose that was taken of a daily medicine with the same action, here or at home."""

    day: date
    at: datetime | None
    """None where nobody knows the hour: a source that tells of the day alone, a dose taken at home."""
    medicine: Medicine
    amount_mg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysWithout:
    """The days strictly between the last dose and a dosing day on which the record has none."""

    last: Taken | None
    missed: tuple[date, ...] = ()
    not_known: tuple[date, ...] = ()


def days_without(last: Taken | None, day: date, orders: Sequence[Order], record: MedicationRecord) -> DaysWithout:
    """Count the days without medicine before a dosing day. A first dose on the first day of its order has none.

    `orders` are the client's signed orders that may have been in force since the last dose.
    """
    if last is None:
        return DaysWithout(last=None, missed=_never_begun(day, orders, record))
    missed: list[date] = []
    not_known: list[date] = []
    known_until = (
        record.history_until if record.history_until is not None and last.day <= record.history_until else None
    )
    for between in _days_between(last.day, day):
        order = next((order for order in orders if order.covers(between, record.time_zone)), None)
        if order is not None and order.form not in LONG_ACTING:
            if order.is_scheduled(between):
                missed.append(between)
        elif known_until is not None and between > known_until:
            not_known.append(between)
        else:
            missed.append(between)
    return DaysWithout(last=last, missed=tuple(missed), not_known=tuple(not_known))


def needs_orders(last: Taken | None, order: Order | None, day: date) -> bool:
    """Whether there may be days to explain before a dosing day, for which the orders since then must be read."""
    if last is not None:
        return (day - last.day).days > 1
    return order is not None and (order.starts_on < day or order.replaces is not None)


def _never_begun(day: date, orders: Sequence[Order], record: MedicationRecord) -> tuple[date, ...]:
    """The scheduled days, back from a day without a break, on which something was in force that nobody ever took."""
    missed: list[date] = []
    before = day - _ONE
    while order := next((order for order in orders if order.covers(before, record.time_zone)), None):
        if order.form not in LONG_ACTING and order.is_scheduled(before):
            missed.append(before)
        before -= _ONE
    return tuple(reversed(missed))


def _days_between(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=number) for number in range(1, (last - first).days))


@dataclass(frozen=True, slots=True, kw_only=True)
class LadderSays:
    """What the profile's ladder makes of the missed doses of a medicine."""

    rung: Rung | None
    proposed_mg: Decimal | None
    """What the published ladder proposes for the restart; a prescriber decides."""

    @property
    def gives(self) -> bool:
        """Whether the next dose may be given without a prescriber's decision."""
        return self.rung is None or self.rung.outcome in GIVES

    @property
    def is_new_start(self) -> bool:
        """Whether the order cannot be given as it stands."""
        return self.rung is not None and self.rung.outcome is Outcome.NEW_START


def ladder_says(without: DaysWithout, medicine: Medicine, rules: Profile) -> LadderSays:
    """Which rung of the medicine's ladder the missed doses reach.

    Milligrams are proposed only from a last dose of the same medicine: those of methadone never apply to another.
    """
    ladder = rules.ladder(medicine)
    rung = ladder.rung(len(without.missed)) if ladder is not None else None
    proposed = None
    if (
        rung is not None
        and rung.proposal is not None
        and without.last is not None
        and without.last.medicine is medicine
    ):
        proposed = rung.proposal.amount_mg(without.last.amount_mg)
    return LadderSays(rung=rung, proposed_mg=proposed)
