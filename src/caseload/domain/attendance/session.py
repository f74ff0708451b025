"""Sessions: what kind, when, led by whom, and who is expected.

A session of many is one session with a line for each client, never a copy per client.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from caseload.domain.access import Act, Reach
from caseload.domain.attendance.clash import Claim, Clash
from caseload.domain.attendance.door import Seats
from caseload.domain.attendance.register import CancelledBy, Register
from caseload.domain.attendance.relative import ComesAs, RelativePlace
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, ProgrammeId, SeriesId, StaffId, TherapySessionId
from caseload.domain.people import Staff

LONGEST = timedelta(hours=12)
LONGEST_TITLE = 200
LONGEST_NOTE = 4000
LONGEST_LINK = 500
A_LINK = re.compile(r"https://[!-~]+")
LARGEST_ROSTER = 200


class SessionKind(StrEnum):
    """What a session is, by the field's own words."""

    INDIVIDUAL = "individual"
    GROUP = "group"
    FAMILY = "family"
    EDUCATION = "education"
    PEER_SUPPORT = "peer_support"
    """NA, SMART, 12-step: attendance is what the client reports."""
    VOCATIONAL = "vocational"
    CASE_MANAGEMENT = "case_management"
    RECOVERY_CHECK_UP = "recovery_check_up"
    MEDICAL_REVIEW = "medical_review"
    CONTINGENCY_MANAGEMENT = "contingency_management"


FOR_ONE = frozenset(
    {SessionKind.INDIVIDUAL, SessionKind.CASE_MANAGEMENT, SessionKind.RECOVERY_CHECK_UP, SessionKind.MEDICAL_REVIEW}
)
"""Kinds that are about one client."""

NEVER_BILLABLE = frozenset({SessionKind.PEER_SUPPORT})
"""Kinds that are no encounter with the clinic, whoever reports them."""

FOR_RELATIVES = frozenset({SessionKind.FAMILY, SessionKind.EDUCATION})
"""Kinds that relatives come to."""


class SessionUnknown(NotFound):
    """No such session within your reach."""


class SessionMoved(Conflict):
    """This session takes place at another time."""


class AlreadyOnRoster(Conflict):
    """Somebody of these is on the roster already."""


class NotOnRoster(Conflict):
    """This client is not expected at the session."""


class RelativeComesAlone(Conflict):
    """Somebody around a client comes to this session in their own right."""

    def __init__(self) -> None:
        super().__init__("Choose another session for one of them: the client has not agreed to be met there.")


