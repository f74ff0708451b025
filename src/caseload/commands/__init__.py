"""One module per subcommand of `caseload`, found by its name and imported only when it is the one that is called.

To add `caseload downtime-sheet`, write `commands/downtime_sheet.py`:

    \"\"\"Print today's dosing list of a programme as a PDF.\"\"\"     the first line is what `caseload --help` says

    import rich_click as click

    @click.command(epilog="Example: caseload downtime-sheet --programme north -o today.pdf")
    def command() -> None:                                       the name `command` makes the module a subcommand
        \"\"\"...\"\"\"

A module whose name is a keyword ends in an underscore (`import_.py` is `caseload import`); a subcommand with
subcommands of its own is a `@click.group()` named `command`, and where it is long a package with `command` in its
`__init__.py`. Modules without `command` are helpers: `terminal` has the settings, the database and progress.

A failure that a person can do something about is an `OperatorError`, or any `CaseloadError` of the domain: `main`
prints it in one line and exits with 1.
"""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import rich_click as click

from caseload.domain.errors import CaseloadError
from caseload.settings import OperatorError


class ModuleCommands(click.RichGroup):
    """A group whose subcommands are the modules of this package that define `command`.

    Help needs only names and first lines, which are read from the files; the module itself is imported when its
    subcommand is called or completed.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 as click declares it
        return sorted(_first_lines())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 as above
        line = _first_lines().get(cmd_name)
        return None if line is None else click.RichCommand(name=cmd_name, help=line)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, found, rest = super().resolve_command(ctx, args)
        return name, found and _loaded(str(name)), rest


def explained(error: BaseException) -> str | None:
    """What to tell the person at the terminal, in one line; nothing when the failure is a defect of ours."""
    match error:
        case OperatorError():
            return str(error)
        case CaseloadError():
            title = (type(error).__doc__ or type(error).__name__).strip().splitlines()[0]
            return f"{title} {error.detail or error}".strip()
        case ConnectionError() | TimeoutError():
            return f"The database cannot be reached ({type(error).__name__}): is it running, and is its address right?"
        case _:
            return _explained_by_server(error)


SERVER_REFUSALS = {
    "28P01": "The database refuses the user or password: look at CASELOAD_DATABASE_URL.",
    "28000": "The database refuses the user: look at CASELOAD_DATABASE_URL.",
    "3D000": "There is no such database on the server: create it, or look at CASELOAD_DATABASE_URL.",
    "53100": "The database's disk is full: make room and try again.",
    "53300": "The database has no connection left: raise its max_connections, or lower CASELOAD_DB_POOL_SIZE.",
    "55P03": "Somebody else holds a lock that this needs: try again when the clinic is quieter.",
    "57P03": "The database is still starting: try again in a moment.",
}
"""Refusals of PostgreSQL that an operator can act on, by SQLSTATE (PostgreSQL, appendix A)."""


def _explained_by_server(error: BaseException) -> str | None:
    """Recognised by the code an error carries, so that no driver is imported here."""
    cause = getattr(error, "orig", None) or error
    sqlstate = getattr(cause, "sqlstate", None)
    if sqlstate == "42501":
        hint = getattr(cause.__cause__ or cause, "hint", None)
        return " ".join(filter(None, [f"The database does not allow this: {_said(cause)}.", hint]))
    return SERVER_REFUSALS.get(str(sqlstate))


def _said(error: BaseException) -> str:
    return str(getattr(error.__cause__, "message", None) or error)


def _loaded(name: str) -> click.Command:
    found: object = importlib.import_module(f"{__name__}.{_module_name(name)}").command
    if not isinstance(found, click.Command):
        message = f"{name} defines `command`, but it is no click command."
        raise TypeError(message)
    found.name = name
    _keep_lines(found)
    return found


def _keep_lines(command: click.Command) -> None:
    """Show its examples as they are written, so that they can be copied: rich-click would make one paragraph of them.

    A line may have 78 characters, for a terminal of 80.
    """
    from rich.text import Text

    if command.epilog:
        text = str(command.epilog).replace("\b", "").strip()
        command.epilog = cast("str", Text(text, no_wrap=True, overflow="ignore"))
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _keep_lines(each)


def _module_name(command: str) -> str:
    plain = command.replace("-", "_")
    return next(module for module, _ in _modules() if module.removesuffix("_") == plain)


def _first_lines() -> dict[str, str]:
    """The first line of every subcommand's module, by the subcommand's name."""
    found: dict[str, str] = {}
    for name, path in _modules():
        tree = ast.parse(path.read_text())
        if any(_defines_command(node) for node in tree.body):
            found[name.removesuffix("_").replace("_", "-")] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def _defines_command(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "command"


def _modules() -> Iterator[tuple[str, Path]]:
    here = Path(__file__).parent
    found = {path.stem: path for path in here.glob("[!_]*.py")}
    found |= {path.parent.name: path for path in here.glob("[!_]*/__init__.py")}
    yield from sorted(found.items())
