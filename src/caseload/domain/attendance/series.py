"""A series of sessions: a wall-clock rule in the programme's zone that ends, and every occurrence a session of its own.

All are planned together in one transaction, so half a series never stands anywhere. Afterwards each lives for itself:
one is moved or called off without touching the others (RFC 5545, EXDATE and RECURRENCE-ID, as rows of their own).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.attendance.planning import (
    FURTHEST,
    PlaceBooked,
    SessionFull,
    check_wanted,
    claim,
    require_open,
    within_rules,
)
from caseload.domain.attendance.register import CancelledBy
from caseload.domain.attendance.relative import RelativeCancellation, RelativePlace
from caseload.domain.attendance.rules import SessionRules
from caseload.domain.attendance.session import (
    LONGEST_NOTE,
    Booking,
    Cancellation,
    Session,
    Wanted,
    check_clients,
)
from caseload.domain.attendance.waiting import Waits
from caseload.domain.errors import Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, ProgrammeId, RelativePlaceId, SeriesId, StaffId, TherapySessionId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.schedule import Occurrence, Recurrence, occurrences

MOST_OCCURRENCES: Final = 400
"""A daily group for a year, and some."""


class SeriesUnknown(NotFound):
    """No such series within your reach."""

    def __init__(self) -> None:
        super().__init__("Look at a session of it: it names its series.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesPlanned(Event):
    """A series of sessions was planned."""

    name: ClassVar[str] = "series.planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWasMoved(Event):
    """A session was moved: another takes place instead of it."""

    name: ClassVar[str] = "session.moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series, as it was planned."""

    id: SeriesId
    programme: ProgrammeId
    rule: Recurrence
    minutes: int
    planned_by: StaffId
    planned_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesWanted:
    """A series as it is asked for."""

    each: Wanted
    """A session of it; its times say how long each is, the rule says when."""
    rule: Recurrence
    clients: tuple[ClientId, ...] = ()
    """Who is expected at every one."""
    clashes_agreed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One session takes place instead of another."""

    session: TherapySessionId
    to: TherapySessionId
    reason: str
    by: StaffId
    at: datetime


class SeriesOfSessions(Waits, Protocol):
    """The sessions with their series."""

    async def add_series(self, series: Series) -> None:
        """Keep a new series, without its sessions."""
        ...

    async def add_moved(self, moved: Moved) -> None:
        """Keep that a session was moved; `SessionMoved` when it was before."""
        ...


async def plan_series(
    wanted: SeriesWanted,
    *,
    as_id: SeriesId,
    programme: Programme,
    rules: SessionRules,
    by: Staff,
    now: datetime,
    sessions: SeriesOfSessions,
    journal: Journal,
) -> Sequence[Session]:
    """Plan every occurrence of a rule, alike but for the day, with the same clients expected at each.

    A local time that does not exist is read with the offset from before the change. Raises `NotPermitted`, `Invalid`,
    `SessionFull` or `SessionClashes`; then nothing of it is planned.
    """
    by.require(Act.PLAN_SESSION, programme.id)
    rule, clients = wanted.rule, wanted.clients
    length = wanted.each.ends_at - wanted.each.starts_at
    each = within_rules(wanted.each, rules)
    series = Series(
        id=as_id,
        programme=programme.id,
        rule=rule,
        minutes=length // timedelta(minutes=1),
        planned_by=by.id,
        planned_at=now,
    )
    planned = [
        Session(
            id=TherapySessionId(new_id()),
            programme=programme.id,
            wanted=replace(each, starts_at=due.due_at, ends_at=due.due_at + length),
            planned_by=by.id,
            planned_at=now,
            series=as_id,
            series_on=due.on,
        )
        for due in _occurrences(rule, programme)
    ]
    await check_wanted(
        [session.wanted for session in planned], programme=programme.id, rules=rules, now=now, sessions=sessions
    )
    await _check_clients(clients, each, by=by, sessions=sessions)
    await sessions.add_series(series)
    await claim(planned, agreed=wanted.clashes_agreed, besides=None, now=now, sessions=sessions)
    bookings = [Booking(client=client, booked_by=by.id, booked_at=now) for client in clients]
    if bookings:
        await sessions.add_bookings([(session.id, booking) for session in planned for booking in bookings])
    facts: dict[str, str | int] = {"programme": str(programme.id), "sessions": len(planned)}
    journal.tell(SeriesPlanned(records=(as_id,), facts=facts))
    for client in clients:
        journal.tell(PlaceBooked(client=client, records=(as_id,)))
    return [replace(session, roster=tuple(bookings)) for session in planned]


async def move_session(
    session: Session,
    wanted: Wanted,
    reason: str,
    *,
    as_id: TherapySessionId,
    rules: SessionRules,
    clashes_agreed: bool,
    by: Staff,
    now: datetime,
    sessions: SeriesOfSessions,
    journal: Journal,
) -> Session:
    """Let another session take place instead of one that is held, with everybody who is expected or waits.

    The one that is moved stays readable, and nobody is expected at it any more; that never counts against a client. Raises
    `NotPermitted`, `Invalid`, `RosterClosed`, `SessionMoved` or `SessionClashes`.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    require_open(session)
    faults = Faults()
    faults.check(
        when=not 0 < len(reason.strip()) <= len(reason) <= LONGEST_NOTE,
        where="reason",
        problem=f"say why, in at most {LONGEST_NOTE} characters",
    )
    faults.raise_if_any()
    # What it had places for it keeps, also where the programme's groups have become smaller since.
    kept = replace(rules, group_places=max(rules.group_places, session.wanted.places))
    await check_wanted([wanted], programme=session.programme, rules=kept, now=now, sessions=sessions)
    return await take_its_place(
        session,
        wanted,
        reason,
        as_id=as_id,
        clashes_agreed=clashes_agreed,
        by=by,
        now=now,
        sessions=sessions,
        journal=journal,
    )


