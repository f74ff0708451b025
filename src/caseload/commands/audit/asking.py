"""Who asks something of the log, and for which entries: the options that say it, and the entry it leaves."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict
from uuid import UUID

import rich_click as click

from caseload.commands import terminal

if TYPE_CHECKING:
    from caseload.domain.accesslog import LogFilter
    from caseload.domain.people import Staff
    from caseload.request.work import Service, Work


class Instant(click.ParamType[datetime]):
    """A date or an instant in ISO 8601; UTC where it does not say otherwise."""

    name = "instant"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read it, or say what would do."""
        try:
            found = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no date; write 2026-11-22 or 2026-11-22T09:30:00+01:00", param, ctx)
        return found if found.tzinfo else found.replace(tzinfo=UTC)


class Asked(TypedDict):
    """What the options of both commands say."""

    user_name: str
    password_file: Path | None
    since: datetime | None
    until: datetime | None
    actor: str | None
    event: str | None
    outcome: str | None
    programme: UUID | None
    client: UUID | None


def asking(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say who asks, and for which entries."""
    options = (
        terminal.signing_in("Who reads the log: it names them."),
        click.option("--since", type=Instant(), help="The first instant or day (UTC unless it says otherwise)."),
        click.option("--until", type=Instant(), help="The first instant or day that counts no more."),
        click.option("--actor", metavar="USER", help="Who acted."),
        click.option("--event", help="The name of an event (dose.recorded), or its first word (dose)."),
        click.option(
            "--outcome", type=click.Choice(["done", "refused", "failed", "unavailable"]), help="How it ended."
        ),
        click.option("--programme", type=click.UUID, help="Where it happened, by identifier."),
        click.option("--client", type=click.UUID, help="Only entries about this client, by identifier."),
    )
    for option in reversed(options):
        function = option(function)
    return function


@asynccontextmanager
async def question(
    service: "Service", asked: Asked, by: "Staff", *, event: str
) -> AsyncGenerator[tuple["Work", "LogFilter"]]:
    """A piece of work that reads the log; its entry says what was asked."""
    from caseload.audit.trail import Op, Purpose

    async with service.work(by=by, event=event, writes=False) as work:
        what = await _filter(work, asked)
        what.check()
        said = work.circumstances
        said.op, said.purpose, said.client = Op.EXECUTE, Purpose.COMPLIANCE, what.client
        said.filter = what.facts() or None
        yield work, what


async def _filter(work: "Work", asked: Asked) -> "LogFilter":
    from caseload.db.people.accounts import Accounts
    from caseload.domain.accesslog import LogFilter, LogOutcome
    from caseload.domain.ids import ClientId, ProgrammeId

    actor, outcome, programme, client = asked["actor"], asked["outcome"], asked["programme"], asked["client"]
    return LogFilter(
        since=asked["since"],
        until=asked["until"],
        actor=(await Accounts(work.connection).named(actor, at=work.now)).id if actor else None,
        event=asked["event"],
        outcome=LogOutcome(outcome) if outcome else None,
        programme=ProgrammeId(programme) if programme else None,
        client=ClientId(client) if client else None,
    )
