"""Waste and spills: recorded by who handled them, witnessed by somebody else in their own session."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.amounts import milligrams
from caseload.api.route import writing
from caseload.api.stock.containers import acts
from caseload.api.stock.wire import SignatureIn, WasteIn, WasteOut, WithdrawalIn
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, WasteId, new_id
from caseload.domain.stock import waste as domain
from caseload.domain.stock.waste import Waste
from caseload.request.idempotency import RequestKey, once
from caseload.request.sign_in import prove
from caseload.request.work import Work


@writing("/stock-containers/{container_id:uuid}/wastes", act=Act.WASTE_STOCK, name="waste_stock")
async def waste_stock(container_id: FromPath[UUID], data: JSONBody[WasteIn], work: TheWork, key: TheKey) -> WasteOut:
    """Record that medicine is gone which nobody took. It counts at once, and waits for a witness."""
    new = WasteId(new_id())

    async def record() -> Waste:
        return await domain.record_waste(
            ContainerId(container_id),
            data.kind,
            milligrams(data.amount_mg),
            data.reason,
            data.happened_at or work.now,
            as_id=new,
            by=work.by,
            now=work.now,
            wastes=acts(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Waste:
        return await acts(work).waste(WasteId(kept.resource), by=work.by, act=Act.WASTE_STOCK)

    return WasteOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@writing("/stock-wastes/{waste_id:uuid}/witness", act=Act.WITNESS_STOCK, name="witness_waste", problems=(404, 429))
async def witness_waste(waste_id: FromPath[UUID], data: JSONBody[SignatureIn], work: TheWork, key: TheKey) -> WasteOut:
    """Sign, with your password proved again, that it is gone. Whoever handled it cannot."""
    proof = await prove(work, data.evidence())

    async def witness() -> None:
        await domain.witness_waste(
            WasteId(waste_id), by=work.by, proof=proof, now=work.now, wastes=acts(work), journal=work.journal
        )

    return await _settled_once(waste_id, work, key, Act.WITNESS_STOCK, witness)


@writing("/stock-wastes/{waste_id:uuid}/withdrawal", act=Act.WASTE_STOCK, name="withdraw_waste")
async def withdraw_waste(
    waste_id: FromPath[UUID], data: JSONBody[WithdrawalIn], work: TheWork, key: TheKey
) -> WasteOut:
    """Withdraw a record that was a mistake, before anybody has witnessed it; the amount is back as a line of its own."""

    async def withdraw() -> None:
        await domain.withdraw_waste(
            WasteId(waste_id), data.reason, by=work.by, now=work.now, wastes=acts(work), journal=work.journal
        )

    return await _settled_once(waste_id, work, key, Act.WASTE_STOCK, withdraw)


async def _settled_once(
    waste_id: UUID, work: Work, key: RequestKey | None, act: Act, settle: Callable[[], Awaitable[None]]
) -> WasteOut:
    async def again(_: Kept) -> None:
        """The answer is read below."""

    await once(work, key, Kept(status=201, resource=waste_id), do=settle, again=again)
    return WasteOut.of(await acts(work).waste(WasteId(waste_id), by=work.by, act=act))
