"""Sessions, rosters and registers in PostgreSQL."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Row,
    Select,
    Text,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    insert,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.attendance.rows import booking_of, line_of, line_values, register_of, session_of
from caseload.db.people.grants import in_force, works_here
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_current,
    therapy_session_facilitator,
    therapy_session_line,
    therapy_session_register,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.db.tables.people import role_grant
from caseload.domain.access import MAY, Act, Reach, may_in
from caseload.domain.attendance import (
    AlreadyOnRoster,
    Booking,
    Cancellation,
    CancelledBy,
    Line,
    NotOnRoster,
    Register,
    RegisterAlreadyTaken,
    Session,
    SessionUnknown,
    sees_everybody,
)
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, TherapySessionId
from caseload.domain.journal import Journal
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
        therapy_session.c.planned_by,
        therapy_session.c.planned_at,
    )
    .where(therapy_session.c.id == _THESE)
    .order_by(therapy_session.c.starts_at, therapy_session.c.id)
)
_FACILITATORS = (
    select(therapy_session_facilitator.c.session_id, therapy_session_facilitator.c.staff_id)
    .where(therapy_session_facilitator.c.session_id == _THESE)
    .order_by(therapy_session_facilitator.c.staff_id)
)
_ROSTER = (
    select(
        therapy_session_booking.c.session_id,
        therapy_session_booking.c.client_id,
        therapy_session_booking.c.booked_by,
        therapy_session_booking.c.booked_at,
        therapy_session_cancellation.c.cancelled_by,
        therapy_session_cancellation.c.reason,
        therapy_session_cancellation.c.recorded_by,
        therapy_session_cancellation.c.recorded_at,
    )
    .outerjoin(
        therapy_session_cancellation,
        and_(
            therapy_session_cancellation.c.session_id == therapy_session_booking.c.session_id,
            therapy_session_cancellation.c.client_id == therapy_session_booking.c.client_id,
        ),
    )
    .where(therapy_session_booking.c.session_id == _THESE)
    .order_by(therapy_session_booking.c.booked_at, therapy_session_booking.c.client_id)
)
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

_MAY_LEAD = select(role_grant.c.staff_id).where(
    role_grant.c.staff_id == _THESE,
    role_grant.c.programme_id == bindparam("programme"),
    role_grant.c.role == any_(bindparam("roles", type_=ARRAY(Text()))),
    in_force(_AT),
    works_here(_AT),
)
_IN_CARE = (
    select(client.c.id)
    .join(episode, episode.c.client_id == client.c.id)
    .where(client.c.id == _THESE, episode.c.period.op("@>")(_NOW), within_reach())
    # Whoever is discharged at this moment loses the places that are there by then: the one that is being booked too.
    .with_for_update(read=True, of=episode)
)
_EXPECTED_FROM = (
    select(therapy_session_current.c.session_id)
    .join(therapy_session, therapy_session.c.id == therapy_session_current.c.session_id)
    .join(therapy_session_booking, therapy_session_booking.c.session_id == therapy_session_current.c.session_id)
    .where(
        therapy_session_booking.c.client_id == bindparam("client"),
        therapy_session_current.c.register_version == 0,
        therapy_session.c.starts_at >= bindparam("since", type_=INSTANT),
        ~exists().where(
            therapy_session_cancellation.c.session_id == therapy_session_booking.c.session_id,
            therapy_session_cancellation.c.client_id == therapy_session_booking.c.client_id,
        ),
    )
    .order_by(therapy_session_current.c.session_id)
    .with_for_update(of=therapy_session_current)
)
_SEEN = select(client.c.id).where(client.c.id == _THESE, within_reach())

_identity = (
    select(client_identity.c.given_name, client_identity.c.family_name)
    .where(client_identity.c.client_id == client.c.id)
    .order_by(client_identity.c.version.desc())
    .limit(1)
    .lateral("identity")
)
_NAMES = (
    select(client.c.id, _identity.c.given_name, _identity.c.family_name)
    .join(_identity, true())
    .where(client.c.id == _THESE)
)

_NOW_AT = (
    update(therapy_session_current)
    .where(therapy_session_current.c.session_id == bindparam("session"))
    .values(register_version=bindparam("to_version"))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a client on a roster is called."""

    given_name: str
    family_name: str


