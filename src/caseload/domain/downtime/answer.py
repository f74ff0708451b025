"""How each line of a downtime sheet was answered, and what is kept of the sheet."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from caseload.domain.downtime.paper import What
from caseload.domain.errors import Conflict, NotFound, NotPermitted
from caseload.domain.ids import ClientId, DowntimeId, ProgrammeId, StaffId
from caseload.domain.journal import Event


class Outcome(StrEnum):
    """How a line was answered."""

    RECORDED = "recorded"
    EXCEPTION = "exception"
    """In the record, labelled with the rules that it broke: a prescriber looks before the next."""
    ALREADY = "already"
    """In the record already, word for word; nothing was added."""
    REFUSED = "refused"
    """It cannot be understood; nothing of it is in the record."""


class NobodyOfTheStaff(NotFound):
    """The name on the line is nobody of the staff."""


class NotTheGiver(NotPermitted):
    """Whoever stands on the line could not have given it there and then."""


class NotOfTheSheet(Conflict):
    """The line does not belong to this sheet."""


class HandledByAnother(NotPermitted):
    """Whoever handled it records a spill in their own session."""

    def __init__(self) -> None:
        super().__init__("Only so is a witness never whoever spilled it. The dose of the line is recorded by itself.")


class NothingTaken(Conflict):
    """The dose of this line is not in the record."""

    def __init__(self) -> None:
        super().__init__("Put the dose right first: what became of it belongs to it.")


class DowntimeEntryUnknown(NotFound):
    """There is no such entered sheet within your reach."""

    def __init__(self) -> None:
        super().__init__("Use the id that was given when the sheet was entered.")


class SheetEntered(Event):
    """A downtime sheet was entered from paper."""

    name: ClassVar[str] = "downtime_sheet.entered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the record says already: who recorded it, and when."""

    record: UUID
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How one thing that a line says was answered."""

    line: int
    what: What
    outcome: Outcome
    client: ClientId | None
    """None where no client of the programme is meant by it."""
    written_by: StaffId | None
    """Whose name stands on the paper; None where that is nobody of the staff."""
    observed_by: StaffId | None = None
    record: UUID | None = None
    """The dose, or what else was recorded or found; None where nothing is in the record."""
    rules: tuple[str, ...] = ()
    """Of an exception: the rules that it broke."""
    found: Found | None = None
    says: str | None = None
    """Of what was refused: why, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """A sheet as it was entered, and how each line was answered."""

    id: DowntimeId
    programme: ProgrammeId
    day: date
    reason: str
    entered_by: StaffId
    entered_at: datetime
    answers: tuple[Answer, ...]
