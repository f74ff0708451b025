"""Closure days: days on which a programme's window stays closed, such as a Sunday or a public holiday.

Whoever is due on one receives it beforehand to take home, beyond what the ladder of the profile allows (42 CFR
8.12(i)(1)); nobody is expected at the window. Being closed excuses attendance and nothing else: who had no medicine for
the day has a day without medicine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme

MOST_DAYS: Final = 120
"""How many days are closed with one word: every Sunday and holiday of a year."""
LONGEST_REASON: Final = 200
DAYS_BACK: Final = 31
DAYS_AHEAD: Final = 730


class ClosureMoved(Conflict):
    """Somebody else has closed or opened this day."""


class NotClosed(NotFound):
    """The window is not closed on this day."""

    def __init__(self) -> None:
        super().__init__("Read the closure days of the programme.")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosureDay:
    """What was last said about one local day of a programme."""

    programme: ProgrammeId
    day: date
    version: int
    is_closed: bool
    reason: str
    recorded_by: StaffId
    recorded_at: datetime


class WindowClosed(Event):
    """A programme's window was said to be closed on some days."""

    name: ClassVar[str] = "window.closed"


class WindowReopened(Event):
    """A day on which the window was said to be closed is an ordinary one again."""

    name: ClassVar[str] = "window.reopened"


class ClosureDays(Protocol):
    """The calendar of closure days."""

    async def programme(self, wanted: ProgrammeId, /) -> Programme:
        """The programme; raises `ProgrammeUnknown`."""
        ...

    async def closed_days(self, programme: ProgrammeId, first: date, last: date, /) -> Sequence[ClosureDay]:
        """The days from one to another, both included, on which the window is closed, in their order."""
        ...

    async def said_of(self, programme: ProgrammeId, days: Sequence[date], /) -> Sequence[ClosureDay]:
        """What was last said of each of these days; nothing of one of which nobody has said anything."""
        ...

    async def add_closures(self, said: Sequence[ClosureDay], /) -> None:
        """Keep them; raises `ClosureMoved` when somebody has said something of one of the days meanwhile."""
        ...


async def close_window(
    programme: ProgrammeId,
    days: Sequence[date],
    reason: str,
    *,
    by: Staff,
    now: datetime,
    closures: ClosureDays,
    journal: Journal,
) -> Sequence[ClosureDay]:
    """Say that the window is closed on some days; raises `NotPermitted`, `Invalid`, `ClosureMoved`.

    Also of days that have passed: nobody was expected when the snow closed the roads.
    """
    by.require(Act.KEEP_CALENDAR, programme)
    today = (await closures.programme(programme)).today(now)
    faults = Faults()
    _check_reason(reason, faults)
    faults.check(when=not 1 <= len(days) <= MOST_DAYS, where="days", problem=f"name 1 to {MOST_DAYS} days")
    faults.check(when=len(set(days)) != len(days), where="days", problem="name each day once")
    first, last = today - timedelta(days=DAYS_BACK), today + timedelta(days=DAYS_AHEAD)
    faults.check(
        when=any(not first <= day <= last for day in days), where="days", problem=f"must lie from {first} to {last}"
    )
    faults.raise_if_any()
    before = {each.day: each for each in await closures.said_of(programme, days)}
    if any(each.is_closed for each in before.values()):
        closed = sorted(str(each.day) for each in before.values() if each.is_closed)
        raise ClosureMoved("Leave out the days that are closed already.", days=closed)
    said = [
        ClosureDay(
            programme=programme,
            day=day,
            version=before[day].version + 1 if day in before else 1,
            is_closed=True,
            reason=reason.strip(),
            recorded_by=by.id,
            recorded_at=now,
        )
        for day in sorted(days)
    ]
    await closures.add_closures(said)
    journal.tell(WindowClosed(facts={"programme": str(programme), "days": len(said), "first": str(said[0].day)}))
    return said


async def reopen_window(
    programme: ProgrammeId,
    day: date,
    reason: str,
    *,
    by: Staff,
    now: datetime,
    closures: ClosureDays,
    journal: Journal,
) -> ClosureDay:
    """Say that the window is open after all. What was handed out for the day stays with whoever has it.

    Raises `NotPermitted`, `Invalid`, `NotClosed`, `ClosureMoved`.
    """
    by.require(Act.KEEP_CALENDAR, programme)
    faults = Faults()
    _check_reason(reason, faults)
    faults.raise_if_any()
    before = next(iter(await closures.said_of(programme, (day,))), None)
    if before is None or not before.is_closed:
        raise NotClosed
    said = ClosureDay(
        programme=programme,
        day=day,
        version=before.version + 1,
        is_closed=False,
        reason=reason.strip(),
        recorded_by=by.id,
        recorded_at=now,
    )
    await closures.add_closures((said,))
    journal.tell(WindowReopened(facts={"programme": str(programme), "day": str(day)}))
    return said


def _check_reason(reason: str, faults: Faults) -> None:
    faults.check(when=not reason.strip(), where="reason", problem="say why")
    faults.check(when=len(reason) > LONGEST_REASON, where="reason", problem=f"at most {LONGEST_REASON} characters")
