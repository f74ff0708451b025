"""Programmes in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.people import programme
from caseload.domain.ids import ProgrammeId
from caseload.domain.programme import Programme, ProgrammeUnknown

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
        """Every programme, by code."""
        return [_programme(row) for row in await self._connection.execute(_IN_ORDER)]


def _programme(row: Row[*tuple[Any, ...]]) -> Programme:
    return Programme(id=ProgrammeId(row.id), code=row.code, name=row.name, time_zone=row.time_zone, profile=row.profile)
