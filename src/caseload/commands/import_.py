"""Bring in the history of a clinic that starts with us: check a folder."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal

if TYPE_CHECKING:
    from caseload.imports.folder import FolderRead
    from caseload.imports.report import Account

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
def check(folder: Path, *, everything: bool, as_json: bool) -> None:
    """Say what `run` would do with FOLDER, row by row, and write nothing.

    Ends with 0 when every row is accepted, 1 when rows are refused, 2 when nothing can be brought in.
    """
    from caseload.imports import report

    account = report.account_of(_read(folder))
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(report.as_data(account)), indent=2))
    elif on_screen():
        _show(account, everything=everything)
    else:
        for line in report.plain(account, everything=everything):
            click.echo(line)
    sys.exit(2 if not account.read.usable else 1 if account.refused else 0)


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
