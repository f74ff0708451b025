"""Folders are read without trusting a byte of them: every fault is a line of the report, and never a crash."""

import gc
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.history import History, show
from caseload.imports.csvfile import LONGEST_LINE_BYTES, MOST_LINES_IN_A_ROW
from caseload.imports.folder import FileRead, FolderRead, read
from tests.imports.folders import GOOD, a_folder, real_clinic

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DOSES = GOOD["doses.csv"]


def file_of(found: FolderRead, name: str) -> FileRead:
    return next(file for file in found.files if file.file == f"{name}.csv")


def refused(found: FolderRead) -> Sequence[tuple[str, int, str]]:
    return [
        (refusal.file, refusal.line, "; ".join(fault.problem for fault in refusal.faults))
        for refusal in found.history.refused
    ]


def test_a_good_folder_is_accepted_whole(tmp_path: Path) -> None:
    found = read(a_folder(tmp_path), now=NOW)
    assert found.usable
    assert not found.history.refused
    assert [(file.file, file.rows, file.accepted) for file in found.files] == [
        ("programmes.csv", 1, 1),
        ("clients.csv", 2, 2),
        ("doses.csv", 3, 3),
        ("visits.csv", 3, 3),
        ("drug_screens.csv", 1, 1),
    ]
    assert found.history.people["C2"].client.identity.given_name == "Béla"


@pytest.mark.parametrize(
    ("encoded", "said"),
    [
        (GOOD["clients.csv"].encode(), "UTF-8"),
        (b"\xef\xbb\xbf" + GOOD["clients.csv"].encode(), "UTF-8 with a byte order mark"),
        (GOOD["clients.csv"].encode("latin-1"), "Latin-1 assumed: line 3 is not UTF-8"),
        (
            GOOD["clients.csv"].replace("Nagy", "Nagy\u2019s").encode("cp1252"),
            "Windows-1252 assumed: line 3 is not UTF-8",
        ),
        (GOOD["clients.csv"].replace("\n", "\r\n").encode(), "UTF-8"),
        (GOOD["clients.csv"].rstrip("\n").encode(), "UTF-8"),
        (b"\n\n" + GOOD["clients.csv"].encode() + b"\n,,,,,,,\n\n", "UTF-8"),
    ],
    ids=["utf-8", "bom", "latin-1", "windows-1252", "crlf", "no-last-line-end", "blank-lines"],
)
def test_a_file_is_read_as_it_was_written_and_the_report_says_how(tmp_path: Path, encoded: bytes, said: str) -> None:
    found = read(a_folder(tmp_path, clients=encoded), now=NOW)
    assert file_of(found, "clients").encoding == said
    assert file_of(found, "clients").rows == 2
    assert not found.history.refused
    assert found.history.people["C2"].client.identity.given_name == "Béla"


def test_one_line_that_is_not_utf_8_does_not_spoil_the_names_of_the_others(tmp_path: Path) -> None:
    mixed = GOOD["clients.csv"].encode() + "C3,Zoë,Roux,1990-01-01,yes,male,P1,2025-05-03\n".encode("latin-1")
    found = read(a_folder(tmp_path, clients=mixed), now=NOW)
    assert found.history.people["C2"].client.identity.given_name == "Béla"
    assert refused(found) == [("clients.csv", 4, "is not UTF-8 as the rest of the file is")]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is not there"),
        (b"", "is empty: not even the header is there"),
        (b"\n\n", "is empty: not even the header is there"),
        (b"\xff\xfee\x00", "is UTF-16"),
        (b"a,b\rc,d\r", "has old Macintosh line ends"),
        (DOSES.replace("given_on", "given on"), "lacks the column given_on (is it given on?)"),
        (DOSES.replace("amount_mg", "dose"), "lacks the column amount_mg"),
        (DOSES.replace("external_id", "given_on"), "has the column given_on more than once"),
        (DOSES.replace(",", ";"), "separates its columns with semicolons"),
        (DOSES.replace(",", "\t"), "separates its columns with tabs"),
        (DOSES.split("\n", 1)[1], "lacks the column external_id"),
        ("x" * 1_000_000, "has no header that can be read: line 1 is longer than"),
        (b"\0" + DOSES.encode(), "has no header that can be read: line 1 holds NUL bytes"),
    ],
)
def test_a_file_of_which_no_row_can_be_trusted_stops_the_whole_folder(
    tmp_path: Path, content: str | bytes | None, says: str
) -> None:
    found = read(a_folder(tmp_path, doses=content), now=NOW)
    assert not found.usable
    assert any(problem.startswith(says) for problem in file_of(found, "doses").problems)


