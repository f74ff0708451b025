"""The account of a folder for programs: the same that people are told, and nothing cut."""

from collections import Counter

from caseload.domain.history import LONG_RUN, would_have_stopped
from caseload.domain.profiles import profiles
from caseload.imports.account import Account
from caseload.imports.folder import FileRead
from caseload.imports.report import run_length

FORMAT = "caseload-import-check/1"


def as_data(account: Account) -> dict[str, object]:
    """The whole account for programs; nothing is cut. Amounts are strings, days are ISO 8601."""
    shown = account.shown
    return {
        "format": FORMAT,
        "folder": account.read.folder.name,
        "usable": account.read.usable,
        "files": [_file_data(file) for file in account.read.files],
        "notes": account.read.notes,
        "refused": [
            {
                "file": refusal.file,
                "line": refusal.line,
                "reasons": [{"column": fault.field or None, "problem": fault.problem} for fault in refusal.faults],
            }
            for refusal in account.refused
        ],
        "questions_by_kind": Counter(question.kind for question in account.questions),
        "questions": account.questions,
        "shows": {
            "people": shown.people,
            "people_with_daily_doses": shown.people_with_daily_doses,
            "missed_runs": {run_length(length): shown.missed_runs[length] for length in range(1, LONG_RUN + 1)},
            "would_have_stopped": {
                versions[-1].label: would_have_stopped(shown.after_missed, versions[-1])
                for versions in profiles().values()
            },
            "doses": [
                {
                    "medicine": medicine,
                    "form": form,
                    "doses": doses,
                    "largest_mg": shown.largest_mg[medicine, form].amount_mg,
                    "largest_in_line": shown.largest_mg[medicine, form].line,
                }
                for (medicine, form), doses in shown.doses.most_common()
            ],
            "visits": shown.visits,
            "visits_without_day": shown.visits_without_day,
            "drug_screens": shown.screens,
            "clients": shown.last_known,
        },
    }


def _file_data(file: FileRead) -> dict[str, object]:
    return {
        "file": file.file,
        "read_as": file.encoding or None,
        "sha256": file.sha256 or None,
        "rows": file.rows,
        "accepted": file.accepted,
        "refused": file.refused,
        "problems": file.problems,
        "notes": file.notes,
    }
