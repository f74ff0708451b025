"""Interim treatment: medicine while somebody waits for comprehensive treatment, on so many days of any twelve months.

Source: 42 CFR 8.12(j): at most 180 days in any 12 months, a plan for going on by day 120, and, with 8.12(f)(6) and (j)(4), two
random drug screens at least. The numbers are values of the profile in force on its first day. Days of an earlier interim
treatment within the twelve months count, also of one elsewhere, for the plan as for the end (product convention: the stricter
reading). What is over is listed and stops no dose; only a beginning for which no day is left is refused.
"""

from caseload.domain.interim.counting import (
    Standing,
    before_it,
    days_used,
    last_day,
    next_date,
    standing,
)
from caseload.domain.interim.recording import begin_interim, correct_plan, end_interim, plan_on, take_back_interim
from caseload.domain.interim.treatment import (
    READ_AGAIN,
    Begun,
    End,
    Ended,
    InterimBegun,
    InterimDaysUsed,
    InterimEnded,
    InterimPlanCorrected,
    InterimPlanned,
    InterimRunning,
    Interims,
    InterimSettled,
    InterimTakenBack,
    InterimTreatment,
    InterimUnknown,
    NoInterimHere,
    Plan,
    Waiting,
)

__all__ = [
    "READ_AGAIN",
    "Begun",
    "End",
    "Ended",
    "InterimBegun",
    "InterimDaysUsed",
    "InterimEnded",
    "InterimPlanCorrected",
    "InterimPlanned",
    "InterimRunning",
    "InterimSettled",
    "InterimTakenBack",
    "InterimTreatment",
    "InterimUnknown",
    "Interims",
    "NoInterimHere",
    "Plan",
    "Standing",
    "Waiting",
    "before_it",
    "begin_interim",
    "correct_plan",
    "days_used",
    "end_interim",
    "last_day",
    "next_date",
    "plan_on",
    "standing",
    "take_back_interim",
]
