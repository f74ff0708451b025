"""Sessions in PostgreSQL, each with its roster and its register."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, any_, bindparam, exists, insert, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from caseload.db.attendance.claims import Claims
from caseload.db.attendance.registers import Registers
from caseload.db.attendance.rosters import Rosters
from caseload.db.attendance.rows import session_of
from caseload.db.people.grants import in_force, works_here
from caseload.db.tables.attendance import (
    session_series,
    therapy_session,
    therapy_session_current,
    therapy_session_facilitator,
    therapy_session_moved,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.people import role_grant
from caseload.domain.access import MAY, Act, may_in
from caseload.domain.attendance import Register, Session, SessionMoved, SessionUnknown
from caseload.domain.attendance.series import Moved, Series, SeriesUnknown
from caseload.domain.ids import ClientId, ProgrammeId, SeriesId, StaffId, TherapySessionId
from caseload.domain.people import Staff

_LEADS: Final = sorted(MAY[Act.TAKE_REGISTER])

_THESE = any_(bindparam("these", type_=ARRAY(Uuid())))
_NOW = bindparam("now", type_=INSTANT)
_AT = bindparam("at", type_=INSTANT)

_SESSIONS = (
    select(
        therapy_session.c.id,
        therapy_session.c.programme_id,
        therapy_session.c.kind,
        therapy_session.c.title,
        therapy_session.c.starts_at,
        therapy_session.c.ends_at,
        therapy_session.c.capacity,
        therapy_session.c.place,
        therapy_session.c.link,
        therapy_session.c.series_id,
        therapy_session.c.series_on,
        therapy_session_moved.c.to_session_id,
        therapy_session.c.planned_by,
        therapy_session.c.planned_at,
    )
    .outerjoin(therapy_session_moved, therapy_session_moved.c.session_id == therapy_session.c.id)
    .where(therapy_session.c.id == _THESE)
    .order_by(therapy_session.c.starts_at, therapy_session.c.id)
)
_FACILITATORS = (
    select(therapy_session_facilitator.c.session_id, therapy_session_facilitator.c.staff_id)
    .where(therapy_session_facilitator.c.session_id == _THESE)
    .order_by(therapy_session_facilitator.c.staff_id)
)
_HOLD = (
    select(therapy_session_current.c.session_id)
    .where(therapy_session_current.c.session_id == bindparam("session"))
    .with_for_update()
)

_place = therapy_session.alias("place")
_OF_PROGRAMME = (
    select(therapy_session.c.id)
    .where(
        therapy_session.c.programme_id == bindparam("programme"),
        therapy_session.c.starts_at >= bindparam("first", type_=INSTANT),
        therapy_session.c.starts_at < bindparam("last", type_=INSTANT),
    )
    .order_by(therapy_session.c.starts_at, therapy_session.c.id)
    .limit(bindparam("limit"))
)
_OF_PROGRAMME_NEXT = _OF_PROGRAMME.where(
    tuple_(therapy_session.c.starts_at, therapy_session.c.id)
    > tuple_(select(_place.c.starts_at).where(_place.c.id == bindparam("after")).scalar_subquery(), bindparam("after"))
)

_OF_SERIES = (
    select(therapy_session.c.id)
    .where(therapy_session.c.series_id == bindparam("series", type_=Uuid()))
    .order_by(therapy_session.c.series_on, therapy_session.c.id)
)
_HOLD_TO_COME = (
    select(therapy_session_current.c.session_id)
    .join(therapy_session, therapy_session.c.id == therapy_session_current.c.session_id)
    .where(
        therapy_session.c.series_id == bindparam("series", type_=Uuid()),
        therapy_session.c.starts_at > _NOW,
        therapy_session_current.c.register_version == 0,
        ~exists().where(therapy_session_moved.c.session_id == therapy_session.c.id),
    )
    .order_by(therapy_session_current.c.session_id)
    .with_for_update(of=therapy_session_current)
)
_ADD, _ADD_FACILITATOR = insert(therapy_session), insert(therapy_session_facilitator)
_ADD_CURRENT, _ADD_SERIES, _ADD_MOVED = (
    insert(therapy_session_current),
    insert(session_series),
    insert(therapy_session_moved),
)

_MAY_LEAD = select(role_grant.c.staff_id).where(
    role_grant.c.staff_id == _THESE,
    role_grant.c.programme_id == bindparam("programme"),
    role_grant.c.role == any_(bindparam("roles", type_=ARRAY(Text()))),
    in_force(_AT),
    works_here(_AT),
)


class Sessions(Rosters, Registers, Claims):
    """Satisfies `domain.attendance.series.SeriesOfSessions`."""

    async def hold(self, wanted: TherapySessionId, *, by: Staff, act: Act) -> Session:
        """The session, held so that nothing of it changes until this piece of work ends; or `SessionUnknown`."""
        await self._connection.execute(_HOLD, {"session": wanted})
        return await self.get(wanted, by=by, act=act)

    async def get(self, wanted: TherapySessionId, *, by: Staff, act: Act) -> Session:
        """The session with its whole roster, for whoever holds a role there that allows the act; `SessionUnknown`.

        Whom of the roster that person may be shown is for `names` to say.
        """
        found = await self._sessions([wanted])
        if not found or not may_in(by.holdings, act, found[0].programme):
            raise SessionUnknown("Look at the sessions of the day for the one you mean.")
        return found[0]

    async def of_programme(
        self, programme: ProgrammeId, *, first: datetime, last: datetime, after: TherapySessionId | None, limit: int
    ) -> Sequence[Session]:
        """The sessions that begin from `first` to before `last`, in order."""
        given: dict[str, Any] = {"programme": programme, "first": first, "last": last, "limit": limit}
        found = (
            await self._connection.execute(_OF_PROGRAMME, given)
            if after is None
            else await self._connection.execute(_OF_PROGRAMME_NEXT, {**given, "after": after})
        )
        return await self._sessions(found.scalars().all())

    async def registers(
        self, session: Session, *, by: Staff, act: Act
    ) -> tuple[Sequence[Register], Collection[ClientId]]:
        """Every version of the register of a session, oldest first, and whom in them this person may be shown."""
        found = await self._registers_of([session.id])
        there = [line.client for register in found for line in register.lines]
        seen = await self._seen(there, session, by=by, act=act)
        for shown in seen:
            self._journal.saw(shown, "session")
        return found, seen

    async def may_lead(
        self, staff: Collection[StaffId], *, programme: ProgrammeId, at: datetime
    ) -> Collection[StaffId]:
        """See `domain.attendance.Sessions.may_lead`."""
        given = {"these": list(staff), "programme": programme, "roles": _LEADS, "at": at}
        return {StaffId(each) for each in (await self._connection.execute(_MAY_LEAD, given)).scalars()}

    async def of_series(self, series: SeriesId, *, by: Staff, act: Act) -> Sequence[Session]:
        """The sessions of a series in order, moved ones with those that take place instead; or `SeriesUnknown`."""
        found = await self._sessions((await self._connection.execute(_OF_SERIES, {"series": series})).scalars().all())
        if not found or not may_in(by.holdings, act, found[0].programme):
            raise SeriesUnknown
        return found

    async def hold_to_come(self, series: SeriesId, *, by: Staff, act: Act) -> Sequence[Session]:
        """The sessions of a series that are still to come, held as `hold` holds one.

        Raises `SeriesUnknown`, or `SessionMoved` when one was moved while this waited for it: its new place is not held.
        """
        held = set((await self._connection.execute(_HOLD_TO_COME, {"series": series, "now": self._now})).scalars())
        to_come = [each for each in await self.of_series(series, by=by, act=act) if each.id in held]
        if any(each.moved_to is not None for each in to_come):
            raise SessionMoved("One of them was moved at this moment. Read the series again, and then do it again.")
        return to_come

    async def add(self, sessions: Sequence[Session], *, clashes_agreed: bool) -> None:
        """See `domain.attendance.Sessions.add`."""
        await self._connection.execute(_ADD, [_values(session) for session in sessions])
        await self._connection.execute(
            _ADD_FACILITATOR,
            [{"session_id": each.id, "staff_id": staff} for each in sessions for staff in each.wanted.facilitators],
        )
        await self._connection.execute(
            _ADD_CURRENT, [{"session_id": each.id, "register_version": 0} for each in sessions]
        )
        await self._claim(sessions, agreed=clashes_agreed)

    async def add_series(self, series: Series) -> None:
        """See `domain.attendance.series.SeriesOfSessions.add_series`."""
        rule = series.rule
        await self._connection.execute(
            _ADD_SERIES,
            {
                "id": series.id,
                "programme_id": series.programme,
                "every": rule.every,
                "unit": rule.unit,
                "weekday": rule.weekday,
                "month_day": rule.month_day,
                "at": rule.at,
                "starts_on": rule.starts_on,
                "ends_on": rule.ends_on,
                "minutes": series.minutes,
                "planned_by": series.planned_by,
                "planned_at": series.planned_at,
            },
        )

    async def add_moved(self, moved: Moved) -> None:
        """See `domain.attendance.series.SeriesOfSessions.add_moved`."""
        try:
            await self._connection.execute(
                _ADD_MOVED,
                {
                    "session_id": moved.session,
                    "to_session_id": moved.to,
                    "reason": moved.reason,
                    "recorded_by": moved.by,
                    "recorded_at": moved.at,
                },
            )
        except IntegrityError as raced:
            raise SessionMoved("Read the session again.") from raced

    async def _sessions(self, these: Sequence[UUID]) -> Sequence[Session]:
        if not these:
            return []
        given = {"these": list(these)}
        facilitators: dict[UUID, list[StaffId]] = defaultdict(list)
        for row in await self._connection.execute(_FACILITATORS, given):
            facilitators[row.session_id].append(StaffId(row.staff_id))
        rosters, waiting = await self._rosters_of(these), await self._waiting_of(these)
        relatives = await self._relatives_of(these)
        # In order of versions, so that the last one stays.
        registers = {register.session: register for register in await self._registers_of(these)}
        return [
            session_of(
                row,
                facilitators[row.id],
                rosters.get(row.id, ()),
                registers.get(TherapySessionId(row.id)),
                waiting.get(row.id, ()),
                relatives.get(row.id, ()),
            )
            for row in await self._connection.execute(_SESSIONS, given)
        ]


def _values(session: Session) -> dict[str, Any]:
    wanted = session.wanted
    return {
        "id": session.id,
        "programme_id": session.programme,
        "kind": wanted.kind,
        "title": wanted.title,
        "starts_at": wanted.starts_at,
        "ends_at": wanted.ends_at,
        "capacity": wanted.capacity,
        "place": wanted.place,
        "link": wanted.link,
        "series_id": session.series,
        "series_on": session.series_on,
        "planned_by": session.planned_by,
        "planned_at": session.planned_at,
    }
