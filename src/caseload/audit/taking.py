"""Takes a part of the log out of the database as a bundle that proves itself: as of one moment, page by page.

Everything is read as `audit_reader` in one snapshot. The entries, tiles and signatures are taken as they are stored,
also where somebody has tampered with them: what is wrong then is for the verifier to say, which does not trust us.
What the leaves do not say themselves (the columns beside them) is compared here, because no bundle carries it.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.accesslog import narrowed
from caseload.audit.bundle import Opened, Proved, Scope
from caseload.audit.commitment import LogBox
from caseload.audit.keyring import KeyRing
from caseload.audit.keys import ClientKey, ClientKeys
from caseload.audit.laying_open import Kept, lay_open
from caseload.audit.leaf import first_entry_at
from caseload.audit.packing import Exported, Packed, Packer
from caseload.audit.record import NotARecord, Record, read
from caseload.audit.snapshot import snapshot
from caseload.audit.stored import erased_since, fetching, newest_head, older_heads, tiles_of
from caseload.audit.tlog import prove
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tree import signed_note
from caseload.domain.accesslog import ErasureWaits, LaidOpen, NothingSigned, Proof

PAGE: Final = 512
"""Entries read at once: some five megabytes of them and their views. More at once is not quicker."""
CHOICE_PAGE: Final = 256
"""The same of a choice, each of whose entries may need four tiles of its own for its proof."""

_BETWEEN_LOOKS: Final = 0.25
_MOST_LOOKS: Final = 40
"""Ten seconds for an entry that gets its place and its signature in half of one."""

Progress = Callable[[int, int], Awaitable[None]]
"""Called after each page with how many entries have been written, and of how many."""

Told = Callable[[Packed], Awaitable[None]]
"""Called when everything is written, before the bundle gets its name."""


def how_much(wanted: Proof) -> Scope:
    """A choice as soon as anything but time decides: only what has no gaps proves that nothing is left out."""
    named = ("actor", "event", "outcome", "programme", "client")
    if wanted.scope.programmes is not None or any(getattr(wanted.filter, name) is not None for name in named):
        return Scope.CHOICE
    return Scope.WHOLE if wanted.filter.since is None and wanted.filter.until is None else Scope.SPAN


@dataclass(slots=True, kw_only=True)
class Taking:
    """One export."""

    engine: AsyncEngine
    keys: ClientKeys
    box: LogBox
    wanted: Proof
    key: ClientKey | None
    """Of the client to whom the filter narrows it, if there is one."""
    page: int = PAGE
    ring: KeyRing | None = field(default=None, init=False)
    """Whose items may be laid open, and a mark at everybody of whom something was. None for nobody's."""

    async def write(self, out: Path, *, now: datetime, told: Told, progress: Progress) -> Packed:
        """Write the bundle. Raises `NothingSigned`, `ErasureWaits`, and `FileExistsError` when something is there already."""
        async with AsyncExitStack() as reading:
            connection, head = await self._begin(reading)
            scope, size = how_much(self.wanted), head.size
            places = await self._places(connection, scope, size)
            with Packer(out, scope=scope, size=size, first=places.start) as packer:
                packer.head(await signed_note(connection, head), await older_heads(connection, size))
                packer.file("README.txt", _README)
                await self._prove(connection, packer, scope, size, places)
                pages = (
                    self._chosen(connection, packer, size)
                    if scope is Scope.CHOICE
                    else self._in_a_row(connection, packer, places)
                )
                total = 0 if scope is Scope.CHOICE else len(places)
                written = 0
                async for page in pages:
                    written += packer.add(page)
                    await progress(written, max(total, written))
                # What follows waits for the disk, and the database for nobody.
                await reading.aclose()
                made = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
                opened = Opened(self.wanted.laid_open.value)
                packed = packer.close(made=made, opened=opened, asked=self.wanted.filter.facts())
                await told(packed)
                packer.publish()
                return packed

    async def _begin(self, reading: AsyncExitStack) -> tuple[asyncpg.Connection, Checkpoint]:
        """One moment of the log, its head, and the keys of whom it lays open.

        A moment in which the log tells of every erasure that has taken a key: without its entry a client who is not laid
        open would look like an access that was hidden.
        """
        for _ in range(_MOST_LOOKS):
            self.ring = await self._keys_to_use()
            moment = await reading.enter_async_context(AsyncExitStack())
            connection = await moment.enter_async_context(snapshot(self.engine))
            head = await newest_head(connection)
            if head is None:
                raise NothingSigned
            if self.wanted.laid_open is not LaidOpen.CLIENTS or not await erased_since(connection, head):
                return connection, head
            await moment.aclose()
            await asyncio.sleep(_BETWEEN_LOOKS)
        raise ErasureWaits

    async def _keys_to_use(self) -> KeyRing | None:
        """Everybody's, that of the client who was asked for, or nobody's."""
        ring = KeyRing()
        if self.wanted.laid_open is LaidOpen.CLIENTS:
            # As the service: whoever reads the log as `audit_reader` has no keys.
            async with self.engine.connect() as connection:
                async for key in self.keys.everybody(connection):
                    ring.add(key)
        elif self.key is not None:
            ring.add(self.key)
        else:
            return None
        return ring

    async def _places(self, connection: asyncpg.Connection, scope: Scope, size: int) -> range:
        """Which places it covers: for a span, from the first to the last entry of that time."""
        if scope is not Scope.SPAN:
            return range(size)
        asked = self.wanted.filter
        since = first_entry_at(asked.since) if asked.since else UUID(int=0)
        until = first_entry_at(asked.until) if asked.until else UUID(int=2**128 - 1)
        first, last = await connection.fetchrow(_SPAN, since, until, size) or (None, None)
        return range(0) if first is None or last is None else range(first, last + 1)

    async def _prove(
        self, connection: asyncpg.Connection, packer: Packer, scope: Scope, size: int, places: range
    ) -> None:
        if scope is Scope.WHOLE:
            async for name, hashes in tiles_of(connection, size):
                packer.tile(name, hashes)
            return
        spans = [(0, places.start), (places.stop, size)]
        if scope is Scope.SPAN:
            fetch = await fetching(connection, prove.tiles_for([each for each in spans if each[0] < each[1]], size))
            left, right = (prove.compact_range(begin, end, size, fetch).hashes for begin, end in spans)
            packer.span(left, right)
        proofs: list[Proved] = []
        for old in sorted({each for each in self.wanted.towards if 0 < each < size}):
            fetch = await fetching(connection, prove.consistency_tiles(old, size))
            proofs.append(Proved(old, prove.consistency(old, size, fetch)))
        packer.consistency(proofs)

    async def _in_a_row(
        self, connection: asyncpg.Connection, packer: Packer, places: range
    ) -> AsyncGenerator[Iterable[Exported]]:
        """Pages of entries; an empty one for each that is not there any more. Each is laid open when it is its turn."""
        for begin in range(places.start, places.stop, self.page):
            end = min(begin + self.page, places.stop)
            rows = {row["idx"]: row for row in await connection.fetch(_PAGE, begin, end)}
            yield (
                self._exported(packer, rows[place]) if place in rows else Exported(place, b"")
                for place in range(begin, end)
            )

    async def _chosen(
        self, connection: asyncpg.Connection, packer: Packer, size: int
    ) -> AsyncGenerator[Iterable[Exported]]:
        """Pages of the entries that fulfil the filter, each with its proof."""
        chosen = narrowed(self.wanted.filter, self.wanted.scope, self.key).subquery("chosen")
        statement = select(chosen.c.idx).where(chosen.c.idx.is_not(None), chosen.c.idx < size).order_by(chosen.c.idx)
        compiled = statement.compile(dialect=dialect.dialect())
        given = [compiled.params[name] for name in compiled.positiontup or ()]
        some: list[int] = []
        async for row in connection.cursor(str(compiled), *given, prefetch=CHOICE_PAGE):
            some.append(row["idx"])
            if len(some) == CHOICE_PAGE:
                yield await self._with_proofs(connection, packer, size, some)
                some = []
        if some:
            yield await self._with_proofs(connection, packer, size, some)

    async def _with_proofs(
        self, connection: asyncpg.Connection, packer: Packer, size: int, places: list[int]
    ) -> Iterable[Exported]:
        """Neighbours have most of their paths in common: each hash is made once."""
        paths = {place: prove.inclusion_spans(place, size) for place in places}
        spans = {span for path in paths.values() for span in path}
        fetch = await fetching(connection, prove.tiles_for(spans, size))
        hashes = {(begin, end): prove.root_of_span(begin, end, size, fetch) for begin, end in spans}
        rows = await connection.fetch(_THESE, places)
        return (self._exported(packer, row)._replace(path=[hashes[span] for span in paths[row["idx"]]]) for row in rows)

    def _exported(self, packer: Packer, row: asyncpg.Record) -> Exported:
        place, leaf = row["idx"], row["leaf"]
        try:
            record = read(leaf)
        except NotARecord:
            return Exported(place, leaf)
        if not _agrees(row, record):
            packer.columns.append(place)
        if row["sealed"] is None or (self.ring is None and self.wanted.laid_open is LaidOpen.NOTHING):
            return Exported(place, leaf, record=record)
        box = None if self.wanted.laid_open is LaidOpen.NOTHING else self.box
        shown = lay_open(place, record, Kept(row["refs"], row["sealed"]), self.ring, box)
        return Exported(place, leaf, shown, record=record)


