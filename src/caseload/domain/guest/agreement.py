"""Guest dosing, both ways: arranged for named days with the other programme, confirmed by it, and ended by itself.

Our client may be the guest of another programme, of ours or outside; an outside programme's client may be ours. Either is
arranged with who confirmed it there, and how; the client's own word is none. What an outside host is told of our client
goes out as a disclosure before (`dosing.handing_on`), and what an outside home programme says of its client's last dose is
kept as a verified statement. What the days then mean for a dose is in `dosing.guest`.
Source: 42 CFR 8.12(g), whose wording could not be confirmed: a second programme only while the own one cannot be reached,
with the justification in both records and a good-faith look for other enrolments; the rest is product convention.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing import HandingOn, HowVerified, Statements
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, DisclosureId, GuestId, ProgrammeId, StaffId, StatementId
from caseload.domain.journal import Event
from caseload.domain.medication import Direction, GuestOrders
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff


class GuestUnknown(NotFound):
    """There is no such guest agreement within your reach."""


class GuestOverlaps(Conflict):
    """The client is a guest on one of these days already."""


class GuestEnded(Conflict):
    """The guest agreement has been ended already."""


class GuestIsOurs(Conflict):
    """This client is in treatment with us, and nobody's guest here."""


class HoldsTakeHomes(Conflict):
    """The client holds take-home doses for these days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeDose:
    """The last dose of a guest of ours, as the home programme says."""

    day: date
    amount_mg: Decimal
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """Who at the other programme confirmed it, how and when; the client is nobody who can."""

    by: str
    """Name and function."""
    how: HowVerified
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """What was arranged with the other programme."""

    direction: Direction
    first_on: date
    last_on: date
    medicine: Medicine
    form: Form
    amount_mg: Decimal
    """Of a day."""
    why: str
    """Why the own programme cannot be reached."""
    confirmed: Confirmation
    other_enrolments: str
    """What the look for enrolments elsewhere found."""
    host: ProgrammeId | None = None
    """The host of our client, where it is a programme of ours: its window then sees and doses the client."""
    disclosure: DisclosureId | None = None
    """What an outside host of our client was told of the last dose; it names the host."""
    facility: str | None = None
    """The home programme of a guest of ours."""
    home_dose: HomeDose | None = None
    """The last dose of a guest of ours."""
    holds_on: tuple[date, ...] = ()
    """Days for which the home programme has handed a guest of ours a dose to take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestEnd:
    """How it came out: its last day after all, the day before its first where it never was."""

    last_on: date
    reason: str
    became_ours: bool
    """The guest stays with us: from now on nothing of the agreement limits what we give."""
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A client is dosed as a guest on named days."""

    id: GuestId
    client: ClientId
    programme: ProgrammeId
    """Ours: the home programme of whoever is a guest elsewhere, the host of whoever is one here."""
    arrangement: Arrangement
    facility: str
    """The other programme, by name."""
    recorded_by: StaffId
    recorded_at: datetime
    statement: StatementId | None = None
    """The last dose at home, as a verified statement."""
    end: GuestEnd | None = None
    told_at: datetime | None = None
    """When the other programme was last told of the last dose, since this was arranged."""


class GuestArranged(Event):
    """Guest dosing was arranged."""

    name: ClassVar[str] = "guest.arranged"


class GuestOver(Event):
    """Guest dosing was ended, or a guest stays."""

    name: ClassVar[str] = "guest.ended"


class Guests(Statements, HandingOn, GuestOrders, Protocol):
    """Guest agreements. Whoever adds one has locked the client's record first."""

    async def guest(self, wanted: GuestId, /, *, by: Staff, act: Act) -> Guest:
        """One agreement; raises `GuestUnknown` outside the person's reach."""
        ...

    async def facility_of(self, programme: ProgrammeId, /) -> str | None:
        """The name of a programme of ours; None where it is none."""
        ...

    async def is_admitted(self, client: ClientId, /, *, at: datetime) -> bool:
        """Whether an episode of care of the client runs with us."""
        ...

    async def add_guest(self, guest: Guest, /, *, stays: tuple[datetime, datetime] | None) -> None:
        """Keep an agreement; `stays` is from when to when a host of ours sees the client. Raises `GuestOverlaps`."""
        ...

    async def end_guest(self, guest: Guest, end: GuestEnd, /, *, stays_until: datetime) -> None:
        """Keep its end, and that a host of ours sees the client no longer than that; raises `GuestEnded`."""
        ...
