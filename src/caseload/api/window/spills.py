"""Medicine that was spilled at the window, and who saw it."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.amounts import Milligrams, milligrams, written
from caseload.api.proving import ProvedIn
from caseload.api.route import writing
from caseload.api.stock.containers import acts
from caseload.api.window.store import lost_doses
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import window as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, ContainerId, DoseId, OrderId, SpillId, new_id
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.window import Spill, Spilled
from caseload.request.idempotency import once
from caseload.request.sign_in import prove


class SpillIn(Wire, frozen=True, kw_only=True):
    """What was spilled that was meant for a client: the rest of a dose, or all of it before any was taken."""

    order_id: UUID
    part: DosePart = DosePart.WHOLE
    amount_mg: Milligrams
    reason: str
    happened_at: Instant | None = None
    """Now when left out."""
    dose_id: UUID | None = None
    """The dose of which it is the rest. Left out where nothing was taken: that holds the client."""
    container_id: UUID | None = None
    """What it had been poured from; asked exactly where the programme keeps its stock with us."""


class SpillWitnessIn(ProvedIn, frozen=True, kw_only=True):
    """Your password once more."""


class SpillOut(Wire, frozen=True, kw_only=True):
    """What was spilled, and who saw it."""

    id: UUID
    client_id: UUID
    order_id: UUID
    dosing_day: date
    part: DosePart
    medicine: Medicine
    form: Form
    amount_mg: str
    happened_at: datetime
    reason: str
    dose_id: UUID | None
    waste_id: UUID | None
    """The line of the stock."""
    hold_id: UUID | None
    """What keeps anything more from being given until a prescriber has looked."""
    recorded_by: UUID
    recorded_at: datetime
    witness: UUID | None
    """Null until somebody who did not handle it has signed."""
    witnessed_at: datetime | None

    @classmethod
    def of(cls, spilled: Spilled) -> "SpillOut":
        """From the domain."""
        return cls(
            id=spilled.id,
            client_id=spilled.client,
            order_id=spilled.order,
            dosing_day=spilled.dosing_day,
            part=spilled.part,
            medicine=spilled.medicine,
            form=spilled.form,
            amount_mg=written(spilled.amount_mg),
            happened_at=spilled.happened_at,
            reason=spilled.reason,
            dose_id=spilled.dose,
            waste_id=spilled.waste,
            hold_id=spilled.hold,
            recorded_by=spilled.recorded_by,
            recorded_at=spilled.recorded_at,
            witness=spilled.witness,
            witnessed_at=spilled.witnessed_at,
        )


@writing("/clients/{client_id:uuid}/spills", act=Act.RECORD_DOSE, name="record_spill")
async def record_spill(client_id: FromPath[UUID], data: JSONBody[SpillIn], work: TheWork, key: TheKey) -> SpillOut:
    """Record that medicine meant for a client was spilled; it counts at once, and waits for somebody who saw it."""
    store, new = lost_doses(work), SpillId(new_id())

    async def record() -> Spilled:
        spill = Spill(
            client=ClientId(client_id),
            order=OrderId(data.order_id),
            part=data.part,
            amount_mg=milligrams(data.amount_mg),
            reason=data.reason,
            happened_at=data.happened_at or work.now,
            dose=DoseId(data.dose_id) if data.dose_id is not None else None,
            container=ContainerId(data.container_id) if data.container_id is not None else None,
        )
        return await domain.record_spill(
            spill, as_id=new, by=work.by, now=work.now, spills=store, wastes=acts(work), journal=work.journal
        )

    async def again(kept: Kept) -> Spilled:
        return await store.spill(SpillId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return SpillOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@writing("/spills/{spill_id:uuid}/witness", act=Act.WITNESS_STOCK, name="witness_spill", problems=(404, 429))
async def witness_spill(
    spill_id: FromPath[UUID], data: JSONBody[SpillWitnessIn], work: TheWork, key: TheKey
) -> SpillOut:
    """Sign, with your password proved again, that it was spilled. Whoever handled it cannot."""
    proof = await prove(work, data.evidence())
    store, wanted = lost_doses(work), SpillId(spill_id)

    async def witness() -> None:
        await domain.witness_spill(
            wanted, by=work.by, proof=proof, now=work.now, spills=store, wastes=acts(work), journal=work.journal
        )

    async def again(_: Kept) -> None:
        """The answer is read below."""

    await once(work, key, Kept(status=201, resource=wanted), do=witness, again=again)
    return SpillOut.of(await store.spill(wanted, by=work.by, act=Act.WITNESS_STOCK))
