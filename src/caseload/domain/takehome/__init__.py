"""Take-home doses: the prescriber's decision, the dated units that are handed out, and what becomes of each."""

from caseload.domain.takehome.decision import (
    Answer,
    Criterion,
    DecisionReplaced,
    Suspension,
    TakeHomeDecided,
    TakeHomeDecision,
    TakeHomeDecisionUnknown,
    TakeHomeRefused,
    TakeHomeWish,
    decide_take_home,
)
from caseload.domain.takehome.dispensing import (
    Handing,
    NothingToTakeFrom,
    Situation,
    TakeHomeDispensed,
    UnitsMoved,
    Wanted,
    dispense,
)
from caseload.domain.takehome.label import Label, NoPremises, Premises, PremisesMoved, keep_premises
from caseload.domain.takehome.returning import (
    Destroyed,
    OutcomeMoved,
    Report,
    TakeHomeReturned,
    Told,
    report_units,
)
from caseload.domain.takehome.reviewing import Review, ReviewReason, review_of
from caseload.domain.takehome.suspending import suspend_take_home
from caseload.domain.takehome.unit import CameBack, Dispense, Outcome, TakeHomeUnit, label_of

__all__ = [
    "Answer",
    "CameBack",
    "Criterion",
    "DecisionReplaced",
    "Destroyed",
    "Dispense",
    "Handing",
    "Label",
    "NoPremises",
    "NothingToTakeFrom",
    "Outcome",
    "OutcomeMoved",
    "Premises",
    "PremisesMoved",
    "Report",
    "Review",
    "ReviewReason",
    "Situation",
    "Suspension",
    "TakeHomeDecided",
    "TakeHomeDecision",
    "TakeHomeDecisionUnknown",
    "TakeHomeDispensed",
    "TakeHomeRefused",
    "TakeHomeReturned",
    "TakeHomeUnit",
    "TakeHomeWish",
    "Told",
    "UnitsMoved",
    "Wanted",
    "decide_take_home",
    "dispense",
    "keep_premises",
    "label_of",
    "report_units",
    "review_of",
    "suspend_take_home",
]
