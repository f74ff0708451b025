"""Start the service, with a PostgreSQL of its own unless CASELOAD_DATABASE_URL names one."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import rich_click as click

from caseload.commands.port import port_held
from caseload.commands.terminal import bring_up_to_date, refuse_owner_alone
from caseload.observability import configure, logger
from caseload.settings import OperatorError, Settings, load

APP = "caseload.app:create_app"
PEOPLE = "demo-people.txt"
"""Who can sign in to the demo clinic: written by `caseload demo`, readable by the owner of the data folder alone."""


@click.command(
    epilog="""\b
Examples:
  caseload serve
  CASELOAD_PORT=8080 CASELOAD_DATA_DIR=~/clinic caseload serve --demo
  CASELOAD_DATABASE_URL_FILE=/run/secrets/database-url caseload serve
"""
)
@click.option("--demo", is_flag=True, help="Fill an empty database with the demo clinic, and say who can sign in.")
def command(*, demo: bool) -> None:
    """Start the service, and the local PostgreSQL unless CASELOAD_DATABASE_URL names another.

    The local database is made and migrated when needed. An outside one is only checked: migrate it with `caseload db
    upgrade`. Ctrl-C or SIGTERM lets requests finish, then stops everything.
    """
    settings = load()
    configure(settings)
    run(settings, app=APP, demo=demo)


def run(settings: Settings, *, app: str, demo: bool) -> None:
    """Start everything, serve until told to stop, stop everything. Raises `OperatorError` when it cannot start."""
    from caseload.audit.keystore import key_store
    from caseload.audit.standing import policy_of
    from caseload.commands import workers

    began = time.perf_counter()
    refuse_owner_alone(settings)
    signal.signal(signal.SIGTERM, _leave)
    with port_held(settings) as release_port, _database(settings) as (release_database, sequencer):
        # Here in one line; in a worker it would be that worker's end, and the next one's.
        key_store(settings).check(signs=sequencer is not None)
        policy_of(settings)
        if demo and not _has_clinic():
            _fill_demo()

        def ready() -> None:
            seconds = round(time.perf_counter() - began, 2)
            logger(__name__).info("ready", address=workers.address(settings), seconds=seconds)
            click.echo(_welcome(settings, workers.address(settings)), err=True)

        def release() -> None:
            release_port()
            release_database()

        with _sequencer(sequencer), _jobs(settings):
            workers.serve(settings, app, ready=ready, release=release)
    logger(__name__).info("stopped")


@contextmanager
def _database(settings: Settings) -> Generator[tuple[Callable[[], None], str | None]]:
    """The database, and its address in the environment of the workers.

    Yields what a worker calls to let go of it, and the address for who puts the audit log in order.
    """
    from caseload.commands.workers import stop_when
    from caseload.db import revisions
    from caseload.db.embedded import EmbeddedServer

    # A worker never needs the addresses of the owner and of the sequencer, so that none can leak them.
    for name in ("CASELOAD_DATABASE_OWNER_URL", "CASELOAD_SEQUENCER_DATABASE_URL"):
        os.environ.pop(name, None)
        os.environ.pop(f"{name}_FILE", None)
    if settings.database_url is not None:
        revisions.require(settings.database_url.reveal())
        named = settings.sequencer_database_url
        yield (lambda: None), named.reveal() if named is not None else None
        return
    with EmbeddedServer(settings.data_dir, pg_bin=settings.pg_bin) as server:
        bring_up_to_date(settings, server.databases.owner)
        os.environ["CASELOAD_DATABASE_URL"] = server.databases.service
        stop_when(lambda: server.exited() is not None, lambda: logger(__name__).error("postgresql_ended"))
        yield server.let_go, server.databases.sequencer


@contextmanager
def _sequencer(address: str | None) -> Generator[None]:
    """Somebody who puts the audit log in order, beside the workers: what they leave last gets its place too."""
    if address is None:
        logger(__name__).warning(
            "no sequencer here: set CASELOAD_SEQUENCER_DATABASE_URL, or run `caseload sequencer` elsewhere"
        )
        yield
        return
    from caseload.commands.beside import running_beside

    with running_beside(["sequencer"], {"CASELOAD_SEQUENCER_DATABASE_URL": address}):
        yield


@contextmanager
def _jobs(settings: Settings) -> Generator[None]:
    """Somebody who does the jobs, in a process of its own: a job that ends its worker ends no request."""
    if settings.jobs == "apart":
        yield
        return
    from caseload.commands.beside import running_beside

    with running_beside(["jobs", "run"], {}):
        yield


def _has_clinic() -> bool:
    """Whether there is a programme in the database that the environment names."""
    from caseload.db.engine import make_engine
    from caseload.db.programme import Programmes

    async def asked() -> bool:
        engine = make_engine(load())
        try:
            async with engine.connect() as connection:
                return bool(await Programmes(connection).all())
        finally:
            await engine.dispose()

    return asyncio.run(asked())


def _fill_demo() -> None:
    """Fill the demo clinic in a process of its own, whose memory is not the workers'. It ends when we do."""
    from caseload.db.embedded.process import die_with_parent

    click.echo("Making up a demo clinic in the empty database: once, and it takes a moment.", err=True)
    done = subprocess.run(
        [sys.executable, "-m", "caseload", "demo"],
        check=False,
        # It would name everybody; once the service is ready, the first four are named.
        stdout=subprocess.DEVNULL,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    if done.returncode != 0:
        message = "The demo clinic could not be made, as said above. `caseload serve` without --demo starts as it is."
        raise OperatorError(message)


def _welcome(settings: Settings, address: str) -> str:
    lines = [f"caseload is ready at {address} (documentation at {address}/docs). Ctrl-C stops it."]
    people = settings.data_dir / PEOPLE
    if people.exists():
        first, others, _ = people.read_text().partition("\n\nAnd the others")
        lines += ["", first.rstrip(), *([f"Everybody else stands in {people}."] if others else [])]
    return "\n".join(lines)


def _leave(_signal: int, _frame: object) -> None:
    """Before the workers are there, SIGTERM ends the start in an orderly way; afterwards granian takes it."""
    sys.exit(143)
