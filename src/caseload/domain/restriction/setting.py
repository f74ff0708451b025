"""Restricted clients: a colleague, a relative of staff, somebody whom everybody knows. Only named staff see them.

Two things a restriction never does. It hides from nobody at the window what safe dosing needs (`SEES_RESTRICTED` in
`domain/access`), and each such use is shown to the privacy officer (`domain/oversight`). And it loses nobody: whoever
answers for the client is always named, and what waits while nobody named is there goes to the supervisors without saying
whom it is about.

Product convention (need to know: 42 CFR 2.13(a); a request to restrict: 45 CFR 164.522(a)).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, NamingId, ProgrammeId, RestrictionId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_REASON: Final = 500
FURTHEST: Final = timedelta(days=3660)
MOST_NAMED: Final = 30


class RestrictionKind(StrEnum):
    """Why somebody's record is not for every colleague."""

    COLLEAGUE = "colleague"
    RELATIVE_OF_STAFF = "relative_of_staff"
    PUBLIC_PERSON = "public_person"
    ASKED_FOR = "asked_for"
    """The client asked for it, and it was agreed to (45 CFR 164.522(a)(1))."""


class RestrictionUnknown(NotFound):
    """No such restriction within your reach."""


class AlreadyRestricted(Conflict):
    """This client is restricted already."""


class RestrictionOver(Conflict):
    """This restriction has ended."""


class AlreadyNamed(Conflict):
    """They are named already at that time."""


class NamingOver(Conflict):
    """They are not named any more."""


