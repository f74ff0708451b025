"""A prescriber's decision about missed doses, taken on the same facts as the refusal at the window."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.away import Away, after_naltrexone, against_absence
from caseload.domain.dosing.due import orders_on
from caseload.domain.dosing.facts import Lately
from caseload.domain.dosing.injecting import Injected, against_window, next_injection
from caseload.domain.dosing.lapses import look_back, repeated_gaps
from caseload.domain.dosing.missed import DaysWithout, Taken, days_without, ladder_says
from caseload.domain.dosing.own import own_first, own_lately
from caseload.domain.dosing.tolerance import needs_restart_amount
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import ClientId, DecisionId
from caseload.domain.journal import Journal
from caseload.domain.medication import (
    Acting,
    Decision,
    DecisionKind,
    Holds,
    MedicationRecord,
    NothingToDecide,
    Order,
    is_another,
)
from caseload.domain.medication.holding import check_at_most, check_days, decide
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import LONG_ACTING, Form, Medicine
from caseload.domain.people import Proof, Staff
from caseload.domain.profiles import Profile


class Histories(Holds, Protocol):
    """What a decision about missed doses rests on, beside the holds."""

    async def orders_of(self, client: ClientId, /) -> Sequence[Order]:
        """Every order of a client, newest first."""
        ...

    async def last_taken(
        self, record: MedicationRecord, medicine: Medicine, form: Form, until: date, /
    ) -> Taken | None:
        """The last dose taken until a day, of a medicine with the same action and duration.

        Of two that were ordered beside each other each has its own.
        """
        ...

    async def away(self, client: ClientId, day: date, /) -> Sequence[Away]:
        """The days away from treatment in the year before a day."""
        ...

    async def given_lately(self, client: ClientId, day: date, /) -> Sequence[Acting]:
        """The last day of every product that was taken in the `LOOKS_BACK_DAYS` until a day, that day included."""
        ...

    async def injected(self, client: ClientId, medicine: Medicine, day: date, /) -> Sequence[Injected]:
        """The injections of the last months until a day, the newest first; all, where none of them was of the medicine."""
        ...

    async def taken_lately(self, client: ClientId, since: date, day: date, /) -> Sequence[Lately]:
        """What was taken from a day until another, also without a dose of ours."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a prescriber wants to allow: one dose on one of these days."""

    days: tuple[date, ...]
    reason: str
    at_most_mg: Decimal | None = None
    medicine: Medicine | None = None
    """Which one it is about, where two are ordered beside each other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheWay:
    """What stands in the way of a dose on one day, for the prescriber who decides."""

    day: date
    rules: tuple[str, ...]
    without: DaysWithout
    proposed_mg: Decimal | None
    needs_amount: bool
    medicine: Medicine
    """The one that is ordered."""


async def allow_dose(
    wanted: Wanted,
    client: ClientId,
    *,
    as_id: DecisionId,
    by: Staff,
    proof: Proof,
    now: datetime,
    histories: Histories,
    journal: Journal,
) -> Decision:
    """Allow one dose on one of the named days in spite of missed doses or days that nobody knows of.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `NothingToDecide`, and what `sign` raises.
    """
    record = await histories.lock(client, by=by, act=Act.DECIDE_MEDICATION)
    record.require_open()
    place = record.place(by, Act.DECIDE_MEDICATION)
    faults = Faults()
    check_reason(wanted.reason, faults)
    check_at_most(wanted.at_most_mg, faults)
    check_days(wanted.days, record, now, faults)
    faults.raise_if_any()
    orders = [order for order in await histories.orders_of(client) if order.counts]
    stopping = await _stopping(wanted, orders, record, histories)
    if not stopping:
        raise NothingToDecide("No order is in force on these days, or its doses may be given without a decision.")
    if wanted.at_most_mg is None and any(one.needs_amount for one in stopping):
        raise Invalid(
            Fault(
                "at_most_mg", "so many doses were missed that it is a new start: name the amount, or write a new order"
            )
        )
    worst = stopping[-1]
    rules = record.rules_on(worst.day)
    decision = Decision(
        id=as_id,
        client=client,
        programme=place,
        kind=DecisionKind.ALLOW_DOSE,
        reason=wanted.reason,
        decided_by=by.id,
        decided_at=now,
        days=tuple(sorted(wanted.days)),
        at_most_mg=wanted.at_most_mg,
        profile=rules.profile,
        profile_version=rules.version,
        rules=worst.rules,
        last_taken_on=worst.without.last.day if worst.without.last is not None else None,
        missed=len(worst.without.missed),
        medicine=None if any(is_another(one.medicine, worst.medicine) for one in stopping) else worst.medicine,
    )
    await decide(decision, by=by, proof=proof, holds=histories, journal=journal)
    return decision


async def _stopping(
    wanted: Wanted, orders: Sequence[Order], record: MedicationRecord, histories: Histories
) -> Sequence[InTheWay]:
    """What stands in the way on each of the days. Raises `Invalid` where two medicines are ordered and none is named."""
    found: list[InTheWay] = []
    for day in sorted(wanted.days):
        asked = [
            order
            for order in orders_on(day, orders)
            if wanted.medicine is None or not is_another(order.medicine, wanted.medicine)
        ]
        if len(asked) > 1:
            problem = (
                f"two medicines are ordered on {day}, each with a ladder of its own: name the one you decide about"
            )
            raise Invalid(Fault("medicine", problem))
        for order in asked:
            stops = await _in_the_way(day, order, own_first(orders, order.medicine), record, histories)
            found += [stops] if stops is not None else []
    return found


async def _in_the_way(
    day: date, order: Order, orders: Sequence[Order], record: MedicationRecord, histories: Histories
) -> InTheWay | None:
    if order.form in LONG_ACTING:
        return await _injection_in_the_way(day, order, record, histories)
    last = await histories.last_taken(record, order.medicine, order.form, day)
    since = look_back(record, last, order, day)
    lately = await histories.taken_lately(record.client, since, day) if since is not None else ()
    lately = own_lately(order.medicine, lately, orders, record)
    found = stopped_by(last, day, order, orders, record, lately)
    return await _with_tolerance(found, last, day, order, orders, record, histories)


async def _with_tolerance(
    found: InTheWay | None,
    last: Taken | None,
    day: date,
    order: Order,
    orders: Sequence[Order],
    record: MedicationRecord,
    histories: Histories,
) -> InTheWay | None:
    """With what days away from treatment and a stopped naltrexone put in the way."""
    rules = record.rules_on(day)
    without = found.without if found is not None else days_without(last, day, orders, record)
    away = await histories.away(record.client, day) if without.missed else ()
    beside = await histories.given_lately(record.client, day)
    lost = [
        *against_absence(without, away, order.medicine, rules),
        *after_naltrexone(order.medicine, last, beside, day, frozenset(), rules),
    ]
    if not lost:
        return found
    if found is None:
        found = InTheWay(
            day=day, rules=(), without=without, proposed_mg=None, needs_amount=False, medicine=order.medicine
        )
    return replace(found, rules=(*found.rules, rules.tolerance.rule))


async def _injection_in_the_way(
    day: date, order: Order, record: MedicationRecord, histories: Histories
) -> InTheWay | None:
    injected = await histories.injected(record.client, order.medicine, day)
    last = await histories.last_taken(record, order.medicine, order.form, day)
    beside = await histories.given_lately(record.client, day)
    rules = record.rules_on(day)
    refusals = [
        *against_window(next_injection(order, injected), day, rules),
        *after_naltrexone(order.medicine, last, beside, day, frozenset(), rules),
    ]
    if not refusals:
        return None
    return InTheWay(
        day=day,
        rules=tuple(refusal.policy.partition(" of ")[0] for refusal in refusals),
        without=DaysWithout(last=last),
        proposed_mg=None,
        needs_amount=False,
        medicine=order.medicine,
    )


def stopped_by(
    last: Taken | None,
    day: date,
    order: Order,
    orders: Sequence[Order],
    record: MedicationRecord,
    lately: Sequence[Lately] = (),
) -> InTheWay | None:
    """What the ladder, days that nobody knows of and repeated gaps put in the way of a dose of this order on a day."""
    rules: Profile = record.rules_on(day)
    without = days_without(last, day, orders, record)
    ladder = ladder_says(without, order.medicine, rules)
    broken: list[str] = [rules.unknown_days.rule] if without.not_known else []
    if ladder.rung is not None and not ladder.gives:
        broken.append(ladder.rung.rule)
    repeated = repeated_gaps(without, lately, order, orders, record, day)
    broken += [refusal.policy.partition(" of ")[0] for refusal in repeated]
    if not broken:
        return None
    return InTheWay(
        day=day,
        rules=tuple(broken),
        without=without,
        proposed_mg=ladder.proposed_mg,
        needs_amount=needs_restart_amount(without, order.medicine, order, record, rules),
        medicine=order.medicine,
    )
