"""Counts of stock, and who confirmed them, in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, exists, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.stock.containers import Containers
from caseload.db.tables.stock import stock_container
from caseload.db.tables.stock_acts import (
    stock_count,
    stock_count_confirmed,
)
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, CountId, ProgrammeId, StaffId
from caseload.domain.people import Staff
from caseload.domain.signature import Signature
from caseload.domain.stock.count import Count, CountOver, CountUnknown
from caseload.domain.stock.words import Cause

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
_COUNTS_NAMED = _COUNTS.where(stock_count.c.id == any_(bindparam("wanted", type_=ARRAY(Uuid()))))
_HOW_MANY = select(func.count()).where(stock_count.c.container_id == bindparam("container"))


class Counts(Containers):
    """Satisfies `domain.stock.count.Counts`."""

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


async def counts_named(connection: AsyncConnection, wanted: Sequence[UUID]) -> Sequence[Count]:
    """These counts, whoever asks: for the verification of signatures."""
    return [_count(row) for row in (await connection.execute(_COUNTS_NAMED, {"wanted": list(wanted)})).all()]


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
