"""`caseload import check`, as somebody at a terminal or a program meets it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from caseload.commands import import_
from tests.imports.folders import GOOD, a_folder


def check(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(import_.command, ["check", str(folder), *options])


def test_a_good_folder_ends_with_0_and_says_what_would_be_done(tmp_path: Path) -> None:
    ended = check(a_folder(tmp_path))
    assert ended.exit_code == 0
    assert ended.stdout.splitlines()[-1] == "2 people would be brought in; no row is refused."
    assert not ended.stderr


def test_refused_rows_end_with_1(tmp_path: Path) -> None:
    ended = check(a_folder(tmp_path, doses=GOOD["doses.csv"] + "C9,2025-05-02,methadone,oral_solution,30\n"))
    assert ended.exit_code == 1
    assert "doses.csv     5  external_id does not stand in clients.csv" in ended.stdout


def test_a_folder_of_which_nothing_can_be_brought_in_ends_with_2(tmp_path: Path) -> None:
    ended = check(a_folder(tmp_path, doses=None))
    assert ended.exit_code == 2
    assert "doses.csv is not there" in ended.stdout


def test_a_folder_that_is_not_there_ends_with_2(tmp_path: Path) -> None:
    ended = check(tmp_path / "nowhere")
    assert ended.exit_code == 2
    assert "not exist" in " ".join(ended.stderr.split())


def test_long_lists_are_whole_when_all_is_asked_for(tmp_path: Path) -> None:
    many = "".join(f"C9,2025-06-{day:02},methadone,oral_solution,5\n" for day in range(1, 31))
    folder = a_folder(tmp_path, doses=GOOD["doses.csv"] + many)
    assert "and 10 more; --all shows them" in check(folder).stdout
    assert check(folder, "--all").stdout.count("does not stand in clients.csv") == 30


def test_programs_get_json_and_nothing_else(tmp_path: Path) -> None:
    ended = check(a_folder(tmp_path), "--json")
    assert ended.exit_code == 0
    assert json.loads(ended.stdout)["shows"]["people"] == 2


def test_a_terminal_gets_the_same_sections_in_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = a_folder(tmp_path)
    titles = [line for line in check(folder).stdout.splitlines() if line and not line.startswith(" ")]
    monkeypatch.setattr(import_, "on_screen", lambda: True)
    shown = check(folder).stdout
    assert len(titles) > 5
    assert [title for title in titles if title not in shown] == []
    assert "C1      2025-05-05  methadone" in shown
