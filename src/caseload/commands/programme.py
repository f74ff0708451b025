"""Look after the programmes of the clinic: add, list."""

from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal

if TYPE_CHECKING:
    from caseload.request.work import Service


@click.group(epilog="Example:\n  caseload programme add NORTH North --time-zone Europe/London --profile UK")
def command() -> None:
    """Look after the programmes of the clinic: add, list."""


@command.command(epilog="Example:\n  caseload programme add NORTH North --time-zone Europe/London --profile UK")
@click.argument("code")
@click.argument("name")
@click.option("--time-zone", required=True, help="IANA name of the zone of its days, such as America/New_York.")
@click.option("--profile", required=True, help="Jurisdiction profile whose rules apply, such as US, UK or AU.")
def add(code: str, name: str, time_zone: str, profile: str) -> None:
    """Open a programme under a short CODE that is never used for another."""
    from caseload.db.programme import Programmes
    from caseload.domain.ids import ProgrammeId, new_id
    from caseload.domain.people import the_command_line
    from caseload.domain.programme import open_programme

    async def added(service: "Service") -> None:
        by = the_command_line()
        async with service.work(by=by, event="programme.open") as work:
            programme = await open_programme(
                code,
                name,
                as_id=ProgrammeId(new_id()),
                time_zone=time_zone,
                profile=profile,
                by=by,
                now=work.now,
                programmes=Programmes(work.connection),
                journal=work.journal,
            )
        click.echo(f"Opened {programme.code} ({programme.name}), {programme.time_zone}, profile {programme.profile}.")

    terminal.with_service(added)


@command.command("list", epilog="Example: caseload programme list")
def list_() -> None:
    """List the programmes."""
    from caseload.db.programme import Programmes
    from caseload.domain.people import the_command_line

    async def listed(service: "Service") -> None:
        async with service.work(by=the_command_line(), event="programme.list", writes=False) as work:
            for programme in await Programmes(work.connection).all():
                click.echo(f"{programme.code}  {programme.name}  {programme.time_zone}  {programme.profile}")

    terminal.with_service(listed)
