"""Who is on call in a programme: one clinician at a time, from when to when.

A rota may have holes, and then says so: whoever raises an escalation is told on the spot that nobody is on call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import OnCallId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST: Final = timedelta(days=14)
_INSTANT: Final = timedelta(microseconds=1)
NOBODY: Final = (
    "Nobody is on call here now: the record can tell no clinician of it. Do what the instruction says yourself."
)


class OnCallUnknown(NotFound):
    """No such time on call in this programme."""


class OnCallTaken(Conflict):
    """Somebody else is on call in this programme at that time."""


class OnCallOver(Conflict):
    """This time on call has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCall:
    """One clinician is on call in one programme."""

    id: OnCallId
    programme: ProgrammeId
    staff: StaffId
    starts_at: datetime
    ends_at: datetime
    recorded_by: StaffId
    recorded_at: datetime
    printed_name: str = ""
    """Of the clinician, once it is kept."""
    ended_at: datetime | None = None
    """When it was ended before its time; before its beginning where it did not take place."""

    @property
    def until(self) -> datetime:
        """The first instant at which they are not on call any more."""
        return self.ends_at if self.ended_at is None else max(self.starts_at, min(self.ends_at, self.ended_at))

    def is_running(self, at: datetime) -> bool:
        """Whether they are on call at that moment: from its first instant, and not at its last."""
        return self.starts_at <= at < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallPlanned(Event):
    """A clinician will be on call."""

    name: ClassVar[str] = "on_call.planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallEnded(Event):
    """A time on call was ended before its time, or does not take place."""

    name: ClassVar[str] = "on_call.ended"


class Rotas(Protocol):
    """Who is on call when."""

    async def may_acknowledge(self, staff: StaffId, programme: ProgrammeId, /, *, at: datetime) -> bool:
        """Whether somebody may take escalations on in a programme at that moment, and works here."""
        ...

    async def add(self, on_call: OnCall, /) -> None:
        """Keep it; `OnCallTaken` where it meets another."""
        ...

    async def hold(self, wanted: OnCallId, /) -> OnCall:
        """One of them, held; or `OnCallUnknown`."""
        ...

    async def end(self, on_call: OnCall, /, *, by: StaffId, at: datetime) -> None:
        """Keep that it ends then."""
        ...

    async def running(self, programme: ProgrammeId, /, *, at: datetime) -> OnCall | None:
        """Who is on call in a programme at that moment."""
        ...


async def plan_on_call(wanted: OnCall, *, by: Staff, now: datetime, rotas: Rotas, journal: Journal) -> OnCall:
    """Put a clinician on call. They must be able to take escalations on when it begins and until it ends.

    Raises `NotPermitted`, `Invalid`, `OnCallTaken`.
    """
    by.require(Act.PLAN_DUTY, wanted.programme)
    faults = Faults()
    faults.check(when=wanted.ends_at <= wanted.starts_at, where="ends_at", problem="must be after the start")
    faults.check(when=wanted.ends_at <= now, where="ends_at", problem="must lie in the future")
    faults.check(
        when=wanted.ends_at - wanted.starts_at > LONGEST, where="ends_at", problem="at most two weeks in one go"
    )
    faults.raise_if_any()
    for where, at in (("starts_at", max(wanted.starts_at, now)), ("ends_at", wanted.ends_at - _INSTANT)):
        if not await rotas.may_acknowledge(wanted.staff, wanted.programme, at=at):
            faults.add("staff_id", f"must be somebody who may take escalations on in this programme at {where}")
    faults.raise_if_any()
    await rotas.add(wanted)
    journal.tell(OnCallPlanned(records=(wanted.staff, wanted.id), facts={"programme": str(wanted.programme)}))
    return wanted


async def end_on_call(wanted: OnCallId, *, by: Staff, now: datetime, rotas: Rotas, journal: Journal) -> None:
    """End a time on call now, or call it off. Raises `OnCallUnknown`, `NotPermitted`, `OnCallOver`."""
    on_call = await rotas.hold(wanted)
    by.require(Act.PLAN_DUTY, on_call.programme)
    if on_call.until <= now or on_call.ended_at is not None:
        raise OnCallOver("There is nothing left to end.")
    await rotas.end(on_call, by=by.id, at=now)
    journal.tell(OnCallEnded(records=(on_call.staff, wanted), facts={"programme": str(on_call.programme)}))


def holes(rota: Sequence[OnCall], *, since: datetime, until: datetime) -> Sequence[tuple[datetime, datetime]]:
    """From when to when nobody is on call, within a stretch of time."""
    found: list[tuple[datetime, datetime]] = []
    place = since
    for each in sorted(rota, key=lambda one: one.starts_at):
        if each.until <= each.starts_at:
            continue
        if each.starts_at > place:
            found.append((place, min(each.starts_at, until)))
        place = max(place, each.until)
        if place >= until:
            return found
    return [*found, (place, until)]
