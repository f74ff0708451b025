"""Orders: written, signed, stopped and read."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.dosing.store import charts
from caseload.api.medication.order_wire import OrderIn, OrderOut, OrderSignatureIn
from caseload.api.medication.wire import ReasonedSignatureIn
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import medication as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, OrderId, new_id
from caseload.domain.medication import Order
from caseload.request.idempotency import once
from caseload.request.sign_in import prove
from caseload.request.work import Work


@writing("/clients/{client_id:uuid}/orders", act=Act.WRITE_ORDER, name="write_order")
async def write_order(client_id: FromPath[UUID], data: JSONBody[OrderIn], work: TheWork, key: TheKey) -> OrderOut:
    """Write an order, or one that replaces another; nothing is given under it before it is signed."""
    store, new = charts(work), OrderId(new_id())

    async def write() -> Order:
        return await domain.write_order(
            data.read(), ClientId(client_id), as_id=new, by=work.by, now=work.now, orders=store, journal=work.journal
        )

    kept = Kept(status=201, resource=new, version=1)
    return await _order(work, await once(work, key, kept, do=write, again=_again(work)))


@writing("/orders/{order_id:uuid}/signature", act=Act.WRITE_ORDER, name="sign_order", problems=(404, 429))
async def sign_order(
    order_id: FromPath[UUID], data: JSONBody[OrderSignatureIn], work: TheWork, key: TheKey
) -> OrderOut:
    """Sign an order with your password proved again: from its first day doses are given under it.

    Where the profile asks (`order-needs-confirmation`, 409, with every rule and its facts) sign again with a reason each.
    """
    reasons = data.reasons()
    proof = await prove(work, data.evidence())
    wanted = OrderId(order_id)

    async def sign() -> Order:
        return await domain.sign_order(
            wanted,
            by=work.by,
            proof=proof,
            now=work.now,
            orders=charts(work),
            journal=work.journal,
            confirmed=reasons,
        )

    return await _order(work, await once(work, key, Kept(status=201, resource=wanted), do=sign, again=_again(work)))


@writing("/orders/{order_id:uuid}/stop", act=Act.WRITE_ORDER, name="stop_order", problems=(404, 429))
async def stop_order(
    order_id: FromPath[UUID], data: JSONBody[ReasonedSignatureIn], work: TheWork, key: TheKey
) -> OrderOut:
    """Stop an order at once, or withdraw a draft, with your password proved again."""
    proof = await prove(work, data.evidence())
    wanted = OrderId(order_id)

    async def stop() -> Order:
        return await domain.stop_order(
            wanted, data.reason, by=work.by, proof=proof, now=work.now, orders=charts(work), journal=work.journal
        )

    return await _order(work, await once(work, key, Kept(status=201, resource=wanted), do=stop, again=_again(work)))


@reading("/orders/{order_id:uuid}", act=Act.SEE_MEDICATION, name="read_order")
async def read_order(order_id: FromPath[UUID], work: TheWork) -> OrderOut:
    """One order with what has happened to it."""
    return await _order(work, await charts(work).order(OrderId(order_id), by=work.by, act=Act.SEE_MEDICATION))


def _again(work: Work) -> Callable[[Kept], Awaitable[Order]]:
    async def again(kept: Kept) -> Order:
        return await charts(work).order(OrderId(kept.resource), by=work.by, act=Act.WRITE_ORDER)

    return again


async def _order(work: Work, order: Order) -> OrderOut:
    record = await charts(work).record(order.client, by=work.by, act=Act.SEE_MEDICATION)
    return OrderOut.of(order, record.day_of(work.now))
