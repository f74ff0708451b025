"""Print a programme's dosing list of today as a PDF, for the day when nothing works."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from zoneinfo import ZoneInfo

    from caseload.domain.dosing import DuePart
    from caseload.domain.ids import ClientId
    from caseload.domain.people import Staff
    from caseload.domain.programme import Programme
    from caseload.domain.takehome import TakeHomeDecision
    from caseload.domain.window import Line
    from caseload.request.work import Service


@click.command(epilog="Example: caseload downtime-sheet NORTH --as nora --out north-today.pdf")
@click.argument("programme")
@terminal.signing_in("Who prints it: the log names them.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Where to. Only you will be able to read it; a file that is there already is left alone.",
)
def command(programme: str, *, user_name: str, password_file: Path | None, out: Path) -> None:
    """Print today's dosing list of PROGRAMME (its code): who is due what, the last dose, and what stands in the way.

    Guests, excused clients and what is taken home stand on it too. Print it every morning before the window opens. What is
    given while nothing works is entered from it afterwards in one form (docs/downtime.md). Whom it shows stands in the audit
    log before the file is written; the sheet names that entry.
    """
    from caseload.commands.signed_in import password_of, signed_in
    from caseload.typesetting import typeset

    if out.exists():
        raise OperatorError(f"{out} is there already: name a file that is not.")
    password = password_of(user_name, password_file)

    async def printed(service: "Service") -> None:
        async with signed_in(service, user_name, password) as by:
            sheet = await _sheet(service, programme, by)
        with terminal.progress("Setting the sheet"):
            _write(out, typeset("downtime_sheet.typ", sheet))
        click.echo(f"{out}: {len(sheet['lines'])} to be dosed, {sheet['stopped']} to be stopped, on {sheet['day']}.")

    terminal.with_service(printed)


async def _sheet(service: "Service", code: str, by: "Staff") -> dict[str, Any]:
    """What the sheet says, once its entry is durable."""
    from caseload.audit.trail import Op
    from caseload.db.closure import ClosureDays
    from caseload.db.programme import Programmes
    from caseload.db.takehome.returns import Returns
    from caseload.db.window import Queues
    from caseload.domain.access import Act
    from caseload.domain.downtime.printed import BLANKS
    from caseload.domain.window import WindowDay

    async with service.work(by=by, event="downtime_sheet.print", writes=False) as work:
        programmes = {each.code: each for each in await Programmes(work.connection).all()}
        programme = programmes.get(code.upper())
        if programme is None:
            raise OperatorError(f"There is no programme {code}; there are {', '.join(sorted(programmes)) or 'none'}.")
        said = work.circumstances
        said.op, said.act, said.programme = Op.EXECUTE, Act.RECORD_DOSE, programme.id
        by.require(Act.RECORD_DOSE, programme.id)
        day = programme.today(work.now)
        closures = await ClosureDays(work.connection).closed_days(programme.id, day, day)
        closed = closures[0].reason if closures else None
        at = WindowDay(programme=programme.id, day=day, rules=programme.rules_on(day), closed=closed)
        queue = await Queues(work.connection, work.journal, now=work.now).queue(at, by=by, act=Act.RECORD_DOSE)
        lines = sorted((line for group in queue.values() for line in group), key=_by_name)
        homes = Returns(work.connection, work.journal, now=work.now)
        may_take = await homes.may_take_home([line.waiting.client for line in lines], day)
        printed_at = work.now.astimezone(programme.zone).strftime("%Y-%m-%d %H:%M %Z")
    names = {line.waiting.client: f"{line.waiting.family_name}, {line.waiting.given_name}" for line in lines}
    return {
        "blanks": [blank.says for blank in BLANKS],
        "entry": str(work.entry),
        "closed": closed,
        "programme": programme.name,
        "code": programme.code,
        "day": str(day),
        "printed_at": printed_at,
        "printed_by": by.printed_name,
        "stopped": sum(bool(line.waiting.due.in_the_way) for line in lines),
        "lines": [
            _line(number, line, programme, names, may_take.get(line.waiting.client, ()))
            for number, line in enumerate(lines, start=1)
        ],
    }


def _by_name(line: "Line") -> tuple[str, str, str]:
    waiting = line.waiting
    return waiting.family_name.casefold(), waiting.given_name.casefold(), str(waiting.client)


def _line(
    number: int,
    line: "Line",
    programme: "Programme",
    names: "Mapping[ClientId, str]",
    may_take: "Sequence[TakeHomeDecision]",
) -> dict[str, Any]:
    """One client. What stands in the way is said as the window would say it."""
    waiting = line.waiting
    due, last = waiting.due, waiting.due.without.last
    order = due.order
    said = "no dose yet" if last is None else f"{last.day}: {_mg(last.amount_mg)} {_words(last.medicine)}"
    if due.without.missed:
        said += f"; {len(due.without.missed)} missed since"
    if due.guest is not None:
        said += f"; guest days from {due.guest.first_on} to {due.guest.last_on}, agreed with {due.guest.facility}"
    return {
        "number": number,
        "group": line.group.value,
        "family_name": waiting.family_name,
        "given_name": waiting.given_name,
        "birth_date": str(waiting.birth_date),
        "chart_number": line.told.chart_number or "",
        "notes": list(_notes(line, names)),
        "take_home": [
            f"{_words(each.medicine)}: at most {each.days} days at once, by the decision of {each.decided_on}"
            for each in may_take
        ],
        "medicine": _words(order.medicine) if order is not None else "",
        "order": str(order.id) if order is not None else "",
        "form": _words(order.form) if order is not None else "",
        "due": [_part(part, programme.zone) for part in due.parts],
        "last": said,
        "beside": [told.says for told in due.beside],
        "stops": [refusal.says for refusal in due.in_the_way],
    }


def _notes(line: "Line", names: "Mapping[ClientId, str]") -> "Iterator[str]":
    """What else whoever gives the dose should see: why nobody expects the client, guests, similar names, messages."""
    excused = line.told.excused
    if excused is not None:
        until = f"until {excused.last_on}" if excused.last_on is not None else "until somebody says that it is over"
        yield f"Excused ({_words(excused.reason)}) from {excused.first_on} {until}"
    for flag in line.flags:
        yield _words(flag).capitalize()
    for other in sorted(line.alike):
        yield f"Name like {names[other]}"
    for missed in line.told.not_given:
        yield f"Not given ({_words(missed.part)}): {_words(missed.reason)}"
    for message in line.told.messages:
        yield f"Message: {message.text}"


def _part(part: "DuePart", zone: "ZoneInfo") -> str:
    said = f"{_mg(part.amount_mg)} {_words(part.part)}"
    if part.given is None:
        return said
    when = "" if part.given.given_at is None else part.given.given_at.astimezone(zone).strftime(" %H:%M")
    return f"{said}: GIVEN{when}"


def _mg(amount: object) -> str:
    text = f"{amount:f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} mg"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _write(out: Path, content: bytes) -> None:
    """Write the file for its owner alone; raises `OperatorError` when it cannot be written."""
    try:
        handle = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as refused:
        raise OperatorError(f"{out} cannot be written: {refused.strerror}.") from refused
    with os.fdopen(handle, "wb") as file:
        file.write(content)
