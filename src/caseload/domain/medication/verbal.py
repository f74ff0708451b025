"""Orders by word of mouth: taken down by whoever gives doses, read back, and countersigned by the same prescriber.

A verbal order counts at once and until its deadline; signed later it counts again from then on. Where the profile
allows none (UK), and wherever the profile would ask the prescriber something, there is none: a reason cannot be given by
somebody else.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Fault, Faults, Invalid
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.asking import ask
from caseload.domain.medication.guest import GuestOrders, order_of_guest
from caseload.domain.medication.order import Order
from caseload.domain.medication.ordering import new_order, require_free_days
from caseload.domain.medication.soft_stop import Before
from caseload.domain.medication.wish import Wish
from caseload.domain.people import Staff


class NoVerbalOrders(Conflict):
    """The profile allows no verbal order here."""


class OrderNeedsItsPrescriber(Conflict):
    """The profile asks something about this order that only its prescriber can answer."""


class OrderTaken(Event):
    """A verbal order was taken down and read back."""

    name: ClassVar[str] = "order.taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What was said on the telephone, by whom, and whether it was read back."""

    wish: Wish
    prescriber: StaffId
    read_back: bool


class VerbalOrders(GuestOrders, Protocol):
    """The orders, and who may order."""

    async def may_order(self, staff: StaffId, programme: ProgrammeId, /, *, at: datetime) -> bool:
        """Whether somebody works here and holds a role in force there that orders."""
        ...


async def take_order(
    spoken: Spoken,
    client: ClientId,
    *,
    as_id: OrderId,
    by: Staff,
    now: datetime,
    orders: VerbalOrders,
    journal: Journal,
) -> Order:
    """Take down a verbal order; it counts until the profile's deadline for the countersignature.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `NoVerbalOrders`, `OrderInTheWay`, `OrderBeyondGuest`,
    `OrderNeedsItsPrescriber`.
    """
    record = await orders.lock(client, by=by, act=Act.RECORD_DOSE)
    record.require_open()
    programme = record.place(by, Act.RECORD_DOSE)
    today = record.day_of(now)
    rules = record.rules_on(today)
    verbal = rules.ordering.verbal
    if verbal.countersign_hours is None:
        raise NoVerbalOrders(verbal.says, rule=verbal.rule, policy=f"{verbal.rule} of {rules.label}")
    faults = Faults()
    faults.check(when=not spoken.read_back, where="read_back", problem="read it back before you take it down")
    faults.check(when=spoken.wish.replaces is not None, where="wish.replaces", problem="a verbal order replaces none")
    faults.check(when=spoken.prescriber == by.id, where="prescriber", problem="write and sign your own orders")
    faults.raise_if_any()
    if not await orders.may_order(spoken.prescriber, programme, at=now):
        raise Invalid(Fault("prescriber", "holds no role in force that orders here"))
    written = new_order(spoken.wish, record, programme, as_id=as_id, by=by, now=now)
    others = await orders.orders_of(client)
    require_free_days(written, record, others, now)
    guest = await order_of_guest(written, record, orders)
    before = Before(
        record=record,
        orders=[other for other in others if other.counts],
        given=await orders.given_lately(client, today),
        today=today,
    )
    asked = [stop.said.rule for stop in ask(written, before, rules)]
    if asked:
        raise OrderNeedsItsPrescriber("Have the prescriber write and sign it.", rules=asked, profile=rules.label)
    order = replace(
        written,
        verbal_by=spoken.prescriber,
        countersign_by=now + timedelta(hours=verbal.countersign_hours),
    )
    await orders.add_order(order)
    if guest is not None:
        await orders.bind_order(order.id, guest, client)
    journal.tell(OrderTaken(client=client, records=(order.id,), facts={"profile": rules.label}))
    return order
