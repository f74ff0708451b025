"""What a prescriber does with an order: write it, sign it, stop it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.catalogue import listed
from caseload.domain.errors import Fault, Faults, Invalid, NotPermitted
from caseload.domain.ids import ClientId, OrderId, ProgrammeId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.asking import answer, ask
from caseload.domain.medication.guest import GuestOrders, order_of_guest
from caseload.domain.medication.order import Order, OrderMoved, Orders, OrderUnknown, Stop
from caseload.domain.medication.ordered import Supply
from caseload.domain.medication.record import MedicationRecord, check_reason
from caseload.domain.medication.soft_stop import Before
from caseload.domain.medication.together import keep_beside, require_named, require_together
from caseload.domain.medication.wish import Wish, is_answered
from caseload.domain.medicines import LONG_ACTING
from caseload.domain.people import Proof, Staff
from caseload.domain.profiles import Profile
from caseload.domain.signature import Meaning, sign, signing_role


class NotTheirWord(NotPermitted):
    """Only the prescriber whose word it was countersigns a verbal order."""


class OrderWritten(Event):
    """An order was written; nothing is given under it before it is signed."""

    name: ClassVar[str] = "order.written"


class OrderSigned(Event):
    """An order was signed and is in force from its first day."""

    name: ClassVar[str] = "order.signed"


class OrderStopped(Event):
    """An order was stopped."""

    name: ClassVar[str] = "order.stopped"


async def write_order(
    wish: Wish, client: ClientId, *, as_id: OrderId, by: Staff, now: datetime, orders: Orders, journal: Journal
) -> Order:
    """Write an order for a client; it counts for nothing until a prescriber signs it.

    Raises `NotPermitted`, `Invalid`, `OrderUnknown` and `OrderMoved` (for the order to be replaced).
    """
    record = await orders.lock(client, by=by, act=Act.WRITE_ORDER)
    record.require_open()
    programme = record.place(by, Act.WRITE_ORDER)
    wish.check(today=record.day_of(now))
    chain, version = as_id, 1
    if wish.replaces is not None:
        others = await orders.orders_of(client)
        replaced = _found(wish.replaces, others)
        _require_replaceable(replaced)
        chain = replaced.chain
        version = 1 + max(other.version for other in others if other.chain == chain)
        if wish.beside is None:
            wish = replace(wish, beside=keep_beside(replaced, others, wish.starts_on, wish.ends_on))
            wish.check(today=record.day_of(now))
    if wish.beside is not None:
        _found(wish.beside, await orders.orders_of(client))
    order = replace(new_order(wish, record, programme, as_id=as_id, by=by, now=now), chain=chain, version=version)
    await orders.add_order(order)
    journal.tell(OrderWritten(client=client, records=(order.id,), facts={"version": order.version}))
    return order


def new_order(
    wish: Wish, record: MedicationRecord, programme: ProgrammeId, *, as_id: OrderId, by: Staff, now: datetime
) -> Order:
    """The first order of a chain, as it is written down; raises `Invalid`."""
    wish.check(today=record.day_of(now))
    _require_supply(wish, record.rules_on(record.day_of(now)))
    return Order(
        id=as_id,
        chain=as_id,
        version=1,
        replaces=wish.replaces,
        client=record.client,
        programme=programme,
        medicine=wish.medicine,
        form=wish.form,
        strength_mg=wish.strength_mg,
        amounts_mg=dict(sorted(wish.amounts_mg.items())),
        every_days=wish.every_days,
        starts_on=wish.starts_on,
        ends_on=wish.ends_on,
        supervised=wish.supervised,
        note=wish.note,
        product=_product(wish, record, now),
        supply=wish.supply,
        steps=wish.steps,
        rapid_start=wish.rapid_start,
        last_opioid_on=wish.last_opioid_on,
        no_opioid_known=wish.no_opioid_known,
        beside=wish.beside,
        written_by=by.id,
        written_at=now,
    )


async def sign_order(
    order_id: OrderId,
    *,
    by: Staff,
    proof: Proof,
    now: datetime,
    orders: GuestOrders,
    journal: Journal,
    confirmed: Mapping[str, str] | None = None,
) -> Order:
    """Sign an order: from its first day doses are given under it, and the order it replaces ends the day before.

    `confirmed` answers what the profile asks, by the name of the rule, with a reason each.
    Raises `OrderUnknown`, `NotPermitted`, `OrderMoved`, `OrderInTheWay`, `OrderBeyondGuest` (for a guest of ours),
    `OrderNeedsConfirmation`, `Invalid`, and what `sign` raises.
    """
    order = await orders.order(order_id, by=by, act=Act.WRITE_ORDER)
    record = await orders.lock(order.client, by=by, act=Act.WRITE_ORDER)
    record.require_open()
    role = signing_role(by, Act.WRITE_ORDER, record.place(by, Act.WRITE_ORDER))
    others = await orders.orders_of(order.client)
    order = _found(order_id, others)
    if order.verbal_by is not None and order.verbal_by != by.id:
        raise NotTheirWord("Ask the prescriber who gave it, or stop it and write another.", order=str(order.id))
    if order.signed_at is not None or order.stopped_at is not None:
        raise OrderMoved("It is signed or withdrawn already. Read the chart again.", order=str(order.id))
    if order.verbal_by is None:
        require_answer(order)
    has_ended = order.ends_on is not None and order.ends_on < record.day_of(now)
    if has_ended and order.verbal_by is None:
        raise OrderMoved("Its last day has passed. Write a new order.", order=str(order.id))
    if not has_ended:
        require_free_days(order, record, others, now)
    guest = await order_of_guest(order, record, orders) if order.verbal_by is None else None
    today = record.day_of(now)
    signed = [other for other in others if other.counts and other.id != order.id]
    before = Before(record=record, orders=signed, given=await orders.given_lately(order.client, today), today=today)
    rules = record.rules_on(today)
    order = replace(order, confirmed=answer(ask(order, before, rules), confirmed or {}, rules, now=now))
    meaning = Meaning.AUTHORED if order.written_by == by.id else Meaning.APPROVED
    signature = sign(order.as_signed(), by=by, role=role, meaning=meaning, proof=proof, now=now)
    await orders.add_order_signature(order, signature)
    if guest is not None:
        await orders.bind_order(order.id, guest, order.client)
    facts: dict[str, str | int] = {"version": order.version}
    if order.confirmed:
        facts |= {"confirmed": ",".join(sorted(each.rule for each in order.confirmed)), "profile": rules.label}
    journal.tell(OrderSigned(client=order.client, records=(order.id, signature.id), facts=facts))
    return replace(order, signed_at=now)


async def stop_order(
    order_id: OrderId, reason: str, *, by: Staff, proof: Proof, now: datetime, orders: Orders, journal: Journal
) -> Order:
    """Stop an order at once, or withdraw a draft. A dose that is recorded after this is refused.

    Raises `OrderUnknown`, `NotPermitted`, `Invalid`, `OrderMoved`, and what `sign` raises.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    order = await orders.order(order_id, by=by, act=Act.WRITE_ORDER)
    record = await orders.lock(order.client, by=by, act=Act.WRITE_ORDER)
    role = signing_role(by, Act.WRITE_ORDER, record.place(by, Act.WRITE_ORDER))
    order = _found(order_id, await orders.orders_of(order.client))
    if order.stopped_at is not None:
        raise OrderMoved("It has been stopped already. Read the chart again.", order=str(order.id))
    stop = Stop(order=order.id, reason=reason, stopped_by=by.id, stopped_at=now)
    signature = sign(stop.as_signed(order.version), by=by, role=role, meaning=Meaning.AUTHORED, proof=proof, now=now)
    await orders.add_order_stop(stop, order, signature)
    journal.tell(OrderStopped(client=order.client, records=(order.id, signature.id)))
    return replace(order, stopped_at=now)