def test_all_that_is_wrong_with_a_header_is_said_at_once(tmp_path: Path) -> None:
    found = read(a_folder(tmp_path, doses="given_on,given_on,form\n"), now=NOW)
    assert file_of(found, "doses").problems == (
        "has the column given_on more than once",
        "lacks the column external_id",
        "lacks the column medicine",
        "lacks the column amount_mg",
    )


def test_a_folder_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    found = read(tmp_path / "nowhere", now=NOW)
    assert not found.usable
    assert {problem for file in found.files for problem in file.problems} == {"is not there"}


def test_a_folder_in_the_place_of_a_file_is_said_to_be_so(tmp_path: Path) -> None:
    (a_folder(tmp_path, doses=None) / "doses.csv").mkdir()
    assert file_of(read(tmp_path, now=NOW), "doses").problems == ("is not a file",)


def test_columns_may_come_in_any_order_and_strange_ones_are_named_and_left_out(tmp_path: Path) -> None:
    turned = "Amount_MG, form,medicine,given_on,external_id,given_by\n60,oral_solution,methadone,2025-05-02,C1,Nurse\n"
    found = read(a_folder(tmp_path, doses=turned), now=NOW)
    assert file_of(found, "doses").notes == ("has the column given_by, which is not known and is not brought in",)
    assert [dose.amount_mg for dose in found.history.people["C1"].doses] == [60]


def test_a_misspelt_file_is_named(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    (folder / "dose.csv").write_text(DOSES)
    assert read(folder, now=NOW).notes == ("dose.csv is none of the files that are read, and is left out",)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("C1,2025-05-06,methadone,oral_solution", "has 4 cells where the header has 5 columns"),
        ("C1,2025-05-06,methadone,oral_solution,5,6", "has 6 cells where the header has 5 columns"),
        ("C9,2025-05-06,methadone,oral_solution,5", "does not stand in clients.csv"),
        ("C1,1025-05-06,methadone,oral_solution,5", "lies in the year 1025; no day before 1900 is taken"),
        ("C1,2025-05-06,methadone,oral_solution,5\0", "holds NUL bytes; the export was damaged"),
        ("C1,2025-05-06,methadone,oral\rsolution,5", "holds a line end in the middle"),
        ('C1,2025-05-06,"methadone"x,oral_solution,5', "has quotation marks that do not pair up"),
        (f"C1,2025-05-06,methadone,{'x' * 1_000_000},5", f"is longer than {LONGEST_LINE_BYTES:,} bytes"),
        (f'C1,2025-05-06,methadone,"{"x" * 1_000_000}",5', f"is longer than {LONGEST_LINE_BYTES:,} bytes"),
        ('C1,2025-05-06,"methadone,oral_solution,5', "opens a quotation mark that is not closed"),
    ],
)
def test_a_bad_line_is_refused_by_number_and_the_others_are_read(tmp_path: Path, line: str, says: str) -> None:
    rows = DOSES.splitlines()
    spoilt = "\n".join([*rows[:2], line, *rows[2:], ""])
    found = read(a_folder(tmp_path, doses=spoilt), now=NOW)
    [(file, number, problem)] = refused(found)
    assert (file, number) == ("doses.csv", 3)
    assert problem.startswith(says)
    assert file_of(found, "doses").accepted == 3
    assert file_of(found, "doses").refused == 1


def test_quotes_inside_quotes_and_line_breaks_inside_a_cell_are_read(tmp_path: Path) -> None:
    visits = (
        "external_id,scheduled_on,label,status,reason\r\n"
        'C1,2025-05-02,"Week ""one"", first",did_not_attend,"said: ""no, thanks"""\r\n'
        'C1,2025-05-09,"Week\r\n2",attended,\r\n'
        "C1,2025-05-16,Week 3,attended,\r\n"
    )
    found = read(a_folder(tmp_path, visits=visits), now=NOW)
    person = found.history.people["C1"]
    assert (person.visits[0].label, person.visits[0].reason) == ('Week "one", first', 'said: "no, thanks"')
    assert [visit.line for visit in person.visits] == [2, 5]
    assert refused(found) == [("visits.csv", 3, "holds a control character")]


def test_an_open_quotation_mark_costs_its_line_only(tmp_path: Path) -> None:
    many = "".join(f"C1,2025-06-{day:02},methadone,oral_solution,5\n" for day in range(1, 31))
    found = read(a_folder(tmp_path, doses=f'{DOSES}C1,"2025-05-06,methadone,oral_solution,5\n{many}'), now=NOW)
    assert refused(found) == [
        ("doses.csv", 5, f"opens a quotation mark that is not closed within {MOST_LINES_IN_A_ROW} lines")
    ]
    assert file_of(found, "doses").accepted == 33


