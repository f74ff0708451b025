"""The days on which a client is a guest, as the rules need them, and which order may be signed for a guest of ours.

Elsewhere: our client is dosed by another programme, of ours or outside. Here: an outside programme's client is dosed by us,
as that programme has confirmed, under an order of ours that says no more than was confirmed. Both end by themselves.
Source: 42 CFR 8.12(g), whose wording could not be confirmed; what is refused here is product convention.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import takewhile
from typing import Protocol

from caseload.domain.errors import Conflict
from caseload.domain.ids import ClientId, GuestId, OrderId, ProgrammeId
from caseload.domain.medication.order import Order, Orders
from caseload.domain.medication.ordered import Supply
from caseload.domain.medication.record import MedicationRecord
from caseload.domain.medicines import Form, Medicine


class Direction(StrEnum):
    """Who is whose guest."""

    ELSEWHERE = "elsewhere"
    """Our client is dosed by another programme."""
    HERE = "here"
    """Another programme's client is dosed by us."""


class OrderBeyondGuest(Conflict):
    """The order says more than the guest's home programme has confirmed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestDays:
    """The days of one guest agreement, as they stand now."""

    agreement: GuestId
    direction: Direction
    facility: str
    """The other programme, by name: the host of our client, the home of our guest."""
    host: ProgrammeId | None
    """The host, where it is a programme of ours."""
    first_on: date
    last_on: date
    """The day before the first where it never was."""
    medicine: Medicine
    form: Form
    amount_mg: Decimal
    """Of a day."""
    recorded_at: datetime
    became_ours: bool = False
    """The guest here has stayed with us: the agreement limits nothing any more."""
    holds_on: frozenset[date] = frozenset()
    """Days for which the home programme has handed its client a dose to take."""
    orders: frozenset[OrderId] = frozenset()
    """The orders that were signed for this agreement."""

    def covers(self, day: date) -> bool:
        """Whether a dosing day is one of its days."""
        return self.first_on <= day <= self.last_on

    @property
    def facts(self) -> dict[str, object]:
        """What a refusal says of it."""
        return {
            "agreement": str(self.agreement),
            "facility": self.facility,
            "first_on": str(self.first_on),
            "last_on": str(self.last_on),
        }


class GuestOrders(Orders, Protocol):
    """The orders of clients, and the guest agreements that some of them are signed for."""

    async def guest_days(self, client: ClientId, /) -> Sequence[GuestDays]:
        """Every agreement of a client, the last first."""
        ...

    async def bind_order(self, order: OrderId, guest: GuestDays, client: ClientId, /) -> None:
        """Keep for which agreement an order was signed."""
        ...


async def order_of_guest(order: Order, record: MedicationRecord, orders: GuestOrders) -> GuestDays | None:
    """The agreement for which an order may be signed, where its client is our guest (`agreement_for`)."""
    if not record.has_guest_days:
        return None
    return agreement_for(order, await orders.guest_days(order.client))


def guests_here(guests: Sequence[GuestDays]) -> Sequence[GuestDays]:
    """The agreements, the last first, that make a client our guest: those arranged since a guest last stayed with us."""
    here = [each for each in guests if each.direction is Direction.HERE]
    newest_first = sorted(here, key=lambda each: each.recorded_at, reverse=True)
    since = {each.agreement for each in takewhile(lambda each: not each.became_ours, newest_first)}
    return [each for each in here if each.agreement in since]


def agreement_for(order: Order, guests: Sequence[GuestDays]) -> GuestDays | None:
    """The agreement for which an order of a guest here may be signed; None where the client is no guest of ours.

    Raises `OrderBeyondGuest` unless the order keeps to the days, the medicine and the amount that were confirmed.
    """
    here = guests_here(guests)
    if not here:
        return None
    found = next((each for each in here if each.covers(order.starts_on)), None)
    if found is None:
        last = here[0]
        raise OrderBeyondGuest(
            "The client is a guest here, and not on the first day of this order: arrange the days with the home"
            " programme first, or say that the client stays with us.",
            reason="days",
            **last.facts,
        )
    beyond = _beyond(order, found)
    if beyond is not None:
        raise OrderBeyondGuest(
            "Order what the home programme has confirmed, on its days and at our window, or have it confirm another"
            " order.",
            reason=beyond,
            order=str(order.id),
            medicine=found.medicine,
            form=found.form,
            amount_mg=str(found.amount_mg),
            **found.facts,
        )
    return found


def _beyond(order: Order, guest: GuestDays) -> str | None:
    """In what an order goes beyond an agreement; None where it does not."""
    if order.ends_on is None or not guest.covers(order.ends_on):
        return "days"
    if (order.medicine, order.form) != (guest.medicine, guest.form) or order.supply is not Supply.WINDOW:
        return "medicine"
    most = max(step.total_mg for step in (order.first_step, *order.steps))
    return "amount" if most > guest.amount_mg else None
