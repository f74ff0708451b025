"""A prescriber's decision about the medicine of a client who is to leave: one signed act, and the discharge with it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import ClassVar, Final

from caseload.domain.access import Act
from caseload.domain.caseload.discharging import end_care
from caseload.domain.departure.asking import Answer, Asked, Places, still_waiting
from caseload.domain.departure.fate import Fate, goes_down, outlasts, running, shortened
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import DepartureId, OrderId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import (
    Acting,
    MedicationRecord,
    Order,
    OrderNeedsConfirmation,
    OrderSigned,
    OrderStopped,
    OrderWritten,
    Stop,
)
from caseload.domain.medication.asking import answer, ask
from caseload.domain.medication.record import LONGEST_NOTE, check_reason
from caseload.domain.medication.soft_stop import Before
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import Meaning, Signature, Version, sign_together, signing_role

FURTHEST_AHEAD: Final = timedelta(days=366)


class OrdersOutlast(Conflict):
    """Orders in force do not end as the decision says."""


class DischargeDecided(Event):
    """A prescriber decided about the medicine of a client who leaves, and the client was discharged."""

    name: ClassVar[str] = "discharge.decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a prescriber wants to decide."""

    fate: Fate
    reason: str
    until: date | None = None
    """The last day on which something may be given; none where it stops now."""
    to: str | None = None
    """Who takes over, for a transfer."""
    confirmed: Mapping[str, str] = field(default_factory=dict[str, str])
    """Reasons for what the profile asks about the orders that this decision shortens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What was decided about which orders, as they stood, and what became of each: the facts that are signed."""

    asked: Asked
    wanted: Wanted
    by: Staff
    at: datetime
    day: date
    profile: str
    orders: Sequence[Order]
    stops: Sequence[Stop] = ()
    shorter: Sequence[Order] = ()

    @property
    def answer(self) -> Answer:
        """The decision as it is kept."""
        return Answer(
            reason=self.wanted.reason,
            answered_by=self.by.id,
            answered_at=self.at,
            fate=self.wanted.fate,
            until=self.wanted.until,
            to=self.wanted.to,
            facts=self.facts,
        )

    @property
    def facts(self) -> dict[str, object]:
        """What it rests on: as it stands under the signature."""
        becomes: dict[OrderId, str] = {stop.order: "stopped" for stop in self.stops}
        becomes |= {order.replaces: str(order.id) for order in self.shorter if order.replaces is not None}
        return {
            "asked_by": str(self.asked.asked_by),
            "leaving_because": self.asked.leaving.reason.value,
            "orders": [
                {
                    "becomes": becomes.get(order.id, "stays"),
                    "ends_on": str(order.ends_on) if order.ends_on is not None else None,
                    "medicine": order.medicine.value,
                    "order": str(order.id),
                    "total_mg": str(order.total_on(max(self.day, order.starts_on))),
                    "version": order.version,
                }
                for order in self.orders
            ],
            "profile": self.profile,
        }

    def as_signed(self) -> Sequence[Version]:
        """The decision, the stop of each order and each shorter order, in this order."""
        by_id = {order.id: order for order in self.orders}
        return [
            self.asked.as_decided(self.answer),
            *(stop.as_signed(by_id[stop.order].version) for stop in self.stops),
            *(order.as_signed() for order in self.shorter),
        ]


Leave = Callable[[Decided], Awaitable[None]]
"""How the client leaves once it is decided what becomes of the medicine."""


async def decide(
    departure: DepartureId,
    wanted: Wanted,
    *,
    by: Staff,
    proof: Proof,
    now: datetime,
    places: Places,
    journal: Journal,
    leave: Leave | None = None,
) -> Decided:
    """Decide what becomes of the medicine, and discharge the client; everything is signed with one proof.

    `leave` takes the place of the discharge for whoever goes on to another programme of ours (`transfer`).

    To stop ends every order now. To continue or transfer shortens each order that outlasts the date: the same order,
    ending there, signed with the decision. A taper, and whatever has steps, is an order of its own that the prescriber
    has signed before. Raises `AskedUnknown`, `AskedMoved`, `NotPermitted`, `Invalid`, `OrdersOutlast`,
    `OrderNeedsConfirmation`, and what `sign` raises.
    """
    asked = await still_waiting(departure, by=by, act=Act.DECIDE_MEDICATION, places=places)
    role = signing_role(by, Act.DECIDE_MEDICATION, asked.programme)
    record = await places.orders.lock(asked.client, by=by, act=Act.DECIDE_MEDICATION)
    today = record.day_of(now)
    _check(wanted, today)
    everything = await places.orders.orders_of(asked.client)
    decided = Decided(
        asked=asked,
        wanted=wanted,
        by=by,
        at=now,
        day=today,
        profile=record.rules_on(today).label,
        orders=running(everything, record, today),
    )
    if wanted.until is None:
        stops = [Stop(order=each.id, reason=wanted.reason, stopped_by=by.id, stopped_at=now) for each in decided.orders]
        decided = replace(decided, stops=stops)
    else:
        shorter = _to_end(decided, wanted.until, everything, record)
        if shorter:
            given = await places.orders.given_lately(asked.client, today)
            shorter = _answered(shorter, decided, everything, given, record)
        decided = replace(decided, shorter=shorter)
    signatures = sign_together(
        [(version, role) for version in decided.as_signed()], by=by, meaning=Meaning.AUTHORED, proof=proof, now=now
    )
    await _keep(decided, signatures, places, journal)
    if leave is None:
        await _discharge(decided, places, journal)
    else:
        await leave(decided)
    return decided


