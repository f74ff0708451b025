"""Calendars that their owners read elsewhere: made, listed and revoked signed in; read by a secret address (RFC 5545)."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.params import FromPath, HeaderParameter

from caseload.api.problems import documented
from caseload.api.route import public, reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.audit.trail import Auth, Op, Purpose
from caseload.db.calendar_feed import Calendars, KeptFeeds
from caseload.db.idempotency import Kept
from caseload.domain.access import Act
from caseload.domain.calendar_feed import CalendarFeed, Entry, make_feed, require_owner, revoke_feed
from caseload.domain.ids import CalendarFeedId, new_id
from caseload.domain.people.sessions import token_digest
from caseload.request.gate import work_of
from caseload.request.idempotency import once

ADDRESS: Final = "/api/v1/calendar/{token}.ics"
REFRESHED_MINUTES: Final = 30
"""After which a reader is to ask again (RFC 7986, section 5.7)."""
_ROUTE: Final = "GET /api/v1/calendar/{token}"


class CalendarFeedOut(Wire, frozen=True, kw_only=True):
    """A calendar of your own that is read elsewhere."""

    id: UUID
    made_at: datetime
    revoked_at: datetime | None
    """From when on its address shows nothing."""

    @classmethod
    def of(cls, feed: CalendarFeed) -> "CalendarFeedOut":
        """From the domain."""
        return cls(id=feed.id, made_at=feed.made_at, revoked_at=feed.revoked_at)


class CalendarFeedMadeOut(Wire, frozen=True, kw_only=True):
    """A calendar that you have just made, with its secret address."""

    feed: CalendarFeedOut
    path: str | None
    """Behind the name of this server; whoever has it reads your calendar. It is shown this once: a retry answers null."""


class CalendarFeedsOut(Wire, frozen=True, kw_only=True):
    """Your calendars, the first one made first."""

    items: list[CalendarFeedOut]


@writing("/calendar-feeds", act=Act.SEE_CHECK_INS, name="make_calendar_feed", problems=())
async def make_calendar_feed(work: TheWork, key: TheKey) -> CalendarFeedMadeOut:
    """Make a calendar of your check-ins and sessions to subscribe to, on your telephone for instance. It names no client."""
    feeds, new = KeptFeeds(work.connection), CalendarFeedId(new_id())

    async def make() -> CalendarFeedMadeOut:
        feed, token = await make_feed(as_id=new, by=work.by, now=work.now, feeds=feeds, journal=work.journal)
        return CalendarFeedMadeOut(feed=CalendarFeedOut.of(feed), path=ADDRESS.format(token=token))

    async def again(kept: Kept) -> CalendarFeedMadeOut:
        [feed] = [each for each in await feeds.of(work.by.id) if each.id == kept.resource]
        return CalendarFeedMadeOut(feed=CalendarFeedOut.of(feed), path=None)

    return await once(work, key, Kept(status=201, resource=new), do=make, again=again)


@reading(
    "/calendar-feeds",
    act=Act.SEE_CHECK_INS,
    name="list_calendar_feeds",
    problems=(),
    unaudited="shows nobody but the one who asks to themselves",
)
async def list_calendar_feeds(work: TheWork) -> CalendarFeedsOut:
    """Your calendars, also those that you have revoked."""
    return CalendarFeedsOut(
        items=[CalendarFeedOut.of(each) for each in await KeptFeeds(work.connection).of(work.by.id)]
    )


@writing("/calendar-feeds/{feed_id:uuid}/revocation", act=Act.SEE_CHECK_INS, name="revoke_calendar_feed")
async def revoke_calendar_feed(feed_id: FromPath[UUID], work: TheWork, key: TheKey) -> CalendarFeedOut:
    """Take the address of one of your calendars back: it shows nothing from now on."""
    feeds = KeptFeeds(work.connection)

    async def revoke() -> CalendarFeedOut:
        feed = await revoke_feed(CalendarFeedId(feed_id), by=work.by, now=work.now, feeds=feeds, journal=work.journal)
        return CalendarFeedOut.of(feed)

    async def again(_: Kept) -> CalendarFeedOut:
        return await revoke()

    return await once(work, key, Kept(status=201, resource=feed_id), do=revoke, again=again)


@public(
    get,
    "/calendar/{token:str}",
    name="read_calendar",
    why="a calendar on a telephone cannot sign in: the address is the secret, and what it shows names nobody",
    media_type="text/calendar",
    responses=documented(400, 404, 422, 503),
)
async def read_calendar(
    request: Request[Any, Any, Any],
    token: FromPath[str],
    if_none_match: Annotated[str | None, HeaderParameter(name="If-None-Match")] = None,
) -> Response[bytes]:
    """A calendar as its address shows it now (RFC 5545): when its owner has check-ins and sessions, and nothing about whom.

    Read on behalf of its owner, and entered in the log as read by them. An address that was revoked, or whose owner has
    left, is as one that never was.
    """
    work = work_of(request.scope)
    said = work.circumstances
    said.route, said.event, said.op = _ROUTE, "calendar.read", Op.READ
    said.act, said.purpose, said.auth = Act.SEE_CHECK_INS, Purpose.TREATMENT, Auth.ADDRESS
    digest = token_digest(token.removesuffix(".ics"))
    connection = await work.open()
    work.staff = require_owner(await KeptFeeds(connection).owner(digest, now=work.now))
    entries = await Calendars(connection, work.journal, now=work.now).entries(work.staff)
    shown = calendar_of(entries)
    tag = f'"{hashlib.sha256(shown).hexdigest()[:32]}"'
    headers = {"etag": tag, "cache-control": "private, no-cache"}
    if if_none_match is not None and tag in [each.strip().removeprefix("W/") for each in if_none_match.split(",")]:
        return Response(b"", status_code=304, headers=headers, media_type="text/calendar")
    return Response(shown, headers=headers, media_type="text/calendar")


def calendar_of(entries: Sequence[Entry]) -> bytes:
    """The calendar as a file: instants in UTC, which every reader shows in its own time; the same for the same entries.

    Written here: no value of it has to be escaped and no line folded, and the library that could do it takes a tenth of a
    second to load. It reads every calendar of the tests.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//caseload//calendar//EN"]
    lines.append(f"REFRESH-INTERVAL;VALUE=DURATION:PT{REFRESHED_MINUTES}M")
    for each in entries:
        lines += ["BEGIN:VEVENT", f"UID:{each.id}", f"DTSTAMP:{_utc(each.said_at)}", f"DTSTART:{_utc(each.starts_at)}"]
        if each.ends_at is not None:
            lines.append(f"DTEND:{_utc(each.ends_at)}")
        lines += [f"SUMMARY:{each.what}", "CLASS:PRIVATE", "END:VEVENT"]
    return "".join(f"{line}\r\n" for line in (*lines, "END:VCALENDAR")).encode()


def _utc(at: datetime) -> str:
    """A DATE-TIME in form 2 (RFC 5545, section 3.3.5)."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


router = Router(
    "/",
    route_handlers=[make_calendar_feed, list_calendar_feeds, revoke_calendar_feed, read_calendar],
    tags=["Caseloads"],
)
