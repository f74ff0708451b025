"""Closure days in PostgreSQL."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import Date, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Direct, Named
from caseload.db.programme import Programmes
from caseload.db.tables.closure import closure_day
from caseload.domain.closure import ClosureDay, ClosureMoved
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.programme import Programme

_newer = closure_day.alias("newer")
_NEWEST = (
    select(
        closure_day.c.programme_id,
        closure_day.c.day,
        closure_day.c.version,
        closure_day.c.is_closed,
        closure_day.c.reason,
        closure_day.c.recorded_by,
        closure_day.c.recorded_at,
    )
    .where(
        closure_day.c.programme_id == bindparam("programme"),
        ~exists().where(
            _newer.c.programme_id == closure_day.c.programme_id,
            _newer.c.day == closure_day.c.day,
            _newer.c.version > closure_day.c.version,
        ),
    )
    .order_by(closure_day.c.day)
)
CLOSED: Final = _NEWEST.where(
    closure_day.c.day.between(bindparam("first", type_=Date()), bindparam("last", type_=Date())),
    closure_day.c.is_closed,
)
_CLOSED: Final = Direct(CLOSED, anywhere=True)
SAID_OF: Final = _NEWEST.where(closure_day.c.day == any_(bindparam("days", type_=ARRAY(Date()))))
_ADD = insert(closure_day)


class ClosureDays:
    """Satisfies `domain.closure.ClosureDays`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def programme(self, wanted: ProgrammeId) -> Programme:
        """See `domain.closure.ClosureDays.programme`."""
        return await Programmes(self._connection).get(wanted)

    async def closed_days(self, programme: ProgrammeId, first: date, last: date) -> Sequence[ClosureDay]:
        """See `domain.closure.ClosureDays.closed_days`."""
        given = {"programme": programme, "first": first, "last": last}
        return [_day_of(row) for row in await _CLOSED.all(self._connection, given)]

    async def said_of(self, programme: ProgrammeId, days: Sequence[date]) -> Sequence[ClosureDay]:
        """See `domain.closure.ClosureDays.said_of`."""
        given = {"programme": programme, "days": list(days)}
        return [_day_of(row) for row in (await self._connection.execute(SAID_OF, given)).mappings()]

    async def add_closures(self, said: Sequence[ClosureDay]) -> None:
        """See `domain.closure.ClosureDays.add_closures`."""
        try:
            await self._connection.execute(
                _ADD,
                [
                    {
                        "programme_id": each.programme,
                        "day": each.day,
                        "version": each.version,
                        "is_closed": each.is_closed,
                        "reason": each.reason,
                        "recorded_by": each.recorded_by,
                        "recorded_at": each.recorded_at,
                    }
                    for each in said
                ],
            )
        except IntegrityError as raced:
            raise ClosureMoved("Read the closure days of the programme again.") from raced


def _day_of(row: Named) -> ClosureDay:
    return ClosureDay(
        programme=ProgrammeId(row["programme_id"]),
        day=row["day"],
        version=row["version"],
        is_closed=row["is_closed"],
        reason=row["reason"],
        recorded_by=StaffId(row["recorded_by"]),
        recorded_at=row["recorded_at"],
    )
