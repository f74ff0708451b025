"""Sessions whose programme has moved to another time zone since they were planned, in PostgreSQL."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import Date, bindparam, case, cast, exists, func, select

from caseload.db.attendance.sessions import Sessions
from caseload.db.programme import zone_at
from caseload.db.tables.attendance import therapy_session, therapy_session_current, therapy_session_moved
from caseload.db.tables.base import INSTANT
from caseload.db.tables.programme import programme, programme_zone_move
from caseload.domain.attendance import Session

_later = programme_zone_move.alias("later")
_is_last = ~exists().where(
    _later.c.programme_id == programme_zone_move.c.programme_id, _later.c.number > programme_zone_move.c.number
)
_moved_on = [
    cast(func.timezone(zone, programme_zone_move.c.moved_at), Date())
    < cast(func.timezone(zone, therapy_session.c.starts_at), Date())
    for zone in (programme_zone_move.c.from_zone, programme_zone_move.c.to_zone)
]
_shown = [
    func.timezone(zone, programme_zone_move.c.moved_at)
    for zone in (programme_zone_move.c.from_zone, programme_zone_move.c.to_zone)
]
_at = func.extract("epoch", therapy_session.c.starts_at)
_in_turn = case((_shown[1] < _shown[0], -_at), else_=_at)
"""The last one first where they come later by it, so that none is moved to where the next one still is."""
LEFT_BEHIND: Final = (
    select(therapy_session.c.id)
    .join(therapy_session_current, therapy_session_current.c.session_id == therapy_session.c.id)
    .join(programme, programme.c.id == therapy_session.c.programme_id)
    .join(programme_zone_move, programme_zone_move.c.programme_id == programme.c.id)
    .where(
        therapy_session.c.starts_at > bindparam("now", type_=INSTANT),
        therapy_session.c.planned_at < programme_zone_move.c.moved_at,
        therapy_session_current.c.register_version == 0,
        zone_at(therapy_session.c.planned_at) != programme.c.time_zone,
        ~exists().where(therapy_session_moved.c.session_id == therapy_session.c.id),
        _is_last,
        *_moved_on,
    )
    .order_by(_in_turn, therapy_session.c.id)
    .limit(bindparam("at_most"))
    .with_for_update(of=therapy_session_current, skip_locked=True)
)
"""Of days after that of the last move, planned in another zone, neither moved nor with a register."""


class LeftBehind(Sessions):
    """The sessions that are still at the hours of a zone from which their programme has moved."""

    async def left_behind(self, *, at_most: int) -> Sequence[Session]:
        """These in the order in which they can be moved, held; those held elsewhere are left out."""
        given = {"now": self._now, "at_most": at_most}
        found: list[UUID] = [*(await self._connection.execute(LEFT_BEHIND, given)).scalars()]
        sessions = sorted(await self._sessions(found), key=lambda session: found.index(session.id))
        for session in sessions:
            for client in (*session.expected, *session.waiting):
                self._journal.saw(client, "session")
        return sessions
