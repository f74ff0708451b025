"""What is wasted of stock, and who saw it, in PostgreSQL."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.stock.containers import Containers
from caseload.db.tables.stock import stock_container
from caseload.db.tables.stock_acts import (
    stock_waste,
    stock_waste_settled,
)
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, ProgrammeId, StaffId, UnitId, WasteId
from caseload.domain.people import Staff
from caseload.domain.stock.waste import Settled, Waste, WasteSettled, WasteUnknown
from caseload.domain.stock.words import Verdict, WasteKind

_WASTES = select(
    stock_waste.c.id,
    stock_waste.c.container_id,
    stock_container.c.programme_id,
    stock_waste.c.kind,
    stock_waste.c.amount_mg,
    stock_waste.c.reason,
    stock_waste.c.happened_at,
    stock_waste.c.handled_by,
    stock_waste.c.recorded_at,
    stock_waste.c.witness_by,
    stock_waste.c.unit_id,
    stock_waste_settled.c.verdict,
    stock_waste_settled.c.settled_by,
    stock_waste_settled.c.settled_at,
).select_from(
    stock_waste.join(stock_container, stock_container.c.id == stock_waste.c.container_id).outerjoin(
        stock_waste_settled, stock_waste_settled.c.waste_id == stock_waste.c.id
    )
)
_WASTE = _WASTES.where(stock_waste.c.id == bindparam("waste"))
_UNWITNESSED = _WASTES.where(
    stock_container.c.programme_id == bindparam("programme"), stock_waste_settled.c.waste_id.is_(None)
).order_by(stock_waste.c.id)

_WASTES_NAMED = _WASTES.where(stock_waste.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))


class Wastes(Containers):
    """Satisfies `domain.stock.waste.Wastes`."""

    async def waste(self, wanted: WasteId, *, by: Staff, act: Act) -> Waste:
        """See `domain.stock.waste.Wastes.waste`."""
        row = (await self._connection.execute(_WASTE, {"waste": wanted})).first()
        if row is None or not by.may_in(act, ProgrammeId(row.programme_id)):
            raise WasteUnknown
        return _waste(row)

    async def unwitnessed(self, programme: ProgrammeId) -> Sequence[Waste]:
        """What waits for a witness in a programme, the oldest first."""
        rows = (await self._connection.execute(_UNWITNESSED, {"programme": programme})).all()
        return [_waste(row) for row in rows]

    async def add_waste(self, waste: Waste) -> None:
        """See `domain.stock.waste.Wastes.add_waste`."""
        await self._connection.execute(insert(stock_waste), waste_row(waste))

    async def settle(self, settled: Settled) -> None:
        """See `domain.stock.waste.Wastes.settle`."""
        if settled.signature is not None:
            await self.add(settled.signature)
        try:
            await self._connection.execute(
                insert(stock_waste_settled).values(
                    waste_id=settled.waste.id,
                    handled_by=settled.waste.handled_by,
                    verdict=settled.verdict,
                    settled_by=settled.by,
                    settled_at=settled.at,
                    reason=settled.reason,
                    signature_id=settled.signature.id if settled.signature is not None else None,
                )
            )
        except IntegrityError as refused:
            raise WasteSettled from refused


async def wastes_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Waste]:
    """These records of waste, whoever asks: for the verification of signatures."""
    return [_waste(row) for row in (await connection.execute(_WASTES_NAMED, {"wanted": list(wanted)})).all()]


def _waste(row: Row[*tuple[Any, ...]]) -> Waste:
    return Waste(
        id=WasteId(row.id),
        container=ContainerId(row.container_id),
        programme=ProgrammeId(row.programme_id),
        kind=WasteKind(row.kind),
        amount_mg=row.amount_mg,
        reason=row.reason,
        happened_at=row.happened_at,
        handled_by=StaffId(row.handled_by),
        recorded_at=row.recorded_at,
        witness_by=row.witness_by,
        verdict=None if row.verdict is None else Verdict(row.verdict),
        settled_by=row.settled_by,
        settled_at=row.settled_at,
        unit=None if row.unit_id is None else UnitId(row.unit_id),
    )


def waste_row(waste: Waste) -> dict[str, Any]:
    """The row of a record of waste."""
    return {
        "id": waste.id,
        "container_id": waste.container,
        "kind": waste.kind,
        "amount_mg": waste.amount_mg,
        "reason": waste.reason,
        "happened_at": waste.happened_at,
        "handled_by": waste.handled_by,
        "recorded_at": waste.recorded_at,
        "witness_by": waste.witness_by,
        "unit_id": waste.unit,
    }
