"""Bring in the history of a clinic that starts with us: check a folder, then run it."""

import asyncio
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal

if TYPE_CHECKING:
    from caseload.imports.account import Account
    from caseload.imports.folder import FolderRead
    from caseload.imports.run import Ran
    from caseload.settings import Settings

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group(epilog="Example: caseload import check history/")
def command() -> None:
    """Bring in the history of a clinic that starts with us, from a folder of CSV files.

    docs/importing.md says what the files hold, what is refused and how to decide what is open.
    """


@command.command(epilog="Example: caseload import check history/ --all > account.txt")
@click.argument("folder", type=FOLDER)
@click.option("--all", "everything", is_flag=True, help="Show long lists whole.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole account as JSON.")
@click.option("--strict", is_flag=True, help="End with 1 when a single row is refused.")
def check(folder: Path, *, everything: bool, as_json: bool, strict: bool) -> None:
    """Say what `run` would do with FOLDER, row by row, and write nothing.

    Ends with 1 when nothing can be brought in, because a file is missing or cannot be read.
    """
    from caseload.imports import data, report
    from caseload.imports.account import account_of

    account = account_of(_read(folder))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(data.as_data(account)), indent=2))
    elif on_screen():
        _show(account, everything=everything)
    else:
        for line in report.plain(account, everything=everything):
            click.echo(line)
    sys.exit(not account.read.usable or (strict and bool(account.refused)))


@command.command(epilog="Example: caseload import run history/ --as marta --counsellor NORTH=anna")
@click.argument("folder", type=FOLDER)
@click.option(
    "--counsellor",
    "counsellors",
    metavar="PROGRAMME=USER",
    multiple=True,
    help="Who answers for the clients of a programme from now on; * stands for every programme not named.",
)
@terminal.signing_in("Who brings it in: the log names them.")
@click.option(
    "--source", help="The name of the record this comes from, kept for ever. The name of the folder when left out."
)
@click.option("--all", "everything", is_flag=True, help="Show long lists whole.")
def run(
    folder: Path,
    *,
    counsellors: tuple[str, ...],
    user_name: str,
    password_file: Path | None,
    source: str | None,
    everything: bool,
) -> None:
    """Bring FOLDER in: each person is one transaction with one entry in the log.

    Refused rows are listed and left out. Stop it and start it again as you like: what is in stays, and nothing comes
    in twice. Ends with 1 when nothing was brought in, because a file is missing or cannot be read.
    """
    from caseload.commands.signed_in import password_of
    from caseload.imports import report

    named = _named(counsellors)
    read = _read(folder)
    if not read.usable:
        for line in report.unusable(read):
            click.echo(line, err=True)
        sys.exit(1)
    password = password_of(user_name, password_file)
    with terminal.database() as settings:
        ran = asyncio.run(
            _run(
                read,
                settings,
                user_name=user_name,
                password=password,
                source=source or folder.resolve().name,
                counsellors=named,
            )
        )
    for line in report.ran(read, ran, everything=everything):
        click.echo(line)


def _named(counsellors: tuple[str, ...]) -> Mapping[str, str]:
    named: dict[str, str] = {}
    for each in counsellors:
        programme, equals, user = each.partition("=")
        if not (programme and equals and user):
            message = f"{each!r} does not say who in which programme; write PROGRAMME=USER"
            raise click.BadParameter(message, param_hint="--counsellor")
        named[programme] = user
    return named


async def _run(
    read: "FolderRead",
    settings: "Settings",
    *,
    user_name: str,
    password: str,
    source: str,
    counsellors: Mapping[str, str],
) -> "Ran":
    from caseload.commands.signed_in import signed_in
    from caseload.imports.run import Runner
    from caseload.request.service import open_service

    people = len(read.history.people)
    async with open_service(settings) as service, signed_in(service, user_name, password) as by:
        with terminal.progress("Bringing people in", total=people) as bar:
            return await Runner(service=service, by=by, source=source).run(
                read, counsellors=counsellors, progress=lambda: bar.update(bar.task_ids[0], advance=1)
            )


def on_screen() -> bool:
    """Whether a person reads standard output as it comes."""
    return sys.stdout.isatty()


def _read(folder: Path) -> "FolderRead":
    from caseload.imports.folder import read

    with terminal.progress(f"Reading {folder}") as bar:

        def tell(file: str, rows: int) -> None:
            bar.update(bar.task_ids[0], description=f"Reading {file}", advance=rows)

        return read(folder, now=datetime.now(UTC), progress=tell)


def _show(account: "Account", *, everything: bool) -> None:
    """The account for a terminal: the same sections, set in tables."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from caseload.imports import report

    console = Console(highlight=False)
    for section in report.sections(account, everything=everything):
        console.print(Text(section.title, style="bold"))
        table = Table(box=None, pad_edge=False)
        for number, name in enumerate(section.columns):
            table.add_column(Text(name), justify="right" if number in section.numbers else "left")
        for row in section.rows:
            table.add_row(*map(Text, row))
        console.print(table)
        for remark in section.remarks:
            console.print(Text(f"  {remark}", style="dim"))
        console.print()
    console.print(Text(report.verdict(account), style="bold" if account.read.usable else "bold red"))
