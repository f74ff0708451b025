"""Registers in PostgreSQL: every version, with a line for each client."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Uuid, any_, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from caseload.db.attendance.relatives import Relatives
from caseload.db.attendance.rows import line_of, line_values, register_of
from caseload.db.tables.attendance import therapy_session_current, therapy_session_line, therapy_session_register
from caseload.domain.attendance import Line, Register, RegisterAlreadyTaken

_THESE = any_(bindparam("these", type_=ARRAY(Uuid())))

_REGISTERS = (
    select(
        therapy_session_register.c.session_id,
        therapy_session_register.c.version,
        therapy_session_register.c.started_at,
        therapy_session_register.c.ended_at,
        therapy_session_register.c.note,
        therapy_session_register.c.reason,
        therapy_session_register.c.taken_by,
        therapy_session_register.c.taken_at,
    )
    .where(therapy_session_register.c.session_id == _THESE)
    .order_by(therapy_session_register.c.version)
)
_LINES = (
    select(
        therapy_session_line.c.session_id,
        therapy_session_line.c.version,
        therapy_session_line.c.client_id,
        therapy_session_line.c.status,
        therapy_session_line.c.late_minutes,
        therapy_session_line.c.left_early_minutes,
        therapy_session_line.c.walk_in,
        therapy_session_line.c.note,
    )
    .where(therapy_session_line.c.session_id == _THESE)
    .order_by(therapy_session_line.c.version, therapy_session_line.c.number)
)
_NOW_AT = (
    update(therapy_session_current)
    .where(therapy_session_current.c.session_id == bindparam("session"))
    .values(register_version=bindparam("to_version"))
)


class Registers(Relatives):
    """The registers of sessions."""

    async def add_register(self, register: Register) -> None:
        """See `domain.attendance.Sessions.add_register`."""
        try:
            await self._connection.execute(
                insert(therapy_session_register).values(
                    session_id=register.session,
                    version=register.version,
                    started_at=register.started_at,
                    ended_at=register.ended_at,
                    note=register.note,
                    reason=register.reason,
                    taken_by=register.taken_by,
                    taken_at=register.taken_at,
                )
            )
        except IntegrityError as raced:
            raise RegisterAlreadyTaken("Read the register again.") from raced
        if register.lines:
            await self._connection.execute(insert(therapy_session_line), list(line_values(register)))
        await self._add_relative_lines(register)
        await self._connection.execute(_NOW_AT, {"session": register.session, "to_version": register.version})

    async def _registers_of(self, sessions: Sequence[UUID]) -> Sequence[Register]:
        """Every version of their registers, each session's in order."""
        given = {"these": list(sessions)}
        lines: dict[tuple[UUID, int], list[Line]] = defaultdict(list)
        for row in await self._connection.execute(_LINES, given):
            lines[row.session_id, row.version].append(line_of(row))
        beside = await self._relative_lines_of(sessions)
        rows = await self._connection.execute(_REGISTERS, given)
        return [
            register_of(row, lines[row.session_id, row.version], beside.get((row.session_id, row.version), ()))
            for row in rows
        ]
