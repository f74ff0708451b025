"""Entries taken away: as a bundle that proves itself, or as one file."""

import os
import secrets
import sys
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Unpack

import rich_click as click

from caseload.commands import terminal
from caseload.commands.audit.asking import Asked, asking, question
from caseload.settings import OperatorError

if TYPE_CHECKING:
    from collections.abc import Generator

    from caseload.audit.export import LogExport
    from caseload.domain.accesslog import LogFormat
    from caseload.domain.people import Staff
    from caseload.request.work import Service


STANDARD_OUTPUT = Path("-")


@click.command(
    epilog="""\b
Examples:
  caseload audit export --as ida --out nov --since 2026-11-01
  caseload audit export --as ida --format csv --out log.csv
"""
)
@asking
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
    from caseload.commands.signed_in import password_of, signed_in

    if out != STANDARD_OUTPUT and out.exists():
        raise OperatorError(f"{out} is there already: name one that is not.")
    if format_ == "bundle" and out == STANDARD_OUTPUT:
        raise OperatorError("A bundle is a folder: name one with --out.")
    towards = [_size_in(path) for path in known]
    password = password_of(asked["user_name"], asked["password_file"])

    async def exported(service: "Service") -> None:
        async with signed_in(service, asked["user_name"], password) as by:
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
    from caseload.audit.enclosed import Enclosed
    from caseload.audit.taking import Taking
    from caseload.domain import accesslog

    async with question(service, asked, by, event="audit_log.export") as (work, what):
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


async def _open_export(service: "Service", asked: Asked, by: "Staff", format_: "LogFormat") -> "LogExport":
    """Allow the export and leave its first entry."""
    from caseload.audit.accesslog import LogReader
    from caseload.audit.export import LogExport
    from caseload.domain import accesslog
    from caseload.request.still import still_allowed

    async with question(service, asked, by, event="audit_log.export") as (work, what):
        allowed = accesslog.export(what, format_, by=by, journal=work.journal)
        log = LogReader(work.connection, service.trail)
        key = None if what.client is None else await log.key_of(what.client)
    return LogExport(
        service.engine,
        service.batcher,
        allowed,
        key=key,
        actor=by,
        circumstances=work.circumstances,
        allowed=still_allowed(service, allowed, by),
    )


def _size_in(checkpoint: Path) -> int:
    """The size of a head that somebody has kept; whether it is genuine is for the verifier to say."""
    from caseload.audit.tlog.checkpoint import Checkpoint
    from caseload.audit.tlog.note import Note
    from caseload.audit.tlog.spelling import Malformed

    try:
        return Checkpoint.parse(Note.parse(checkpoint.read_bytes()).text).size
    except Malformed as problem:
        raise OperatorError(f"{checkpoint} is no checkpoint: {problem}") from problem


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
