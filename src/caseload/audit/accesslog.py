"""The log as it can be read: entries, the accesses to one client, and a part of it as a stream of leaves.

Everything is read as `audit_reader`, within a transaction that sets that role. Columns only choose the rows; what is
shown is decoded from the leaves.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    FromClause,
    LargeBinary,
    Row,
    Select,
    Text,
    Uuid,
    all_,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.commitment import LogBox, disclose_client, disclose_request
from caseload.audit.driver import driver
from caseload.audit.item import Disclosure, unpack
from caseload.audit.keys import ClientKey
from caseload.audit.keystore import KeyStoreUnusable
from caseload.audit.leaf import Leaf, Outcome, decode, first_entry_at, from_base64url, made_at
from caseload.audit.tables import disclosure, log
from caseload.audit.trail import AuditTrail
from caseload.domain.accesslog import Access, ClientNotInLog, LogEntry, LogFilter, LogOutcome, LogScope
from caseload.domain.ids import ClientId, EntryId, ProgrammeId

CODES: Final = MappingProxyType({
    LogOutcome.DONE: Outcome.DONE,
    LogOutcome.REFUSED: Outcome.REFUSED,
    LogOutcome.FAILED: Outcome.FAILED,
    LogOutcome.UNAVAILABLE: Outcome.UNAVAILABLE,
})  # fmt: skip
WORDS: Final = MappingProxyType({code.value: word for word, code in CODES.items()})
READER: Final = "audit_reader"
"""The one role that may read the log, and may do nothing else."""

UNREADABLE: Final[Mapping[str, object]] = MappingProxyType({"unreadable": True})
"""Shown where something is committed to and cannot be shown: its key is gone, or it is not what was committed."""


class LogReader:
    """Implements `caseload.domain.accesslog.AccessLog` over the connection of a piece of work."""

    def __init__(self, connection: AsyncConnection, trail: AuditTrail) -> None:
        self._connection = connection
        self._keys = trail.keys
        self._box = trail.box

    async def entries(
        self, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int
    ) -> Sequence[LogEntry]:
        """See `AccessLog.entries`."""
        key = None if asked.client is None else await self.key_of(asked.client)
        return [_entry(row, self._box) for row in await self._page(narrowed(asked, scope, key, after), limit)]

    async def accesses(
        self, client: ClientId, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int
    ) -> Sequence[Access]:
        """See `AccessLog.accesses`."""
        key = await self.key_of(client)
        rows = await self._page(narrowed(asked, scope, key, after), limit)
        return [_access(client, key, row, self._box) for row in rows]

    async def key_of(self, client: ClientId) -> ClientKey:
        """The key by which the log is searched for a client. Raises `ClientNotInLog`."""
        key = await self._keys.existing(self._connection, client)
        if key is None:
            raise ClientNotInLog
        return key

    async def _page(self, entries: Select[*tuple[Any, ...]], limit: int) -> Sequence[Row[*tuple[Any, ...]]]:
        return await read_as_reader(self._connection, page_of(entries, limit))


async def read_as_reader(
    connection: AsyncConnection, statement: Executable, given: Mapping[str, object] | None = None
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Read as `audit_reader`, in a transaction of its own or, where there is one already, in a part of it."""
    options = await connection.run_sync(Connection.get_execution_options)
    if options.get("isolation_level") == "AUTOCOMMIT":
        raw = await driver(connection)
        async with raw.transaction(readonly=True):
            await connection.execute(_BECOME_READER)
            return (await connection.execute(statement, given)).all()
    async with connection.begin_nested():
        await connection.execute(_BECOME_READER)
        rows = (await connection.execute(statement, given)).all()
        await connection.execute(_BE_ONESELF)
    return rows


