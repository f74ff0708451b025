"""Orders by word of mouth: taken down, and waiting for their prescriber."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.dosing.store import charts
from caseload.api.medication.order_wire import OrderIn, OrderOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import medication as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, StaffId, new_id
from caseload.domain.medication import Order, Spoken
from caseload.request.idempotency import once


class VerbalOrderIn(Wire, frozen=True, kw_only=True):
    """What a prescriber said, and that you read it back."""

    prescriber: UUID
    read_back: bool
    order: OrderIn


class VerbalOrdersOut(Wire, frozen=True, kw_only=True):
    """The verbal orders of a programme that wait for their prescriber, the first deadline first."""

    items: list[OrderOut]


@writing("/clients/{client_id:uuid}/verbal-orders", act=Act.RECORD_DOSE, name="take_order")
async def take_order(client_id: FromPath[UUID], data: JSONBody[VerbalOrderIn], work: TheWork, key: TheKey) -> OrderOut:
    """Take down a verbal order that you read back; it counts until the deadline of the prescriber's countersignature.

    Refused where the profile allows none, and where it would ask the prescriber something.
    """
    store, new = charts(work), OrderId(new_id())

    async def take() -> Order:
        return await domain.take_order(
            Spoken(wish=data.order.read(), prescriber=StaffId(data.prescriber), read_back=data.read_back),
            ClientId(client_id),
            as_id=new,
            by=work.by,
            now=work.now,
            orders=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Order:
        return await store.order(OrderId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    taken = await once(work, key, Kept(status=201, resource=new, version=1), do=take, again=again)
    record = await store.record(taken.client, by=work.by, act=Act.RECORD_DOSE)
    return OrderOut.of(taken, record.day_of(work.now))


@reading("/programmes/{programme_id:uuid}/verbal-orders", act=Act.WRITE_ORDER, name="list_verbal_orders")
async def list_verbal_orders(programme_id: FromPath[UUID], work: TheWork) -> VerbalOrdersOut:
    """What was ordered by word of mouth and still waits for its prescriber's signature."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.WRITE_ORDER, programme.id)
    found = await charts(work).spoken_in(programme.id, by=work.by, act=Act.WRITE_ORDER)
    today = programme.today(work.now)
    return VerbalOrdersOut(items=[OrderOut.of(order, today) for order in found])
