"""Inventories and losses in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, and_, bindparam, func, insert, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.db.tables.stock import stock_container
from caseload.db.tables.stock_acts import stock_count, stock_count_confirmed
from caseload.db.tables.stock_duties import stock_inventory, stock_inventory_line, stock_loss, stock_loss_step
from caseload.domain.access import Act
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ContainerId, CountId, InventoryId, LossId, ProgrammeId, StaffId
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.stock.duties import Inventory, InventoryTaken, Loss, LossUnknown, StepDone
from caseload.domain.stock.words import LossKind, LossStep, Moment

_last = (
    select(stock_count.c.id, stock_count.c.counted_at)
    .join(stock_count_confirmed, stock_count_confirmed.c.count_id == stock_count.c.id)
    .where(stock_count.c.container_id == stock_container.c.id)
    .order_by(stock_count.c.number.desc())
    .limit(1)
    .lateral("last")
)
_LAST_COUNTS = (
    select(stock_container.c.id, _last.c.id.label("count_id"), _last.c.counted_at)
    .select_from(stock_container.outerjoin(_last, true()))
    .where(stock_container.c.programme_id == bindparam("programme"), stock_container.c.closed_at.is_(None))
    .order_by(stock_container.c.id)
)
_LAST_INVENTORY = select(func.max(stock_inventory.c.taken_on)).where(
    stock_inventory.c.programme_id == bindparam("programme")
)
_INVENTORY = select(
    stock_inventory.c.id, stock_inventory.c.programme_id, stock_inventory.c.taken_on, stock_inventory.c.moment
).where(stock_inventory.c.id == bindparam("inventory"))
_LINES = (
    select(stock_inventory_line.c.container_id, stock_inventory_line.c.count_id)
    .where(stock_inventory_line.c.inventory_id == bindparam("inventory"))
    .order_by(stock_inventory_line.c.container_id)
)
_DONE = func.array(select(stock_loss_step.c.step).where(stock_loss_step.c.loss_id == stock_loss.c.id).scalar_subquery())
_LOSSES = select(
    stock_loss.c.id,
    stock_loss.c.programme_id,
    stock_loss.c.container_id,
    stock_loss.c.kind,
    stock_loss.c.amount_mg,
    stock_loss.c.what,
    stock_loss.c.discovered_at,
    stock_loss.c.profile,
    stock_loss.c.profile_version,
    stock_loss.c.notice_by,
    stock_loss.c.form_by,
    _DONE.label("done"),
)
_LOSS = _LOSSES.where(stock_loss.c.id == bindparam("loss"))
_OF_PROGRAMME = _LOSSES.where(stock_loss.c.programme_id == bindparam("programme")).order_by(stock_loss.c.id)
_OURS = select(stock_container.c.id).where(
    and_(stock_container.c.id == bindparam("container"), stock_container.c.programme_id == bindparam("programme"))
)


class Duties:
    """Satisfies `domain.stock.duties.Duties`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def programme(self, wanted: ProgrammeId) -> Programme:
        """See `domain.stock.duties.Duties.programme`."""
        return await Programmes(self._connection).get(wanted)

    async def last_counts(
        self, programme: ProgrammeId
    ) -> Sequence[tuple[ContainerId, CountId | None, datetime | None]]:
        """See `domain.stock.duties.Duties.last_counts`."""
        rows = (await self._connection.execute(_LAST_COUNTS, {"programme": programme})).all()
        return [(ContainerId(row.id), row.count_id, row.counted_at) for row in rows]

    async def last_inventory(self, programme: ProgrammeId) -> date | None:
        """The day of the last inventory."""
        return (await self._connection.execute(_LAST_INVENTORY, {"programme": programme})).scalar_one()

    async def add_inventory(self, inventory: Inventory, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.duties.Duties.add_inventory`."""
        try:
            await self._connection.execute(
                insert(stock_inventory).values(
                    id=inventory.id,
                    programme_id=inventory.programme,
                    taken_on=inventory.taken_on,
                    moment=inventory.moment,
                    recorded_by=by,
                    recorded_at=at,
                )
            )
        except IntegrityError as refused:
            raise InventoryTaken from refused
        if inventory.lines:
            await self._connection.execute(
                insert(stock_inventory_line),
                [
                    {"inventory_id": inventory.id, "container_id": container, "count_id": count}
                    for container, count in inventory.lines
                ],
            )

    async def inventory(self, wanted: InventoryId) -> Inventory:
        """One inventory that is there."""
        row = (await self._connection.execute(_INVENTORY, {"inventory": wanted})).one()
        lines = (await self._connection.execute(_LINES, {"inventory": wanted})).all()
        return Inventory(
            id=wanted,
            programme=ProgrammeId(row.programme_id),
            taken_on=row.taken_on,
            moment=Moment(row.moment),
            lines=[(ContainerId(line.container_id), CountId(line.count_id)) for line in lines],
        )

    async def add_loss(self, loss: Loss, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.duties.Duties.add_loss`."""
        if loss.container is not None:
            asked = {"container": loss.container, "programme": loss.programme}
            if (await self._connection.execute(_OURS, asked)).first() is None:
                raise Invalid(Fault("container_id", "is no container of this programme"))
        await self._connection.execute(
            insert(stock_loss).values(
                id=loss.id,
                programme_id=loss.programme,
                container_id=loss.container,
                kind=loss.kind,
                amount_mg=loss.amount_mg,
                what=loss.what,
                discovered_at=loss.discovered_at,
                profile=loss.profile,
                profile_version=loss.profile_version,
                notice_by=loss.notice_by,
                form_by=loss.form_by,
                recorded_by=by,
                recorded_at=at,
            )
        )

    async def loss(self, wanted: LossId, *, by: Staff, act: Act) -> Loss:
        """See `domain.stock.duties.Duties.loss`."""
        row = (await self._connection.execute(_LOSS, {"loss": wanted})).first()
        if row is None or not by.may_in(act, ProgrammeId(row.programme_id)):
            raise LossUnknown
        return _loss(row)

    async def losses_of(self, programme: ProgrammeId) -> Sequence[Loss]:
        """Every theft and loss of a programme, the oldest first."""
        rows = (await self._connection.execute(_OF_PROGRAMME, {"programme": programme})).all()
        return [_loss(row) for row in rows]

    async def add_step(self, loss: Loss, step: LossStep, document: str, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.duties.Duties.add_step`."""
        try:
            await self._connection.execute(
                insert(stock_loss_step).values(
                    loss_id=loss.id, step=step, done_at=at, document=document, recorded_by=by, recorded_at=at
                )
            )
        except IntegrityError as refused:
            raise StepDone from refused


def _loss(row: Row[*tuple[Any, ...]]) -> Loss:
    return Loss(
        id=LossId(row.id),
        programme=ProgrammeId(row.programme_id),
        kind=LossKind(row.kind),
        what=row.what,
        discovered_at=row.discovered_at,
        container=row.container_id,
        amount_mg=row.amount_mg,
        profile=row.profile,
        profile_version=row.profile_version,
        notice_by=row.notice_by,
        form_by=row.form_by,
        done=frozenset(LossStep(step) for step in row.done),
    )
