"""`caseload downtime-sheet`: what it says, that it is set from data alone, and that it leaves its entry first."""

import asyncio
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from caseload.commands import downtime_sheet
from caseload.db.tables.people import staff_password
from caseload.db.takehome.returns import Returns
from caseload.db.window import WindowRecords
from caseload.domain.downtime.printed import BLANKS
from caseload.domain.ids import ExcusalId, TakeHomeDecisionId, new_id
from caseload.domain.medicines import Medicine
from caseload.domain.takehome import Answer, Criterion, TakeHomeWish, decide_take_home
from caseload.domain.window import Absence, ExcuseReason, excuse
from caseload.request.passwords import Passwords
from caseload.typesetting import CannotTypeset, typeset
from tests.factories import clients, people
from tests.factories.window import proof, window, wish
from tests.shared_server import Addresses

PASSWORD = "unremarkable teapot voyage"
HOSTILE = '#panic("x") *_`$] = \\ <é>'


@asynccontextmanager
async def connected(dsn: str) -> AsyncGenerator[AsyncConnection]:
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": dsn})
    async with engine.begin() as connection:
        yield connection
    await engine.dispose()


async def a_morning(dsn: str) -> tuple[str, str]:
    """Somebody due, somebody dosed and somebody held; the programme's code and the nurse's user name."""
    now = datetime.now(UTC)
    async with connected(dsn) as connection:
        here = await window(connection)
        passwords = Passwords()
        await connection.execute(
            insert(staff_password).values(
                staff_id=here.nurse.id,
                number=1,
                set_at=people.LONG_AGO,
                set_by=here.nurse.id,
                hash=await passwords.hash(PASSWORD),
            )
        )
        passwords.close()
        due, dosed = await here.another_client(), await here.another_client()
        for client, name in ((here.client, "Zed"), (due, HOSTILE), (dosed, "Byrne")):
            await clients.name(connection, client, by=here.nurse.id, family_name=name)
            order = await here.order(wish(starts_on=now.date(), amount_mg="32.5"), now=now, client=client)
            if client == dosed:
                await here.give(order, at=now)
        await here.hold(at=now)
        await excuse(
            due,
            here.programme,
            Absence(reason=ExcuseReason.HOSPITAL, first_on=now.date(), last_on=None, told_by="Ward 4"),
            as_id=ExcusalId(new_id()),
            today=now.date(),
            by=here.nurse,
            now=now,
            excusals=WindowRecords(connection, here.journal),
            journal=here.journal,
        )
        await decide_take_home(
            TakeHomeWish(
                medicine=Medicine.METHADONE,
                days=1,
                answers={criterion: Answer(met=True) for criterion in Criterion},
                rationale="Steady.",
                review_on=now.date() + timedelta(days=30),
            ),
            dosed,
            as_id=TakeHomeDecisionId(new_id()),
            by=here.prescriber,
            proof=proof(here.prescriber, now),
            now=now,
            decisions=Returns(connection, here.journal, now=now),
            journal=here.journal,
        )
        code = await connection.execute(
            text("select code from clinic.programme where id = :id"), {"id": here.programme}
        )
        return code.scalar_one(), here.nurse.user_name


@pytest.fixture
def clinic(
    throwaway_database: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Addresses, str, str]:
    code, user = asyncio.run(a_morning(throwaway_database.service))
    monkeypatch.setenv("CASELOAD_DATABASE_URL", throwaway_database.service)
    monkeypatch.setenv("CASELOAD_DATA_DIR", str(tmp_path / "data"))
    return throwaway_database, code, user


def run(code: str, user: str, out: Path, *, password: str = PASSWORD) -> Result:
    file = out.parent / "password"
    file.write_text(f"{password}\n")
    given = [code, "--as", user, "--password-file", str(file), "--out", str(out)]
    return CliRunner().invoke(downtime_sheet.command, given)


