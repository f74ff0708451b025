"""Rooms, people and waiting lists of sessions in PostgreSQL: an exclusion constraint settles who was first."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Text, Uuid, and_, any_, bindparam, delete, exists, func, insert, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.attendance.relatives import STANDS
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_booking,
    therapy_session_cancellation,
    therapy_session_claim,
    therapy_session_current,
    therapy_session_wait,
    therapy_session_wait_over,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import episode
from caseload.db.tables.session_relative import session_relative
from caseload.domain.attendance import AlreadyOnRoster, NotOnRoster, Session
from caseload.domain.attendance.clash import Claim, ClaimOn, Clash, ClientClash, SessionClashes
from caseload.domain.attendance.planning import claims_for
from caseload.domain.attendance.session import LARGEST_ROSTER, LONGEST
from caseload.domain.attendance.waiting import WaitOver
from caseload.domain.ids import ClientId, StaffId, TherapySessionId

_SESSION: Final = bindparam("session", type_=Uuid())
_NOW: Final = bindparam("now", type_=INSTANT)
_asked = (
    func.unnest(
        bindparam("keys", type_=ARRAY(Text())),
        bindparam("starts", type_=ARRAY(INSTANT)),
        bindparam("ends", type_=ARRAY(INSTANT)),
    )
    .table_valued("key", "starts_at", "ends_at", name="asked")
    .render_derived()
)
TAKEN: Final = (
    select(
        therapy_session_claim.c.claim_on,
        therapy_session_claim.c.session_id,
        func.lower(therapy_session_claim.c.period).label("starts_at"),
        func.upper(therapy_session_claim.c.period).label("ends_at"),
    )
    .distinct()
    .join(
        _asked,
        and_(
            therapy_session_claim.c.key == _asked.c.key,
            therapy_session_claim.c.period.op("&&")(func.tstzrange(_asked.c.starts_at, _asked.c.ends_at)),
        ),
    )
    .where(therapy_session_claim.c.session_id.is_distinct_from(bindparam("besides", type_=Uuid())))
    .order_by(func.lower(therapy_session_claim.c.period), therapy_session_claim.c.session_id)
)
_RELEASE = delete(therapy_session_claim).where(therapy_session_claim.c.session_id == _SESSION)
_CLAIM = insert(therapy_session_claim)

_STARTS, _ENDS = bindparam("starts", type_=INSTANT), bindparam("ends", type_=INSTANT)
_is_called_off = exists().where(
    therapy_session_cancellation.c.session_id == therapy_session_booking.c.session_id,
    therapy_session_cancellation.c.client_id == therapy_session_booking.c.client_id,
)
ELSEWHERE: Final = (
    select(
        therapy_session_booking.c.client_id,
        therapy_session.c.id,
        therapy_session.c.starts_at,
        therapy_session.c.ends_at,
    )
    .join(therapy_session, therapy_session.c.id == therapy_session_booking.c.session_id)
    .join(therapy_session_current, therapy_session_current.c.session_id == therapy_session.c.id)
    .where(
        therapy_session_booking.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        therapy_session.c.starts_at > _STARTS - literal(LONGEST),
        therapy_session.c.starts_at < _ENDS,
        therapy_session.c.ends_at > _STARTS,
        therapy_session.c.id != _SESSION,
        therapy_session_current.c.register_version == 0,
        ~_is_called_off,
    )
    .order_by(therapy_session.c.starts_at, therapy_session.c.id, therapy_session_booking.c.client_id)
)

_is_over = exists().where(
    therapy_session_wait_over.c.session_id == therapy_session_wait.c.session_id,
    therapy_session_wait_over.c.client_id == therapy_session_wait.c.client_id,
)
WAITING: Final = (
    select(therapy_session_wait.c.session_id, therapy_session_wait.c.client_id)
    .where(therapy_session_wait.c.session_id == any_(bindparam("these", type_=ARRAY(Uuid()))), ~_is_over)
    .order_by(therapy_session_wait.c.session_id, therapy_session_wait.c.number)
)
_places = (
    select(func.coalesce(therapy_session.c.capacity, LARGEST_ROSTER))
    .where(therapy_session.c.id == _SESSION)
    .scalar_subquery()
)
_taken_places = (
    select(func.count())
    .select_from(therapy_session_booking)
    .where(therapy_session_booking.c.session_id == _SESSION, ~_is_called_off)
    .scalar_subquery()
    + select(func.count())
    .select_from(session_relative)
    .where(session_relative.c.session_id == _SESSION, STANDS)
    .scalar_subquery()
)
NEXT: Final = (
    select(therapy_session_wait.c.client_id)
    .join(episode, and_(episode.c.client_id == therapy_session_wait.c.client_id, episode.c.period.op("@>")(_NOW)))
    .where(therapy_session_wait.c.session_id == _SESSION, ~_is_over, _taken_places < _places)
    .order_by(therapy_session_wait.c.number)
    .limit(1)
    # Whoever is discharged at this moment does not get the place.
    .with_for_update(read=True, of=episode)
)
_LAST_NUMBER = select(func.coalesce(func.max(therapy_session_wait.c.number), 0)).where(
    therapy_session_wait.c.session_id == _SESSION
)
_WAIT, _WAIT_OVER = insert(therapy_session_wait), insert(therapy_session_wait_over)


class Claims:
    """What sessions have for themselves, and who waits for them."""

    def __init__(self, connection: AsyncConnection, *, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def clashes(self, claims: Sequence[Claim], *, besides: TherapySessionId | None) -> Sequence[Clash]:
        """See `domain.attendance.Sessions.clashes`."""
        given = {
            "keys": [each.key for each in claims],
            "starts": [each.starts_at for each in claims],
            "ends": [each.ends_at for each in claims],
            "besides": besides,
        }
        return [
            Clash(
                on=ClaimOn(row.claim_on),
                session=TherapySessionId(row.session_id),
                starts_at=row.starts_at,
                ends_at=row.ends_at,
            )
            for row in await self._connection.execute(TAKEN, given)
        ]

    async def release(self, session: TherapySessionId) -> None:
        """See `domain.attendance.Sessions.release`."""
        await self._connection.execute(_RELEASE, {"session": session})

    async def elsewhere(self, session: Session) -> Sequence[ClientClash]:
        """Who of those expected is expected at another session at the same time, whose register was not taken."""
        given = {
            "clients": sorted(session.expected),
            "starts": session.wanted.starts_at,
            "ends": session.wanted.ends_at,
            "session": session.id,
        }
        return [
            ClientClash(
                client=ClientId(row.client_id),
                session=TherapySessionId(row.id),
                starts_at=row.starts_at,
                ends_at=row.ends_at,
            )
            for row in await self._connection.execute(ELSEWHERE, given)
        ]

    async def add_waiting(
        self, session: TherapySessionId, clients: Sequence[ClientId], *, by: StaffId, now: datetime
    ) -> None:
        """See `domain.attendance.waiting.Waits.add_waiting`."""
        last = (await self._connection.execute(_LAST_NUMBER, {"session": session})).scalar_one()
        try:
            await self._connection.execute(
                _WAIT,
                [
                    {
                        "session_id": session,
                        "client_id": client,
                        "number": number,
                        "recorded_by": by,
                        "recorded_at": now,
                    }
                    for number, client in enumerate(clients, start=last + 1)
                ],
            )
        except IntegrityError as before:
            raise AlreadyOnRoster(
                "Somebody of these has waited here before: book them when a place comes free."
            ) from before

    async def next_waiting(self, session: TherapySessionId) -> ClientId | None:
        """See `domain.attendance.waiting.Waits.next_waiting`."""
        found = (await self._connection.execute(NEXT, {"session": session, "now": self._now})).scalar()
        return None if found is None else ClientId(found)

    async def end_waiting(
        self, session: TherapySessionId, client: ClientId, *, how: WaitOver, by: StaffId, now: datetime
    ) -> None:
        """See `domain.attendance.waiting.Waits.end_waiting`."""
        try:
            await self._connection.execute(
                _WAIT_OVER,
                {"session_id": session, "client_id": client, "how": how, "recorded_by": by, "recorded_at": now},
            )
        except IntegrityError as raced:
            raise NotOnRoster("Read the waiting list again.") from raced

    async def _claim(self, sessions: Sequence[Session], *, agreed: bool) -> None:
        """Let sessions that are still to be held have their rooms and people."""
        claims = [
            {
                "session_id": session.id,
                "claim_on": each.on,
                "key": each.key,
                "period": Range(each.starts_at, each.ends_at),
                "agreed": agreed,
            }
            for session in sessions
            if session.wanted.ends_at > self._now
            for each in claims_for(session)
        ]
        if not claims:
            return
        try:
            await self._connection.execute(_CLAIM, claims)
        except IntegrityError as raced:
            raise SessionClashes("Somebody planned another one at this moment: look again.") from raced

    async def _waiting_of(self, sessions: Sequence[UUID]) -> Mapping[UUID, Sequence[ClientId]]:
        """Who waits for each of these, in order."""
        found: dict[UUID, list[ClientId]] = defaultdict(list)
        for row in await self._connection.execute(WAITING, {"these": list(sessions)}):
            found[row.session_id].append(ClientId(row.client_id))
        return found
