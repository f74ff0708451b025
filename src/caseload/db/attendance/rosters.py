"""Rosters in PostgreSQL: who is expected at which session, who was called off, and whom of them somebody is shown."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Uuid, and_, any_, bindparam, exists, insert, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.attendance.rows import booking_of
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_current,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, client_identity, episode
from caseload.domain.access import Act, Reach
from caseload.domain.attendance import (
    AlreadyOnRoster,
    Booking,
    Cancellation,
    CancelledBy,
    NotOnRoster,
    RelativePlace,
    Session,
    sees_everybody,
)
from caseload.domain.ids import ClientId, RelativePlaceId, StaffId, TherapySessionId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff

_THESE = any_(bindparam("these", type_=ARRAY(Uuid())))
_NOW = bindparam("now", type_=INSTANT)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """What a client on a roster is called."""

    given_name: str
    family_name: str


class Rosters:
    """The rosters of sessions."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def in_care(self, clients: Collection[ClientId], *, reach: Reach) -> Collection[ClientId]:
        """See `domain.attendance.Sessions.in_care`."""
        given = {"these": list(clients), "now": self._now, **reach_of(reach, at=self._now)}
        return {ClientId(each) for each in (await self._connection.execute(_IN_CARE, given)).scalars()}

    async def add_bookings(self, bookings: Sequence[tuple[TherapySessionId, Booking]]) -> None:
        """See `domain.attendance.Sessions.add_bookings`."""
        try:
            await self._connection.execute(
                insert(therapy_session_booking),
                [
                    {
                        "session_id": session,
                        "client_id": each.client,
                        "booked_by": each.booked_by,
                        "booked_at": each.booked_at,
                    }
                    for session, each in bookings
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

    async def names(self, session: Session, *, by: Staff, act: Act) -> dict[ClientId, Name]:
        """Everybody on the roster and the register whom this person may be shown there, with their names."""
        lines = session.register.lines if session.register else ()
        there = [*(booking.client for booking in session.roster), *(line.client for line in lines), *session.waiting]
        rows = await self._connection.execute(_NAMES, {"these": await self._seen(there, session, by=by, act=act)})
        found = {ClientId(row.id): Name(given_name=row.given_name, family_name=row.family_name) for row in rows}
        for shown in found:
            self._journal.saw(shown, "session")
        return found

    async def relatives(self, session: Session, *, by: Staff, act: Act) -> Mapping[RelativePlaceId, RelativePlace]:
        """The places of relatives that this person may be shown there: as they may be shown the clients around whom they are."""
        if not session.relatives:
            return {}
        seen = await self._seen((place.client for place in session.relatives), session, by=by, act=act)
        for shown in seen:
            self._journal.saw(shown, "session")
        return {place.id: place for place in session.relatives if place.client in seen}

    async def _seen(
        self, clients: Iterable[ClientId], session: Session, *, by: Staff, act: Act
    ) -> Collection[ClientId]:
        """Those of the clients whom this person may be shown in this session."""
        everybody = list(dict.fromkeys(clients))
        if sees_everybody(session, by=by, act=act):
            return everybody
        given = {"these": everybody, **reach_of(by.reach(act), at=self._now)}
        return {ClientId(each) for each in (await self._connection.execute(_SEEN, given)).scalars()}

    async def _rosters_of(self, sessions: Sequence[UUID]) -> Mapping[UUID, Sequence[Booking]]:
        """Their places, in the order in which they were booked."""
        rosters: dict[UUID, list[Booking]] = defaultdict(list)
        for row in await self._connection.execute(_ROSTER, {"these": list(sessions)}):
            rosters[row.session_id].append(booking_of(row))
        return rosters
