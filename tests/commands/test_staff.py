"""`caseload staff` and `caseload programme`: a clinic's first administrators, from an empty database."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from caseload.__main__ import cli
from caseload.commands import explained, terminal
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
    assert caseload("programme", "list")[1] == "NORTH  North Street  Europe/London  UK\n"
    assert caseload(*arguments)[0] == 1