def holds(leaf: ColumnElement[bytes], piece: bytes) -> ColumnElement[bool]:
    """Whether the bytes of a leaf hold this piece.

    They are canonical JSON and every string in them comes from a closed vocabulary, so a piece such as `"st":404,` can
    only be what it looks like.
    """
    escaped = piece.replace(b"\\", b"\\\\").replace(b"_", b"\\_").replace(b"%", b"\\%")
    return leaf.op("~~", is_comparison=True)(bindparam(None, b"%" + escaped + b"%", LargeBinary))


def page_of(entries: Select[*tuple[Any, ...]], limit: int) -> Select[*tuple[Any, ...]]:
    """The newest of these, with what lies beside their leaves."""
    page = entries.order_by(entries.selected_columns.entry_id.desc()).limit(limit).subquery("page")
    return (
        select(page.c.idx, page.c.leaf, disclosure.c.refs, disclosure.c.sealed)
        .select_from(page.outerjoin(disclosure, disclosure.c.entry_id == page.c.entry_id))
        .order_by(page.c.entry_id.desc())
    )


def narrowed(
    asked: LogFilter, scope: LogScope, key: ClientKey | None, after: EntryId | None = None
) -> Select[*tuple[Any, ...]]:
    """The entries that fulfil the filter within the scope, in no order yet: place, identifier, leaf.

    An identifier carries the instant of its entry, so a span of time and a place in a list are ranges of the key.
    """
    within = partial(_in_range, asked=asked, after=after)
    if key is None:
        source: FromClause = log
        statement = select(log.c.idx, log.c.entry_id, log.c.leaf).where(*within(log.c.entry_id))
    else:
        source, matches = _about(key, within)
        statement = select(source.c.idx, source.c.entry_id, source.c.leaf).select_from(matches.join(source, true()))
    return statement.where(*_conditions(source, asked, scope))


def _about(
    key: ClientKey, within: Callable[[ColumnElement[UUID]], list[ColumnElement[bool]]]
) -> tuple[FromClause, FromClause]:
    """Entries that name one client: first the matches of the index on references, then the entry of each by its key.

    Both fences keep the planner from reading the whole log when it misjudges how many there are.
    """
    matches = (
        select(disclosure.c.entry_id)
        .where(disclosure.c.refs.contains([key.reference]), *within(disclosure.c.entry_id))
        .cte("matches")
        .prefix_with("MATERIALIZED")
    )
    line = select(log).where(log.c.entry_id == matches.c.entry_id).offset(literal_column("0")).lateral("line")
    return line, matches


