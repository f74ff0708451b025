"""The accesses to one client with their proofs: a page of them, or all of them without holding anything open.

A report is as of one size of the tree, and below it nothing changes any more. So no snapshot is needed: which entries
there are is asked once, and what they say is read a thousand at a time, each in a transaction of its own, as slowly as
whoever reads takes it. Hashing and opening happen in a thread.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import BigInteger, Row, Select, SmallInteger, Uuid, and_, any_, bindparam, column, func, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.accesslog import access_of, disclosed, entry_of, narrowed, page_of, read_as_reader
from caseload.audit.inclusion import Prover, tiles_for
from caseload.audit.keys import ClientKey
from caseload.audit.leaf import decode
from caseload.audit.tables import checkpoint, checkpoint_signature, disclosure, log, tile
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import Signature, write_note
from caseload.audit.tlog.prove import Fetch
from caseload.audit.tlog.tile import TileName
from caseload.audit.trail import AuditTrail
from caseload.domain.accesslog import ClientNotInLog, LogFilter, LogScope, NothingSigned
from caseload.domain.accessreport import (
    TELLS_OF_SOMEBODY_ELSE,
    Evidence,
    Line,
    LineUnknown,
    Report,
    Tree,
)
from caseload.domain.ids import EntryId

AT_ONCE: Final = 250
"""Lines that are read, proved and handed over together."""
_EVERYWHERE: Final = LogScope(programmes=None)

AnyRow = Row[*tuple[Any, ...]]


class TileMissing(LookupError):
    """A tile of the tree is not where the checkpoint says that it is: the log is damaged."""


class ProvedAccesses:
    """Implements `caseload.domain.accessreport.Accesses` over one connection."""

    def __init__(self, connection: AsyncConnection, trail: AuditTrail) -> None:
        self._connection = connection
        self._keys = trail.keys

    async def newest_tree(self) -> Tree:
        """See `Accesses.newest_tree`."""
        rows = await read_as_reader(self._connection, _NEWEST)
        if not rows:
            raise NothingSigned
        return await self._tree(rows[0])

    async def tree_at(self, size: int) -> Tree:
        """The checkpoint of this size, as a note. Raises `NothingSigned`."""
        rows = await read_as_reader(self._connection, _AT, {"size": size})
        if not rows:
            raise NothingSigned
        return await self._tree(rows[0])

    async def key_of(self, report: Report) -> ClientKey:
        """The key that opens what the report is about. Raises `ClientNotInLog`, as after an erasure."""
        key = await self._keys.existing(self._connection, report.client)
        if key is None:
            raise ClientNotInLog
        return key

    async def page(self, report: Report, *, after: EntryId | None, limit: int) -> Sequence[Line]:
        """See `Accesses.page`."""
        key = await self.key_of(report)
        rows = await read_as_reader(self._connection, page_of(_entries(report, key, after), limit))
        return await self._lines(report, key, rows)

    async def line(self, report: Report, entry: EntryId) -> Line:
        """One line. Raises `LineUnknown`."""
        key = await self.key_of(report)
        found = [each for each in await self._places(report, key) if each == entry]
        lines = await self.lines(report, key, found)
        if not lines:
            raise LineUnknown
        return lines[0]

    async def marks(self, report: Report, entries: Collection[EntryId]) -> Mapping[EntryId, bytes]:
        """See `Accesses.marks`."""
        key, wanted = await self.key_of(report), set(entries)
        return {each: key.mark(each.bytes) for each in await self._places(report, key) if each in wanted}

    async def all_marks(self, report: Report) -> Sequence[bytes]:
        """See `Accesses.all_marks`."""
        key = await self.key_of(report)
        places = await self._places(report, key)
        return await asyncio.to_thread(lambda: [key.mark(each.bytes) for each in places])

    async def places(self, report: Report) -> tuple[ClientKey, list[EntryId]]:
        """Which entries the report is about, the oldest first, with the key that opens them."""
        key = await self.key_of(report)
        return key, await self._places(report, key)

    async def lines(self, report: Report, key: ClientKey, entries: Collection[EntryId]) -> list[Line]:
        """These lines with their proofs, the oldest first."""
        rows = await read_as_reader(self._connection, _ENTRIES, {"entries": list(entries)})
        return await self._lines(report, key, rows)

    async def _lines(self, report: Report, key: ClientKey, rows: Sequence[AnyRow]) -> list[Line]:
        wanted = await asyncio.to_thread(tiles_for, [row.idx for row in rows], report.size)
        fetch = await self._tiles(wanted)
        return await asyncio.to_thread(_proved, report, key, rows, Prover(report.size, fetch))

    async def _places(self, report: Report, key: ClientKey) -> list[EntryId]:
        entries = _entries(report, key)
        found = entries.with_only_columns(entries.selected_columns.entry_id)
        return sorted(EntryId(entry) for (entry,) in await read_as_reader(self._connection, found))

    async def _tiles(self, wanted: Collection[TileName]) -> Fetch:
        given = {"levels": [each.level for each in wanted], "numbers": [each.number for each in wanted]}
        rows = await read_as_reader(self._connection, _TILES, given)
        found: dict[tuple[int | None, int], bytes] = {(row.level, row.number): row.hashes for row in rows}

        def fetch(name: TileName) -> bytes:
            try:
                return found[name.level, name.number]
            except KeyError:
                raise TileMissing(name.path()) from None

        return fetch

    async def _tree(self, row: AnyRow) -> Tree:
        signatures = await read_as_reader(self._connection, _SIGNATURES, {"size": row.size})
        signed = Checkpoint(origin=row.origin, size=row.size, root=row.root)
        note = write_note(signed.text(), [Signature(each.key_name, each.key_id, each.signature) for each in signatures])
        return Tree(size=row.size, root=row.root, note=note, at=row.at)


def _proved(report: Report, key: ClientKey, rows: Sequence[AnyRow], prover: Prover) -> list[Line]:
    return [_line(report, key, row, prover) for row in rows]


def _line(report: Report, key: ClientKey, row: AnyRow, prover: Prover) -> Line:
    leaf = decode(row.leaf)
    entry = entry_of(leaf, row.idx)
    shown = disclosed(report.client, key, entry.id, row.refs, row.sealed)
    access = access_of(entry, leaf, shown)
    evidence = None
    if shown is not None and access.proved:
        _, proof = shown
        evidence = Evidence(
            index=row.idx,
            path=prover.path(row.idx),
            leaf=row.leaf,
            position=proof.position,
            salt=proof.salt,
            item=proof.item,
            item_path=proof.path,
        )
    return Line(access=access, mark=key.mark(entry.id.bytes), evidence=evidence)


def _entries(report: Report, key: ClientKey, after: EntryId | None = None) -> Select[*tuple[Any, ...]]:
    """The entries about the client, and about nobody else's secret, that have their place below the report's size."""
    entries = narrowed(LogFilter(since=report.since, but=TELLS_OF_SOMEBODY_ELSE), _EVERYWHERE, key, after)
    return entries.where(entries.selected_columns.idx < report.size)


_CHECKPOINTS = select(checkpoint.c.size, checkpoint.c.root, checkpoint.c.origin, checkpoint.c.at).where(
    select(checkpoint_signature.c.size)
    .where(checkpoint_signature.c.size == checkpoint.c.size, checkpoint_signature.c.key_name == checkpoint.c.origin)
    .exists()
)
_NEWEST = _CHECKPOINTS.order_by(checkpoint.c.size.desc()).limit(1)
_AT = _CHECKPOINTS.where(checkpoint.c.size == bindparam("size"))
_SIGNATURES = (
    select(checkpoint_signature.c.key_name, checkpoint_signature.c.key_id, checkpoint_signature.c.signature)
    .ext(distinct_on(checkpoint_signature.c.key_name, checkpoint_signature.c.key_id))
    .where(checkpoint_signature.c.size == bindparam("size"))
    .order_by(checkpoint_signature.c.key_name, checkpoint_signature.c.key_id, checkpoint_signature.c.at.desc())
)
_ENTRIES = (
    select(log.c.idx, log.c.leaf, disclosure.c.refs, disclosure.c.sealed)
    .join(disclosure, disclosure.c.entry_id == log.c.entry_id)
    .where(log.c.entry_id == any_(bindparam("entries", type_=ARRAY(Uuid()))))
    .order_by(log.c.entry_id)
)
_wanted = (
    func.unnest(bindparam("levels", type_=ARRAY(SmallInteger())), bindparam("numbers", type_=ARRAY(BigInteger())))
    .table_valued(column("level", SmallInteger()), column("number", BigInteger()), name="wanted")
    .render_derived()
)
_TILES = select(tile.c.level, tile.c.number, tile.c.hashes).join(
    _wanted, and_(_wanted.c.level == tile.c.level, _wanted.c.number == tile.c.number)
)


async def every_line(engine: AsyncEngine, trail: AuditTrail, report: Report) -> AsyncGenerator[list[Line], None]:
    """All lines of a report, the oldest first, some hundred at a time. Between two of these nothing is held open."""
    async with engine.connect() as connection:
        key, places = await ProvedAccesses(connection, trail).places(report)
    for start in range(0, len(places), AT_ONCE):
        async with engine.connect() as connection:
            lines = await ProvedAccesses(connection, trail).lines(report, key, places[start : start + AT_ONCE])
        yield lines