async def entries(addresses: Addresses) -> list[str]:
    async with connected(addresses.owner) as connection:
        rows = await connection.execute(text("select convert_from(leaf, 'UTF8') from audit.queue"))
        return [row for row in rows.scalars() if "downtime_sheet.print" in row]


def test_the_sheet_names_who_is_due_what_and_whom_to_stop(
    clinic: tuple[Addresses, str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses, code, user = clinic
    said: list[Any] = []

    def keeping(template: str, data: Any) -> bytes:
        said.append(data)
        return typeset(template, data)

    monkeypatch.setattr("caseload.typesetting.typeset", keeping)
    out = tmp_path / "today.pdf"
    ended = run(code.lower(), user, out)
    assert ended.exit_code == 0, ended.output
    assert "3 to be dosed, 1 to be stopped" in ended.stdout
    assert out.read_bytes().startswith(b"%PDF")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    lines = {line["family_name"]: line for line in said[0]["lines"]}
    assert list(lines) == [HOSTILE, "Byrne", "Zed"]
    assert lines[HOSTILE]["due"] == ["32.5 mg whole"]
    assert lines["Byrne"]["due"][0].startswith("32.5 mg whole: GIVEN ")
    assert lines["Zed"]["stops"] == ["The client is held. A prescriber must clear the hold before anything is given."]
    assert [line["number"] for line in said[0]["lines"]] == [1, 2, 3]
    assert [line["group"] for line in said[0]["lines"]] == ["not_expected", "attended", "held"]
    excused = f"Excused (hospital) from {said[0]['day']} until somebody says that it is over"
    assert lines[HOSTILE]["notes"] == [excused, "First dose"]
    assert lines["Byrne"]["take_home"] == [f"methadone: at most 1 days at once, by the decision of {said[0]['day']}"]
    assert lines["Zed"]["take_home"] == []
    assert said[0]["blanks"] == [blank.says for blank in BLANKS]
    assert all(line["order"] for line in said[0]["lines"]), "the form asks for the order of each"
    [entry] = asyncio.run(entries(addresses))
    assert f'"id":"{said[0]["entry"]}"' in entry, "the sheet names the entry of whoever printed it"


def test_a_file_that_is_there_is_left_alone_and_nobody_is_shown(
    clinic: tuple[Addresses, str, str], tmp_path: Path
) -> None:
    addresses, code, user = clinic
    out = tmp_path / "today.pdf"
    out.write_text("mine")
    ended = run(code, user, out)
    assert ended.exit_code != 0
    assert "is there already" in str(ended.exception)
    assert out.read_text() == "mine"
    assert asyncio.run(entries(addresses)) == []


def test_an_unknown_programme_names_those_there_are(clinic: tuple[Addresses, str, str], tmp_path: Path) -> None:
    _, code, user = clinic
    ended = run("NOWHERE", user, tmp_path / "today.pdf")
    assert f"there are {code}" in str(ended.exception)
    assert not (tmp_path / "today.pdf").exists()


def test_a_wrong_password_prints_nothing(clinic: tuple[Addresses, str, str], tmp_path: Path) -> None:
    addresses, code, user = clinic
    ended = run(code, user, tmp_path / "today.pdf", password="guessed, and wrong")
    assert ended.exit_code != 0
    assert not (tmp_path / "today.pdf").exists()
    assert asyncio.run(entries(addresses)) == []


def test_a_folder_that_is_not_there_is_said(clinic: tuple[Addresses, str, str], tmp_path: Path) -> None:
    _, code, user = clinic
    file = tmp_path / "password"
    file.write_text(PASSWORD)
    out = tmp_path / "gone" / "today.pdf"
    given = [code, "--as", user, "--password-file", str(file), "--out", str(out)]
    ended = CliRunner().invoke(downtime_sheet.command, given)
    assert "cannot be written: No such file or directory" in str(ended.exception)


def test_a_template_that_cannot_be_set_is_said() -> None:
    with pytest.raises(CannotTypeset, match="CalledProcessError"):
        typeset("no_such_template.typ", {})