def test_an_open_quotation_mark_before_another_bad_line_costs_both_and_no_more(tmp_path: Path) -> None:
    damaged = [
        'C1,"2025-05-06,methadone,oral_solution,5',
        "C1,2025-05-07,methadone,oral_solution,5\0",
        'C1,"2025-05-08,methadone,oral_solution,5',
        'C1,2025-05-09,meth"x,oral_solution,5',
        'C1,"2025-05-10",meth\radone,oral_solution,5',
    ]
    found = read(a_folder(tmp_path, doses=DOSES + "\n".join(damaged)), now=NOW)
    assert [(line, problem.split(" ")[0]) for _, line, problem in refused(found)] == [
        (5, "opens"),
        (6, "holds"),
        (7, "opens"),
        (8, "is"),
        (9, "holds"),
    ]
    assert file_of(found, "doses").accepted == 3


def test_a_byte_that_is_no_letter_in_windows_1252_costs_its_line(tmp_path: Path) -> None:
    spoilt = GOOD["clients.csv"].replace("Nagy", "Nagy\u2019s").encode("cp1252")
    found = read(a_folder(tmp_path, clients=spoilt + b"C3,\x81,Roux,1990-01-01,yes,male,P1,2025-05-03\n"), now=NOW)
    assert refused(found) == [("clients.csv", 4, "is not Windows-1252 as the rest of the file is")]


def test_a_file_that_fails_while_it_is_read_stops_the_whole_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise OSError(5, "Input/output error")

    folder = a_folder(tmp_path)
    monkeypatch.setattr(History, "take", fail)
    found = read(folder, now=NOW)
    assert not found.usable
    assert file_of(found, "doses").problems == ("cannot be read to its end: Input/output error",)


def test_decisions_are_read_when_there_are_any(tmp_path: Path) -> None:
    twice = DOSES + "C1,2025-05-05,methadone,oral_solution,20\n"
    decided = "external_id,day,decision\nC1,2025-05-05,second_part\nC2,2025-05-05,second_part\n"
    found = read(a_folder(tmp_path, doses=twice, decisions=decided), now=NOW)
    assert len(found.history.people["C1"].decisions) == 1
    assert refused(found) == [("decisions.csv", 3, "has no two accepted rows of this client in doses.csv")]


def test_progress_counts_every_row(tmp_path: Path) -> None:
    told: dict[str, int] = {}

    def tell(file: str, rows: int) -> None:
        told[file] = told.get(file, 0) + rows

    many = "".join("C9,2025-06-01,methadone,oral_solution,5\n" for _ in range(2_500))
    read(a_folder(tmp_path, doses=DOSES + many), now=NOW, progress=tell)
    assert told["doses.csv"] == 2_503


@given(
    st.lists(
        st.one_of(
            st.sampled_from([b'"', b'""', b",", b"\n", b"\r\n", b"\r", b"\0", b"\xff", b"\xc3", b"\xc3\xa9", b" "]),
            st.sampled_from([b"C1", b"2025-05-02", b"methadone", b"oral_solution", b"5", DOSES.encode()]),
            st.binary(max_size=8),
        ),
        max_size=40,
    )
)
def test_any_bytes_at_all_end_in_a_report(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    folder = a_folder(tmp_path_factory.mktemp("any"), doses=DOSES.encode() + b"".join(pieces))
    found = read(folder, now=NOW)
    file = file_of(found, "doses")
    kept = sum(len(person.doses) for person in found.history.people.values())
    assert kept == file.accepted
    assert len(found.history.refused) == file.refused
    assert kept >= 3 or file.problems, "what stands before the damage is read"


def test_a_line_of_many_megabytes_is_never_held_in_memory(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, doses=DOSES + "x" * 30_000_000 + "\n" + DOSES.splitlines()[1] + "\n")
    gc.collect()
    tracemalloc.start()
    found = read(folder, now=NOW)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000
    assert refused(found) == [
        ("doses.csv", 5, f"is longer than {LONGEST_LINE_BYTES:,} bytes; no cell can be that long")
    ]
    assert file_of(found, "doses").accepted == 4


def test_the_real_clinic_shows_the_runs_that_its_readme_counts() -> None:
    found = read(real_clinic(), now=NOW)
    shown = show(found.history)
    assert [(file.file, file.rows) for file in found.files] == [
        ("programmes.csv", 16),
        ("clients.csv", 1_330),
        ("doses.csv", 116_710),
        ("visits.csv", 27_168),
        ("drug_screens.csv", 22_819),
    ]
    assert file_of(found, "doses").refused == 0
    assert shown.missed_runs == {1: 4_316, 2: 1_338, 3: 331, 4: 151, 5: 82, 6: 82, 7: 58, 8: 335}
    assert shown.people_with_daily_doses == 1_202
    assert sum(question.kind == "two_doses_on_one_day" for question in found.history.questions()) == 57
    late = [problem for _, _, problem in refused(found) if "future" in problem]
    assert len(late) == 11
    assert len(found.history.refused) == 12
