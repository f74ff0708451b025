"""A completed downtime sheet: what stands on each line of the paper, before anybody has judged it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from caseload.domain.dosing import Giving, NotGivenReason, Seen
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, ContainerId, OrderId, ProgrammeId, StaffId, StationId
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import DosePart
from caseload.domain.moments import check_year
from caseload.domain.takehome import UnitHandedOut
from caseload.domain.takehome.collecting import NOBODY_SAID, Collecting

MOST_LINES: Final = 100
"""One sheet at a time: the clients on it are locked until all of it is kept, and a window beside must not wait long."""
LARGEST_NUMBER: Final = 9999


class What(StrEnum):
    """What a line may say, in the order in which it happens."""

    OBSERVED = "observed"
    """How the client was before the dose."""
    GIVEN = "given"
    VOMITED = "vomited"
    SPILLED = "spilled"
    NOT_GIVEN = "not_given"
    TAKEN_HOME = "taken_home"
    """Handed out to take home."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenOnPaper:
    """How the client was, and when that was seen."""

    seen: Seen
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenOnPaper:
    """A dose that was given."""

    giving: Giving
    observed_by: StaffId | None = None
    """Who watched it being taken, where it was somebody else than whoever gave it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VomitedOnPaper:
    """The dose of the line came back."""

    minutes_after: int
    witnessed: bool
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpilledOnPaper:
    """The rest of the line's dose was spilled, or all of it where the line has no dose."""

    order: OrderId
    part: DosePart
    amount_mg: Decimal
    reason: str
    happened_at: datetime
    container: ContainerId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotGivenOnPaper:
    """A dose that was not given, and why."""

    order: OrderId | None
    part: DosePart
    reason: NotGivenReason
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenHomeOnPaper:
    """Units that were handed out together."""

    units: tuple[UnitHandedOut, ...]
    at: datetime
    educated: bool
    education_note: str = ""
    collecting: Collecting = NOBODY_SAID
    station: StationId | None = None
    container: ContainerId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperLine:
    """One line of the paper."""

    number: int
    client: ClientId
    written_by: StaffId
    """Whose name stands on the line: who gave it, or did not."""
    observed: SeenOnPaper | None = None
    given: GivenOnPaper | None = None
    vomited: VomitedOnPaper | None = None
    spilled: SpilledOnPaper | None = None
    not_given: NotGivenOnPaper | None = None
    taken_home: TakenHomeOnPaper | None = None

    def says(self) -> Iterator[What]:
        """What stands on it, in the order in which it happened."""
        for what, said in (
            (What.OBSERVED, self.observed),
            (What.GIVEN, self.given),
            (What.VOMITED, self.vomited),
            (What.SPILLED, self.spilled),
            (What.NOT_GIVEN, self.not_given),
            (What.TAKEN_HOME, self.taken_home),
        ):
            if said is not None:
                yield what

    def times(self) -> Iterator[tuple[str, datetime]]:
        """When it says that something was done, and where in the form."""
        if self.observed is not None:
            yield "observed.seen_at", self.observed.at
        if self.given is not None:
            yield "given.given_at", self.given.giving.given_at
        if self.spilled is not None:
            yield "spilled.happened_at", self.spilled.happened_at
        if self.taken_home is not None:
            yield "taken_home.dispensed_at", self.taken_home.at

    def moments(self) -> list[datetime]:
        """When it says that something was done."""
        return [at for _, at in self.times()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A completed sheet of one day in one programme."""

    programme: ProgrammeId
    day: date
    reason: str
    """Why it was written on paper: it becomes the reason of every late entry."""
    lines: tuple[PaperLine, ...]

    def check(self, today: date) -> None:
        """Raise `Invalid` with everything that is no form yet. What a line says is judged line by line later."""
        faults = Faults()
        check_reason(self.reason, faults)
        check_year(self.day, faults, "day")
        faults.check(when=self.day > today, where="day", problem="what has happened cannot lie in the future")
        faults.check(
            when=not 1 <= len(self.lines) <= MOST_LINES,
            where="lines",
            problem=f"enter 1 to {MOST_LINES} lines at once, one sheet after the other",
        )
        seen: set[int] = set()
        for place, line in enumerate(self.lines):
            where = f"lines.{place}"
            faults.check(
                when=not 1 <= line.number <= LARGEST_NUMBER,
                where=f"{where}.line",
                problem=f"must lie from 1 to {LARGEST_NUMBER}",
            )
            faults.check(when=line.number in seen, where=f"{where}.line", problem="stands in the form twice")
            seen.add(line.number)
            for field, at in line.times():
                check_year(at, faults, f"{where}.{field}")
            faults.check(when=not any(line.says()), where=where, problem="says nothing: leave the line out")
            faults.check(
                when=line.vomited is not None and line.given is None,
                where=f"{where}.vomited",
                problem="needs the dose of the line, `given`",
            )
        faults.raise_if_any()
