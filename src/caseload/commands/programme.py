"""Look after the programmes of the clinic: add, list, choose a profile."""

from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from datetime import datetime

    from caseload.request.work import Service


@click.group(epilog="Example:\n  caseload programme add NORTH North --time-zone Europe/London --profile UK")
def command() -> None:
    """Look after the programmes of the clinic: add, list, choose a profile."""


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
        click.echo(f"Opened {programme.code} ({programme.name}), {programme.time_zone}, profile {profile}.")

    terminal.with_service(added)


@command.command("list", epilog="Example: caseload programme list")
def list_() -> None:
    """List the programmes, each with the profile of today and those planned for later days."""
    from caseload.db.programme import Programmes
    from caseload.domain.people import the_command_line

    async def listed(service: "Service") -> None:
        async with service.work(by=the_command_line(), event="programme.list", writes=False) as work:
            for programme in await Programmes(work.connection).all():
                today = programme.today(work.now)
                planned = "".join(f", {name} from {day}" for day, name in programme.profiles.later if day > today)
                rules = programme.rules_on(today).label
                click.echo(f"{programme.code}  {programme.name}  {programme.time_zone}  {rules}{planned}")

    terminal.with_service(listed)


@command.command(
    "profile",
    epilog="Examples:\n  caseload programme profile NORTH US --from 2027-01-01 --reason Stricter",
)
@click.argument("code")
@click.argument("profile")
@click.option(
    "--from",
    "from_on",
    required=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The first local day; tomorrow or later.",
)
@click.option("--reason", required=True, help="Why; it is kept beside the choice.")
@click.option(
    "--knowing-what-it-loosens",
    is_flag=True,
    help="Go over although the profile loosens rules of the one before. Without it these are shown and nothing changes.",
)
def profile(code: str, profile: str, from_on: "datetime", reason: str, *, knowing_what_it_loosens: bool) -> None:
    """Let the programme CODE go by another PROFILE from a later day on.

    A day that has begun keeps its rules, and what was decided keeps the rules by which it was decided.
    """
    from caseload.db.programme import Programmes
    from caseload.domain.ids import SelectionId, new_id
    from caseload.domain.people import the_command_line
    from caseload.domain.programme import Choice, select_profile, what_it_loosens

    async def chosen(service: "Service") -> None:
        by = the_command_line()
        async with service.work(by=by, event="programme.select_profile") as work:
            programmes = Programmes(work.connection)
            programme = next((each for each in await programmes.all() if each.code == code), None)
            if programme is None:
                message = f"There is no programme {code}. `caseload programme list` shows those there are."
                raise OperatorError(message)
            looser = what_it_loosens(programme, profile, from_on.date())
            for rule in looser:
                click.secho(f"looser: {rule}", fg="yellow")
            if looser and not knowing_what_it_loosens:
                message = "Nothing has changed. Add --knowing-what-it-loosens if it shall be so."
                raise OperatorError(message)
            selection = await select_profile(
                programme,
                Choice(profile=profile, from_on=from_on.date(), reason=reason, loosens=looser),
                as_id=SelectionId(new_id()),
                by=by,
                now=work.now,
                selections=programmes,
                journal=work.journal,
            )
        label = f"{selection.profile}-{selection.profile_version}"
        click.echo(f"{code} goes by {label} from {selection.from_on} on.")

    terminal.with_service(chosen)