class OthersNotAsked(Conflict):
    """Other clients and relatives would meet at this session, and nobody has said that they agree to it."""

    def __init__(self) -> None:
        super().__init__("Ask every client who would be seen there; say `others_agreed` once all of them have agreed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """A place that was called off before the session."""

    client: ClientId
    by: CancelledBy
    reason: str
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One client's place on a roster."""

    client: ClientId
    booked_by: StaffId
    booked_at: datetime
    cancellation: Cancellation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A session as it is asked for. Raises `Invalid` with every fault at once."""

    kind: SessionKind
    title: str
    starts_at: datetime
    ends_at: datetime
    facilitators: tuple[StaffId, ...]
    capacity: int | None = None
    place: str | None = None
    """The room; two sessions in one room at one time clash."""
    link: str | None = None
    """Where those come who take part from afar."""

    def __post_init__(self) -> None:
        """Refuse a session that cannot be."""
        faults = Faults()
        faults.check(
            when=not 0 < len(self.title.strip()) <= LONGEST_TITLE,
            where="title",
            problem=f"must have 1 to {LONGEST_TITLE} characters",
        )
        faults.check(
            when=self.place is not None and not 0 < len(self.place.strip()) <= LONGEST_TITLE,
            where="place",
            problem=f"must have 1 to {LONGEST_TITLE} characters",
        )
        faults.check(
            when=self.link is not None
            and not (len(self.link) <= LONGEST_LINK and A_LINK.fullmatch(self.link) is not None),
            where="link",
            problem=f"must begin with https:// and have at most {LONGEST_LINK} characters",
        )
        faults.check(
            when=not timedelta() < self.ends_at - self.starts_at <= LONGEST,
            where="ends_at",
            problem="must be after the start, by 12 hours at most",
        )
        faults.check(
            when=not 1 <= len(self.facilitators) <= 10 or len(set(self.facilitators)) < len(self.facilitators),
            where="facilitators",
            problem="must name 1 to 10 people, each once",
        )
        faults.check(
            when=self.capacity is not None and not 1 <= self.capacity <= LARGEST_ROSTER,
            where="capacity",
            problem=f"must be from 1 to {LARGEST_ROSTER}",
        )
        faults.raise_if_any()

    @property
    def places(self) -> int:
        """How many people it has room for besides those who lead it."""
        return 1 if self.kind in FOR_ONE else self.capacity or LARGEST_ROSTER

    def moved(
        self,
        *,
        starts_at: datetime,
        ends_at: datetime,
        facilitators: tuple[StaffId, ...] = (),
        place: str | None = None,
        link: str | None = None,
    ) -> "Wanted":
        """The same at another time; whatever else is left out stays as it was. Raises `Invalid`."""
        return replace(
            self,
            starts_at=starts_at,
            ends_at=ends_at,
            facilitators=facilitators or self.facilitators,
            place=self.place if place is None else place,
            link=self.link if link is None else link,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session with its roster, and its register once that has been taken."""

    id: TherapySessionId
    programme: ProgrammeId
    wanted: Wanted
    planned_by: StaffId
    planned_at: datetime
    roster: tuple[Booking, ...] = ()
    register: Register | None = None
    """The version that counts."""
    waiting: tuple[ClientId, ...] = ()
    """Who waits for a place, in the order in which places come free for them."""
    series: SeriesId | None = None
    series_on: date | None = None
    """Which local day of its series it stands for, also when it was moved to another."""
    moved_to: TherapySessionId | None = None
    """The session that takes place instead of it."""
    relatives: tuple[RelativePlace, ...] = ()
    """Those beside the clients; of a session of family or education."""

    @property
    def expected(self) -> frozenset[ClientId]:
        """Whose place has not been called off."""
        return frozenset(booking.client for booking in self.roster if booking.cancellation is None)

    @property
    def relatives_expected(self) -> tuple[RelativePlace, ...]:
        """The relatives who may still come: with a client only as long as the client is expected."""
        return tuple(place for place in self.relatives if self.called_off_by(place) is None)

    def called_off_by(self, place: RelativePlace) -> CancelledBy | None:
        """Who called off a relative's place, or that of the client with whom they come; none where it stands."""
        if place.cancellation is not None:
            return place.cancellation.by
        if place.comes_as is ComesAs.IN_OWN_RIGHT:
            return None
        booking = next((booking for booking in self.roster if booking.client == place.client), None)
        return None if booking is None or booking.cancellation is None else booking.cancellation.by

    @property
    def heads(self) -> int:
        """How many places are taken: a relative needs one like a client."""
        return len(self.expected) + len(self.relatives_expected)

    @property
    def apart_from(self) -> frozenset[ClientId]:
        """Clients one of whose relatives comes in their own right, and must not meet them here."""
        return frozenset(place.client for place in self.relatives_expected if place.comes_as is ComesAs.IN_OWN_RIGHT)

    @property
    def concerned(self) -> frozenset[ClientId]:
        """Everybody who is or was on its roster or its register."""
        lines = self.register.lines if self.register else ()
        return frozenset({*(booking.client for booking in self.roster), *(line.client for line in lines)})


class Sessions(Seats, Protocol):
    """The sessions that are kept."""

    async def may_lead(
        self, staff: Collection[StaffId], *, programme: ProgrammeId, at: datetime
    ) -> Collection[StaffId]:
        """Who of these holds a role in the programme then that takes registers."""
        ...

    async def in_care(self, clients: Collection[ClientId], *, reach: Reach) -> Collection[ClientId]:
        """Who of these is within reach and in an open episode of care, which nobody ends before this piece of work does."""
        ...

    async def clashes(self, claims: Sequence[Claim], *, besides: TherapySessionId | None) -> Sequence[Clash]:
        """What else claims one of these rooms or people at one of these times."""
        ...

    async def add(self, sessions: Sequence[Session], *, clashes_agreed: bool) -> None:
        """Keep new sessions, without their rosters; `SessionClashes` when others took a room or a person meanwhile."""
        ...

    async def release(self, session: TherapySessionId) -> None:
        """Let go of the room and the people of a session that does not take place."""
        ...

    async def add_bookings(self, bookings: Sequence[tuple[TherapySessionId, Booking]]) -> None:
        """Keep places on the rosters of sessions; `AlreadyOnRoster` when one of them exists."""
        ...

    async def add_cancellation(self, session: TherapySessionId, cancellation: Cancellation) -> None:
        """Keep that a place was called off; `NotOnRoster` when it has been before."""
        ...

    async def cancel_from(
        self, since: datetime, *, client: ClientId, reason: str, by: StaffId, now: datetime
    ) -> Sequence[TherapySessionId]:
        """Call off, as the provider, a client's places in sessions from then on of which no register was taken."""
        ...

    async def add_register(self, register: Register) -> None:
        """Keep a version of the register; `RegisterAlreadyTaken` when that version exists."""
        ...


async def check_clients(faults: Faults, clients: Sequence[ClientId], *, by: Staff, sessions: Sessions) -> None:
    """Add a fault for each who is named twice, or is nobody in care whom this person may put on a roster."""
    known = await sessions.in_care(clients, reach=by.reach(Act.PLAN_SESSION)) if clients else ()
    for number, client in enumerate(clients):
        faults.check(when=client in clients[:number], where=f"clients.{number}", problem="is named twice")
        faults.check(when=client not in known, where=f"clients.{number}", problem="is nobody in care within your reach")


def require_may_meet(session: Session, clients: Collection[ClientId]) -> None:
    """Raise `RelativeComesAlone` where one of these would meet a relative who comes in their own right."""
    if not session.apart_from.isdisjoint(clients):
        raise RelativeComesAlone


def require_agreed(session: Session, clients: Collection[ClientId], *, agreed: bool) -> None:
    """Raise `OthersNotAsked` where a relative of somebody else would learn that one of these comes, and nobody said they agree."""
    meets = any(place.client != client for place in session.relatives_expected for client in clients)
    if meets and not agreed:
        raise OthersNotAsked


def sees_everybody(session: Session, *, by: Staff, act: Act) -> bool:
    """Whether somebody sees the whole roster of a session, and may take its register.

    Those who see the programme's clients do, and whoever leads the session, also clients of other counsellors: without
    that nobody could take the register of a group. Everybody else with a role there sees the session and, of its
    roster, the clients within their reach. With a restricted client on it only whoever leads it, who sits in the same room,
    sees the whole of it without being named.
    """
    reach = by.reach(act)
    leads = by.id in session.wanted.facilitators and session.programme in reach.everyone_in | reach.caseload_in
    theirs = (place.client for place in session.relatives)
    are_open = reach.closed.isdisjoint({*session.concerned, *session.waiting, *theirs})
    return leads or (are_open and session.programme in reach.everyone_in)
