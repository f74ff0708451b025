"""Print a programme's dosing list of today as a PDF, for the day when nothing works."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from caseload.commands import terminal
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from caseload.db.dosing import DueTo
    from caseload.domain.dosing import DuePart
    from caseload.domain.people import Staff
    from caseload.domain.programme import Programme
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

    Print it every morning before the window opens. What is given while nothing works is entered from it afterwards as
    late entries. Whom it shows stands in the audit log before the file is written.
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
    from caseload.db.dosing import DosingDays
    from caseload.db.programme import Programmes
    from caseload.domain.access import Act

    async with service.work(by=by, event="downtime_sheet.print", writes=False) as work:
        programmes = {each.code: each for each in await Programmes(work.connection).all()}
        programme = programmes.get(code.upper())
        if programme is None:
            raise OperatorError(f"There is no programme {code}; there are {', '.join(sorted(programmes)) or 'none'}.")
        said = work.circumstances
        said.op, said.act, said.programme = Op.EXECUTE, Act.RECORD_DOSE, programme.id
        by.require(Act.RECORD_DOSE, programme.id)
        day = programme.today(work.now)
        store = DosingDays(work.connection, work.journal, now=work.now)
        lines = await store.due_in(programme.id, day, by=by, act=Act.RECORD_DOSE)
        printed_at = work.now.astimezone(programme.zone).strftime("%Y-%m-%d %H:%M %Z")
    return {
        "programme": programme.name,
        "code": programme.code,
        "day": str(day),
        "printed_at": printed_at,
        "printed_by": by.printed_name,
        "stopped": sum(bool(line.due.in_the_way) for line in lines),
        "lines": [_line(line, programme) for line in lines],
    }


def _line(line: "DueTo", programme: "Programme") -> dict[str, Any]:
    """One client. What stands in the way is said as the window would say it."""
    due, last = line.due, line.due.without.last
    order = due.order
    said = "no dose yet" if last is None else f"{last.day}: {_mg(last.amount_mg)} {_words(last.medicine)}"
    if due.without.missed:
        said += f"; {len(due.without.missed)} missed since"
    return {
        "family_name": line.family_name,
        "given_name": line.given_name,
        "birth_date": str(line.birth_date),
        "medicine": _words(order.medicine) if order is not None else "",
        "form": _words(order.form) if order is not None else "",
        "due": [_part(part, programme.zone) for part in due.parts],
        "last": said,
        "stops": [refusal.says for refusal in due.in_the_way],
    }


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
