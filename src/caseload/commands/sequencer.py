"""Give the entries of the audit log their places and sign its tree: beside `caseload serve`, or elsewhere."""

import asyncio
import signal
from collections.abc import Generator
from contextlib import contextmanager

import rich_click as click

from caseload.settings import Secret, Settings, SettingsError


@click.command(
    epilog="""\b
Examples:
  caseload sequencer
  CASELOAD_SEQUENCER_DATABASE_URL_FILE=/run/log-url caseload sequencer
"""
)
def command() -> None:
    """Give every entry of the audit log its place, build the tree over them and sign it, until told to stop.

    `caseload serve` runs one by itself. Run others wherever the signing key is: one is at work, the others stand by.
    Whoever administers the database should not be able to read the key.
    """
    import uvloop

    from caseload.observability import configure
    from caseload.settings import load, read

    # With an address of its own it needs nothing of the service: neither its passwords nor the key under them.
    settings = read()
    settings = load() if settings.sequencer_database_url is None else settings
    configure(settings)
    with address_of(settings) as address:
        uvloop.run(_run(settings, address))


@contextmanager
def address_of(settings: Settings) -> Generator[Secret]:
    """The database as the sequencer's own user."""
    if settings.sequencer_database_url is not None:
        yield settings.sequencer_database_url
        return
    if settings.database_url is not None:
        message = (
            "CASELOAD_SEQUENCER_DATABASE_URL is not set: the sequencer connects as a member of audit_sequencer, and "
            "the service's own user is none."
        )
        raise SettingsError(message)
    from caseload.commands.terminal import bring_up_to_date
    from caseload.db import embedded

    with embedded.reach(settings) as addresses:
        bring_up_to_date(settings, addresses.owner)
        if addresses.sequencer is None:
            raise AssertionError(addresses)
        yield Secret(addresses.sequencer)


async def _run(settings: Settings, address: Secret) -> None:
    from caseload.audit.standing import sequencer_of

    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    await sequencer_of(settings, address).run(stop)