def _in_range(column: ColumnElement[UUID], asked: LogFilter, after: EntryId | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.since is not None:
        conditions.append(column >= first_entry_at(asked.since))
    if asked.until is not None:
        conditions.append(column < first_entry_at(asked.until))
    if after is not None:
        conditions.append(column < after)
    return conditions


def _conditions(source: FromClause, asked: LogFilter, scope: LogScope) -> list[ColumnElement[bool]]:
    conditions = _by_name(source.c.event, asked)
    if asked.actor is not None:
        conditions.append(source.c.actor == str(asked.actor))
    if asked.outcome is not None:
        conditions.append(source.c.outcome == CODES[asked.outcome].value)
    if asked.outcome not in {None, LogOutcome.DONE}:
        # Said in the words of the partial index, which a parameter would hide from the planner.
        conditions.append(source.c.outcome != literal_column("0"))
    if asked.programme is not None:
        conditions.append(source.c.programme == asked.programme)
    if scope.programmes is not None:
        allowed = bindparam("scope", sorted(scope.programmes), type_=ARRAY(Uuid()))
        conditions.append(source.c.programme == any_(allowed))
    return conditions


def _by_name(event: ColumnElement[str], asked: LogFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.event is not None:
        conditions.append(_named(event, asked.event))
    if asked.events:
        conditions.append(event == any_(bindparam("events", sorted(asked.events), type_=ARRAY(Text()))))
    if asked.but:
        conditions.append(event != all_(bindparam("but", sorted(asked.but), type_=ARRAY(Text()))))
    return conditions


def _named(event: ColumnElement[str], name: str) -> ColumnElement[bool]:
    """A whole name, or every name that begins with a word: from "dose." to "dose/", which is the next character."""
    return event == name if "." in name else and_(event >= f"{name}.", event < f"{name}/")


def _entry(row: Row[*tuple[Any, ...]], box: LogBox) -> LogEntry:
    return entry_read(row.leaf, row.idx, row.sealed, box)


def entry_read(leaf: bytes, index: int | None, sealed: bytes | None, box: LogBox) -> LogEntry:
    """What a stored leaf says, with what it commits to of its request."""
    said = decode(leaf)
    return entry_of(said, index, _about_request(said, UUID(said.id), sealed, box))


def entry_of(leaf: Leaf, index: int | None, about: tuple[Mapping[str, object], ...] = ()) -> LogEntry:
    """What a leaf says, as the domain speaks of it."""
    entry = UUID(leaf.id)
    return LogEntry(
        id=EntryId(entry),
        index=index,
        at=made_at(entry),
        actor=leaf.act.id,
        roles=leaf.act.role,
        authenticated_by=leaf.act.auth,
        operation=leaf.op,
        event=leaf.ev,
        outcome=WORDS[leaf.out],
        status=leaf.st,
        route=leaf.route,
        purpose=leaf.purp,
        programme=ProgrammeId(UUID(leaf.prog)) if leaf.prog else None,
        request=leaf.req,
        clients=leaf.subj.n if leaf.subj else 0,
        about=about,
    )


def _about_request(leaf: Leaf, entry: UUID, sealed: bytes | None, box: LogBox) -> tuple[Mapping[str, object], ...]:
    """What the leaf commits to of its request, or that it cannot be shown: never what the leaf does not commit to."""
    if leaf.obj is None:
        return ()
    try:
        shown = disclose_request(entry, unpack(sealed or b""), box)
    except (InvalidTag, KeyStoreUnusable, ValueError):
        return (UNREADABLE,)
    proved = [what for what, proof in shown if proof.proves(root=from_base64url(leaf.obj.root), count=leaf.obj.n)]
    return tuple(proved) if len(proved) == leaf.obj.n else (UNREADABLE,)


def _access(client: ClientId, key: ClientKey, row: Row[*tuple[Any, ...]], box: LogBox) -> Access:
    entry = _entry(row, box)
    return access_of(entry, decode(row.leaf), disclosed(client, key, entry.id, row.refs, row.sealed))


def disclosed(
    client: ClientId, key: ClientKey, entry: EntryId, refs: list[bytes], sealed: bytes
) -> tuple[dict[str, object], Disclosure] | None:
    """What lies beside a leaf about one client, with its proof; None where it cannot be read."""
    try:
        return disclose_client(client, key, entry, refs, unpack(sealed))
    except (InvalidTag, ValueError, IndexError):
        return None


def access_of(entry: LogEntry, leaf: Leaf, shown: tuple[dict[str, object], Disclosure] | None) -> Access:
    """One access, with whether what is shown is what the leaf commits to."""
    if shown is None or leaf.subj is None:
        return Access(entry=entry, saw=(), did=(), tried=(), asked={}, proved=False)
    what, proof = shown
    said = msgspec.convert(what, _Said)
    proved = proof.proves(root=from_base64url(leaf.subj.root), count=leaf.subj.n)
    return Access(entry=entry, saw=said.saw, did=said.did, tried=said.tried, asked=said.asked, proved=proved)


_BECOME_READER = select(func.set_config("role", READER, literal_column("true")))
"""As `SET LOCAL ROLE`: lasts as long as the transaction."""

_BE_ONESELF = select(func.set_config("role", "none", literal_column("true")))


class _Said(msgspec.Struct, frozen=True):
    """What an item says of a client."""

    asked: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    did: tuple[dict[str, object], ...] = ()
    saw: tuple[str, ...] = ()
    tried: tuple[dict[str, object], ...] = ()
