"""The sheets that were entered, one line each: what came of them, and whose word is still missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from caseload.domain.downtime.answer import Outcome
from caseload.domain.ids import DowntimeId, ProgrammeId, StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class EnteredSheet:
    """A sheet that was entered. It names no client."""

    id: DowntimeId
    programme: ProgrammeId
    day: date
    reason: str
    entered_by: StaffId
    entered_at: datetime
    lines: int
    """Lines of the paper."""
    outcomes: Mapping[Outcome, int]
    """How often something that a line says was answered so; a line may say several things."""
    to_confirm: int
    """Doses of which the named giver has said nothing yet."""
    disputed: int
    """Doses that the named giver disputes."""
    closed: int
    """Doses whose named giver had left, and of which somebody closed the question."""