async def take_its_place(
    session: Session,
    wanted: Wanted,
    reason: str,
    *,
    as_id: TherapySessionId,
    clashes_agreed: bool,
    by: Staff,
    now: datetime,
    sessions: SeriesOfSessions,
    journal: Journal,
) -> Session:
    """Keep another session instead of one that is held, with everybody of it. Raises `SessionMoved` or `SessionClashes`."""
    instead = replace(
        session, id=as_id, wanted=wanted, planned_by=by.id, planned_at=now, roster=(), waiting=(), relatives=()
    )
    await sessions.release(session.id)
    await claim([instead], agreed=clashes_agreed, besides=session.id, now=now, sessions=sessions)
    await sessions.add_moved(Moved(session=session.id, to=as_id, reason=reason, by=by.id, at=now))
    expected = [booking for booking in session.roster if booking.cancellation is None]
    for booking in expected:
        called_off = Cancellation(
            client=booking.client, by=CancelledBy.PROVIDER, reason=reason, recorded_by=by.id, recorded_at=now
        )
        await sessions.add_cancellation(session.id, called_off)
    bookings = [Booking(client=each.client, booked_by=by.id, booked_at=now) for each in expected]
    if bookings:
        await sessions.add_bookings([(as_id, booking) for booking in bookings])
    relatives = await _seat_again(session, as_id, reason, by=by, now=now, sessions=sessions)
    if session.waiting:
        await sessions.add_waiting(as_id, session.waiting, by=by.id, now=now)
    journal.tell(SessionWasMoved(records=(session.id, as_id)))
    for client in (*(booking.client for booking in bookings), *session.waiting):
        journal.tell(SessionWasMoved(client=client, records=(session.id, as_id)))
    return replace(instead, roster=tuple(bookings), waiting=session.waiting, relatives=relatives)


async def _seat_again(
    session: Session, to: TherapySessionId, reason: str, *, by: Staff, now: datetime, sessions: SeriesOfSessions
) -> tuple[RelativePlace, ...]:
    """Let the relatives who are expected come to the other session instead; the door asks again."""
    expected = session.relatives_expected
    called_off = RelativeCancellation(by=CancelledBy.PROVIDER, reason=reason, recorded_by=by.id, recorded_at=now)
    for place in expected:
        await sessions.add_relative_cancellation(place.id, called_off)
    again = tuple(replace(place, id=RelativePlaceId(new_id()), booked_by=by.id, booked_at=now) for place in expected)
    if again:
        await sessions.add_relatives(to, again)
    return again


def _occurrences(rule: Recurrence, programme: Programme) -> Sequence[Occurrence]:
    """What the rule names, which must end: raises `Invalid`."""
    if rule.ends_on is None or rule.ends_on - rule.starts_on > FURTHEST:
        raise Invalid(Fault("ends_on", "must be given, two years after the start at most"))
    found = list(
        islice(occurrences(rule, programme.zone, first=rule.starts_on, last=rule.ends_on), MOST_OCCURRENCES + 1)
    )
    if not 1 <= len(found) <= MOST_OCCURRENCES:
        raise Invalid(Fault("ends_on", f"must leave 1 to {MOST_OCCURRENCES} sessions"))
    return found


async def _check_clients(clients: Sequence[ClientId], each: Wanted, *, by: Staff, sessions: SeriesOfSessions) -> None:
    """Whether these can be expected at each session. Raises `Invalid` or `SessionFull`."""
    faults = Faults()
    await check_clients(faults, clients, by=by, sessions=sessions)
    faults.raise_if_any()
    if len(clients) > each.places:
        raise SessionFull("Plan a second series, or expect fewer.")
