"""Inventories and losses: what the keeper of a stock owes the authorities, and by when."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.amounts import milligrams, written
from caseload.api.route import writing
from caseload.api.stock.wire import MilligramsOfStock
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.stock.duties import Duties
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, InventoryId, LossId, ProgrammeId, new_id
from caseload.domain.stock import duties as domain
from caseload.domain.stock.duties import Discovered, Inventory, Loss
from caseload.domain.stock.words import LossKind, LossStep, Moment
from caseload.request.idempotency import once


class InventoryIn(Wire, frozen=True, kw_only=True):
    """Everything was counted today."""

    moment: Moment
    """Whether at the opening or at the close of the day (21 CFR 1304.11(a))."""


class InventoryLineOut(Wire, frozen=True, kw_only=True):
    """One container of an inventory, by a count that two people signed."""

    container_id: UUID
    count_id: UUID


class InventoryOut(Wire, frozen=True, kw_only=True):
    """Everything was counted on a day."""

    id: UUID
    programme_id: UUID
    taken_on: date
    moment: Moment
    lines: list[InventoryLineOut]

    @classmethod
    def of(cls, inventory: Inventory) -> "InventoryOut":
        """From the domain."""
        return cls(
            id=inventory.id,
            programme_id=inventory.programme,
            taken_on=inventory.taken_on,
            moment=inventory.moment,
            lines=[InventoryLineOut(container_id=container, count_id=count) for container, count in inventory.lines],
        )


class LossIn(Wire, frozen=True, kw_only=True):
    """A theft or a loss. What is missing leaves the books by a count with its cause, not by this."""

    kind: LossKind
    what: str
    """What is missing, and how it was found."""
    discovered_at: Instant | None = None
    """Now when left out."""
    container_id: UUID | None = None
    amount_mg: MilligramsOfStock | None = None


class LossStepIn(Wire, frozen=True, kw_only=True):
    """What the authority has been sent."""

    step: LossStep
    document: str
    """Its number, or how it was sent."""


class LossOut(Wire, frozen=True, kw_only=True):
    """A theft or a loss, and by when the authority is told what."""

    id: UUID
    kind: LossKind
    what: str
    discovered_at: datetime
    container_id: UUID | None
    amount_mg: str | None
    notice_by: date
    form_by: date | None
    """Null where the profile asks for no form."""
    done: list[LossStep]
    """What the authority has been sent."""
    profile: str
    """The profile and version that set the deadlines."""

    @classmethod
    def of(cls, loss: Loss) -> "LossOut":
        """From the domain."""
        return cls(
            id=loss.id,
            kind=loss.kind,
            what=loss.what,
            discovered_at=loss.discovered_at,
            container_id=loss.container,
            amount_mg=None if loss.amount_mg is None else written(loss.amount_mg),
            notice_by=loss.notice_by,
            form_by=loss.form_by,
            done=sorted(loss.done),
            profile=f"{loss.profile}-{loss.profile_version}",
        )


@writing("/programmes/{programme_id:uuid}/stock-inventories", act=Act.COUNT_STOCK, name="take_inventory")
async def take_inventory(
    programme_id: FromPath[UUID], data: JSONBody[InventoryIn], work: TheWork, key: TheKey
) -> InventoryOut:
    """State that everything was counted today: each open container has a count of today that two people signed."""
    duties, new = Duties(work.connection), InventoryId(new_id())

    async def take() -> Inventory:
        return await domain.take_inventory(
            ProgrammeId(programme_id),
            data.moment,
            as_id=new,
            by=work.by,
            now=work.now,
            duties=duties,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Inventory:
        work.by.require(Act.COUNT_STOCK, ProgrammeId(programme_id))
        return await duties.inventory(InventoryId(kept.resource))

    return InventoryOut.of(await once(work, key, Kept(status=201, resource=new), do=take, again=again))


@writing("/programmes/{programme_id:uuid}/stock-losses", act=Act.KEEP_STOCK, name="report_loss")
async def report_loss(programme_id: FromPath[UUID], data: JSONBody[LossIn], work: TheWork, key: TheKey) -> LossOut:
    """Report a theft or a loss; the answer says by when the authority must have been told."""
    duties, new = Duties(work.connection), LossId(new_id())

    async def report() -> Loss:
        return await domain.report_loss(
            Discovered(
                kind=data.kind,
                what=data.what,
                discovered_at=data.discovered_at or work.now,
                container=ContainerId(data.container_id) if data.container_id is not None else None,
                amount_mg=milligrams(data.amount_mg) if data.amount_mg is not None else None,
            ),
            ProgrammeId(programme_id),
            as_id=new,
            by=work.by,
            now=work.now,
            duties=duties,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Loss:
        return await duties.loss(LossId(kept.resource), by=work.by, act=Act.KEEP_STOCK)

    return LossOut.of(await once(work, key, Kept(status=201, resource=new), do=report, again=again))


@writing("/stock-losses/{loss_id:uuid}/steps", act=Act.KEEP_STOCK, name="tell_authority")
async def tell_authority(loss_id: FromPath[UUID], data: JSONBody[LossStepIn], work: TheWork, key: TheKey) -> LossOut:
    """Record that the authority was sent its notice or its form about a loss."""
    duties, wanted = Duties(work.connection), LossId(loss_id)

    async def tell() -> None:
        await domain.tell_authority(
            wanted, data.step, data.document, by=work.by, now=work.now, duties=duties, journal=work.journal
        )

    async def again(_: Kept) -> None:
        """The answer is read below."""

    await once(work, key, Kept(status=201, resource=loss_id), do=tell, again=again)
    return LossOut.of(await duties.loss(wanted, by=work.by, act=Act.KEEP_STOCK))
