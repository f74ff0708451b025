"""What subcommands share: settings, the database they mean, who asks, and progress for whoever watches."""

import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import rich_click as click

from caseload.observability import configure
from caseload.settings import Secret, Settings, SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from rich.progress import Progress

    from caseload.request.work import Service


def settings() -> Settings:
    """The settings of this environment. Raises `SettingsError`.

    Logging is set up so that only warnings show: what a subcommand has to say it says itself.
    """
    found = load()
    configure(found, least="warning")
    return found


def signing_in(named: str) -> "Callable[[Callable[..., None]], Callable[..., None]]":
    """The options of somebody who signs in for a subcommand, because the log has to name a person."""

    def options(function: "Callable[..., None]") -> "Callable[..., None]":
        where = click.option(
            "--password-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Where the password of USER stands; asked for when left out.",
        )
        return click.option("--as", "user_name", metavar="USER", required=True, help=named)(where(function))

    return options


@contextmanager
def database() -> Generator[Settings]:
    """The settings with the service's database in them, and the sequencer's way to it; it is kept running meanwhile.

    It is the outside one when `CASELOAD_DATABASE_URL` says so, the one of the running service, or one started for
    the moment. The local one is migrated when it needs to be; the outside one belongs to somebody else, and when it
    is not at this version's revision that raises `CannotMigrate`. Raises `CannotStart`.
    """
    from caseload.db import embedded, revisions

    found = settings()
    refuse_owner_alone(found)
    with embedded.reach(found) as addresses:
        if found.database_url is None:
            bring_up_to_date(found, addresses.owner)
        else:
            revisions.require(addresses.service)
        sequencer = None if addresses.sequencer is None else Secret(addresses.sequencer)
        yield msgspec.structs.replace(
            found,
            database_url=Secret(addresses.service),
            database_owner_url=None,
            sequencer_database_url=sequencer,
        )


def with_service(do: "Callable[[Service], Awaitable[None]]") -> None:
    """Do something with everything a piece of work needs, on the database of these settings."""
    import asyncio

    with database() as found:
        asyncio.run(in_service(found, do))


async def in_service(found: Settings, do: "Callable[[Service], Awaitable[None]]") -> None:
    """Do something with everything a piece of work needs, opened and closed around it."""
    from caseload.request.service import open_service

    async with open_service(found) as service:
        await do(service)


def refuse_owner_alone(found: Settings) -> None:
    """Only the migrations run as the owner: without an address of its own, the service would use the local database."""
    if found.database_owner_url is not None and found.database_url is None:
        message = (
            "CASELOAD_DATABASE_OWNER_URL is set and CASELOAD_DATABASE_URL is not: set it to the service's own address, "
            "or unset the owner's to use the local database."
        )
        raise SettingsError(message)


def bring_up_to_date(found: Settings, owner_url: str) -> None:
    """Migrate the local database when it needs it; when it does not, do not load what migrates."""
    from caseload.db import revisions

    if revisions.check(owner_url).up_to_date:
        return
    from caseload.request.database import migrate_to_head

    migrate_to_head(owner_url, organisation=found.organisation)


def on_terminal() -> bool:
    """Whether a person watches standard error."""
    return sys.stderr.isatty()


@contextmanager
def progress(description: str, total: float | None = None) -> Generator["Progress"]:
    """A progress bar on standard error with one task, or silence when nobody watches.

    Advance it with `bar.update(bar.task_ids[0], completed=...)`; without a total it only shows that work goes on.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns: Iterable[object] = (
        (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        if total is None
        else (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    )
    with Progress(*columns, console=Console(stderr=True), disable=not on_terminal(), transient=True) as bar:
        bar.add_task(description, total=total)
        yield bar
