"""What a pharmacy delivers for one client by name, before it is given: received, and given within the profile's days.

Source: 21 CFR 1306.07(f)(5), buprenorphine injections delivered for a named patient: administered within 45 days of
receipt. It is the client's own, and never in our stock.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing.injecting import Delivery
from caseload.domain.dosing.statement import check_name
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, DeliveryId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecords
from caseload.domain.medicines import FORMS, LONG_ACTING, Form, Medicine, check_milligrams
from caseload.domain.people import Staff


class DeliveryReceived(Event):
    """A pharmacy delivered an injection for a client by name."""

    name: ClassVar[str] = "delivery.received"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What was received, from whom, and when."""

    medicine: Medicine
    form: Form
    strength_mg: Decimal
    pharmacy: str
    lot: str
    received_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDelivery:
    """What was delivered for a client by name, and who received it."""

    delivery: Delivery
    client: ClientId
    programme: ProgrammeId
    pharmacy: str
    lot: str
    recorded_by: StaffId
    recorded_at: datetime


class Deliveries(MedicationRecords, Protocol):
    """What was delivered for clients by name."""

    async def add_delivery(self, made: NamedDelivery, /) -> None:
        """Keep it."""
        ...


async def receive_delivery(
    received: Received,
    client: ClientId,
    *,
    as_id: DeliveryId,
    by: Staff,
    now: datetime,
    deliveries: Deliveries,
    journal: Journal,
) -> NamedDelivery:
    """Write down what a pharmacy delivered for a client by name. Raises `ClientUnknown`, `NotPermitted`, `Invalid`."""
    record = await deliveries.lock(client, by=by, act=Act.RECORD_DOSE)
    faults = Faults()
    check_name(received.pharmacy, "pharmacy", faults)
    check_name(received.lot, "lot", faults)
    check_milligrams(received.strength_mg, "strength_mg", faults)
    faults.check(
        when=received.form not in LONG_ACTING or received.form not in FORMS[received.medicine],
        where="form",
        problem="only an injection is delivered for one client by name",
    )
    faults.check(
        when=received.received_on > record.day_of(now), where="received_on", problem="cannot lie in the future"
    )
    faults.raise_if_any()
    made = NamedDelivery(
        delivery=Delivery(
            id=as_id,
            medicine=received.medicine,
            form=received.form,
            strength_mg=received.strength_mg,
            received_on=received.received_on,
            is_used=False,
        ),
        client=client,
        programme=record.place(by, Act.RECORD_DOSE),
        pharmacy=received.pharmacy,
        lot=received.lot,
        recorded_by=by.id,
        recorded_at=now,
    )
    await deliveries.add_delivery(made)
    journal.tell(DeliveryReceived(client=client, records=(as_id,)))
    return made
