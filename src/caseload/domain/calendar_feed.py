"""A calendar to which a counsellor subscribes elsewhere: when something is to be done, and nothing about whom.

Its address is a secret, because a calendar on a telephone cannot sign in: 256 random bits, of which the digest alone is kept.
Whoever has it sees times, identifiers and the words "Check-in" and "Session". It shows what its owner may see at that moment, and
nothing any more once it is revoked, or its owner has left or holds no role that counsels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import CalendarFeedId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.people.sessions import new_token, token_digest

MOST_FEEDS: Final = 5
"""That one person may have at once: a telephone, a desk and some to spare."""
BACK: Final = timedelta(days=7)
AHEAD: Final = timedelta(days=60)
"""What lies further off is not shown. Check-ins are made for so many days ahead."""
MOST_SHOWN: Final = 2000


class TooManyFeeds(Conflict):
    """You have as many calendars as one person may have."""


class FeedRaced(Conflict):
    """You have made another calendar at the same moment."""


class FeedUnknown(NotFound):
    """There is no such calendar."""


class Engagement(StrEnum):
    """What is to be done."""

    CHECK_IN = "Check-in"
    SESSION = "Session"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that is to be done. It names nobody."""

    id: UUID
    what: Engagement
    starts_at: datetime
    ends_at: datetime | None
    """None where nobody said how long it takes."""
    said_at: datetime
    """When we were last told of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFeed:
    """One calendar of one person."""

    id: CalendarFeedId
    staff: StaffId
    number: int
    """Counts this person's calendars from 1."""
    made_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFeedMade(Event):
    """Somebody made an address under which their calendar is read elsewhere."""

    name: ClassVar[str] = "calendar_feed.made"


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarFeedRevoked(Event):
    """Somebody took such an address back."""

    name: ClassVar[str] = "calendar_feed.revoked"


class Feeds(Protocol):
    """The calendars that are kept."""

    async def of(self, staff: StaffId, /) -> Sequence[CalendarFeed]:
        """Every calendar of somebody, the first one made first."""
        ...

    async def add(self, feed: CalendarFeed, digest: bytes, /) -> None:
        """Keep a new one; `FeedRaced` when there is one of its number."""
        ...

    async def revoke(self, feed: CalendarFeed, at: datetime, /) -> None:
        """Keep that it shows nothing any more; once, whoever asks how often."""
        ...


async def make_feed(
    *, as_id: CalendarFeedId, by: Staff, now: datetime, feeds: Feeds, journal: Journal
) -> tuple[CalendarFeed, str]:
    """Make a calendar of one's own; return it with the secret of its address, which nobody can find again.

    Raises `TooManyFeeds` or `FeedRaced`. Whoever may not see check-ins does not come so far.
    """
    before = await feeds.of(by.id)
    if sum(each.revoked_at is None for each in before) >= MOST_FEEDS:
        raise TooManyFeeds(f"Revoke one of your {MOST_FEEDS} first.")
    feed, token = CalendarFeed(id=as_id, staff=by.id, number=len(before) + 1, made_at=now), new_token()
    await feeds.add(feed, token_digest(token))
    journal.tell(CalendarFeedMade(records=(feed.id,)))
    return feed, token


async def revoke_feed(
    wanted: CalendarFeedId, *, by: Staff, now: datetime, feeds: Feeds, journal: Journal
) -> CalendarFeed:
    """Take the address of one of one's own calendars back; one that was revoked stays so. Raises `FeedUnknown`."""
    feed = next((each for each in await feeds.of(by.id) if each.id == wanted), None)
    if feed is None:
        raise FeedUnknown("Read the list of your calendars for those there are.")
    if feed.revoked_at is None:
        feed = replace(feed, revoked_at=now)
        await feeds.revoke(feed, now)
        journal.tell(CalendarFeedRevoked(records=(feed.id,)))
    return feed


def require_owner(owner: Staff | None) -> Staff:
    """Whoever a calendar shows; raise `FeedUnknown` where it shows nobody's any more, without saying why."""
    if owner is None or not owner.may(Act.SEE_CHECK_INS):
        raise FeedUnknown("Make another one at POST /api/v1/calendar-feeds.")
    return owner
