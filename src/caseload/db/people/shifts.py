"""Shifts on duty in PostgreSQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.grants import in_force, works_here
from caseload.db.tables.base import INSTANT
from caseload.db.tables.people import duty_shift, duty_shift_cancellation, role_grant
from caseload.domain.access import Role
from caseload.domain.ids import ProgrammeId, ShiftId, StaffId
from caseload.domain.people import Shift, ShiftAlreadyCancelled, ShiftUnknown

_AT = bindparam("at", type_=INSTANT)
_HOLDS = select(
    exists(
        select(role_grant.c.id).where(
            role_grant.c.staff_id == bindparam("staff"),
            role_grant.c.role == bindparam("role"),
            role_grant.c.programme_id == bindparam("programme"),
            in_force(_AT),
            works_here(_AT),
        )
    )
)

_SHIFTS = select(
    duty_shift.c.id,
    duty_shift.c.staff_id,
    duty_shift.c.programme_id,
    func.lower(duty_shift.c.period).label("starts_at"),
    func.upper(duty_shift.c.period).label("ends_at"),
    duty_shift_cancellation.c.cancelled_at,
).select_from(duty_shift.outerjoin(duty_shift_cancellation, duty_shift_cancellation.c.shift_id == duty_shift.c.id))
_SHIFT = _SHIFTS.where(duty_shift.c.id == bindparam("shift"))
_BETWEEN = _SHIFTS.where(
    duty_shift.c.programme_id == bindparam("programme"),
    duty_shift.c.period.op("&&")(func.tstzrange(bindparam("since", type_=INSTANT), bindparam("until", type_=INSTANT))),
).order_by(func.lower(duty_shift.c.period), duty_shift.c.id)


class Shifts:
    """Satisfies `domain.people.Shifts`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def holds(self, staff: StaffId, role: Role, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `domain.people.Shifts.holds`."""
        asked = {"staff": staff, "role": role, "programme": programme, "at": at}
        return bool((await self._connection.execute(_HOLDS, asked)).scalar_one())

    async def add(self, shift: Shift, *, by: StaffId, at: datetime) -> None:
        """See `domain.people.Shifts.add`."""
        await self._connection.execute(
            insert(duty_shift).values(
                id=shift.id,
                staff_id=shift.staff,
                programme_id=shift.programme,
                period=Range(shift.starts_at, shift.ends_at),
                set_by=by,
                set_at=at,
            )
        )

    async def get(self, shift: ShiftId) -> Shift:
        """See `domain.people.Shifts.get`."""
        row = (await self._connection.execute(_SHIFT, {"shift": shift})).one_or_none()
        if row is None:
            raise ShiftUnknown
        return _shift(row)

    async def cancel(self, shift: Shift, *, by: StaffId, at: datetime) -> None:
        """See `domain.people.Shifts.cancel`."""
        try:
            await self._connection.execute(
                insert(duty_shift_cancellation).values(shift_id=shift.id, cancelled_by=by, cancelled_at=at)
            )
        except IntegrityError as twice:
            raise ShiftAlreadyCancelled("There is nothing left to cancel.") from twice

    async def between(self, programme: ProgrammeId, *, since: datetime, until: datetime) -> Sequence[Shift]:
        """See `domain.people.Shifts.between`."""
        asked = {"programme": programme, "since": since, "until": until}
        return [_shift(row) for row in await self._connection.execute(_BETWEEN, asked)]


def _shift(row: Row[*tuple[Any, ...]]) -> Shift:
    return Shift(
        id=ShiftId(row.id),
        staff=StaffId(row.staff_id),
        programme=ProgrammeId(row.programme_id),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        cancelled_at=row.cancelled_at,
    )
