"""Dosing: what is given at the window, what stands in its way, and how a record of it is put right."""

from caseload.domain.dosing.chart import Chart, Charted, DoseStanding, Reviewed
from caseload.domain.dosing.correction import (
    Amendment,
    BroughtInDose,
    DoseAmended,
    DoseCorrected,
    DoseMoved,
    OwnDose,
    amend,
    correct_as_not_given,
)
from caseload.domain.dosing.decision import Histories, InTheWay, Wanted, allow_dose, stopped_by
from caseload.domain.dosing.dose import Correction, Dose, Entry, Kind, NotGiven, NotGivenReason
from caseload.domain.dosing.due import Due, DuePart, Morning, check_day, due_on, order_on
from caseload.domain.dosing.facts import Allowed, AlreadyGiven, Facts, Giving, Held, Observed, StepWaits, TakenPart
from caseload.domain.dosing.late import DoseRecordedLate, ExceptionRecorded, Late, record_late
from caseload.domain.dosing.missed import DaysWithout, LadderSays, Taken, days_without, ladder_says
from caseload.domain.dosing.not_given import Missing, NotGivenRecorded, WasGiven, record_not_given
from caseload.domain.dosing.observing import PreDose, PreDoseObserved, Sedation, observe_before_dose
from caseload.domain.dosing.refusal import Refusal, Rule
from caseload.domain.dosing.rules import EVERYTHING_COMMITTED, Judgement, judge
from caseload.domain.dosing.window import DoseRecorded, DoseRefused, Doses, DoseUnknown, OrderChanged, give

__all__ = [
    "EVERYTHING_COMMITTED",
    "Allowed",
    "AlreadyGiven",
    "Amendment",
    "BroughtInDose",
    "Chart",
    "Charted",
    "Correction",
    "DaysWithout",
    "Dose",
    "DoseAmended",
    "DoseCorrected",
    "DoseMoved",
    "DoseRecorded",
    "DoseRecordedLate",
    "DoseRefused",
    "DoseStanding",
    "DoseUnknown",
    "Doses",
    "Due",
    "DuePart",
    "Entry",
    "ExceptionRecorded",
    "Facts",
    "Giving",
    "Held",
    "Histories",
    "InTheWay",
    "Judgement",
    "Kind",
    "LadderSays",
    "Late",
    "Missing",
    "Morning",
    "NotGiven",
    "NotGivenReason",
    "NotGivenRecorded",
    "Observed",
    "OrderChanged",
    "OwnDose",
    "PreDose",
    "PreDoseObserved",
    "Refusal",
    "Reviewed",
    "Rule",
    "Sedation",
    "StepWaits",
    "Taken",
    "TakenPart",
    "Wanted",
    "WasGiven",
    "allow_dose",
    "amend",
    "check_day",
    "correct_as_not_given",
    "days_without",
    "due_on",
    "give",
    "judge",
    "ladder_says",
    "observe_before_dose",
    "order_on",
    "record_late",
    "record_not_given",
    "stopped_by",
]
