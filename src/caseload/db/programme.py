"""Programmes in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.programme import programme
from caseload.domain.ids import ProgrammeId
from caseload.domain.programme import CodeTaken, Programme, ProgrammeUnknown

_ALL = select(programme.c.id, programme.c.code, programme.c.name, programme.c.time_zone, programme.c.profile)
_ONE = _ALL.where(programme.c.id == bindparam("programme"))
_IN_ORDER = _ALL.order_by(programme.c.code)


class Programmes:
    """Satisfies `domain.programme.Programmes`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, wanted: ProgrammeId) -> Programme:
        """See `domain.programme.Programmes.get`."""
        row = (await self._connection.execute(_ONE, {"programme": wanted})).first()
        if row is None:
            raise ProgrammeUnknown
        return _programme(row)

    async def all(self) -> Sequence[Programme]:
        """See `domain.programme.Programmes.all`."""
        return [_programme(row) for row in await self._connection.execute(_IN_ORDER)]

    async def add(self, new: Programme, *, opened_at: datetime) -> None:
        """See `domain.programme.Programmes.add`."""
        try:
            await self._connection.execute(
                insert(programme).values(
                    id=new.id,
                    code=new.code,
                    name=new.name,
                    time_zone=new.time_zone,
                    profile=new.profile,
                    opened_at=opened_at,
                )
            )
        except IntegrityError as taken:
            raise CodeTaken("Choose another code, or use the programme that is there.") from taken


def _programme(row: Row[*tuple[Any, ...]]) -> Programme:
    return Programme(id=ProgrammeId(row.id), code=row.code, name=row.name, time_zone=row.time_zone, profile=row.profile)
