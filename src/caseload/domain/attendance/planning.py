"""Planning a session, and who is expected at it: places are booked and called off until the register is taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.attendance.clash import Claim, claims_of, require_free
from caseload.domain.attendance.register import CancelledBy
from caseload.domain.attendance.rules import SessionRules
from caseload.domain.attendance.session import (
    FOR_ONE,
    LONGEST_NOTE,
    AlreadyOnRoster,
    Booking,
    Cancellation,
    NotOnRoster,
    Session,
    SessionMoved,
    Sessions,
    Wanted,
    check_clients,
    require_agreed,
    require_may_meet,
)
from caseload.domain.attendance.waiting import Waits, move_up
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, ProgrammeId, TherapySessionId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

FURTHEST = timedelta(days=731)


class SessionFull(Conflict):
    """The session has no place left."""


class RosterClosed(Conflict):
    """The register of this session has been taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPlanned(Event):
    """A session was planned."""

    name: ClassVar[str] = "session.planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceBooked(Event):
    """A client was put on the roster of a session."""

    name: ClassVar[str] = "session.booked"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceCancelled(Event):
    """A client's place in a session was called off."""

    name: ClassVar[str] = "session.cancelled"


async def plan_session(
    wanted: Wanted,
    clients: Sequence[ClientId],
    *,
    as_id: TherapySessionId,
    programme: ProgrammeId,
    rules: SessionRules,
    by: Staff,
    now: datetime,
    sessions: Sessions,
    journal: Journal,
    clashes_agreed: bool = False,
) -> Session:
    """Plan a session, with those who are expected at it as far as they are known.

    It may lie in the past, for one that took place unplanned. A group has no more places than the programme's groups
    have. Raises `NotPermitted`, `Invalid` or `SessionClashes`.
    """
    by.require(Act.PLAN_SESSION, programme)
    await check_wanted([wanted], programme=programme, rules=rules, now=now, sessions=sessions)
    session = Session(
        id=as_id, programme=programme, wanted=within_rules(wanted, rules), planned_by=by.id, planned_at=now
    )
    await claim([session], agreed=clashes_agreed, besides=None, now=now, sessions=sessions)
    journal.tell(SessionPlanned(records=(session.id,), facts={"programme": str(programme), "kind": wanted.kind.value}))
    if not clients:
        return session
    return await book(session, clients, by=by, now=now, sessions=sessions, journal=journal)


async def check_wanted(
    wanted: Sequence[Wanted], *, programme: ProgrammeId, rules: SessionRules, now: datetime, sessions: Sessions
) -> None:
    """Whether sessions, alike but for their times, can be held as they are wanted. Raises `Invalid`."""
    first = wanted[0]
    faults = Faults()
    faults.check(
        when=not all(now - FURTHEST <= each.starts_at <= now + FURTHEST for each in wanted),
        where="starts_at",
        problem="must lie within two years",
    )
    faults.check(
        when=first.kind not in FOR_ONE and (first.capacity or 0) > rules.group_places,
        where="capacity",
        problem=f"is more than this programme's groups have ({rules.group_places}); its session rules say how many",
    )
    able = await sessions.may_lead(first.facilitators, programme=programme, at=first.starts_at)
    for number, facilitator in enumerate(first.facilitators):
        faults.check(
            when=facilitator not in able,
            where=f"facilitators.{number}",
            problem="must be somebody who may lead sessions in this programme then",
        )
    faults.raise_if_any()


def within_rules(wanted: Wanted, rules: SessionRules) -> Wanted:
    """The session with the places that it has in this programme, where nobody said how many."""
    return wanted if wanted.kind in FOR_ONE else replace(wanted, capacity=wanted.capacity or rules.group_places)


async def claim(
    planned: Sequence[Session], *, agreed: bool, besides: TherapySessionId | None, now: datetime, sessions: Sessions
) -> None:
    """Keep sessions with their room and their people, unless something of it is taken and nobody said that it may be.

    What is over is kept whatever it clashes with. Raises `SessionClashes`.
    """
    claims = [each for session in planned if session.wanted.ends_at > now for each in claims_for(session)]
    if claims and not agreed:
        require_free(await sessions.clashes(claims, besides=besides))
    await sessions.add(planned, clashes_agreed=agreed or not claims)


