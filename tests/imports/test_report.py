"""What is said of a folder: to people in sections, to programs without a cut."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from caseload.domain.history import SHEETS, QuestionKind
from caseload.imports import report
from caseload.imports.account import account_of
from caseload.imports.data import as_data
from caseload.imports.folder import read
from tests.imports.folders import GOOD, a_folder

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "importing.md"


def said(folder: Path, *, everything: bool = False) -> list[str]:
    return list(report.plain(account_of(read(folder, now=NOW)), everything=everything))


def data(folder: Path) -> dict[str, Any]:
    return msgspec.json.decode(msgspec.json.encode(as_data(account_of(read(folder, now=NOW)))))


def test_people_read_counts_questions_and_what_the_history_shows(tmp_path: Path) -> None:
    lines = said(a_folder(tmp_path, doses=GOOD["doses.csv"] + "C1,2025-05-05,methadone,oral_solution,20\n"))
    text = "\n".join(lines)
    assert "  doses.csv            4         4        0  UTF-8" in lines
    assert "To decide: Two doses on one day: a second part, or a correction? (1)" in lines
    assert "  C1      2025-05-05  doses.csv  3, 5   40 + 20" in lines
    assert "To decide: Visits whose outcome is unknown (1)" in lines
    assert "            2     1" in lines
    assert "2 of 2 people had at least one daily dose." in text
    assert "  C1      2025-05-05  methadone               40 + 20  2025-05-05" in lines
    assert lines[-1] == "2 people would be brought in; no row is refused."


def test_a_refused_row_is_listed_with_its_line_and_every_reason(tmp_path: Path) -> None:
    lines = said(a_folder(tmp_path, doses=GOOD["doses.csv"] + "C1,1025-05-05,gin,oral_solution,20\n"))
    assert "Refused rows, left out (1)" in lines
    [row] = [line for line in lines if line.startswith("  doses.csv     5  ")]
    assert "given_on lies in the year 1025" in row
    assert "medicine is not one of" in row
    assert lines[-1] == "2 people would be brought in; 1 row would be left out."


def test_a_folder_that_cannot_be_read_is_given_its_reasons_and_nothing_else(tmp_path: Path) -> None:
    lines = said(a_folder(tmp_path, doses="external_id,given_on\n", visits=None))
    assert "  doses.csv lacks the column medicine" in lines
    assert "  visits.csv is not there" in lines
    assert not any(line.startswith("Last dose") for line in lines)
    assert lines[-1] == "Nothing can be brought in until these files can be read."


def test_a_long_list_is_cut_unless_all_of_it_is_asked_for(tmp_path: Path) -> None:
    many = "".join(f"C9,2025-06-{day:02},methadone,oral_solution,5\n" for day in range(1, 31))
    folder = a_folder(tmp_path, doses=GOOD["doses.csv"] + many)
    assert "  and 10 more; --all shows them" in said(folder)
    assert sum("does not stand in clients.csv" in line for line in said(folder, everything=True)) == 30


def test_programs_are_given_everything(tmp_path: Path) -> None:
    many = "".join(f"C9,2025-06-{day:02},methadone,oral_solution,5\n" for day in range(1, 31))
    found = data(a_folder(tmp_path, doses=GOOD["doses.csv"] + many))
    assert found["format"] == "caseload-import-check/1"
    assert found["usable"] is True
    assert found["files"][2] | {"sha256": "..."} == {
        "file": "doses.csv",
        "read_as": "UTF-8",
        "sha256": "...",
        "rows": 33,
        "accepted": 3,
        "refused": 30,
        "problems": [],
        "notes": [],
    }
    assert len(found["refused"]) == 30
    assert found["refused"][0] == {
        "file": "doses.csv",
        "line": 5,
        "reasons": [{"column": "external_id", "problem": "does not stand in clients.csv"}],
    }
    assert found["questions_by_kind"] == {"outcome_unknown": 1}
    assert found["shows"]["missed_runs"]["2"] == 1
    assert found["shows"]["missed_runs"]["8 or more"] == 0
    assert found["shows"]["would_have_stopped"] == {"AU-1": 0, "UK-1": 0, "US-1": 0, "US-CA-BRIDGE-1": 0}
    assert found["shows"]["clients"][0]["last_doses"][0]["amount_mg"] == "40"
    assert found["shows"]["clients"][0]["last_day_covered"] == "2025-05-05"


def test_what_is_said_names_nobody(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, clients=GOOD["clients.csv"].replace("1990-01-01", "3990-01-01"))
    everything = "\n".join(said(folder, everything=True)) + str(data(folder))
    assert not [name for name in ("Ada", "Miles", "Béla", "Nagy", "1980") if name in everything]


@pytest.mark.parametrize("kind", QuestionKind)
def test_every_kind_of_question_has_its_words(tmp_path: Path, kind: QuestionKind) -> None:
    folder = a_folder(
        tmp_path,
        clients=GOOD["clients.csv"] + "C3,Ada,MILES,1980-02-29,no,female,P1,2025-05-01\n",
        doses=GOOD["doses.csv"]
        + "C1,2025-04-05,methadone,oral_solution,20\nC1,2025-05-05,methadone,oral_solution,20\n",
    )
    account = account_of(read(folder, now=NOW))
    assert sum(question.kind is kind for question in account.questions) == 1
    titles = [section.title for section in report.sections(account, everything=True)]
    assert sum(title.startswith("To decide:") for title in titles) == len(QuestionKind)


def test_the_document_names_every_file_and_column() -> None:
    text = DOCUMENT.read_text()
    missing = [
        f"{sheet.file}: {column.name}"
        for sheet in SHEETS
        for column in sheet.columns
        if f"`{sheet.file}`" not in text or f"`{column.name}`" not in text
    ]
    assert not missing, "docs/importing.md says what each column is"
