"""Look at jurisdiction profiles: show, diff, validate."""

from typing import TYPE_CHECKING

import rich_click as click

from caseload.settings import OperatorError

if TYPE_CHECKING:
    from datetime import datetime

    from caseload.domain.profiles import Profile


@click.group(epilog="Example: caseload profile show UK")
def command() -> None:
    """Look at jurisdiction profiles: show, diff, validate."""
    from caseload.commands import terminal
    from caseload.request.own_profiles import bring_own_profiles

    bring_own_profiles(terminal.settings())


@command.command(
    epilog="Examples:\n  caseload profile show UK\n  caseload profile show US-1\n  caseload profile show AU --on 2026-12-01"
)
@click.argument("name")
@click.option(
    "--on", type=click.DateTime(["%Y-%m-%d"]), help="The local day whose version is shown; today's when left out."
)
def show(name: str, on: "datetime | None") -> None:
    """Show what a profile says: every rule with its values, its words and its source.

    NAME is a profile (UK), of which the version in force is shown, or one version of it (UK-1).
    """
    from caseload.domain.profiles.comparing import said

    for path, value in said(_named(name, on)):
        click.echo(f"{path}: {value}")


@command.command(epilog="Examples:\n  caseload profile diff UK AU\n  caseload profile diff US-1 US-CA-BRIDGE-1")
@click.argument("one")
@click.argument("other")
def diff(one: str, other: str) -> None:
    """Show where two profiles differ, and which rules of the first the second loosens.

    ONE and OTHER are profiles (UK), versions (UK-1) or files.
    """
    from caseload.domain.profiles.comparing import differences, loosened

    first, second = _named(one), _named(other)
    for path, before, after in differences(first, second):
        click.secho(path, bold=True)
        click.echo(f"  {first.label}: {before or 'says nothing'}")
        click.echo(f"  {second.label}: {after or 'says nothing'}")
    looser = loosened(first, second)
    for each in looser:
        click.secho(f"looser: {each}", fg="yellow")
    if not looser:
        click.echo(f"{second.label} loosens nothing of {first.label}.")


@command.command(
    epilog="Examples:\n  caseload profile validate uk-2.json\n  caseload profile validate --tightens UK north-1.json"
)
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--tightens", metavar="PROFILE", help="Refuse the files unless each is at least as strict as this profile."
)
def validate(files: tuple[str, ...], tightens: str | None) -> None:
    """Check profile files: their form, what contradicts itself, and versions and dates that must rise together.

    Without FILES it checks the profiles of this installation.
    """
    from caseload.domain.profiles import ProfileBroken, in_order, profiles
    from caseload.domain.profiles.comparing import loosened

    wrong = 0
    base = _named(tightens) if tightens is not None else None
    if not files:
        for versions in profiles().values():
            click.echo(f"{', '.join(each.label for each in versions)}: as it should be")
    for file in files:
        try:
            found = _read(file)
            former = [each for each in profiles().get(found.profile, ()) if each.version != found.version]
            in_order([*former, found])
        except ProfileBroken as broken:
            click.secho(str(broken), fg="red", err=True)
            wrong += 1
            continue
        looser = loosened(base, found) if base is not None else ()
        for each in looser:
            click.secho(f"{file}: looser than {base.label if base is not None else ''}: {each}", fg="red", err=True)
        wrong += bool(looser)
        if not looser:
            click.echo(f"{file}: {found.label}, in force from {found.in_force_from}, as it should be")
    if wrong:
        message = f"{wrong} of {len(files)} files cannot be used."
        raise OperatorError(message)


def _named(name: str, on: "datetime | None" = None) -> "Profile":
    """The profile, the version of one, or the file of this name."""
    from datetime import UTC, datetime
    from pathlib import Path

    from caseload.domain.profiles import ProfileBroken, profile_on, profile_version, profiles

    if name in profiles():
        return profile_on(name, (on or datetime.now(UTC)).date())
    profile, _, version = name.rpartition("-")
    if profile in profiles() and version.isdigit():
        return profile_version(profile, int(version))
    if Path(name).is_file():
        try:
            return _read(name)
        except ProfileBroken as broken:
            raise OperatorError(str(broken)) from broken
    return profile_on(name, datetime.now(UTC).date())


def _read(file: str) -> "Profile":
    from pathlib import Path

    from caseload.domain.profiles import read_profile

    return read_profile(Path(file).read_bytes(), file)
