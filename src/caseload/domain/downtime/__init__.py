"""A morning on paper: completed downtime sheets, entered line by line."""

from caseload.domain.downtime.answer import (
    Answer,
    DowntimeEntryUnknown,
    Entered,
    Found,
    HandledByAnother,
    NobodyOfTheStaff,
    NothingTaken,
    NotOfTheSheet,
    NotTheGiver,
    Outcome,
    SheetEntered,
)
from caseload.domain.downtime.desk import Hand, Sheets
from caseload.domain.downtime.entering import enter_sheet
from caseload.domain.downtime.listing import EnteredSheet
from caseload.domain.downtime.paper import (
    LARGEST_NUMBER,
    GivenOnPaper,
    NotGivenOnPaper,
    PaperLine,
    SeenOnPaper,
    Sheet,
    SpilledOnPaper,
    TakenHomeOnPaper,
    VomitedOnPaper,
    What,
)
from caseload.domain.downtime.telling import Aside

__all__ = [
    "LARGEST_NUMBER",
    "Answer",
    "Aside",
    "DowntimeEntryUnknown",
    "Entered",
    "EnteredSheet",
    "Found",
    "GivenOnPaper",
    "Hand",
    "HandledByAnother",
    "NobodyOfTheStaff",
    "NotGivenOnPaper",
    "NotOfTheSheet",
    "NotTheGiver",
    "NothingTaken",
    "Outcome",
    "PaperLine",
    "SeenOnPaper",
    "Sheet",
    "SheetEntered",
    "Sheets",
    "SpilledOnPaper",
    "TakenHomeOnPaper",
    "VomitedOnPaper",
    "What",
    "enter_sheet",
]
