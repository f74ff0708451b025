"""Which take-home decisions a prescriber is to look at again, and why."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from caseload.domain.takehome.decision import TakeHomeDecision


class ReviewReason(StrEnum):
    """Why a decision is to be looked at again."""

    SUSPENDED = "suspended"
    REVIEW_DUE = "review_due"
    """Its review date has come."""
    UNIT_MISSING = "unit_missing"
    """A unit that was handed out on it did not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A decision that waits for a prescriber."""

    decision: TakeHomeDecision
    reasons: tuple[ReviewReason, ...]
    review_by: date


def review_of(decision: TakeHomeDecision, today: date, *, is_missing_one: bool) -> Review | None:
    """Why a decision is to be looked at again on a day, and by when; None while there is no reason."""
    suspension = decision.suspension
    review_by = decision.review_on if suspension is None else min(suspension.review_on, decision.review_on)
    reasons = [ReviewReason.SUSPENDED] if suspension is not None else []
    reasons += [ReviewReason.REVIEW_DUE] if review_by <= today else []
    reasons += [ReviewReason.UNIT_MISSING] if is_missing_one else []
    return Review(decision=decision, reasons=tuple(reasons), review_by=review_by) if reasons else None
