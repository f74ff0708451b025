"""`caseload staff` and `caseload programme`: a clinic's first administrators, from an empty database."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from caseload.__main__ import cli
from caseload.audit.leaf import Outcome
from caseload.commands import explained, terminal
from caseload.domain.access import Role
from tests.factories import clients, people
from tests.shared_server import Addresses, copied

Caseload = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def addresses(server: Addresses) -> Iterator[Addresses]:
    with copied(server, "staff_commands") as found:
        yield found


@pytest.fixture
def caseload(addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Caseload:
    """The command line in this process, as `__main__.main` runs it; starting Python thirteen times takes too long."""

    def no_logging(*_: Any, **__: Any) -> None: ...

    monkeypatch.setattr(terminal, "configure", no_logging)
    settings = {"CASELOAD_DATABASE_URL": addresses.service, "CASELOAD_DATA_DIR": str(tmp_path)}

    def run(*arguments: str) -> tuple[int, str, str]:
        told = CliRunner(env=settings).invoke(cli, list(arguments))
        if told.exception is None or isinstance(told.exception, SystemExit):
            return told.exit_code, told.stdout, told.stderr
        line = explained(told.exception)
        assert line is not None, told.exception
        return 1, told.stdout, f"caseload: {line}\n"

    return run


def test_an_administrator_is_made_listed_reset_and_deactivated(caseload: Caseload) -> None:
    code, said, _ = caseload("staff", "add", "Ada", "--name", "Ada Nowak", "--administrator")
    assert code == 0
    assert said.startswith("Added ada as an administrator.\n")
    first = re.search(r"One-time secret: (([A-Z2-9]{5}-){4}[A-Z2-9]{5})\n", said)
    assert first is not None
    code, said, _ = caseload("staff", "list")
    assert (code, said.splitlines()[1].split()) == (0, ["ada", "Ada", "Nowak", "open", "administrator@all"])
    code, said, _ = caseload("staff", "reset", "ada")
    assert code == 0
    assert first[1] not in said
    code, said, _ = caseload("staff", "list")
    assert "may not sign" in said
    code, said, _ = caseload("staff", "deactivate", "ada", "--reason", "left")
    assert (code, said) == (0, "The account of ada is closed.\n")
    code, _, said = caseload("staff", "deactivate", "ada", "--reason", "left")
    assert code == 1
    assert said.startswith("caseload: This account has been deactivated. It cannot be opened again.")


def test_what_cannot_be_is_refused_in_one_line(caseload: Caseload) -> None:
    for arguments, wanted in (
        (("staff", "add", "a b", "--name", "A"), "user_name: must have 2 to 64 letters"),
        (("staff", "reset", "nobody"), "No such person of the staff."),
        (("programme", "add", "N", "North", "--time-zone", "Mars/Base", "--profile", "UK"), "time_zone: "),
    ):
        code, said, refused = caseload(*arguments)
        assert (code, said, refused.count("\n")) == (1, "", 1)
        assert refused.startswith("caseload: ")
        assert wanted in refused


def test_a_programme_is_opened_and_listed(caseload: Caseload) -> None:
    arguments = ("programme", "add", "NORTH", "North Street", "--time-zone", "Europe/London", "--profile", "UK")
    assert caseload(*arguments)[0] == 0
    assert caseload("programme", "list")[1] == "NORTH  North Street  Europe/London  UK-1\n"
    assert caseload(*arguments)[0] == 1


def test_whoever_answers_for_a_client_is_not_deactivated_and_that_it_was_tried_is_in_the_log(
    caseload: Caseload, addresses: Addresses
) -> None:
    async def counselling(connection: AsyncConnection) -> str:
        programme = await people.programme(connection)
        robin = await people.staff(connection, user_name="robin", holds=[(Role.COUNSELLOR, programme)])
        return str((await clients.in_care(connection, programme=programme, counsellor=robin.id)).id)

    client, before = _done(addresses, counselling), _done(addresses, _how_it_ended)

    code, said, refused = caseload("staff", "deactivate", "robin", "--reason", "left")

    assert (code, said) == (1, "")
    assert refused.startswith("caseload: Clients would be left with nobody who answers for them. They answer for one")
    assert client not in refused
    listed = next(line for line in caseload("staff", "list")[1].splitlines() if line.startswith("robin "))
    assert listed.split()[:4] == ["robin", "Robin", "Ashdown", "open"]
    assert _done(addresses, _how_it_ended) == [*before, Outcome.REFUSED]


async def _how_it_ended(connection: AsyncConnection) -> list[int]:
    found = await connection.execute(text("select outcome from audit.log where event = 'staff.deactivate'"))
    return list(found.scalars())


def _done(addresses: Addresses, what: Callable[[AsyncConnection], Awaitable[Any]]) -> Any:
    async def done() -> Any:
        engine = create_async_engine(addresses.owner.replace("postgresql://", "postgresql+asyncpg://"))
        async with engine.begin() as connection:
            made = await what(connection)
        await engine.dispose()
        return made

    return asyncio.run(done())


def test_a_programme_goes_over_to_another_profile(caseload: Caseload) -> None:
    assert caseload("programme", "add", "WEST", "West", "--time-zone", "America/New_York", "--profile", "US")[0] == 0
    over = ("programme", "profile", "WEST", "US-CA-BRIDGE", "--from", "2099-01-01", "--reason", "Adopted")
    code, _, refused = caseload(*over)
    assert code == 1
    day = (datetime.now(UTC) + timedelta(days=30)).date()
    over = ("programme", "profile", "WEST", "US-CA-BRIDGE", "--from", str(day), "--reason", "Adopted")
    code, said, refused = caseload(*over)
    assert code == 1
    assert "looser: methadone, 3 missed: ask_prescriber became give" in said.splitlines()
    assert "Nothing has changed." in refused
    code, said, _ = caseload(*over, "--knowing-what-it-loosens")
    assert (code, said.splitlines()[-1]) == (0, f"WEST goes by US-CA-BRIDGE-1 from {day} on.")
    assert f"WEST  West  America/New_York  US-1, US-CA-BRIDGE from {day}" in caseload("programme", "list")[1]
    code, _, refused = caseload("programme", "profile", "NOWHERE", "US", "--from", str(day), "--reason", "x")
    assert code == 1
    assert "There is no programme NOWHERE." in refused
