"""Read the audit log, take it away, verify what was taken, and look after the keys that sign it."""

import os
import secrets
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypedDict, Unpack
from uuid import UUID

import rich_click as click

from caseload.commands import audit_epoch, audit_keys, terminal
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from collections.abc import Generator

    from caseload.audit.export import LogExport
    from caseload.domain.accesslog import Access, LogEntry, LogFilter, LogFormat
    from caseload.domain.people import Staff
    from caseload.request.work import Service, Work

STANDARD_OUTPUT = Path("-")


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


def _asking(function: Callable[..., None]) -> Callable[..., None]:
    """The options that say who asks, and for which entries."""
    options = (
        click.option("--as", "user_name", metavar="USER", required=True, help="Who reads the log: it names them."),
        click.option(
            "--password-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Where the password of USER stands; asked for when left out.",
        ),
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


@click.group(
    epilog="""\b
Examples:
  caseload audit list --as ida --outcome refused --since 2026-11-01
  caseload audit list --as ida --client 01a20266-0818-7150-a091-3a47a294e1dc
  caseload audit export --as ida --format csv --out nov.csv --since 2026-11-01
"""
)
def command() -> None:
    """Read the audit log, take it away, verify what was taken, and look after the keys that sign it.

    Whoever asks for something of the log signs in, and needs a role that allows it; what they read and what they take stands in the log.
    """


for each in (audit_keys.keygen, audit_keys.rotate, audit_keys.policy, audit_epoch.epoch):
    command.add_command(each)


@command.command("list", epilog="Example: caseload audit list --as ida --event dose --since 2026-11-22")
@_asking
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many lines.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_(*, limit: int, as_json: bool, **asked: Unpack[Asked]) -> None:
    """List entries, newest first; of one client, with what was seen and done."""
    from caseload.audit.accesslog import LogReader
    from caseload.commands.signed_in import password_of
    from caseload.domain import accesslog

    password = password_of(asked["user_name"], asked["password_file"])

    async def listed(service: "Service") -> None:
        async with _asker(service, asked, password) as by:
            async with _question(service, asked, by, event="audit_entries.list") as (work, what):
                log = LogReader(work.connection, service.trail)
                found: Sequence[LogEntry | Access] = (
                    await accesslog.list_entries(what, after=None, limit=limit, by=by, log=log)
                    if what.client is None
                    else await accesslog.who_saw(
                        what.client, what, after=None, limit=limit, by=by, log=log, journal=work.journal
                    )
                )
                names = await _names(work, found)
            # Nothing is shown before the entry of showing it is durable.
            for each in found:
                click.echo(_as_json(each) if as_json else _as_line(each, names))

    terminal.with_service(listed)


@command.command(
    epilog="""\b
Examples:
  caseload audit export --as ida --out nov --since 2026-11-01
  caseload audit export --as ida --format csv --out log.csv
"""
)
@_asking
@click.option(
    "--format",
    "format_",
    type=click.Choice(["bundle", "csv", "ndjson"]),
    default="bundle",
    show_default=True,
    help="A bundle is a folder that proves itself (`caseload audit verify`); the others are one file.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, allow_dash=True),
    required=True,
    help="Where to; - for standard output, of a file. What is there already is left alone.",
)
@click.option(
    "--lay-open",
    type=click.Choice(["nothing", "facts", "clients"]),
    default="facts",
    show_default=True,
    help="Of a bundle: what the entries commit to. Whom they are about is a privacy officer's to lay open.",
)
@click.option(
    "--known",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="Of a bundle: a checkpoint that the auditor has kept, towards which a part of the log is to be proved.",
)
def export(*, format_: str, out: Path, lay_open: str, known: tuple[Path, ...], **asked: Unpack[Asked]) -> None:
    """Take entries away, oldest first: as a bundle with proofs, as CSV, or the leaves themselves one per line.

    Two entries in the log enclose it; the second holds the length and SHA-256 of what left: of the file, or of the
    bundle's manifest.
    """
    from caseload.commands.signed_in import password_of

    if out != STANDARD_OUTPUT and out.exists():
        raise OperatorError(f"{out} is there already: name one that is not.")
    if format_ == "bundle" and out == STANDARD_OUTPUT:
        raise OperatorError("A bundle is a folder: name one with --out.")
    towards = [_size_in(path) for path in known]
    password = password_of(asked["user_name"], asked["password_file"])

    async def exported(service: "Service") -> None:
        async with _asker(service, asked, password) as by:
            if format_ == "bundle":
                await _take_bundle(service, asked, by, out, lay_open, towards)
            else:
                await _take_file(service, asked, by, out, format_)

    terminal.with_service(exported)


async def _take_file(service: "Service", asked: Asked, by: "Staff", out: Path, format_: str) -> None:
    from caseload.domain.accesslog import LogFormat

    opened = await _open_export(service, asked, by, LogFormat(format_))
    with _new_file(out) as file, terminal.progress("Taking entries away") as bar:
        async for chunk in opened.stream():
            file.write(chunk)
            bar.update(bar.task_ids[0], completed=opened.taken.rows)
    _say(opened.taken.rows, opened.taken.octets, opened.taken.sha256, out)


async def _take_bundle(
    service: "Service", asked: Asked, by: "Staff", out: Path, lay_open: str, towards: Sequence[int]
) -> None:
    from caseload.audit.accesslog import LogReader
    from caseload.audit.taking import Enclosed, Taking
    from caseload.domain import accesslog

    async with _question(service, asked, by, event="audit_log.export") as (work, what):
        wanted = accesslog.export_with_proof(what, accesslog.LaidOpen(lay_open), towards, by=by, journal=work.journal)
        log = LogReader(work.connection, service.trail)
        key = None if what.client is None else await log.key_of(what.client)
    trail = service.trail
    taking = Taking(engine=service.engine, keys=trail.keys, box=trail.box, wanted=wanted, key=key)
    enclosed = Enclosed(taking=taking, batcher=service.batcher, actor=by, circumstances=work.circumstances)
    with terminal.progress("Taking entries away", total=1) as bar:

        async def progress(written: int, of: int) -> None:
            bar.update(bar.task_ids[0], completed=written, total=of)

        try:
            packed = await enclosed.write(out, now=work.now, progress=progress)
        except OSError as problem:
            raise OperatorError(f"{out} cannot be written: {problem.strerror or 'it is there already'}.") from problem
    _say(packed.entries, packed.octets, packed.sha256, out)


def _size_in(checkpoint: Path) -> int:
    """The size of a head that somebody has kept; whether it is genuine is for the verifier to say."""
    from caseload.audit.tlog.checkpoint import Checkpoint
    from caseload.audit.tlog.note import Note
    from caseload.audit.tlog.spelling import Malformed

    try:
        return Checkpoint.parse(Note.parse(checkpoint.read_bytes()).text).size
    except Malformed as problem:
        raise OperatorError(f"{checkpoint} is no checkpoint: {problem}") from problem


@command.command(context_settings={"ignore_unknown_options": True, "help_option_names": []}, add_help_option=False)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def verify(arguments: tuple[str, ...]) -> None:
    """Verify an export: a folder or archive, with the policy that you keep. Needs neither service nor network.

    The same program as the one file that `make verifier` builds; `caseload audit verify --help` says the rest.
    """
    from caseload.audit.verify.cli import main

    sys.exit(main(arguments))


@asynccontextmanager
async def _asker(service: "Service", asked: Asked, password: str) -> AsyncGenerator["Staff"]:
    from caseload.commands.signed_in import signed_in

    async with signed_in(service, asked["user_name"], password) as by:
        yield by


@asynccontextmanager
async def _question(
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


async def _open_export(service: "Service", asked: Asked, by: "Staff", format_: "LogFormat") -> "LogExport":
    """Allow the export and leave its first entry."""
    from caseload.audit.accesslog import LogReader
    from caseload.audit.export import LogExport
    from caseload.domain import accesslog

    async with _question(service, asked, by, event="audit_log.export") as (work, what):
        allowed = accesslog.export(what, format_, by=by, journal=work.journal)
        log = LogReader(work.connection, service.trail)
        key = None if what.client is None else await log.key_of(what.client)
    return LogExport(service.engine, service.batcher, allowed, key=key, actor=by, circumstances=work.circumstances)


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


async def _names(work: "Work", found: Sequence["LogEntry | Access"]) -> dict[str, str]:
    """The user names behind the identifiers; who is no person of the staff keeps what the log calls them."""
    from caseload.db.people.accounts import Accounts
    from caseload.domain.ids import StaffId
    from caseload.domain.people import StaffUnknown

    names: dict[str, str] = {}
    for actor in {_entry_of(each).actor for each in found}:
        try:
            names[actor] = (await Accounts(work.connection).get(StaffId(UUID(actor)), at=work.now)).user_name
        except (ValueError, StaffUnknown):
            names[actor] = actor
    return names


def _entry_of(line: "LogEntry | Access") -> "LogEntry":
    from caseload.domain.accesslog import Access

    return line.entry if isinstance(line, Access) else line


def _as_json(line: "LogEntry | Access") -> str:
    import msgspec

    return msgspec.json.encode(line).decode()


def _as_line(line: "LogEntry | Access", names: dict[str, str]) -> str:
    from caseload.domain.accesslog import Access

    entry = _entry_of(line)
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = f"{at}  {entry.outcome.value:<8}  {entry.event:<28}  {names[entry.actor]:<16}  {entry.route}"
    if not isinstance(line, Access):
        return f"{said}  ({entry.clients} clients)" if entry.clients > 1 else said
    seen = f"saw {', '.join(line.saw)}" if line.saw else ""
    done = f"did {', '.join(str(each['ev']) for each in line.did)}" if line.did else ""
    tried = f"tried {', '.join(str(each['ev']) for each in line.tried)}" if line.tried else ""
    doubt = "" if line.proved else "NOT PROVED: what is stored is not what the entry commits to"
    return f"{said}  {'; '.join(filter(None, (seen, done, tried, doubt))) or 'asked for, not shown'}"


@contextmanager
def _new_file(out: Path) -> "Generator[BinaryIO]":
    """A file that only its owner can read, and that appears complete or not at all."""
    if out == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            yield file
        os.link(draft, out)
    except FileExistsError:
        raise OperatorError(f"{out} appeared meanwhile: name a file that is not there.") from None
    finally:
        draft.unlink(missing_ok=True)


def _say(entries: int, octets: int, sha256: str, out: Path) -> None:
    where = "" if out == STANDARD_OUTPUT else f" to {out}"
    click.echo(f"{entries} entries{where}, {octets} bytes, SHA-256 {sha256}", err=True)
