"""Planning a session, and who is expected at it: places are booked and called off until the register is taken."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.attendance.session import (
    LONGEST_NOTE,
    AlreadyOnRoster,
    Booking,
    Cancellation,
    CancelledBy,
    NotOnRoster,
    Session,
    Sessions,
    Wanted,
)
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
    by: Staff,
    now: datetime,
    sessions: Sessions,
    journal: Journal,
) -> Session:
    """Plan a session, with those who are expected at it as far as they are known.

    It may lie in the past, for one that took place unplanned. Raises `NotPermitted` or `Invalid`.
    """
    by.require(Act.PLAN_SESSION, programme)
    faults = Faults()
    faults.check(
        when=not now - FURTHEST <= wanted.starts_at <= now + FURTHEST,
        where="starts_at",
        problem="must lie within two years",
    )
    able = await sessions.may_lead(wanted.facilitators, programme=programme, at=wanted.starts_at)
    for number, facilitator in enumerate(wanted.facilitators):
        faults.check(
            when=facilitator not in able,
            where=f"facilitators.{number}",
            problem="must be somebody who may lead sessions in this programme then",
        )
    faults.raise_if_any()
    session = Session(id=as_id, programme=programme, wanted=wanted, planned_by=by.id, planned_at=now)
    await sessions.add(session)
    journal.tell(SessionPlanned(records=(session.id,), facts={"programme": str(programme), "kind": wanted.kind.value}))
    if not clients:
        return session
    return await book(session, clients, by=by, now=now, sessions=sessions, journal=journal)


async def book(
    session: Session, clients: Sequence[ClientId], *, by: Staff, now: datetime, sessions: Sessions, journal: Journal
) -> Session:
    """Put clients on the roster of a session that is held.

    Raises `NotPermitted`, `Invalid`, `RosterClosed`, `AlreadyOnRoster` or `SessionFull`.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    if session.register is not None:
        raise RosterClosed("Correct the register instead: whoever came unexpected is a walk-in.")
    known = await sessions.in_care(clients, reach=by.reach(Act.PLAN_SESSION))
    faults = Faults()
    for number, client in enumerate(clients):
        faults.check(when=client in clients[:number], where=f"clients.{number}", problem="is named twice")
        faults.check(when=client not in known, where=f"clients.{number}", problem="is nobody in care within your reach")
    faults.raise_if_any()
    taken = {booking.client for booking in session.roster}
    if taken & set(clients):
        raise AlreadyOnRoster("Leave out who is on the roster already; a place that was called off stays so.")
    if len(session.expected) + len(clients) > session.wanted.places:
        raise SessionFull("Make the session larger by planning another, or ask who can come elsewhere.")
    bookings = [Booking(client=client, booked_by=by.id, booked_at=now) for client in clients]
    await sessions.add_bookings(session, bookings)
    for client in clients:
        journal.tell(PlaceBooked(client=client, records=(session.id,)))
    return replace(session, roster=(*session.roster, *bookings))


async def cancel(
    session: Session,
    client: ClientId,
    *,
    cancelled_by: CancelledBy,
    reason: str,
    by: Staff,
    now: datetime,
    sessions: Sessions,
    journal: Journal,
) -> Session:
    """Call off one client's place before the register is taken, with who did and why.

    Raises `NotPermitted`, `Invalid`, `RosterClosed` or `NotOnRoster`.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    faults = Faults()
    faults.check(when=not reason.strip(), where="reason", problem="say why it was called off")
    faults.check(
        when=len(reason) > LONGEST_NOTE, where="reason", problem=f"must have at most {LONGEST_NOTE} characters"
    )
    faults.raise_if_any()
    if session.register is not None:
        raise RosterClosed("Correct the register instead.")
    if client not in session.expected:
        raise NotOnRoster("Read the roster again.")
    cancellation = Cancellation(client=client, by=cancelled_by, reason=reason, recorded_by=by.id, recorded_at=now)
    await sessions.add_cancellation(session.id, cancellation)
    journal.tell(PlaceCancelled(client=client, records=(session.id,), facts={"by": cancelled_by.value}))
    roster = tuple(
        replace(each, cancellation=cancellation) if each.client == client else each for each in session.roster
    )
    return replace(session, roster=roster)


async def cancel_all(
    client: ClientId, *, since: datetime, reason: str, by: Staff, now: datetime, sessions: Sessions, journal: Journal
) -> None:
    """Call off every place of a client who has been discharged: nobody expects them any more.

    It follows from the discharge, so whoever may discharge may do it, and it never counts against the client. Whoever
    comes to one of them all the same gets a line in its register.
    """
    for session in await sessions.cancel_from(since, client=client, reason=reason, by=by.id, now=now):
        journal.tell(PlaceCancelled(client=client, records=(session,), facts={"by": CancelledBy.PROVIDER.value}))
