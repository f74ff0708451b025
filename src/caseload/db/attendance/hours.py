"""What hours, rates and retention are counted from, in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Date, Uuid, bindparam, case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.attendance.clients import LINES_THAT_COUNT
from caseload.db.tables.attendance import therapy_session, therapy_session_line, therapy_session_register
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import discharge, episode, level_of_care
from caseload.domain.attendance import SessionKind, Status, Totals
from caseload.domain.attendance.hours import A_DAY, Place, Stretch
from caseload.domain.attendance.register import WAS_THERE
from caseload.domain.attendance.retention import Stay
from caseload.domain.caseload import DischargeReason, Edition, LevelOfCare
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.schedule import local_day

_FIRST, _LAST = bindparam("first", type_=INSTANT), bindparam("last", type_=INSTANT)
_CLIENT, _PROGRAMME = bindparam("client", type_=Uuid()), bindparam("programme", type_=Uuid())

_PLACES = (
    select(
        therapy_session.c.kind,
        therapy_session_line.c.status,
        therapy_session_register.c.started_at,
        therapy_session_line.c.minutes,
    )
    .select_from(LINES_THAT_COUNT)
    .where(
        therapy_session_line.c.client_id == _CLIENT,
        therapy_session_register.c.started_at >= _FIRST,
        therapy_session_register.c.started_at < _LAST,
    )
)
_ends_at = func.upper(episode.c.period)
_next_on: Final = func.lead(level_of_care.c.from_on).over(
    partition_by=level_of_care.c.episode_id, order_by=level_of_care.c.from_on
)
_STRETCHES = (
    select(
        level_of_care.c.edition,
        level_of_care.c.level,
        level_of_care.c.from_on,
        _next_on.label("next_on"),
        _ends_at.label("ends_at"),
    )
    .join(episode, episode.c.id == level_of_care.c.episode_id)
    .where(episode.c.client_id == _CLIENT)
    .order_by(level_of_care.c.from_on)
)
_was_there = therapy_session_line.c.status.in_(sorted(WAS_THERE))
_long_enough = therapy_session_line.c.minutes >= bindparam("minimum")
_what = case(
    (_was_there & _long_enough, "attended"), (_was_there, "too_short"), else_=therapy_session_line.c.status
).label("what")
_TOTALS = (
    select(_what, func.count().label("places"), func.sum(therapy_session_line.c.minutes).label("minutes"))
    .select_from(LINES_THAT_COUNT)
    .where(
        therapy_session.c.programme_id == _PROGRAMME,
        therapy_session_register.c.started_at >= _FIRST,
        therapy_session_register.c.started_at < _LAST,
    )
    .group_by(_what)
)
_STAYS = (
    select(episode.c.admitted_on, _ends_at.label("left_at"), discharge.c.reason)
    .outerjoin(discharge, discharge.c.episode_id == episode.c.id)
    .where(
        episode.c.programme_id == _PROGRAMME,
        episode.c.admitted_on.between(bindparam("first", type_=Date()), bindparam("last", type_=Date())),
    )
)


class Hours:
    """Reads what hours, rates and retention are counted from. Whoever asks has been let through to it."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def places(self, of: ClientId, *, first: datetime, last: datetime) -> Sequence[Place]:
        """A client's lines of the registers that count, of sessions that really began from `first` to before `last`."""
        self._journal.saw(of, "session")
        given = {"client": of, "first": first, "last": last}
        return [
            Place(kind=SessionKind(kind), status=Status(status), started_at=started_at, minutes=minutes)
            for kind, status, started_at, minutes in await self._connection.execute(_PLACES, given)
        ]

    async def stretches(self, of: ClientId, *, zone: ZoneInfo) -> Sequence[Stretch]:
        """At which levels of care a client was from when to when, oldest first."""
        rows = await self._connection.execute(_STRETCHES, {"client": of})
        found = [
            Stretch(
                level=LevelOfCare(edition=Edition(row.edition), level=row.level),
                first=row.from_on,
                last=_last_day(row.next_on, _day(row.ends_at, zone)),
            )
            for row in rows
        ]
        # A move that was to begin after the discharge never began.
        return [each for each in found if each.last is None or each.first <= each.last]

    async def totals(self, programme: ProgrammeId, *, first: datetime, last: datetime, minimum_minutes: int) -> Totals:
        """What the registers of a programme's sessions add up to: `domain.attendance.totals`, counted where they are kept."""
        given: dict[str, Any] = {"programme": programme, "first": first, "last": last, "minimum": minimum_minutes}
        rows = (await self._connection.execute(_TOTALS, given)).all()
        places = {row.what: row.places for row in rows}
        return Totals(
            attended=places.get("attended", 0),
            too_short=places.get("too_short", 0),
            did_not_attend=places.get(Status.DID_NOT_ATTEND, 0),
            cancelled_by_client=places.get(Status.CANCELLED_BY_CLIENT, 0),
            cancelled_by_provider=places.get(Status.CANCELLED_BY_PROVIDER, 0),
            recorded_in_error=places.get(Status.RECORDED_IN_ERROR, 0),
            not_known=0,
            minutes=sum(row.minutes for row in rows),
        )

    async def stays(self, programme: ProgrammeId, *, first: date, last: date, zone: ZoneInfo) -> Sequence[Stay]:
        """The episodes of a programme that began on these days, without saying whose they are."""
        given = {"programme": programme, "first": first, "last": last}
        return [
            Stay(
                admitted_on=row.admitted_on,
                left_on=_day(row.left_at, zone),
                reason=None if row.reason is None else DischargeReason(row.reason),
            )
            for row in await self._connection.execute(_STAYS, given)
        ]


def _day(moment: datetime | None, zone: ZoneInfo) -> date | None:
    return None if moment is None else local_day(moment, zone)


def _last_day(next_on: date | None, ends_on: date | None) -> date | None:
    """The last day of a stretch: before the next one begins, and not after the day of the discharge."""
    days = [*([next_on - A_DAY] if next_on else []), *([ends_on] if ends_on else [])]
    return min(days, default=None)
