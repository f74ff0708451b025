"""What the log says of confidentiality: read page by page, or taken away as a stream of lines.

What an entry says of a client is sealed under that client's key. Whose key it takes is found by the reference that stands
beside the leaf; a client who was erased has none, and the line then says no more than the leaf.
"""

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg
from sqlalchemy import Row, Select, select
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.accesslog import LogReader, access_of, disclosed, entry_read, narrowed, page_of, read_as_reader
from caseload.audit.batcher import Batcher
from caseload.audit.commitment import LogBox
from caseload.audit.export import Allowed, LogExport
from caseload.audit.keys import ClientKey, ClientKeys
from caseload.audit.leaf import decode
from caseload.audit.snapshot import snapshot
from caseload.audit.tables import disclosure
from caseload.audit.trail import Actor, AuditTrail, Circumstances
from caseload.audit.views import safe
from caseload.domain.accesslog import LogFilter, LogFormat, LogScope
from caseload.domain.accesslog.confidentiality import ConfidentialityExport, Deed, Read, Sought, deeds_of
from caseload.domain.ids import ClientId, EntryId

BATCH: Final = 256
"""Entries that are opened at once."""
COLUMNS: Final = (
    "entry", "place", "at", "actor", "roles", "programme", "matter", "event", "result", "rule", "facts", "records", "proved",
)  # fmt: skip
"""Of the CSV."""


class ConfidentialityReader:
    """Implements `domain.accesslog.confidentiality.ConfidentialityLog` over the connection of a piece of work."""

    def __init__(self, connection: AsyncConnection, trail: AuditTrail) -> None:
        self._connection = connection
        self._trail = trail

    async def read(self, asked: LogFilter, scope: LogScope, *, after: EntryId | None, limit: int) -> Sequence[Read]:
        """See `ConfidentialityLog.read`."""
        log = LogReader(self._connection, self._trail)
        key = None if asked.client is None else await log.key_of(asked.client)
        rows = await read_as_reader(self._connection, page_of(narrowed(asked, scope, key, after), limit))
        opener = _Opener(self._trail.keys, self._trail.box, only=key)
        return await opener.opened(self._connection, rows)


class ConfidentialityFile(LogExport):
    """One export: as of one moment, some entries at a time, each opened when it is its turn."""

    def __init__(
        self,
        engine: AsyncEngine,
        batcher: Batcher,
        what: ConfidentialityExport,
        trail: AuditTrail,
        *,
        key: ClientKey | None,
        actor: Actor,
        circumstances: Circumstances,
        allowed: Allowed,
    ) -> None:
        """As `LogExport`; `trail` has the keys by which the entries are opened."""
        super().__init__(engine, batcher, what, key=key, actor=actor, circumstances=circumstances, allowed=allowed)
        self._sought = what.sought
        self._opener = _Opener(trail.keys, trail.box, only=key)

    def _header(self) -> bytes:
        return _csv([COLUMNS])

    async def _copy(self) -> None:
        entries = narrowed(self._what.filter, self._what.scope, self._key).subquery("entries")
        statement = (
            select(entries.c.idx, entries.c.leaf, disclosure.c.refs, disclosure.c.sealed)
            .select_from(entries.outerjoin(disclosure, disclosure.c.entry_id == entries.c.entry_id))
            .order_by(entries.c.entry_id)
        )
        async with snapshot(self._engine) as moment:
            rows: list[asyncpg.Record] = []
            async for row in moment.cursor(*_for_the_driver(statement), prefetch=BATCH):
                rows.append(row)
                if len(rows) == BATCH:
                    await self._give_lines(rows)
                    rows = []
            await self._give_lines(rows)

    async def _give_lines(self, rows: Collection[asyncpg.Record]) -> None:
        async with self._engine.connect() as connection:
            read = await self._opener.opened(connection, [_Beside(**row) for row in rows])
        data, lines = as_file(read, self._sought, self._what.format)
        await self._give(data, rows=lines)


def as_file(read: Iterable[Read], sought: Sought, format_: LogFormat) -> tuple[bytes, int]:
    """The lines of some entries, and how many they are."""
    deeds = [deed for each in read for deed in deeds_of(each, sought)]
    if format_ is LogFormat.CSV:
        return _csv([_fields(deed) for deed in deeds]), len(deeds)
    lines = [json.dumps(_object(deed), ensure_ascii=False, sort_keys=True, separators=(",", ":")) for deed in deeds]
    return "".join(f"{line}\n" for line in lines).encode(), len(deeds)


class _Beside:
    """A row as the driver gives it."""

    __slots__ = ("idx", "leaf", "refs", "sealed")

    def __init__(self, *, idx: int | None, leaf: bytes, refs: list[bytes] | None, sealed: bytes | None) -> None:
        self.idx, self.leaf, self.refs, self.sealed = idx, leaf, refs, sealed


class _Opener:
    """Opens what entries say of clients: of one alone where there is one, else of everybody who has a key."""

    def __init__(self, keys: ClientKeys, box: LogBox, *, only: ClientKey | None) -> None:
        self._keys = keys
        self._box = box
        self._only = only
        self._known: Mapping[bytes, UUID] | None = None

    async def opened(self, connection: AsyncConnection, rows: Sequence[Row[Any] | _Beside]) -> list[Read]:
        keys = await self._keys_for(connection, {reference for row in rows for reference in row.refs or ()})
        return [self._open(row, keys) for row in rows]

    async def _keys_for(self, connection: AsyncConnection, references: Collection[bytes]) -> Mapping[bytes, ClientKey]:
        if self._only is not None:
            return {self._only.reference: self._only}
        if not references:
            return {}
        if self._known is None:
            self._known = await self._keys.references(connection)
        clients = {self._known[each] for each in references if each in self._known}
        found = (await self._keys.of(connection, (), asked=clients)).keys
        return {key.reference: key for key in found.values()}

    def _open(self, row: Row[Any] | _Beside, keys: Mapping[bytes, ClientKey]) -> Read:
        leaf, entry = decode(row.leaf), entry_read(row.leaf, row.idx, row.sealed, self._box)
        accesses = [
            access_of(entry, leaf, disclosed(ClientId(key.client), key, entry.id, row.refs or [], row.sealed or b""))
            for reference in row.refs or ()
            if (key := keys.get(reference)) is not None
        ]
        return Read(entry, accesses)


def _object(deed: Deed) -> dict[str, object]:
    entry = deed.entry
    return {
        "entry": str(entry.id),
        "place": entry.index,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "roles": list(entry.roles),
        "programme": None if entry.programme is None else str(entry.programme),
        "matter": deed.matter.value,
        "event": deed.event,
        "result": deed.result.value,
        "rule": deed.rule,
        "facts": dict(deed.facts),
        "records": list(deed.records),
        "proved": deed.proved,
    }


def _fields(deed: Deed) -> list[str]:
    said = _object(deed) | {
        "roles": " ".join(deed.entry.roles),
        "facts": " ".join(f"{name}={value}" for name, value in sorted(deed.facts.items())),
        "records": " ".join(deed.records),
        "proved": str(deed.proved).lower(),
    }
    return [safe("" if said[name] is None else str(said[name])) for name in COLUMNS]


def _csv(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _for_the_driver(statement: Select[*tuple[Any, ...]]) -> tuple[Any, ...]:
    compiled = statement.compile(dialect=dialect.dialect())
    return (str(compiled), *(compiled.params[name] for name in compiled.positiontup or ()))
