"""The command line itself: quick, complete, and one line for what went wrong."""

import asyncio
import json
import sys
from collections.abc import Iterator

import asyncpg
import pytest
import rich_click as click
from click.testing import CliRunner

from caseload.__main__ import cli
from caseload.commands import explained
from caseload.commands.settings import meanings
from caseload.domain.errors import CaseloadError, Conflict
from caseload.settings import OperatorError, Settings
from tests import processes

HEAVY = ("alembic", "asyncpg", "granian", "litestar", "sqlalchemy", "structlog", "typst")


def _all(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            _, found, _ = group.resolve_command(context, [name])
            assert found is not None
            yield (*path, name), found
            if isinstance(found, click.Group):
                yield from _all(found, (*path, name))


COMMANDS = dict(_all(cli))


def test_the_commands_that_the_platform_owes_are_there() -> None:
    names = {" ".join(path) for path in COMMANDS}
    assert names >= {"serve", "settings", "db", "db upgrade", "db check", "db backup", "db restore"}


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_says_what_it_does(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(cli, [*path, "--help"])
    assert told.exit_code == 0
    assert COMMANDS[path].help, f"Give {' '.join(path)} a docstring."


@pytest.mark.parametrize("name", sorted({path[0] for path in COMMANDS}))
def test_every_command_shows_an_example(name: str) -> None:
    epilogs = [command.epilog or "" for path, command in COMMANDS.items() if path[0] == name]
    assert any(f"caseload {name}" in epilog for epilog in epilogs), f"Give {name} an epilog with an example."


@pytest.mark.parametrize("path", [path for path, command in COMMANDS.items() if command.epilog], ids=" ".join)
def test_examples_stand_as_they_are_written_one_a_line(path: tuple[str, ...]) -> None:
    shown = [line.strip() for line in CliRunner().invoke(cli, [*path, "--help"]).output.splitlines()]
    for line in str(COMMANDS[path].epilog).splitlines():
        assert line.strip() in shown, "a line can be copied whole, also where the terminal is narrow"


def test_help_lists_every_command_with_its_first_line() -> None:
    told = CliRunner().invoke(cli, ["--help"]).output
    for path, command in COMMANDS.items():
        if len(path) == 1:
            assert f" {path[0]} " in told
            assert (command.help or "").split()[0] in told


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import json, sys\n"
        "from caseload.__main__ import cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    )
    told = processes.run("-c", script)
    assert json.loads(told.stdout.splitlines()[-1]) == []


def test_a_word_that_is_no_command_is_refused() -> None:
    told = CliRunner().invoke(cli, ["frobnicate"])
    assert told.exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sreve"], "caseload: No such command 'sreve'"),
        (["serve", "--dmeo"], "caseload: No such option '--dmeo'"),
        (["staff", "add", "ada"], "caseload: Missing option '--name'. See `caseload staff add --help`.\n"),
        (["demo", "--clients", "3"], "caseload: Invalid value for '--clients'"),
    ],
)
def test_a_wrong_call_is_one_line_that_says_where_the_help_is(arguments: list[str], said: str) -> None:
    told = processes.run("-m", "caseload", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith(said)
    assert told.stderr.count("\n") == 1
    assert told.stderr.endswith("--help`.\n")


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("CASELOAD_PROT", "1", "caseload: CASELOAD_PROT is not a setting: did you mean CASELOAD_PORT?\n"),
        ("CASELOAD_PORT", "x", "caseload: CASELOAD_PORT cannot be used: expected `int`, got `str`.\n"),
    ],
)
def test_a_setting_that_cannot_be_used_is_one_line(variable: str, value: str, said: str) -> None:
    told = processes.run("-m", "caseload", "settings", **{variable: value})
    assert (told.returncode, told.stdout, told.stderr) == (1, "", said)


def test_every_setting_is_listed_with_its_meaning_and_secrets_stay_hidden() -> None:
    assert set(meanings()) == set(Settings.__struct_fields__)
    told = processes.run("-m", "caseload", "settings", CASELOAD_ROOT_KEY="ab" * 32, CASELOAD_WORKERS="3")
    assert told.returncode == 0
    assert "CASELOAD_ROOT_KEY (or CASELOAD_ROOT_KEY_FILE) = ***\n" in told.stdout
    assert "CASELOAD_WORKERS = 3\n" in told.stdout
    assert "abab" not in told.stdout


class DoseTaken(Conflict):
    """This part of the day was already given."""


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OperatorError("Do this."), "Do this."),
        (DoseTaken("Look at today's doses."), "This part of the day was already given. Look at today's doses."),
        (CaseloadError(), "The request could not be carried out."),
        (ConnectionRefusedError(111, "no"), "The database cannot be reached (ConnectionRefusedError): is it running"),
        (asyncpg.InvalidPasswordError("no"), "The database refuses the user or password"),
        (asyncpg.InsufficientPrivilegeError("no"), "The database does not allow this: no."),
    ],
)
def test_a_foreseen_failure_is_said_in_one_line(error: Exception, said: str) -> None:
    line = explained(error)
    assert line is not None
    assert line.startswith(said)
    assert "\n" not in line


def test_a_defect_of_ours_is_not_hidden() -> None:
    assert explained(ZeroDivisionError()) is None
    assert explained(asyncpg.UniqueViolationError("x")) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://nobody@127.0.0.1:1/none", "The database cannot be reached"),
        ("postgresql://nobody@/none?host=/nowhere", "The database cannot be reached"),
    ],
)
def test_a_database_that_is_not_there_is_one_line(url: str, said: str) -> None:
    told = processes.run("-m", "caseload", "db", "check", CASELOAD_DATABASE_URL=url)
    assert told.returncode == 1
    assert told.stderr.startswith(f"caseload: {said}"), told.stderr
    assert told.stderr.count("\n") == 1


def test_a_reader_that_has_had_enough_is_no_failure() -> None:
    async def piped() -> tuple[int, bytes]:
        process = await asyncio.create_subprocess_shell(
            f"{sys.executable} -m caseload settings | head -n 1",
            env=processes.environment(),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        return process.returncode or 0, said

    assert asyncio.run(piped()) == (0, b"")