class StillNeeded(Conflict):
    """Somebody named must remain, among them whoever answers for the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """Somebody is named: they see the client, whoever answers for them."""

    id: NamingId
    staff: StaffId
    starts_at: datetime
    until_at: datetime | None
    """When it is to end by itself."""
    ended_at: datetime | None = None
    """When it was ended before that."""

    def counts(self, at: datetime) -> bool:
        """Whether they are named at that moment: from its first instant, and not at its last."""
        ends = [each for each in (self.until_at, self.ended_at) if each is not None]
        return self.starts_at <= at and all(at < each for each in ends)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restriction:
    """A client whom only named staff see, from when to when."""

    id: RestrictionId
    client: ClientId
    programme: ProgrammeId
    """The client's home programme."""
    kind: RestrictionKind
    reason: str
    starts_at: datetime
    until_at: datetime | None
    recorded_by: StaffId
    named: tuple[Naming, ...]
    ended_at: datetime | None = None
    ended_by: StaffId | None = None
    ended_because: str | None = None

    def counts(self, at: datetime) -> bool:
        """Whether the client is restricted at that moment."""
        ends = [each for each in (self.until_at, self.ended_at) if each is not None]
        return self.starts_at <= at and all(at < each for each in ends)

    def names(self, at: datetime) -> frozenset[StaffId]:
        """Who is named at that moment."""
        return frozenset(each.staff for each in self.named if each.counts(at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRestricted(Event):
    """From now on only named staff see a client."""

    name: ClassVar[str] = "restriction.set"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestrictionEnded(Event):
    """A client is seen again by everybody whose work it is."""

    name: ClassVar[str] = "restriction.ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffNamed(Event):
    """Somebody sees a restricted client from now on."""

    name: ClassVar[str] = "restriction.staff_named"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamingEnded(Event):
    """Somebody sees a restricted client no more."""

    name: ClassVar[str] = "restriction.naming_ended"


class Restrictions(Protocol):
    """The restrictions that are kept."""

    async def hold(self, wanted: RestrictionId, /, *, by: Staff) -> Restriction:
        """One of them, held so that nobody else changes it meanwhile; or `RestrictionUnknown`."""
        ...

    async def answer_for(self, client: ClientId, /) -> Collection[StaffId]:
        """Who answers for a client now: the responsible counsellor, and whoever stands in."""
        ...

    async def care_in(self, programme: ProgrammeId, staff: Collection[StaffId], /) -> Collection[StaffId]:
        """Those who hold a role in the programme now that sees charts, and work here."""
        ...

    async def add(self, new: Restriction, /) -> None:
        """Keep it with whom it names; `AlreadyRestricted` when there is one at that time."""
        ...

    async def add_naming(self, restriction: RestrictionId, new: Naming, /, *, by: StaffId) -> None:
        """Keep it; `AlreadyNamed` when they are at that time."""
        ...

    async def end_naming(self, ending: Naming, /, *, by: StaffId) -> None:
        """Keep that it ends now."""
        ...

    async def end(self, ending: Restriction, /) -> None:
        """Keep that it ends now."""
        ...


async def restrict(
    client: Client,
    kind: RestrictionKind,
    reason: str,
    named: Sequence[tuple[NamingId, StaffId]],
    *,
    until_at: datetime | None,
    as_id: RestrictionId,
    by: Staff,
    now: datetime,
    restrictions: Restrictions,
    journal: Journal,
) -> Restriction:
    """Let only these people see a client from now on. Raises `NotPermitted`, `Invalid`, `AlreadyRestricted`."""
    by.require(Act.RESTRICT_CLIENT, client.programme)
    staff = [each for _, each in named]
    faults = Faults()
    _check_reason(reason, "reason", faults)
    _check_until(until_at, now, faults)
    faults.check(when=not 1 <= len(staff) <= MOST_NAMED, where="staff", problem=f"name 1 to {MOST_NAMED} people")
    faults.check(when=len(set(staff)) != len(staff), where="staff", problem="name each person once")
    if len(await restrictions.care_in(client.programme, staff)) != len(set(staff)):
        faults.add("staff", "must be people who work with clients in this programme now")
    if not set(await restrictions.answer_for(client.id)) <= set(staff):
        faults.add("staff", "must name whoever answers for the client now; hand over first if it is not to be them")
    faults.raise_if_any()
    new = Restriction(
        id=as_id,
        client=client.id,
        programme=client.programme,
        kind=kind,
        reason=reason.strip(),
        starts_at=now,
        until_at=until_at,
        recorded_by=by.id,
        named=tuple(Naming(id=naming, staff=who, starts_at=now, until_at=None) for naming, who in named),
    )
    await restrictions.add(new)
    journal.tell(ClientRestricted(client=client.id, records=(as_id, *staff), facts={"kind": kind.value}))
    return new


async def name_staff(
    wanted: RestrictionId,
    staff: StaffId,
    *,
    until_at: datetime | None,
    as_id: NamingId,
    by: Staff,
    now: datetime,
    restrictions: Restrictions,
    journal: Journal,
) -> Restriction:
    """Let one more person see a restricted client. Raises `RestrictionUnknown`, `RestrictionOver`, `Invalid`, `AlreadyNamed`."""
    found = await _running(wanted, by=by, now=now, restrictions=restrictions)
    faults = Faults()
    _check_until(until_at, now, faults)
    if not await restrictions.care_in(found.programme, [staff]):
        faults.add("staff_id", "must be somebody who works with clients in this programme now")
    faults.check(
        when=len(found.names(now)) >= MOST_NAMED, where="staff_id", problem=f"name at most {MOST_NAMED} people"
    )
    faults.raise_if_any()
    new = Naming(id=as_id, staff=staff, starts_at=now, until_at=until_at)
    await restrictions.add_naming(wanted, new, by=by.id)
    journal.tell(StaffNamed(client=found.client, records=(wanted, staff)))
    return replace(found, named=(*found.named, new))


async def end_naming(
    wanted: RestrictionId,
    naming: NamingId,
    *,
    by: Staff,
    now: datetime,
    restrictions: Restrictions,
    journal: Journal,
) -> Restriction:
    """Somebody sees a restricted client no more.

    Raises `RestrictionUnknown`, `RestrictionOver`, `NamingOver`, and `StillNeeded` for whoever answers for the client and
    for the last who is named.
    """
    found = await _running(wanted, by=by, now=now, restrictions=restrictions)
    ending = next((each for each in found.named if each.id == naming and each.counts(now)), None)
    if ending is None:
        raise NamingOver("Read the restriction for who is named.")
    answering = await restrictions.answer_for(found.client)
    if ending.staff in answering or not found.names(now) - {ending.staff}:
        raise StillNeeded("Name somebody else or hand the client over first, or end the restriction.")
    ended = replace(ending, ended_at=now)
    await restrictions.end_naming(ended, by=by.id)
    journal.tell(NamingEnded(client=found.client, records=(wanted, ending.staff)))
    return replace(found, named=tuple(ended if each.id == naming else each for each in found.named))


async def end_restriction(
    wanted: RestrictionId, because: str, *, by: Staff, now: datetime, restrictions: Restrictions, journal: Journal
) -> Restriction:
    """Let everybody whose work it is see the client again. Raises `RestrictionUnknown`, `RestrictionOver`, `Invalid`."""
    faults = Faults()
    _check_reason(because, "because", faults)
    faults.raise_if_any()
    found = await _running(wanted, by=by, now=now, restrictions=restrictions)
    ended = replace(found, ended_at=now, ended_by=by.id, ended_because=because.strip())
    await restrictions.end(ended)
    journal.tell(RestrictionEnded(client=found.client, records=(wanted,)))
    return ended


async def _running(wanted: RestrictionId, *, by: Staff, now: datetime, restrictions: Restrictions) -> Restriction:
    found = await restrictions.hold(wanted, by=by)
    by.require(Act.RESTRICT_CLIENT, found.programme)
    if not found.counts(now):
        raise RestrictionOver("There is nothing to change: set another one if it is needed.")
    return found


def _check_reason(text: str, where: str, faults: Faults) -> None:
    faults.check(
        when=not 0 < len(text.strip()) <= LONGEST_REASON,
        where=where,
        problem=f"must have 1 to {LONGEST_REASON} characters",
    )


def _check_until(until_at: datetime | None, now: datetime, faults: Faults) -> None:
    faults.check(when=until_at is not None and until_at <= now, where="until_at", problem="must lie in the future")
    faults.check(
        when=until_at is not None and until_at - now > FURTHEST, where="until_at", problem="must lie within ten years"
    )
