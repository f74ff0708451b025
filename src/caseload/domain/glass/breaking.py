"""Breaking the glass: one client, named exactly, is opened to one person until a moment.

Outside one's reach a client is not there, so there must be a door for an emergency. It opens to whoever knows the name and
birth date as the record has them and says why; everybody else learns that nobody was opened, in the same words whether there
is nobody or two. A door that opens tells that somebody is a client: that is why each try is kept, tries that open nothing are
few, and a privacy officer is told at once and somebody else looks at it (product convention; the
medical emergency of 42 CFR 2.51 is about telling somebody outside and is recorded where that happens).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults, NotFound, TooManyAttempts
from caseload.domain.glass.rules import rules
from caseload.domain.ids import ClientId, GlassId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

LONGEST_REASON: Final = 1000
LONGEST_CLOSED: Final = 31
"""So many closed days in a row are looked for, when it is asked by when a review is due."""


class ReasonCode(StrEnum):
    """Why somebody needs a client who is not within their reach."""

    MEDICAL_EMERGENCY = "medical_emergency"
    OVERDOSE = "overdose"
    RISK_TO_LIFE = "risk_to_life"
    """Of the client or of somebody else: suicide, violence."""
    SAFEGUARDING = "safeguarding"
    NOBODY_NAMED_THERE = "nobody_named_there"
    """The client is restricted, something does not wait, and nobody named can be reached."""


class Tried(StrEnum):
    """What a try came to."""

    OPENED = "opened"
    NOBODY = "nobody"
    SEVERAL = "several"
    """Known to the privacy officer alone: whoever tried is told the same as for nobody."""


class GlassUnknown(NotFound):
    """There is no such broken glass within your reach."""


class GlassStillBroken(Conflict):
    """You have opened another client, and that is not over yet."""


class WithinReachAlready(Conflict):
    """You see this client already."""


class TooManyGuesses(TooManyAttempts):
    """Too many names that opened nobody. Wait, or ask somebody who sees the client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Who is wanted, and why."""

    given_name: str
    family_name: str
    birth_date: date
    identifier: str | None
    """A number the client is known by, where two share name and birth date."""
    code: ReasonCode
    reason: str
    minutes: int | None
    """For how long; the longest there is when left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """One client was opened to one person."""

    id: GlassId
    staff: StaffId
    client: ClientId
    programme: ProgrammeId
    """The client's home programme."""
    code: ReasonCode
    reason: str
    rule: str
    starts_at: datetime
    until_at: datetime
    review_due_at: datetime
    ended_at: datetime | None = None
    ended_by: StaffId | None = None

    def counts(self, at: datetime) -> bool:
        """Whether the client is open at that moment: from its first instant, and not at its last."""
        return self.starts_at <= at < self.until_at and (self.ended_at is None or at < self.ended_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassBroken(Event):
    """Somebody opened a client outside their reach."""

    name: ClassVar[str] = "glass.broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassNotBroken(Event):
    """Somebody named a client to open, and nobody was opened."""

    name: ClassVar[str] = "glass.not_broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class GlassEnded(Event):
    """A client who was opened is closed again before the time."""

    name: ClassVar[str] = "glass.ended"


class Glasses(Protocol):
    """The glasses that were broken, and the tries."""

    async def hold_still(self, staff: StaffId, /) -> None:
        """Nobody else does this for the same person until this piece of work has ended."""
        ...

    async def guesses(self, staff: StaffId, /, *, since: datetime) -> Sequence[datetime]:
        """When this person's tries opened nobody since then, the first of them first."""
        ...

    async def running(self, staff: StaffId, /) -> Broken | None:
        """What this person has open now."""
        ...

    async def find(self, wanted: Wanted, /) -> Sequence[tuple[ClientId, ProgrammeId]]:
        """Everybody of exactly this name, by today's or a former one, and this birth date; with their home programmes.

        Of whom two registrations are merged, the one that is used, by the name under which either was made.
        """
        ...

    async def is_within(self, client: ClientId, /, *, by: Staff) -> bool:
        """Whether this person sees the client's chart without any of this."""
        ...

    async def programme(self, wanted: ProgrammeId, /) -> Programme:
        """The programme."""
        ...

    async def closed(self, programme: ProgrammeId, first: date, last: date, /) -> Collection[date]:
        """The days from one to another on which a programme is closed."""
        ...

    async def add_try(self, as_id: GlassId, staff: StaffId, tried: Tried, /) -> None:
        """Keep that it was tried."""
        ...

    async def add(self, new: Broken, /) -> None:
        """Keep it; `GlassStillBroken` when this person has another open."""
        ...

    async def end(self, ending: Broken, /) -> None:
        """Keep that it ends now."""
        ...


async def break_glass(
    wanted: Wanted, *, as_id: GlassId, by: Staff, now: datetime, glasses: Glasses, journal: Journal
) -> Broken | None:
    """Open one client to whoever asks; None when not exactly one is so named.

    Raises `Invalid`, `TooManyGuesses`, `GlassStillBroken`, `WithinReachAlready`.
    """
    _check(wanted)
    await glasses.hold_still(by.id)
    await _may_try(by, now=now, glasses=glasses)
    found = await glasses.find(wanted)
    if len(found) != 1:
        tried = Tried.SEVERAL if found else Tried.NOBODY
        await glasses.add_try(as_id, by.id, tried)
        journal.tell(GlassNotBroken(records=(as_id,), facts={"tried": tried.value, "code": wanted.code.value}))
        return None
    [(client, programme)] = found
    if await glasses.is_within(client, by=by):
        raise WithinReachAlready("Read the chart as usual.")
    minutes = rules().minutes if wanted.minutes is None else wanted.minutes
    new = Broken(
        id=as_id,
        staff=by.id,
        client=client,
        programme=programme,
        code=wanted.code,
        reason=wanted.reason.strip(),
        rule=rules().rule,
        starts_at=now,
        until_at=now + timedelta(minutes=minutes),
        review_due_at=await _due(programme, now=now, glasses=glasses),
    )
    await glasses.add_try(as_id, by.id, Tried.OPENED)
    await glasses.add(new)
    journal.tell(
        GlassBroken(
            client=client, records=(as_id,), facts={"code": wanted.code.value, "minutes": minutes, "rule": new.rule}
        )
    )
    return new


async def end_glass(broken: Broken, *, by: StaffId, now: datetime, glasses: Glasses, journal: Journal) -> Broken:
    """Close the client again before the time. What is over already stays as it was."""
    if not broken.counts(now):
        return broken
    ended = replace(broken, ended_at=now, ended_by=by)
    await glasses.end(ended)
    journal.tell(GlassEnded(client=broken.client, records=(broken.id,)))
    return ended


def review_due(programme: Programme, closed: Collection[date], *, now: datetime) -> datetime:
    """By when somebody else must have looked: the end of the next day on which the programme is open, by its own clock."""
    day = programme.today(now) + timedelta(days=1)
    for _ in range(LONGEST_CLOSED):
        if day not in closed:
            break
        day += timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), time(), programme.zone).astimezone(UTC)


