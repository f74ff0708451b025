"""What a prescriber does with an order: write it, sign it, stop it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.catalogue import agree, listed
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, OrderId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.asking import Before, answer, ask
from caseload.domain.medication.order import Order, OrderMoved, Orders, OrderUnknown, Stop
from caseload.domain.medication.record import LONGEST_NOTE, MedicationRecord, check_reason
from caseload.domain.medicines import FORMS, LIQUIDS, LONG_ACTING, DosePart, Form, Medicine, check_milligrams
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import Meaning, Subject, Version, sign, signing_role

FURTHEST_AHEAD = timedelta(days=366)
LONGEST_CYCLE_DAYS = 92


class OrderInTheWay(Conflict):
    """Another order of this client is in force in the same days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a prescriber wants to order."""

    medicine: Medicine
    form: Form
    strength_mg: Decimal
    """Milligrams in one millilitre of a liquid, else in one tablet, film or injection."""
    amounts_mg: Mapping[DosePart, Decimal]
    every_days: int
    starts_on: date
    ends_on: date | None
    """The last day, included: the order ends at its local midnight. None leaves it open."""
    supervised: bool
    note: str
    replaces: OrderId | None = None
    amounts_ml: Mapping[DosePart, Decimal] = field(default_factory=dict[DosePart, Decimal])
    """The same amounts in millilitres, where the prescriber says them too: both must agree by the concentration."""

    def check(self, *, today: date) -> None:
        """Raise `Invalid` with everything that no prescriber can mean."""
        faults = Faults()
        faults.check(
            when=self.form not in FORMS[self.medicine],
            where="form",
            problem=f"{self.medicine} is not made so; choose one of {', '.join(sorted(FORMS[self.medicine]))}",
        )
        check_milligrams(self.strength_mg, "strength_mg", faults)
        self._check_parts(faults)
        self._check_days(today, faults)
        faults.check(when=len(self.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
        faults.raise_if_any()

    def _check_parts(self, faults: Faults) -> None:
        parts = set(self.amounts_mg)
        faults.check(when=not parts, where="amounts_mg", problem="order an amount for at least one part of the day")
        faults.check(
            when=DosePart.WHOLE in parts and len(parts) > 1,
            where="amounts_mg",
            problem="order either the whole day at once or parts of it, not both",
        )
        faults.check(
            when=self.form in LONG_ACTING and parts != {DosePart.WHOLE},
            where="amounts_mg",
            problem="an injection is ordered as one whole dose",
        )
        faults.check(
            when=self.form in LONG_ACTING and not self.supervised,
            where="supervised",
            problem="an injection is given here and never handed to the client",
        )
        for part, amount in self.amounts_mg.items():
            check_milligrams(amount, f"amounts_mg.{part}", faults)
        for part, amount_ml in self.amounts_ml.items():
            self._check_volume(part, amount_ml, faults)

    def _check_volume(self, part: DosePart, amount_ml: Decimal, faults: Faults) -> None:
        amount_mg, where = self.amounts_mg.get(part), f"amounts_ml.{part}"
        if self.form not in LIQUIDS:
            faults.add(where, f"{self.form} is not measured in millilitres")
        elif amount_mg is None:
            faults.add(where, "has no milligrams beside it")
        elif self.strength_mg > 0 and not agree(amount_mg, amount_ml, self.strength_mg):
            faults.add(where, f"{amount_ml} mL of {self.strength_mg} mg/mL are not {amount_mg} mg")

    def _check_days(self, today: date, faults: Faults) -> None:
        faults.check(
            when=not 1 <= self.every_days <= LONGEST_CYCLE_DAYS,
            where="every_days",
            problem=f"must lie between 1 (daily) and {LONGEST_CYCLE_DAYS}",
        )
        faults.check(when=self.starts_on < today, where="starts_on", problem="must not lie before today")
        faults.check(
            when=self.starts_on > today + FURTHEST_AHEAD,
            where="starts_on",
            problem=f"must lie within {FURTHEST_AHEAD.days} days from today",
        )
        faults.check(
            when=self.ends_on is not None and self.ends_on < self.starts_on,
            where="ends_on",
            problem="must not lie before the first day",
        )


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
    programme = record.place(by, Act.WRITE_ORDER)
    wish.check(today=record.day_of(now))
    chain, version = as_id, 1
    if wish.replaces is not None:
        others = await orders.orders_of(client)
        replaced = _found(wish.replaces, others)
        _require_replaceable(replaced)
        chain = replaced.chain
        version = 1 + max(other.version for other in others if other.chain == chain)
    order = Order(
        id=as_id,
        chain=chain,
        version=version,
        replaces=wish.replaces,
        client=client,
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
        written_by=by.id,
        written_at=now,
    )
    await orders.add_order(order)
    journal.tell(OrderWritten(client=client, records=(order.id,), facts={"version": order.version}))
    return order


async def sign_order(
    order_id: OrderId,
    *,
    by: Staff,
    proof: Proof,
    now: datetime,
    orders: Orders,
    journal: Journal,
    confirmed: Mapping[str, str] | None = None,
) -> Order:
    """Sign an order: from its first day doses are given under it, and the order it replaces ends the day before.

    `confirmed` answers what the profile asks, by the name of the rule, with a reason each.
    Raises `OrderUnknown`, `NotPermitted`, `OrderMoved`, `OrderInTheWay`, `OrderNeedsConfirmation`, `Invalid`, and what
    `sign` raises.
    """
    order = await orders.order(order_id, by=by, act=Act.WRITE_ORDER)
    record = await orders.lock(order.client, by=by, act=Act.WRITE_ORDER)
    role = signing_role(by, Act.WRITE_ORDER, record.place(by, Act.WRITE_ORDER))
    others = await orders.orders_of(order.client)
    order = _found(order_id, others)
    if order.signed_at is not None or order.stopped_at is not None:
        raise OrderMoved("It is signed or withdrawn already. Read the chart again.", order=str(order.id))
    if order.ends_on is not None and order.ends_on < record.day_of(now):
        raise OrderMoved("Its last day has passed. Write a new order.", order=str(order.id))
    _require_free_days(order, record, others, now)
    today = record.day_of(now)
    signed = [other for other in others if other.signed_at is not None and other.id != order.id]
    before = Before(record=record, orders=signed, given=await orders.given_lately(order.client, today), today=today)
    rules = record.rules_on(today)
    order = replace(order, confirmed=answer(ask(order, before, rules), confirmed or {}, rules, now=now))
    meaning = Meaning.AUTHORED if order.written_by == by.id else Meaning.APPROVED
    signature = sign(order.as_signed(), by=by, role=role, meaning=meaning, proof=proof, now=now)
    await orders.add_order_signature(order, signature)
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
    content = {"reason": reason, "stopped_at": now, "stopped_by": by.id}
    version = Version(subject=Subject.ORDER_STOP, id=order.id, number=order.version, content=content)
    signature = sign(version, by=by, role=role, meaning=Meaning.AUTHORED, proof=proof, now=now)
    await orders.add_order_stop(stop, order, signature)
    journal.tell(OrderStopped(client=order.client, records=(order.id, signature.id)))
    return replace(order, stopped_at=now)


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


def _require_free_days(order: Order, record: MedicationRecord, others: Iterable[Order], now: datetime) -> None:
    """One order at a time: the days of a signed order must not be another's, except of the one it replaces."""
    if order.replaces is not None:
        _require_replaceable(_found(order.replaces, others))
    today = record.day_of(now)
    for other in others:
        if other.id in {order.id, order.replaces} or other.signed_at is None or other.stopped_at is not None:
            continue
        if other.overlaps(max(order.starts_on, today), order.ends_on):
            raise OrderInTheWay(
                "Stop it, or write this order as its replacement.", order=str(other.id), starts_on=str(other.starts_on)
            )
