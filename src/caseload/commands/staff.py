"""Look after the accounts of the staff: add, list, deactivate, reset."""

from typing import TYPE_CHECKING

import rich_click as click

from caseload.commands import terminal

if TYPE_CHECKING:
    from datetime import datetime

    from caseload.request.work import Service

HOW_TO_BEGIN = """\
Hand it over in person: it is shown this once, holds until {until}, and only buys a password of their own.
They choose one by signing in with it:
  curl -X POST http://{host}:{port}/api/v1/sign-in -H 'Content-Type: application/json' \\
    -d '{{"user_name": "{user_name}", "password": "{secret}", "new_password": "several unrelated words"}}'"""


def _how_to_begin(service: "Service", user_name: str, secret: str, until: "datetime") -> str:
    return HOW_TO_BEGIN.format(
        host=service.settings.host,
        port=service.settings.port,
        until=f"{until:%Y-%m-%d %H:%M} UTC",
        user_name=user_name,
        secret=secret,
    )


@click.group(
    epilog="""\b
Examples:
  caseload staff add ada --name 'Ada Nowak' --administrator
  caseload staff list
  caseload staff reset ada
"""
)
def command() -> None:
    """Look after the accounts of the staff: add, list, deactivate, reset.

    For the first administrators and for when nobody can sign in any more; everything else is done in the service, by
    people who are signed in. What is done here stands in the audit log under `command_line`.
    """


@command.command(epilog="Example: caseload staff add ada --name 'Ada Nowak' --administrator")
@click.argument("user_name")
@click.option("--name", "printed_name", required=True, help="As it will stand under signatures.")
@click.option("--administrator", is_flag=True, help="Let them administer staff and programmes, everywhere.")
def add(user_name: str, printed_name: str, *, administrator: bool) -> None:
    """Add somebody, and print the secret with which they sign in once.

    Make two administrators: what one grants the other confirms, and neither can do both.
    """
    from caseload.db.people.accounts import Accounts
    from caseload.db.people.roles import Roles
    from caseload.domain import people
    from caseload.domain.access import Role
    from caseload.domain.ids import GrantId, StaffId, new_id

    async def added(service: "Service") -> None:
        by, secret = people.the_command_line(), people.new_secret()
        hashed = await service.door.passwords.hash(secret)
        async with service.work(by=by, event="staff.add") as work:
            accounts = Accounts(work.connection)
            account = await people.add_staff(
                user_name,
                printed_name,
                as_id=StaffId(new_id()),
                secret_hash=hashed,
                by=by,
                now=work.now,
                rules=service.door.rules.passwords,
                accounts=accounts,
                journal=work.journal,
            )
            if administrator:
                grant = people.Grant(
                    id=GrantId(new_id()),
                    staff=account.id,
                    role=Role.ADMINISTRATOR,
                    programme=None,
                    starts_at=work.now,
                    ends_at=None,
                    granted_by=by.id,
                    granted_at=work.now,
                    registration=None,
                )
                await people.grant_role(
                    grant,
                    by=by,
                    now=work.now,
                    accounts=accounts,
                    roles=Roles(work.connection),
                    journal=work.journal,
                )
            until = work.now + service.door.rules.passwords.one_time_for
        click.echo(f"Added {account.user_name}{' as an administrator' if administrator else ''}.")
        click.echo(f"One-time secret: {secret}")
        click.echo(_how_to_begin(service, account.user_name, secret, until))

    terminal.with_service(added)


@command.command("list", epilog="Example: caseload staff list")
def list_() -> None:
    """List everybody who works or worked here, with the roles in force for them."""
    from caseload.db.people.accounts import Accounts
    from caseload.db.people.roles import Roles
    from caseload.db.programme import Programmes
    from caseload.domain.people import the_command_line

    async def listed(service: "Service") -> None:
        async with service.work(by=the_command_line(), event="staff.list", writes=False) as work:
            codes = {programme.id: programme.code for programme in await Programmes(work.connection).all()}
            accounts = await Accounts(work.connection).page(after=None, most=100_000, at=work.now)
            lines = [("USER NAME", "NAME", "ACCOUNT", "ROLES")]
            for account in accounts:
                grants = await Roles(work.connection).of(account.id)
                lines.append(
                    (
                        account.user_name,
                        account.printed_name,
                        _standing(deactivated=account.deactivated_at is not None, suspended=account.suspended),
                        ", ".join(
                            f"{grant.role}@{codes[grant.programme] if grant.programme else 'all'}"
                            f"{' (waits for confirmation)' if grant.needs_confirmation else ''}"
                            for grant in grants
                            if not grant.is_over(work.now)
                        ),
                    )
                )
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        for line in lines:
            click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())

    terminal.with_service(listed)


def _standing(*, deactivated: bool, suspended: bool) -> str:
    if deactivated:
        return "closed"
    return "open, may not sign: a reset waits for confirmation" if suspended else "open"


@command.command(epilog="Example: caseload staff deactivate ada --reason 'left the clinic'")
@click.argument("user_name")
@click.option("--reason", required=True, help="Why; it stands beside the account.")
def deactivate(user_name: str, reason: str) -> None:
    """Close an account for good and end its sessions. What the person recorded and signed stays theirs."""
    from caseload.db.people.accounts import Accounts
    from caseload.domain import people

    async def deactivated(service: "Service") -> None:
        by = people.the_command_line()
        async with service.work(by=by, event="staff.deactivate") as work:
            accounts = Accounts(work.connection)
            account = await accounts.named(user_name, at=work.now)
            await people.deactivate(
                account.id, reason=reason, by=by, now=work.now, accounts=accounts, journal=work.journal
            )
        click.echo(f"The account of {account.user_name} is closed.")

    terminal.with_service(deactivated)


@command.command(epilog="Example: caseload staff reset ada")
@click.argument("user_name")
def reset(user_name: str) -> None:
    """End somebody's sessions and print a secret with which they sign in once.

    They may not sign until a supervisor, medical director or administrator confirms that it was they who asked.
    """
    from caseload.db.people.accounts import Accounts
    from caseload.domain import people
    from caseload.domain.ids import ResetId, new_id

    async def was_reset(service: "Service") -> None:
        by, secret = people.the_command_line(), people.new_secret()
        hashed = await service.door.passwords.hash(secret)
        async with service.work(by=by, event="staff.reset") as work:
            accounts = Accounts(work.connection)
            account = await accounts.named(user_name, at=work.now)
            await people.reset_password(
                account.id,
                as_id=ResetId(new_id()),
                secret_hash=hashed,
                by=by,
                now=work.now,
                rules=service.door.rules.passwords,
                accounts=accounts,
                journal=work.journal,
            )
            until = work.now + service.door.rules.passwords.one_time_for
        click.echo(f"One-time secret of {account.user_name}: {secret}")
        click.echo(_how_to_begin(service, account.user_name, secret, until))

    terminal.with_service(was_reset)