def _agrees(row: asyncpg.Record, record: Record) -> bool:
    """Whether the columns by which entries are searched say what the entry says."""
    return (
        row["actor"] == record.actor
        and row["event"] == record.event
        and str(row["outcome"]) == record.outcome
        and str(row["programme"] or "") == record.programme
        and str(row["entry_id"]) == record.id
        and row["at"] == datetime.fromisoformat(record.at)
    )


_SPAN: Final = "select min(idx), max(idx) from audit.log where entry_id >= $1 and entry_id < $2 and idx < $3"
_COLUMNS: Final = """
    select entries.idx, entries.entry_id, entries.leaf, entries.at, entries.actor, entries.event, entries.outcome,
        entries.programme, beside.refs, beside.sealed
    from audit.log as entries left join lateral (
        select refs, sealed from audit.disclosure where disclosure.entry_id = entries.entry_id offset 0
    ) as beside on true
"""
"""What lies beside an entry is looked up by its key. Without the fence the planner would merge both tables from their
beginning for every page, which takes the longer the farther the page is."""
_PAGE: Final = f"{_COLUMNS} where entries.idx >= $1 and entries.idx < $2"
_THESE: Final = f"{_COLUMNS} where entries.idx = any($1::bigint[]) order by entries.idx"
_README: Final = b"""\
This is an export of an audit log. It proves itself to somebody who trusts neither the service nor the people who run
it; what they have to trust is their own: a policy file with the key of the log and of its witnesses, kept from before,
and the checkpoints of earlier exports.

  python3 caseload-verify.pyz THIS-FOLDER --policy YOUR-POLICY --known AN-EARLIER-CHECKPOINT

ends with 0 (valid), 1 (invalid), 2 (unusable), 3 (fork or rollback) or 4 (valid, but your policy is not met).
Keep the file `checkpoint` of this export: with it the next one has to be the same log, only longer.
The log's tiles and signatures are in the formats of C2SP (tlog-tiles, tlog-checkpoint), which other programs read too.
"""