async def _keep(decided: Decided, signatures: Sequence[Signature], places: Places, journal: Journal) -> None:
    asked, wanted, by_id = decided.asked, decided.wanted, {order.id: order for order in decided.orders}
    first, *others = signatures
    await places.departures.add_answer(asked, decided.answer, signed=first)
    facts: dict[str, str | int] = {"fate": wanted.fate.value, "profile": decided.profile}
    journal.tell(DischargeDecided(client=asked.client, records=(asked.id, first.id), facts=facts))
    signed = iter(others)
    for stop in decided.stops:
        signature = next(signed)
        await places.orders.add_order_stop(stop, by_id[stop.order], signature)
        journal.tell(OrderStopped(client=asked.client, records=(stop.order, signature.id)))
    for order in decided.shorter:
        signature = next(signed)
        await places.orders.add_order(order)
        await places.orders.add_order_signature(order, signature)
        journal.tell(OrderWritten(client=asked.client, records=(order.id,), facts={"version": order.version}))
        journal.tell(
            OrderSigned(client=asked.client, records=(order.id, signature.id), facts={"version": order.version})
        )


async def _discharge(decided: Decided, places: Places, journal: Journal) -> None:
    asked = decided.asked
    episode = await places.caseloads.open_episode(asked.client, reach=decided.by.reach(Act.DECIDE_MEDICATION))
    await end_care(
        episode,
        at=asked.leaving.at,
        reason=asked.leaving.reason,
        note=asked.leaving.note,
        by=decided.by,
        now=decided.at,
        caseloads=places.caseloads,
        plans=places.plans,
        sessions=places.sessions,
        journal=journal,
    )


def _check(wanted: Wanted, today: date) -> None:
    faults = Faults()
    check_reason(wanted.reason, faults)
    to = (wanted.to or "").strip()
    faults.check(when=(wanted.fate is Fate.TRANSFER) != bool(to), where="to", problem="says who takes over a transfer")
    faults.check(when=len(to) > LONGEST_NOTE, where="to", problem=f"at most {LONGEST_NOTE} characters")
    faults.check(
        when=(wanted.fate is Fate.STOP) != (wanted.until is None),
        where="until",
        problem="is the last day of whatever does not stop now",
    )
    faults.check(
        when=wanted.until is not None and not today <= wanted.until <= today + FURTHEST_AHEAD,
        where="until",
        problem=f"must lie from today to {FURTHEST_AHEAD.days} days ahead",
    )
    faults.raise_if_any()


def _to_end(decided: Decided, until: date, everything: Sequence[Order], record: MedicationRecord) -> Sequence[Order]:
    """The shorter orders in the place of those that outlast the date; raises `OrdersOutlast` where none can be made."""
    longer = [order for order in decided.orders if outlasts(order, record, until)]
    if decided.wanted.fate is Fate.TAPER:
        if longer or not goes_down(decided.orders, record, decided.day, until):
            raise OrdersOutlast(
                "Write and sign the order that steps down and ends by then, and decide again.",
                until=str(until),
                orders=[str(order.id) for order in longer or decided.orders],
            )
        return []
    versions = {order.chain: order.version for order in sorted(everything, key=lambda each: each.version)}
    made = {
        order.id: shortened(
            order,
            until,
            as_id=OrderId(new_id()),
            version=versions[order.chain] + 1,
            by=decided.by.id,
            now=decided.at,
            today=decided.day,
        )
        for order in longer
    }
    left = [str(order) for order, found in made.items() if found is None]
    if left:
        raise OrdersOutlast(
            "Write and sign an order that ends by then in the place of each of these, or stop them, and decide again.",
            until=str(until),
            orders=left,
        )
    return [order for order in made.values() if order is not None]


def _answered(
    shorter: Sequence[Order],
    decided: Decided,
    everything: Sequence[Order],
    given: Sequence[Acting],
    record: MedicationRecord,
) -> Sequence[Order]:
    """The shorter orders with what the profile asks about them answered; raises `OrderNeedsConfirmation`, `Invalid`.

    What was answered as the longer order was signed is answered for the shorter one too: it orders the same.
    """
    rules, longer = record.rules_on(decided.day), {order.id: order for order in decided.orders}
    before_that = {
        each.rule: each.reason
        for order in shorter
        if order.replaces is not None
        for each in longer[order.replaces].confirmed
    }
    reasons = before_that | dict(decided.wanted.confirmed)
    before = Before(record=record, orders=[each for each in everything if each.counts], given=given, today=decided.day)
    asked = {order.id: ask(order, before, rules) for order in shorter}
    stops = [stop for found in asked.values() for stop in found]
    named = {stop.said.rule for stop in stops}
    if named - set(reasons):
        raise OrderNeedsConfirmation(stops, rules)
    faults = Faults()
    for rule in sorted(set(decided.wanted.confirmed) - named):
        faults.add(f"confirmed.{rule}", "this rule asks nothing of these orders now")
    faults.raise_if_any()
    return [
        replace(
            order,
            confirmed=answer(
                asked[order.id],
                {stop.said.rule: reasons[stop.said.rule] for stop in asked[order.id]},
                rules,
                now=decided.at,
            ),
        )
        for order in shorter
    ]
