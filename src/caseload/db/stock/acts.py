"""What happens to containers, in PostgreSQL: uses, pours, waste and counts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY, Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.stock.containers import Containers
from caseload.db.tables.base import INSTANT
from caseload.db.tables.stock import stock_container, stock_use
from caseload.db.tables.stock_acts import (
    stock_count,
    stock_count_confirmed,
    stock_pour,
    stock_waste,
    stock_waste_settled,
)
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, CountId, ProgrammeId, StaffId, UnitId, WasteId, new_id
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.stock.container import Use
from caseload.domain.stock.count import Count, CountOver, CountUnknown
from caseload.domain.stock.moving import InUse, Pour, StationUnknown
from caseload.domain.stock.waste import Settled, Waste, WasteSettled, WasteUnknown
from caseload.domain.stock.words import Cause, Verdict, WasteKind

_END_USE = (
    update(stock_use)
    .where(stock_use.c.container_id == bindparam("container"), func.upper_inf(stock_use.c.period))
    .values(
        # The clocks of two services differ a little, and a use has lasted for a moment at least.
        period=func.tstzrange(
            func.lower(stock_use.c.period),
            func.greatest(bindparam("at", type_=INSTANT), func.lower(stock_use.c.period) + timedelta(microseconds=1)),
        ),
        ended_by=bindparam("by"),
    )
)
_CLOSE = (
    update(stock_container)
    .where(stock_container.c.id == bindparam("container"))
    .values(closed_at=bindparam("at", type_=INSTANT), closed_by=bindparam("by"))
)
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

_newer = stock_count.alias("newer")
_IS_NEWEST = ~exists().where(
    _newer.c.container_id == stock_count.c.container_id, _newer.c.number > stock_count.c.number
)
_COUNTS = select(
    stock_count.c.id,
    stock_count.c.container_id,
    stock_container.c.programme_id,
    stock_count.c.number,
    stock_count.c.expected_mg,
    stock_count.c.counted_mg,
    stock_count.c.cause,
    stock_count.c.explanation,
    stock_count.c.counted_by,
    stock_count.c.counted_at,
    stock_count_confirmed.c.confirmed_by,
    stock_count_confirmed.c.confirmed_at,
    _IS_NEWEST.label("is_newest"),
).select_from(
    stock_count.join(stock_container, stock_container.c.id == stock_count.c.container_id).outerjoin(
        stock_count_confirmed, stock_count_confirmed.c.count_id == stock_count.c.id
    )
)
_COUNT = _COUNTS.where(stock_count.c.id == bindparam("count"))
_UNCONFIRMED = _COUNTS.where(
    stock_container.c.programme_id == bindparam("programme"),
    stock_count_confirmed.c.count_id.is_(None),
    stock_container.c.closed_at.is_(None),
    _IS_NEWEST,
).order_by(stock_count.c.id)
_WASTES_NAMED = _WASTES.where(stock_waste.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_COUNTS_NAMED = _COUNTS.where(stock_count.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_HOW_MANY = select(func.count()).where(stock_count.c.container_id == bindparam("container"))


class Acts(Containers):
    """Satisfies `domain.stock.moving.Movements`, `domain.stock.waste.Wastes` and `domain.stock.count.Counts`."""

    async def add_use(self, use: Use) -> None:
        """See `domain.stock.moving.Movements.add_use`."""
        made = use.container.made
        try:
            await self._connection.execute(
                insert(stock_use).values(
                    id=new_id(),
                    container_id=use.container.id,
                    station_id=use.station,
                    programme_id=use.container.programme,
                    medicine=made.medicine,
                    form=made.form,
                    strength_mg=made.strength_mg,
                    period=Range(use.since, None),
                    recorded_by=use.by,
                    recorded_at=use.since,
                )
            )
        except IntegrityError as refused:
            if "stock_use_station_fkey" in str(refused):
                raise StationUnknown from refused
            raise InUse from refused

    async def end_use(self, container: ContainerId, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.moving.Movements.end_use`."""
        await self._connection.execute(_END_USE, {"container": container, "by": by, "at": at})

    async def add_pour(self, pour: Pour) -> None:
        """See `domain.stock.moving.Movements.add_pour`."""
        made = pour.source.made
        await self._connection.execute(
            insert(stock_pour).values(
                id=pour.id,
                source_id=pour.source.id,
                target_id=pour.target.id,
                programme_id=pour.source.programme,
                medicine=made.medicine,
                form=made.form,
                strength_mg=made.strength_mg,
                amount_mg=pour.amount_mg,
                poured_at=pour.poured_at,
                recorded_by=pour.by,
                recorded_at=pour.poured_at,
            )
        )

    async def close(self, container: ContainerId, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.moving.Movements.close`."""
        await self._connection.execute(_CLOSE, {"container": container, "by": by, "at": at})

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

    async def count(self, wanted: CountId, *, by: Staff, act: Act) -> Count:
        """See `domain.stock.count.Counts.count`."""
        row = (await self._connection.execute(_COUNT, {"count": wanted})).first()
        if row is None or not by.may_in(act, ProgrammeId(row.programme_id)):
            raise CountUnknown
        return _count(row)

    async def unconfirmed(self, programme: ProgrammeId) -> Sequence[Count]:
        """Counts that wait for a second person, the oldest first."""
        rows = (await self._connection.execute(_UNCONFIRMED, {"programme": programme})).all()
        return [_count(row) for row in rows]

    async def counts_of(self, container: ContainerId) -> int:
        """See `domain.stock.count.Counts.counts_of`."""
        return (await self._connection.execute(_HOW_MANY, {"container": container})).scalar_one()

    async def add_count(self, count: Count, signature: Signature) -> None:
        """See `domain.stock.count.Counts.add_count`."""
        await self.add(signature)
        await self._connection.execute(
            insert(stock_count).values(
                id=count.id,
                container_id=count.container,
                number=count.number,
                expected_mg=count.expected_mg,
                counted_mg=count.counted_mg,
                cause=count.cause,
                explanation=count.explanation,
                counted_by=count.counted_by,
                counted_at=count.counted_at,
                signature_id=signature.id,
            )
        )

    async def confirm_count(self, count: Count, signature: Signature, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.count.Counts.confirm_count`."""
        await self.add(signature)
        try:
            await self._connection.execute(
                insert(stock_count_confirmed).values(
                    count_id=count.id,
                    counted_by=count.counted_by,
                    confirmed_by=by,
                    confirmed_at=at,
                    signature_id=signature.id,
                )
            )
        except IntegrityError as refused:
            raise CountOver from refused


async def wastes_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Waste]:
    """These records of waste, whoever asks: for the verification of signatures."""
    return [_waste(row) for row in (await connection.execute(_WASTES_NAMED, {"wanted": list(wanted)})).all()]


async def counts_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Count]:
    """These counts, whoever asks: for the verification of signatures."""
    return [_count(row) for row in (await connection.execute(_COUNTS_NAMED, {"wanted": list(wanted)})).all()]


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


def _count(row: Row[*tuple[Any, ...]]) -> Count:
    return Count(
        id=CountId(row.id),
        container=ContainerId(row.container_id),
        programme=ProgrammeId(row.programme_id),
        number=row.number,
        expected_mg=row.expected_mg,
        counted_mg=row.counted_mg,
        cause=None if row.cause is None else Cause(row.cause),
        explanation=row.explanation,
        counted_by=StaffId(row.counted_by),
        counted_at=row.counted_at,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        is_newest=row.is_newest,
    )
