"""What a client's attendance is made of in PostgreSQL: the lines of registers, and what others recorded before us."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, and_, bindparam, case, exists, null, or_, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_current,
    therapy_session_line,
    therapy_session_register,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.history import history_visit
from caseload.domain.access import Reach
from caseload.domain.attendance import Attendance, SessionKind, Status
from caseload.domain.client import ClientUnknown
from caseload.domain.history import Outcome
from caseload.domain.ids import ClientId, ProgrammeId, TherapySessionId
from caseload.domain.journal import Journal

_SEEN_CLIENT = select(client.c.id).where(client.c.id == bindparam("client"), within_reach())
_place = therapy_session.alias("place")
_first_day, _last_day = bindparam("first_day", type_=Date()), bindparam("last_day", type_=Date())
_first, _last = bindparam("first", type_=INSTANT), bindparam("last", type_=INSTANT)
LINES_THAT_COUNT = (
    therapy_session_line.join(
        therapy_session_current,
        and_(
            therapy_session_current.c.session_id == therapy_session_line.c.session_id,
            therapy_session_current.c.register_version == therapy_session_line.c.version,
        ),
    )
    .join(
        therapy_session_register,
        and_(
            therapy_session_register.c.session_id == therapy_session_line.c.session_id,
            therapy_session_register.c.version == therapy_session_line.c.version,
        ),
    )
    .join(therapy_session, therapy_session.c.id == therapy_session_line.c.session_id)
)
_replacing = history_visit.alias("replacing")
_ATTENDANCES = union_all(
    select(therapy_session_line.c.status, therapy_session_line.c.minutes)
    .select_from(LINES_THAT_COUNT)
    .where(
        therapy_session_line.c.client_id == bindparam("client"),
        or_(_first.is_(None), therapy_session_register.c.started_at >= _first),
        or_(_last.is_(None), therapy_session_register.c.started_at < _last),
    ),
    # What others recorded counts too, with the minutes that nobody wrote down. A missed visit without a day counts
    # when everything is asked for.
    select(case((history_visit.c.status != Outcome.UNKNOWN, history_visit.c.status)), null()).where(
        history_visit.c.client_id == bindparam("client"),
        or_(_first_day.is_(None), history_visit.c.scheduled_on >= _first_day),
        or_(_last_day.is_(None), history_visit.c.scheduled_on <= _last_day),
        ~exists().where(
            _replacing.c.replaces_history_id == history_visit.c.history_id,
            _replacing.c.replaces_line == history_visit.c.line,
        ),
    ),
)
_SESSIONS_OF_CLIENT = (
    select(
        therapy_session.c.id,
        therapy_session.c.programme_id,
        therapy_session.c.kind,
        therapy_session.c.title,
        therapy_session_register.c.started_at,
        therapy_session_line.c.status,
        therapy_session_line.c.minutes,
        therapy_session_line.c.walk_in,
        therapy_session_line.c.note,
        therapy_session_line.c.version,
    )
    .select_from(LINES_THAT_COUNT)
    .where(therapy_session_line.c.client_id == bindparam("client"))
    .order_by(therapy_session.c.starts_at.desc(), therapy_session.c.id.desc())
    .limit(bindparam("limit"))
)
_SESSIONS_OF_CLIENT_NEXT = _SESSIONS_OF_CLIENT.where(
    tuple_(therapy_session.c.starts_at, therapy_session.c.id)
    < tuple_(select(_place.c.starts_at).where(_place.c.id == bindparam("after")).scalar_subquery(), bindparam("after"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """One client's line in one session, by the version of the register that counts."""

    session: TherapySessionId
    programme: ProgrammeId
    kind: SessionKind
    title: str
    started_at: datetime
    status: Status
    minutes: int
    walk_in: bool
    note: str | None
    register_version: int


class Attendances:
    """What a client came to, as far as a reach goes."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def counted(
        self,
        of: ClientId,
        *,
        reach: Reach,
        first: tuple[date, datetime] | None = None,
        last: tuple[date, datetime] | None = None,
    ) -> Sequence[Attendance]:
        """Every place of a client that counts, whatever its source; or `ClientUnknown`.

        A period is given by its first and last day, each with the instant at which the first begins and the last ends.
        """
        await self._require_seen(of, reach)
        given = {
            "client": of,
            "first_day": first[0] if first else None,
            "first": first[1] if first else None,
            "last_day": last[0] if last else None,
            "last": last[1] if last else None,
        }
        rows = await self._connection.execute(_ATTENDANCES, given)
        return [Attendance(status=status and Status(status), minutes=minutes) for status, minutes in rows]

    async def of_client(
        self, of: ClientId, *, reach: Reach, after: TherapySessionId | None, limit: int
    ) -> Sequence[Attended]:
        """A client's lines in the registers that count, latest first; or `ClientUnknown`."""
        await self._require_seen(of, reach)
        given: dict[str, Any] = {"client": of, "limit": limit}
        rows = (
            await self._connection.execute(_SESSIONS_OF_CLIENT, given)
            if after is None
            else await self._connection.execute(_SESSIONS_OF_CLIENT_NEXT, {**given, "after": after})
        )
        return [
            Attended(
                session=TherapySessionId(row.id),
                programme=ProgrammeId(row.programme_id),
                kind=SessionKind(row.kind),
                title=row.title,
                started_at=row.started_at,
                status=Status(row.status),
                minutes=row.minutes,
                walk_in=row.walk_in,
                note=row.note,
                register_version=row.version,
            )
            for row in rows
        ]

    async def _require_seen(self, of: ClientId, reach: Reach) -> None:
        given = {"client": of, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(_SEEN_CLIENT, given)).first() is None:
            raise ClientUnknown
        self._journal.saw(of, "session")
