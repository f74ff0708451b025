"""Break-glass: the door to one client outside one's reach, in an emergency, for an hour, looked at by somebody else."""

from caseload.domain.glass.breaking import (
    Broken,
    GlassBroken,
    GlassEnded,
    GlassNotBroken,
    GlassStillBroken,
    GlassUnknown,
    ReasonCode,
    TooManyGuesses,
    Tried,
    Wanted,
    WithinReachAlready,
    break_glass,
    end_glass,
    review_due,
)
from caseload.domain.glass.reviewing import (
    GlassReview,
    GlassReviewed,
    GlassReviewedAlready,
    NotYourOwnGlass,
    Outcome,
    review_glass,
)
from caseload.domain.glass.rules import GlassRules, rules

__all__ = [
    "Broken",
    "GlassBroken",
    "GlassEnded",
    "GlassNotBroken",
    "GlassReview",
    "GlassReviewed",
    "GlassReviewedAlready",
    "GlassRules",
    "GlassStillBroken",
    "GlassUnknown",
    "NotYourOwnGlass",
    "Outcome",
    "ReasonCode",
    "TooManyGuesses",
    "Tried",
    "Wanted",
    "WithinReachAlready",
    "break_glass",
    "end_glass",
    "review_due",
    "review_glass",
    "rules",
]
