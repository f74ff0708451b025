"""Do what is done beside the requests, and look after what was given up."""

import asyncio
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import rich_click as click

from caseload.commands import terminal

if TYPE_CHECKING:
    from caseload.request.work import Service


@click.group(
    epilog="""\b
Examples:
  caseload jobs run
  caseload jobs run --once
  caseload jobs list
"""
)
def command() -> None:
    """Do what is done beside the requests, and look after what was given up.

    `caseload serve` runs a worker by itself. With CASELOAD_JOBS=apart it does not, and `caseload jobs run` does it
    wherever it is started; any number of workers share the jobs.
    """


@command.command(epilog="Example: CASELOAD_DATABASE_URL_FILE=/run/database-url caseload jobs run")
@click.option("--once", is_flag=True, help="Do what is due by now, then end.")
def run(*, once: bool) -> None:
    """Do jobs as they fall due, until told to stop.

    Ctrl-C or SIGTERM lets a step that was begun come to its end. What is killed is done by another worker, half a minute
    later.
    """
    import uvloop

    from caseload.observability import configure
    from caseload.settings import load

    with terminal.database() as found:
        configure(load())
        uvloop.run(terminal.in_service(found, _once if once else _until_told))


async def _once(service: "Service") -> None:
    from caseload.jobs.worker import Worker

    worker = Worker(service)
    stop_on_signals(worker.stop)
    await worker.drain()


async def _until_told(service: "Service") -> None:
    from caseload.jobs.worker import Worker

    worker = Worker(service)
    stop_on_signals(worker.stop)
    await worker.run()


def stop_on_signals(stop: Callable[[], None]) -> None:
    """Have this process stop in an orderly way on Ctrl-C and SIGTERM."""
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop)


@command.command("list", epilog="Example: caseload jobs list")
def listed() -> None:
    """List the jobs that were given up: each was begun several times and never got any further.

    The kind of error stands here, without its text; the log of the service has the place. Exit code 1 when there is one.
    """
    from caseload.db.job import Jobs

    async def shown(service: "Service") -> None:
        async with service.engine.connect() as connection:
            found = await Jobs(connection, now=service.clock()).given_up()
        for each in found:
            click.echo(
                f"{each.id}  {each.kind}  given up {each.given_up_at:%Y-%m-%d %H:%M} UTC after {each.attempts} attempts: "
                f"{each.problem}"
            )
        if found:
            sys.exit(1)

    terminal.with_service(shown)


@command.command(epilog="Example: caseload jobs again 0190b6a2-5f3e-7c1d-9b1e-3a5f0c9d2e11")
@click.argument("job", type=click.UUID)
def again(job: UUID) -> None:
    """Have a job tried anew that was given up, as often as a new one. It leaves an entry in the audit log."""
    from caseload.db.job import Jobs
    from caseload.db.job.queue import Queue
    from caseload.domain.ids import JobId
    from caseload.domain.job import JobTriedAgain
    from caseload.domain.people import the_command_line

    async def reopened(service: "Service") -> None:
        async with service.work(by=the_command_line(), event=JobTriedAgain.name) as work:
            found = await Jobs(work.connection, now=work.now).reopen(JobId(job))
            await Queue(work.connection, now=work.now).put([found])
            work.journal.tell(JobTriedAgain(records=(found.id,), facts={"kind": found.kind}))
        click.echo("It is tried again.")

    terminal.with_service(reopened)
