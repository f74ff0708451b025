"""Long-acting injections over HTTP: which are due or overdue, and what was delivered for a client by name."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.amounts import Milligrams, milligrams, written
from caseload.api.dosing.due import NextInjectionOut
from caseload.api.dosing.store import charts
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import dosing as domain
from caseload.domain.access import Act
from caseload.domain.dosing import NamedDelivery, Received
from caseload.domain.ids import ClientId, DeliveryId, ProgrammeId, new_id
from caseload.domain.medicines import Form, Medicine
from caseload.request.idempotency import once


class InjectionLineOut(Wire, frozen=True, kw_only=True):
    """A client with an order of an injection in force, and when the next one may come."""

    client_id: UUID
    order_id: UUID
    medicine: Medicine
    product: str | None
    next: NextInjectionOut


class InjectionsOut(Wire, frozen=True, kw_only=True):
    """Every order of an injection in force in a programme, the one that is or will be overdue first at the top."""

    day: date
    items: list[InjectionLineOut]


class NamedDeliveryIn(Wire, frozen=True, kw_only=True):
    """What a pharmacy delivered for a client by name. It is the client's own and never in your stock."""

    medicine: Medicine
    form: Form = Form.EXTENDED_RELEASE_INJECTION
    strength_mg: Milligrams
    pharmacy: str
    lot: str
    received_on: date


class NamedDeliveryOut(Wire, frozen=True, kw_only=True):
    """What was delivered for a client by name."""

    id: UUID
    client_id: UUID
    medicine: Medicine
    form: Form
    strength_mg: str
    pharmacy: str
    lot: str
    received_on: date
    is_used: bool
    """Whether it has been given."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, made: NamedDelivery) -> "NamedDeliveryOut":
        """From the domain."""
        return cls(
            id=made.delivery.id,
            client_id=made.client,
            medicine=made.delivery.medicine,
            form=made.delivery.form,
            strength_mg=written(made.delivery.strength_mg),
            pharmacy=made.pharmacy,
            lot=made.lot,
            received_on=made.delivery.received_on,
            is_used=made.delivery.is_used,
            recorded_by=made.recorded_by,
            recorded_at=made.recorded_at,
        )


class NamedDeliveriesOut(Wire, frozen=True, kw_only=True):
    """Everything that was delivered for a client by name, the last first."""

    items: list[NamedDeliveryOut]


@reading("/programmes/{programme_id:uuid}/injections", act=Act.RECORD_DOSE, name="list_injections")
async def list_injections(programme_id: FromPath[UUID], work: TheWork) -> InjectionsOut:
    """Which injections are open, due or overdue in a programme today, and which come next."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.RECORD_DOSE, programme.id)
    today = programme.today(work.now)
    lines = await charts(work).injections_in(programme.id, today, by=work.by, act=Act.RECORD_DOSE)
    return InjectionsOut(
        day=today,
        items=[
            InjectionLineOut(
                client_id=record.client,
                order_id=order.id,
                medicine=order.medicine,
                product=order.product,
                next=NextInjectionOut.of(coming, today),
            )
            for record, order, coming in lines
        ],
    )


@writing("/clients/{client_id:uuid}/named-deliveries", act=Act.RECORD_DOSE, name="receive_named_delivery")
async def receive_named_delivery(
    client_id: FromPath[UUID], data: JSONBody[NamedDeliveryIn], work: TheWork, key: TheKey
) -> NamedDeliveryOut:
    """Write down an injection that a pharmacy delivered for a client by name."""
    new = DeliveryId(new_id())

    async def receive() -> NamedDelivery:
        return await domain.receive_delivery(
            Received(
                medicine=data.medicine,
                form=data.form,
                strength_mg=milligrams(data.strength_mg),
                pharmacy=data.pharmacy,
                lot=data.lot,
                received_on=data.received_on,
            ),
            ClientId(client_id),
            as_id=new,
            by=work.by,
            now=work.now,
            deliveries=charts(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> NamedDelivery:
        client = await client_within(work, client_id, Act.RECORD_DOSE)
        [found] = [each for each in await charts(work).deliveries_of(client.id) if each.delivery.id == kept.resource]
        return found

    return NamedDeliveryOut.of(await once(work, key, Kept(status=201, resource=new), do=receive, again=again))


@reading("/clients/{client_id:uuid}/named-deliveries", act=Act.SEE_MEDICATION, name="list_named_deliveries")
async def list_named_deliveries(client_id: FromPath[UUID], work: TheWork) -> NamedDeliveriesOut:
    """What was delivered for a client by name, and which of it has been given."""
    client = await client_within(work, client_id, Act.SEE_MEDICATION)
    found = await charts(work).deliveries_of(client.id)
    return NamedDeliveriesOut(items=[NamedDeliveryOut.of(each) for each in found])
