"""A record that was a mistake is taken back: it stays readable, with why, by whom and when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import StaffId
from caseload.domain.people import Staff

LONGEST_REASON: Final = 500
"""Characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenBack:
    """That a record was a mistake."""

    reason: str
    by: StaffId
    at: datetime


def because(reason: str, *, by: Staff, now: datetime) -> TakenBack:
    """That it was a mistake, with what was wrong. Raises `Invalid` when that is not said, or in too many words."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid(Fault("reason", f"say what was wrong, in {LONGEST_REASON} characters at most"))
    return TakenBack(reason=reason, by=by.id, at=now)