async def _due(programme: ProgrammeId, *, now: datetime, glasses: Glasses) -> datetime:
    here = await glasses.programme(programme)
    today = here.today(now)
    closed = await glasses.closed(programme, today, today + timedelta(days=LONGEST_CLOSED))
    return review_due(here, closed, now=now)


async def _may_try(by: Staff, *, now: datetime, glasses: Glasses) -> None:
    span = timedelta(minutes=rules().guessing_minutes)
    guesses = await glasses.guesses(by.id, since=now - span)
    if len(guesses) >= rules().guesses:
        left = guesses[-rules().guesses] + span - now
        raise TooManyGuesses(
            f"Of {rules().rule}: {rules().guesses} tries in {rules().guessing_minutes} minutes opened nobody. The privacy "
            "officer sees them. Call whoever answers for the client.",
            retry_after_s=max(1, -int(-left.total_seconds() // 1)),
        )
    running = await glasses.running(by.id)
    if running is not None:
        raise GlassStillBroken("End it first, or wait until it ends.", glass_id=str(running.id))


def _check(wanted: Wanted) -> None:
    faults, limits = Faults(), rules()
    for name in ("given_name", "family_name"):
        text: str = getattr(wanted, name)
        faults.check(
            when=not 0 < len(text.strip()) <= LONGEST_REASON, where=name, problem="say it as the record has it"
        )
    faults.check(
        when=wanted.identifier is not None and not 0 < len(wanted.identifier.strip()) <= LONGEST_REASON,
        where="identifier",
        problem="say it, or leave it out",
    )
    faults.check(
        when=not limits.shortest_reason <= len(wanted.reason.strip()) <= LONGEST_REASON,
        where="reason",
        problem=f"say what happened in {limits.shortest_reason} to {LONGEST_REASON} characters",
    )
    faults.check(
        when=wanted.minutes is not None and not 1 <= wanted.minutes <= limits.minutes,
        where="minutes",
        problem=f"1 to {limits.minutes} (of {limits.rule})",
    )
    faults.raise_if_any()
