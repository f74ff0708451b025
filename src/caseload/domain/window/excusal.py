"""Excused days: the window does not expect the client. It changes attendance and nothing else.

An excused day is a day without medicine like any other for the missed-dose ladder: five days in prison, of which nobody
has verified a dose, hold the next one (product convention; tolerance does not ask why).
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, ExcusalId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import LONGEST_NOTE, check_reason
from caseload.domain.people import Staff

FARTHEST: Final = timedelta(days=366)
"""How far from today an excused day may lie: what is farther off is a slip of the keyboard."""


class ExcuseReason(StrEnum):
    """Why the window does not expect a client."""

    HOSPITAL = "hospital"
    PRISON = "prison"
    DETOX = "detox"
    TRAVEL = "travel"
    OTHER = "other"


class ExcusalUnknown(NotFound):
    """There is no such excusal within your reach."""


class ExcusalEnded(Conflict):
    """The excusal has been ended already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """The days on which a client is excused, why, and who told us."""

    reason: ExcuseReason
    first_on: date
    last_on: date | None
    """None until somebody says that it is over."""
    told_by: str
    """Who told us, such as the ward: for whoever asks back."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcuseEnd:
    """Its last day after all; the day before its first, where it never was."""

    last_on: date
    reason: str
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Excusal:
    """A client is not expected from a day to another."""

    id: ExcusalId
    client: ClientId
    programme: ProgrammeId
    absence: Absence
    recorded_by: StaffId
    recorded_at: datetime
    end: ExcuseEnd | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientExcused(Event):
    """A client is not expected at the window on some days."""

    name: ClassVar[str] = "client.excused"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExcuseOver(Event):
    """A client is expected again."""

    name: ClassVar[str] = "client.excusal_ended"


class Excusals(Protocol):
    """The excusals that are kept."""

    async def add_excusal(self, excusal: Excusal, /) -> None:
        """Keep an excusal."""
        ...

    async def excusal(self, wanted: ExcusalId, /, *, of: ClientId) -> Excusal:
        """One excusal of a client; raises `ExcusalUnknown`."""
        ...

    async def end_excusal(self, excusal: ExcusalId, end: ExcuseEnd, /) -> None:
        """Keep its end; raises `ExcusalEnded` when it has one."""
        ...


async def excuse(
    client: ClientId,
    programme: ProgrammeId,
    absence: Absence,
    *,
    as_id: ExcusalId,
    today: date,
    by: Staff,
    now: datetime,
    excusals: Excusals,
    journal: Journal,
) -> Excusal:
    """Say that the window does not expect a client on some days. Raises `Invalid`."""
    faults = Faults()
    faults.check(
        when=abs(absence.first_on - today) > FARTHEST, where="first_on", problem="must lie within a year of today"
    )
    faults.check(
        when=absence.last_on is not None and not absence.first_on <= absence.last_on <= today + FARTHEST,
        where="last_on",
        problem="must not lie before the first day, nor more than a year ahead",
    )
    check_reason(absence.told_by, faults, "told_by")
    faults.check(
        when=absence.reason is ExcuseReason.OTHER and not absence.note.strip(),
        where="note",
        problem="say what the other reason is",
    )
    faults.check(when=len(absence.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
    faults.raise_if_any()
    excusal = Excusal(id=as_id, client=client, programme=programme, absence=absence, recorded_by=by.id, recorded_at=now)
    await excusals.add_excusal(excusal)
    journal.tell(ClientExcused(client=client, records=(excusal.id,), facts={"reason": absence.reason}))
    return excusal


async def end_excusal(
    wanted: ExcusalId,
    client: ClientId,
    last_on: date,
    reason: str,
    *,
    by: Staff,
    now: datetime,
    excusals: Excusals,
    journal: Journal,
) -> Excusal:
    """Say that a client is expected again: from the day after `last_on`, which may lie before the first day.

    Raises `ExcusalUnknown`, `ExcusalEnded` and `Invalid`.
    """
    excusal = await excusals.excusal(wanted, of=client)
    faults = Faults()
    check_reason(reason, faults)
    before, planned = excusal.absence.first_on - timedelta(days=1), excusal.absence.last_on
    faults.check(
        when=last_on < before or (planned is not None and last_on > planned),
        where="last_on",
        problem="must be one of its days, or the day before the first if it never was; for more days make another",
    )
    faults.raise_if_any()
    end = ExcuseEnd(last_on=last_on, reason=reason, recorded_by=by.id, recorded_at=now)
    await excusals.end_excusal(excusal.id, end)
    journal.tell(ExcuseOver(client=excusal.client, records=(excusal.id,)))
    return await excusals.excusal(wanted, of=client)
