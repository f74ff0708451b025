"""Calendars in PostgreSQL: whose address it is, with the roles in force for them now, and what it shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Uuid, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of
from caseload.db.checkin.overdue import IN_MY_REACH, MINE
from caseload.db.people.sessions import staff_of, who_works_here
from caseload.db.tables.attendance import (
    therapy_session,
    therapy_session_current,
    therapy_session_facilitator,
    therapy_session_moved,
)
from caseload.db.tables.base import INSTANT
from caseload.db.tables.calendar_feed import calendar_feed, calendar_feed_revocation
from caseload.db.tables.caseload import client
from caseload.db.tables.checkin import check_in_waiting
from caseload.domain.access import Act
from caseload.domain.calendar_feed import (
    AHEAD,
    BACK,
    MOST_SHOWN,
    CalendarFeed,
    Engagement,
    Entry,
    FeedRaced,
)
from caseload.domain.ids import CalendarFeedId, ClientId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff

_FROM, _UNTIL = bindparam("shown_from", type_=INSTANT), bindparam("shown_until", type_=INSTANT)
_OF: Final = (
    select(
        calendar_feed.c.id,
        calendar_feed.c.staff_id,
        calendar_feed.c.number,
        calendar_feed.c.made_at,
        calendar_feed_revocation.c.revoked_at,
    )
    .outerjoin(calendar_feed_revocation, calendar_feed_revocation.c.feed_id == calendar_feed.c.id)
    .where(calendar_feed.c.staff_id == bindparam("staff"))
    .order_by(calendar_feed.c.number)
)
OWNER: Final = who_works_here(
    select(calendar_feed.c.staff_id)
    .where(
        calendar_feed.c.token_digest == bindparam("digest"),
        ~exists().where(calendar_feed_revocation.c.feed_id == calendar_feed.c.id),
    )
    .scalar_subquery()
)
CHECK_INS: Final = (
    select(
        check_in_waiting.c.check_in_id,
        check_in_waiting.c.client_id,
        check_in_waiting.c.due_at,
        check_in_waiting.c.last_fact_at,
    )
    .select_from(
        MINE.join(client, client.c.id == MINE.c.client_id).join(
            check_in_waiting, check_in_waiting.c.client_id == client.c.id
        )
    )
    .where(check_in_waiting.c.due_at.between(_FROM, _UNTIL), IN_MY_REACH)
    .order_by(check_in_waiting.c.due_at, check_in_waiting.c.check_in_id)
    .limit(bindparam("limit"))
)
SESSIONS: Final = (
    select(therapy_session.c.id, therapy_session.c.starts_at, therapy_session.c.ends_at, therapy_session.c.planned_at)
    .join(therapy_session_facilitator, therapy_session_facilitator.c.session_id == therapy_session.c.id)
    .join(therapy_session_current, therapy_session_current.c.session_id == therapy_session.c.id)
    .outerjoin(therapy_session_moved, therapy_session_moved.c.session_id == therapy_session.c.id)
    .where(
        therapy_session.c.programme_id == any_(bindparam("programmes", type_=ARRAY(Uuid()))),
        therapy_session.c.starts_at.between(_FROM, _UNTIL),
        therapy_session_facilitator.c.staff_id == bindparam("counsellor"),
        therapy_session_current.c.register_version == 0,
        therapy_session_moved.c.session_id.is_(None),
    )
    .order_by(therapy_session.c.starts_at, therapy_session.c.id)
    .limit(bindparam("limit"))
)


class KeptFeeds:
    """Satisfies `domain.calendar_feed.Feeds`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, staff: StaffId) -> Sequence[CalendarFeed]:
        """See `domain.calendar_feed.Feeds.of`."""
        return [
            CalendarFeed(
                id=CalendarFeedId(row.id),
                staff=StaffId(row.staff_id),
                number=row.number,
                made_at=row.made_at,
                revoked_at=row.revoked_at,
            )
            for row in await self._connection.execute(_OF, {"staff": staff})
        ]

    async def add(self, feed: CalendarFeed, digest: bytes) -> None:
        """See `domain.calendar_feed.Feeds.add`."""
        try:
            await self._connection.execute(
                insert(calendar_feed).values(
                    id=feed.id,
                    staff_id=feed.staff,
                    number=feed.number,
                    token_digest=digest,
                    made_at=feed.made_at,
                )
            )
        except IntegrityError as raced:
            raise FeedRaced("Look at the list of your calendars, and make another if you still need one.") from raced

    async def revoke(self, feed: CalendarFeed, at: datetime) -> None:
        """See `domain.calendar_feed.Feeds.revoke`."""
        await self._connection.execute(
            insert_or(calendar_feed_revocation).on_conflict_do_nothing(), {"feed_id": feed.id, "revoked_at": at}
        )

    async def owner(self, digest: bytes, *, now: datetime) -> Staff | None:
        """Whoever has the calendar of this address, with their roles of now; None where it was revoked, or they have left."""
        row = (await self._connection.execute(OWNER, {"digest": digest, "now": now})).mappings().first()
        return None if row is None else staff_of(row, session=None)


class Calendars:
    """What calendars show."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def entries(self, of: Staff) -> Sequence[Entry]:
        """The check-ins that wait of whom they answer for or stand in for, and the sessions that they lead."""
        window = {
            "shown_from": self._now - BACK,
            "shown_until": self._now + AHEAD,
            "limit": MOST_SHOWN,
            "counsellor": of.id,
        }
        given = {**window, **reach_of(of.reach(Act.SEE_CHECK_INS), at=self._now)}
        found: list[Entry] = []
        for row in await self._connection.execute(CHECK_INS, given):
            self._journal.saw(ClientId(row.client_id), "calendar")
            found.append(
                Entry(
                    id=row.check_in_id,
                    what=Engagement.CHECK_IN,
                    starts_at=row.due_at,
                    ends_at=None,
                    said_at=row.last_fact_at,
                )
            )
        places = sorted({held.programme for held in of.holdings if held.programme is not None})
        led = [place for place in places if of.may_in(Act.SEE_SESSIONS, place)]
        sessions = await self._connection.execute(SESSIONS, {**window, "programmes": led})
        found += [
            Entry(
                id=row.id, what=Engagement.SESSION, starts_at=row.starts_at, ends_at=row.ends_at, said_at=row.planned_at
            )
            for row in sessions
        ]
        return found
