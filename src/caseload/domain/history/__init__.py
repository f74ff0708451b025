"""The history with which a programme starts: records kept by others before us, brought in as they were recorded.

`rows` says what a valid row is, `gathering` puts rows together person by person, `shows` counts what they show.
`importing` begins and ends a run over a folder, `bringing_in` takes one person out of it.
"""

from caseload.domain.history.gathering import History, Person, Question, QuestionKind, Refusal
from caseload.domain.history.rows import (
    CLIENTS,
    DECISIONS,
    DOSES,
    DRUG_SCREENS,
    PROGRAMMES,
    SHEETS,
    VISITS,
    ClientRow,
    Decision,
    DoseRow,
    Outcome,
    ProgrammeRow,
    ScreenRow,
    Sheet,
    VisitRow,
)
from caseload.domain.history.shows import (
    LONG_RUN,
    LastKnown,
    Shown,
    is_daily,
    missed_runs,
    show,
    would_have_stopped,
)

__all__ = [
    "CLIENTS",
    "DECISIONS",
    "DOSES",
    "DRUG_SCREENS",
    "LONG_RUN",
    "PROGRAMMES",
    "SHEETS",
    "VISITS",
    "ClientRow",
    "Decision",
    "DoseRow",
    "History",
    "LastKnown",
    "Outcome",
    "Person",
    "ProgrammeRow",
    "Question",
    "QuestionKind",
    "Refusal",
    "ScreenRow",
    "Sheet",
    "Shown",
    "VisitRow",
    "is_daily",
    "missed_runs",
    "show",
    "would_have_stopped",
]