def _require_supply(wish: Wish, rules: Profile) -> None:
    """Raise `Invalid` where a pharmacy may not supply this: an injection never, else as the profile says."""
    if wish.supply is Supply.WINDOW:
        return
    if wish.form in LONG_ACTING:
        raise Invalid(Fault("supply", "an injection is given here and never handed to the client"))
    pharmacy = rules.ordering.pharmacy
    if wish.medicine not in pharmacy.medicines:
        raise Invalid(Fault("supply", pharmacy.says), rule=pharmacy.rule, profile=rules.label, source=pharmacy.source)


def _product(wish: Wish, record: MedicationRecord, now: datetime) -> str | None:
    country = record.rules_on(record.day_of(now)).country
    found = listed(wish.medicine, wish.form, wish.strength_mg, country)
    return found.product if found is not None else None


def _found(order_id: OrderId, orders: Iterable[Order]) -> Order:
    order = next((order for order in orders if order.id == order_id), None)
    if order is None:
        raise OrderUnknown("Read the client's medication chart for the orders there are.")
    return order


def _require_replaceable(order: Order) -> None:
    if order.signed_at is None or order.stopped_at is not None or order.replaced_by is not None:
        raise OrderMoved(
            "Only an order that is signed and neither stopped nor replaced can be replaced. Read the chart again.",
            order=str(order.id),
        )


def require_answer(order: Order) -> None:
    """Raise `Invalid` for naltrexone that was written down before anybody had to say when the last opioid was used."""
    if not is_answered(order.medicine, order.last_opioid_on, order.no_opioid_known):
        raise Invalid(
            Fault("last_opioid_on", "nobody was asked for the last opioid: withdraw the order and write it anew")
        )


def require_free_days(order: Order, record: MedicationRecord, others: Iterable[Order], now: datetime) -> None:
    """The days of a signed order must not be another's, except of the one it replaces and the one it names beside it.

    Raises `OrderInTheWay`, `OrderMoved`.
    """
    if order.replaces is not None:
        _require_replaceable(_found(order.replaces, others))
    begins = max(order.starts_on, record.day_of(now))
    same_days = [
        other
        for other in others
        if other.id not in {order.id, order.replaces}
        and other.counts
        and other.stopped_at is None
        and other.overlaps(begins, order.ends_on)
    ]
    for other in same_days:
        require_together(order, other)
    require_named(order, same_days)
