"""`caseload import`, as somebody at a terminal or a program meets it."""

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import create_async_engine

from caseload.commands import import_
from caseload.db.tables.people import staff_password
from caseload.domain.access import Role
from caseload.request.passwords import Passwords
from tests.factories import people
from tests.imports.folders import GOOD, a_folder
from tests.shared_server import Addresses

PASSWORD = "unremarkable teapot voyage"


def check(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(import_.command, ["check", str(folder), *options])


def test_a_good_folder_ends_with_0_and_says_what_would_be_done(tmp_path: Path) -> None:
    ended = check(a_folder(tmp_path))
    assert ended.exit_code == 0
    assert ended.stdout.splitlines()[-1] == "2 people would be brought in; no row is refused."
    assert not ended.stderr


def test_refused_rows_are_listed_and_end_with_1_when_asked_to_be_strict(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, doses=GOOD["doses.csv"] + "C9,2025-05-02,methadone,oral_solution,30\n")
    ended = check(folder)
    assert ended.exit_code == 0
    assert check(folder, "--strict").exit_code == 1
    assert check(a_folder(tmp_path / "good"), "--strict").exit_code == 0
    assert "doses.csv     5  external_id does not stand in clients.csv" in ended.stdout


def test_a_folder_of_which_nothing_can_be_brought_in_ends_with_1(tmp_path: Path) -> None:
    ended = check(a_folder(tmp_path, doses=None))
    assert ended.exit_code == 1
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


async def _prepare(dsn: str) -> None:
    """An administrator with a password, and anna."""
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": dsn})
    passwords = Passwords()
    async with engine.begin() as connection:
        administrator = await people.staff(connection, user_name="marta", holds=[(Role.ADMINISTRATOR, None)])
        await people.staff(connection, user_name="anna")
        await connection.execute(
            insert(staff_password).values(
                staff_id=administrator.id,
                number=1,
                set_at=people.LONG_AGO,
                set_by=administrator.id,
                hash=await passwords.hash(PASSWORD),
            )
        )
    passwords.close()
    await engine.dispose()


async def _clients(dsn: str) -> int:
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": dsn})
    async with engine.connect() as connection:
        found = int((await connection.execute(text("select count(*) from clinic.client"))).scalar_one())
    await engine.dispose()
    return found


@pytest.fixture
def clinic(throwaway_database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    """A clinic with an administrator, as the command line finds it through its environment."""
    asyncio.run(_prepare(throwaway_database.service))
    monkeypatch.setenv("CASELOAD_DATABASE_URL", throwaway_database.service)
    monkeypatch.setenv("CASELOAD_DATA_DIR", str(tmp_path / "data"))
    return throwaway_database


def run(folder: Path, *options: str, password: str = PASSWORD) -> Result:
    file = folder.parent / "password"
    file.write_text(f"{password}\n")
    given = ["run", str(folder), "--as", "marta", "--password-file", str(file), *options]
    return CliRunner().invoke(import_.command, given)


def test_somebody_who_signs_in_brings_a_folder_in(clinic: Addresses, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "history")
    ended = run(folder, "--counsellor", "P1=anna")
    assert ended.exit_code == 0, ended.output
    assert "People: 2 brought in." in ended.stdout
    assert asyncio.run(_clients(clinic.service)) == 2
    again = run(folder, "--counsellor", "*=anna")
    assert again.exit_code == 0
    assert again.stdout == "People: 2 unchanged since they were brought in before.\n"


def test_refused_rows_are_listed_and_left_out(clinic: Addresses, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "history", doses=GOOD["doses.csv"] + "C9,2025-05-02,methadone,oral_solution,30\n")
    ended = run(folder, "--counsellor", "P1=anna")
    assert ended.exit_code == 0
    assert "doses.csv     5  external_id does not stand in clients.csv" in ended.stdout
    assert asyncio.run(_clients(clinic.service)) == 2


def test_a_folder_that_cannot_be_read_ends_with_1_before_anybody_signs_in(tmp_path: Path) -> None:
    ended = run(a_folder(tmp_path / "history", visits=None), "--counsellor", "P1=anna")
    assert ended.exit_code == 1
    assert "visits.csv is not there" in ended.stderr


def test_a_counsellor_is_named_with_the_programme(tmp_path: Path) -> None:
    ended = run(a_folder(tmp_path / "history"), "--counsellor", "anna")
    assert ended.exit_code == 2
    assert "PROGRAMME=USER" in ended.stderr


def test_nobody_brings_anything_in_with_a_wrong_password(clinic: Addresses, tmp_path: Path) -> None:
    ended = run(a_folder(tmp_path / "history"), "--counsellor", "P1=anna", password="something else entirely")
    assert type(ended.exception).__name__ == "WrongCredentials"
    assert asyncio.run(_clients(clinic.service)) == 0


def test_what_an_import_lacks_is_said_before_anything_is_written(clinic: Addresses, tmp_path: Path) -> None:
    ended = run(a_folder(tmp_path / "history"))
    assert "--counsellor P1=USER" in str(ended.exception)
    assert asyncio.run(_clients(clinic.service)) == 0
