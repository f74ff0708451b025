"""The waiting list of a session that is full: whoever has waited longest gets the next place that comes free."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.attendance.session import (
    FOR_ONE,
    LARGEST_ROSTER,
    AlreadyOnRoster,
    Booking,
    NotOnRoster,
    Session,
    SessionMoved,
    Sessions,
    check_clients,
    require_agreed,
    require_may_meet,
)
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, StaffId, TherapySessionId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff


class WaitOver(StrEnum):
    """How somebody's wait for a place ended."""

    MOVED_UP = "moved_up"
    WITHDRAWN = "withdrawn"


class PlacesLeft(Conflict):
    """There is a place left in this session."""


class NobodyWaitsAnyMore(Conflict):
    """The register of this session has been taken: there is nothing to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PutOnWaitingList(Event):
    """A client waits for a place in a session."""

    name: ClassVar[str] = "session.waiting_list_joined"


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOffWaitingList(Event):
    """A client waits for a place in a session no more."""

    name: ClassVar[str] = "session.waiting_list_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedUp(Event):
    """A client got the place for which they waited."""

    name: ClassVar[str] = "session.moved_up"


class Waits(Sessions, Protocol):
    """The sessions with their waiting lists."""

    async def add_waiting(
        self, session: TherapySessionId, clients: Sequence[ClientId], *, by: StaffId, now: datetime
    ) -> None:
        """Keep that these wait, in this order; `AlreadyOnRoster` when one of them waited there before."""
        ...

    async def next_waiting(self, session: TherapySessionId) -> ClientId | None:
        """Who is in care, has waited longest and may have a place now; None where no place is free."""
        ...

    async def end_waiting(
        self, session: TherapySessionId, client: ClientId, *, how: WaitOver, by: StaffId, now: datetime
    ) -> None:
        """Keep that a wait is over; `NotOnRoster` when it was over before."""
        ...


async def wait(
    session: Session,
    clients: Sequence[ClientId],
    *,
    by: Staff,
    now: datetime,
    sessions: Waits,
    journal: Journal,
    others_agreed: bool = False,
) -> Session:
    """Put clients on the waiting list of a full session that is held.

    Raises `NotPermitted`, `Invalid`, `NobodyWaitsAnyMore`, `SessionMoved`, `AlreadyOnRoster`,
    `RelativeComesAlone`, `PlacesLeft` or `OthersNotAsked`.
    """
    by.require(Act.PLAN_SESSION, session.programme)
    if session.register is not None:
        raise NobodyWaitsAnyMore("Book the next one.")
    if session.moved_to is not None:
        raise SessionMoved("Use the session that takes place instead.", session_id=str(session.moved_to))
    faults = Faults()
    faults.check(when=session.wanted.kind in FOR_ONE, where="session_id", problem="this session is about one client")
    await check_clients(faults, clients, by=by, sessions=sessions)
    faults.check(
        when=len(session.waiting) + len(clients) > LARGEST_ROSTER,
        where="clients",
        problem=f"must be {LARGEST_ROSTER} at most with those who wait",
    )
    faults.raise_if_any()
    if {*session.waiting, *(booking.client for booking in session.roster)} & set(clients):
        raise AlreadyOnRoster("Leave out who is on the roster or waits already.")
    require_may_meet(session, clients)
    if session.heads < session.wanted.places:
        raise PlacesLeft("Book the place instead.")
    require_agreed(session, clients, agreed=others_agreed)
    await sessions.add_waiting(session.id, clients, by=by.id, now=now)
    for client in clients:
        facts: dict[str, str | int] = {"others_agreed": int(others_agreed)}
        journal.tell(PutOnWaitingList(client=client, records=(session.id,), facts=facts))
    return replace(session, waiting=(*session.waiting, *clients))


async def withdraw(
    session: Session, client: ClientId, *, by: Staff, now: datetime, sessions: Waits, journal: Journal
) -> Session:
    """Take somebody off the waiting list of a session that is held. Raises `NotPermitted` or `NotOnRoster`."""
    by.require(Act.PLAN_SESSION, session.programme)
    if client not in session.waiting:
        raise NotOnRoster("Read the waiting list again.")
    await sessions.end_waiting(session.id, client, how=WaitOver.WITHDRAWN, by=by.id, now=now)
    journal.tell(TakenOffWaitingList(client=client, records=(session.id,)))
    return replace(session, waiting=tuple(each for each in session.waiting if each != client))


async def move_up(session: TherapySessionId, *, by: Staff, now: datetime, sessions: Waits, journal: Journal) -> None:
    """Give a place that has come free to whoever waits longest, whoever called it off and whosever client it is."""
    client = await sessions.next_waiting(session)
    if client is None:
        return
    await sessions.add_bookings([(session, Booking(client=client, booked_by=by.id, booked_at=now))])
    await sessions.end_waiting(session, client, how=WaitOver.MOVED_UP, by=by.id, now=now)
    journal.tell(MovedUp(client=client, records=(session,)))