def claims_for(session: Session) -> Sequence[Claim]:
    """What a session claims while it lasts."""
    wanted = session.wanted
    return claims_of(
        session.programme,
        place=wanted.place,
        facilitators=wanted.facilitators,
        starts_at=wanted.starts_at,
        ends_at=wanted.ends_at,
    )


async def book(
    session: Session,
    clients: Sequence[ClientId],
    *,
    by: Staff,
    now: datetime,
    sessions: Sessions,
    journal: Journal,
    others_agreed: bool = False,
) -> Session:
    """Put clients on the roster of a session that is held; beside relatives of others only when they agreed to be met.

    Raises `NotPermitted`, `Invalid`, `RosterClosed`, `SessionMoved`, `AlreadyOnRoster`, `RelativeComesAlone`, `SessionFull` or
    `OthersNotAsked`.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    require_open(session)
    faults = Faults()
    await check_clients(faults, clients, by=by, sessions=sessions)
    faults.raise_if_any()
    taken = {booking.client for booking in session.roster}
    if taken & set(clients):
        raise AlreadyOnRoster("Leave out who is on the roster already; a place that was called off stays so.")
    require_may_meet(session, clients)
    if session.heads + len(clients) > session.wanted.places:
        raise SessionFull("Put them on its waiting list, plan another, or ask who can come elsewhere.")
    require_agreed(session, clients, agreed=others_agreed)
    bookings = [Booking(client=client, booked_by=by.id, booked_at=now) for client in clients]
    await sessions.add_bookings([(session.id, each) for each in bookings])
    for client in clients:
        journal.tell(PlaceBooked(client=client, records=(session.id,), facts={"others_agreed": int(others_agreed)}))
    return replace(session, roster=(*session.roster, *bookings))


def require_open(session: Session) -> None:
    """Raise `RosterClosed` or `SessionMoved` unless places can still be booked and called off."""
    if session.register is not None:
        raise RosterClosed("Correct the register instead: whoever came unexpected is a walk-in.")
    if session.moved_to is not None:
        raise SessionMoved("Use the session that takes place instead.", session_id=str(session.moved_to))


async def cancel(
    session: Session,
    client: ClientId,
    *,
    cancelled_by: CancelledBy,
    reason: str,
    by: Staff,
    now: datetime,
    sessions: Waits,
    journal: Journal,
) -> Session:
    """Call off one client's place before the register is taken, with who did and why. Whoever waits longest moves up.

    Raises `NotPermitted`, `Invalid`, `RosterClosed`, `SessionMoved` or `NotOnRoster`.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    faults = Faults()
    faults.check(when=not reason.strip(), where="reason", problem="say why it was called off")
    faults.check(
        when=len(reason) > LONGEST_NOTE, where="reason", problem=f"must have at most {LONGEST_NOTE} characters"
    )
    faults.raise_if_any()
    require_open(session)
    if client not in session.expected:
        raise NotOnRoster("Read the roster again.")
    cancellation = Cancellation(client=client, by=cancelled_by, reason=reason, recorded_by=by.id, recorded_at=now)
    await sessions.add_cancellation(session.id, cancellation)
    journal.tell(PlaceCancelled(client=client, records=(session.id,), facts={"by": cancelled_by.value}))
    roster = tuple(
        replace(each, cancellation=cancellation) if each.client == client else each for each in session.roster
    )
    await move_up(session.id, by=by, now=now, sessions=sessions, journal=journal)
    return replace(session, roster=roster)


async def cancel_all(
    client: ClientId, *, since: datetime, reason: str, by: Staff, now: datetime, sessions: Waits, journal: Journal
) -> None:
    """Call off every place of a client who has been discharged: nobody expects them any more, and others move up.

    It follows from the discharge, so whoever may discharge may do it, and it never counts against the client. Whoever
    comes to one of them all the same gets a line in its register.
    """
    for session in await sessions.cancel_from(since, client=client, reason=reason, by=by.id, now=now):
        journal.tell(PlaceCancelled(client=client, records=(session,), facts={"by": CancelledBy.PROVIDER.value}))
        await move_up(session, by=by, now=now, sessions=sessions, journal=journal)