class Sessions:
    """Satisfies `domain.attendance.Sessions`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

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

    async def names(self, session: Session, *, by: Staff, act: Act) -> dict[ClientId, Name]:
        """Everybody on the roster and the register whom this person may be shown there, with their names."""
        lines = session.register.lines if session.register else ()
        there = [*(booking.client for booking in session.roster), *(line.client for line in lines)]
        rows = await self._connection.execute(_NAMES, {"these": await self._seen(there, session, by=by, act=act)})
        found = {ClientId(row.id): Name(given_name=row.given_name, family_name=row.family_name) for row in rows}
        for shown in found:
            self._journal.saw(shown, "session")
        return found

    async def registers(
        self, session: Session, *, by: Staff, act: Act
    ) -> tuple[Sequence[Register], Collection[ClientId]]:
        """Every version of the register of a session, oldest first, and whom in them this person may be shown."""
        given = {"these": [session.id]}
        lines = await self._lines(given)
        found = [register_of(row, lines[row.session_id, row.version]) for row in await self._rows(_REGISTERS, given)]
        there = [line.client for register in found for line in register.lines]
        seen = await self._seen(there, session, by=by, act=act)
        for shown in seen:
            self._journal.saw(shown, "session")
        return found, seen

    async def _seen(
        self, clients: Iterable[ClientId], session: Session, *, by: Staff, act: Act
    ) -> Collection[ClientId]:
        """Those of the clients whom this person may be shown in this session."""
        everybody = list(dict.fromkeys(clients))
        if sees_everybody(session, by=by, act=act):
            return everybody
        given = {"these": everybody, **reach_of(by.reach(act), at=self._now)}
        return {ClientId(each) for each in (await self._connection.execute(_SEEN, given)).scalars()}

    async def may_lead(
        self, staff: Collection[StaffId], *, programme: ProgrammeId, at: datetime
    ) -> Collection[StaffId]:
        """See `domain.attendance.Sessions.may_lead`."""
        given = {"these": list(staff), "programme": programme, "roles": _LEADS, "at": at}
        return {StaffId(each) for each in (await self._connection.execute(_MAY_LEAD, given)).scalars()}

    async def in_care(self, clients: Collection[ClientId], *, reach: Reach) -> Collection[ClientId]:
        """See `domain.attendance.Sessions.in_care`."""
        given = {"these": list(clients), "now": self._now, **reach_of(reach, at=self._now)}
        return {ClientId(each) for each in (await self._connection.execute(_IN_CARE, given)).scalars()}

    async def add(self, session: Session) -> None:
        """See `domain.attendance.Sessions.add`."""
        wanted = session.wanted
        await self._connection.execute(
            insert(therapy_session).values(
                id=session.id,
                programme_id=session.programme,
                kind=wanted.kind,
                title=wanted.title,
                starts_at=wanted.starts_at,
                ends_at=wanted.ends_at,
                capacity=wanted.capacity,
                place=wanted.place,
                planned_by=session.planned_by,
                planned_at=session.planned_at,
            )
        )
        await self._connection.execute(
            insert(therapy_session_facilitator),
            [{"session_id": session.id, "staff_id": each} for each in wanted.facilitators],
        )
        await self._connection.execute(
            insert(therapy_session_current).values(session_id=session.id, register_version=0)
        )

    async def add_bookings(self, session: Session, bookings: Sequence[Booking]) -> None:
        """See `domain.attendance.Sessions.add_bookings`."""
        try:
            await self._connection.execute(
                insert(therapy_session_booking),
                [
                    {
                        "session_id": session.id,
                        "client_id": each.client,
                        "booked_by": each.booked_by,
                        "booked_at": each.booked_at,
                    }
                    for each in bookings
                ],
            )
        except IntegrityError as raced:
            raise AlreadyOnRoster("Read the roster again.") from raced

    async def add_cancellation(self, session: TherapySessionId, cancellation: Cancellation) -> None:
        """See `domain.attendance.Sessions.add_cancellation`."""
        try:
            await self._connection.execute(
                insert(therapy_session_cancellation).values(
                    session_id=session,
                    client_id=cancellation.client,
                    cancelled_by=cancellation.by,
                    reason=cancellation.reason,
                    recorded_by=cancellation.recorded_by,
                    recorded_at=cancellation.recorded_at,
                )
            )
        except IntegrityError as raced:
            raise NotOnRoster("Read the roster again.") from raced

    async def cancel_from(
        self, since: datetime, *, client: ClientId, reason: str, by: StaffId, now: datetime
    ) -> Sequence[TherapySessionId]:
        """See `domain.attendance.Sessions.cancel_from`."""
        given = {"client": client, "since": since}
        found = [TherapySessionId(each) for each in (await self._connection.execute(_EXPECTED_FROM, given)).scalars()]
        for session in found:
            cancellation = Cancellation(
                client=client, by=CancelledBy.PROVIDER, reason=reason, recorded_by=by, recorded_at=now
            )
            await self.add_cancellation(session, cancellation)
        return found

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
        await self._connection.execute(_NOW_AT, {"session": register.session, "to_version": register.version})

    async def _sessions(self, these: Sequence[UUID]) -> Sequence[Session]:
        if not these:
            return []
        given = {"these": list(these)}
        facilitators: dict[UUID, list[StaffId]] = defaultdict(list)
        for row in await self._rows(_FACILITATORS, given):
            facilitators[row.session_id].append(StaffId(row.staff_id))
        rosters: dict[UUID, list[Booking]] = defaultdict(list)
        for row in await self._rows(_ROSTER, given):
            rosters[row.session_id].append(booking_of(row))
        lines = await self._lines(given)
        # In order of versions, so that the last one stays.
        registers = {
            row.session_id: register_of(row, lines[row.session_id, row.version])
            for row in await self._rows(_REGISTERS, given)
        }
        return [
            session_of(row, facilitators[row.id], rosters[row.id], registers.get(row.id))
            for row in await self._rows(_SESSIONS, given)
        ]

    async def _lines(self, given: Mapping[str, Sequence[UUID]]) -> dict[tuple[UUID, int], list[Line]]:
        lines: dict[tuple[UUID, int], list[Line]] = defaultdict(list)
        for row in await self._rows(_LINES, given):
            lines[row.session_id, row.version].append(line_of(row))
        return lines

    async def _rows(
        self, statement: Select[*tuple[Any, ...]], given: Mapping[str, Sequence[UUID]]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        return (await self._connection.execute(statement, given)).all()
