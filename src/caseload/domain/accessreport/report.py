"""One report of who looked at a client's record: as it was asked for, what is withheld of it, and whether it has left."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from caseload.domain.accessreport.lines import Line, Reason
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, ProgrammeId, ReportId, StaffId


class ReportUnknown(NotFound):
    """There is no such report."""

    def __init__(self) -> None:
        super().__init__("Prepare a report of this client's accesses first.")


class LineUnknown(NotFound):
    """There is no such line in this report."""

    def __init__(self) -> None:
        super().__init__("Use the identifiers of lines that the report shows.")


class AlreadyReleased(Conflict):
    """This report has been released."""

    def __init__(self) -> None:
        super().__init__("What has left cannot be changed. Prepare another report.")


class NotReleased(Conflict):
    """This report has not been released."""

    def __init__(self) -> None:
        super().__init__("Look through its lines, withhold what must be withheld, and release it.")


class ReportFormat(StrEnum):
    """As what a report leaves."""

    JSON = "json"
    """Everything, with the proofs."""
    CSV = "csv"
    """RFC 4180, one line per access, safe to open in a spreadsheet."""
    PDF = "pdf"
    """For reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The checkpoint that a report is as of."""

    size: int
    root: bytes
    note: bytes
    """As it was signed."""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Somebody's word that a report may leave as it is."""

    released_by: StaffId
    released_at: datetime
    lines: int
    withheld: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One report, as it was asked for and as far as it has come."""

    id: ReportId
    client: ClientId
    programme: ProgrammeId
    """The client's home programme, whose days count and whose privacy officers see the report."""
    since: datetime | None
    size: int
    """How many entries the log had: the report is as of this tree."""
    prepared_by: StaffId
    prepared_at: datetime
    release: Release | None = None

    def require_open(self) -> None:
        """Raise `AlreadyReleased` when it has left."""
        if self.release is not None:
            raise AlreadyReleased

    def require_released(self) -> Release:
        """Raise `NotReleased` until it may leave."""
        if self.release is None:
            raise NotReleased
        return self.release


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """Why some lines do not leave."""

    reason: Reason
    note: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A line as whoever reviews the report sees it."""

    line: Line
    withheld: Withheld | None


@dataclass(slots=True, kw_only=True)
class Counted:
    """How many lines there are, and how many are withheld for which reason."""

    lines: int = 0
    by_reason: dict[Reason, int] = field(default_factory=dict[Reason, int])

    @property
    def withheld(self) -> int:
        """How many are withheld."""
        return sum(self.by_reason.values())
