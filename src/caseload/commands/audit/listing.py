"""Entries of the log as lines: who did what, and of one client what was seen and done."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack
from uuid import UUID

import rich_click as click

from caseload.commands import terminal
from caseload.commands.audit.asking import Asked, asking, question

if TYPE_CHECKING:
    from caseload.domain.accesslog import Access, LogEntry
    from caseload.request.work import Service, Work


@click.command("list", epilog="Example: caseload audit list --as ida --event dose --since 2026-11-22")
@asking
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True, help="How many lines.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
def list_(*, limit: int, as_json: bool, **asked: Unpack[Asked]) -> None:
    """List entries, newest first; of one client, with what was seen and done."""
    from caseload.audit.accesslog import LogReader
    from caseload.commands.signed_in import password_of, signed_in
    from caseload.domain import accesslog

    password = password_of(asked["user_name"], asked["password_file"])

    async def listed(service: "Service") -> None:
        async with signed_in(service, asked["user_name"], password) as by:
            async with question(service, asked, by, event="audit_entries.list") as (work, what):
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
