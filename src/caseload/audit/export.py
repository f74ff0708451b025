"""A part of the log as a stream: as of one moment, in constant memory, straight from COPY.

The entry of whoever asked is durable before the stream is opened; the closing entry, with rows and digest, before it
ends, so that nobody holds a whole file of which the log does not know. Whoever reads slowly slows the COPY, whoever
stops reading ends it, and the closing entry then says how far it came.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import asyncpg as dialect
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.accesslog import narrowed
from caseload.audit.batcher import Batcher
from caseload.audit.journal import RequestJournal
from caseload.audit.keys import ClientKey
from caseload.audit.snapshot import snapshot
from caseload.audit.trail import Actor, Circumstances, Op, Outcome, Pending
from caseload.audit.views import csv_header, csv_lines
from caseload.domain.accesslog import Export, LogExported, LogFormat, Taken

CHUNKS_AHEAD: Final = 4
STALLED_SECONDS: Final = 60.0
"""How long whoever reads may take nothing before the export is given up."""

_QUOTE, _DELIMITER = "\x01", "\x02"
"""Canonical JSON has no control characters in it, so with these COPY in CSV format writes leaves as they are."""


class ReaderStalled(Exception):
    """Whoever reads the export has taken nothing for too long."""


class RightLost(Exception):
    """Whoever is taking it away would not be given it any more."""


Allowed = Callable[[], Awaitable[bool]]
"""Whether whoever asked would be given it now, by the roles in force for them at this moment."""


class LogExport:
    """One export. Its connection, its snapshot and its closing entry are its own."""

    def __init__(
        self,
        engine: AsyncEngine,
        batcher: Batcher,
        what: Export,
        *,
        key: ClientKey | None,
        actor: Actor,
        circumstances: Circumstances,
        allowed: Allowed,
        stalled_seconds: float = STALLED_SECONDS,
    ) -> None:
        """`key` belongs to the client of the filter, if there is one; `circumstances` are those of the request.

        `allowed` is asked before each piece leaves; from the first no on nothing more does.
        """
        self.taken = Taken()
        self._engine = engine
        self._batcher = batcher
        self._what = what
        self._key = key
        self._actor = actor
        self._circumstances = replace(circumstances, event=LogExported.name, op=Op.EXECUTE)
        self._allowed = allowed
        self._stalled = stalled_seconds
        self._digest = sha256()
        self._free = asyncio.Semaphore(CHUNKS_AHEAD)
        self._ready: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def stream(self) -> AsyncGenerator[bytes]:
        """The file, in pieces. Raises what went wrong; a stream that ends without an error has its closing entry."""
        task = asyncio.create_task(self._run(), name="audit export")
        task.add_done_callback(self._ended)
        try:
            while (chunk := await self._ready.get()) is not None:
                yield chunk
                self._free.release()
            await task
        finally:
            task.cancel()
            await asyncio.wait([task])

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled():
            # A reader who went away hears of nothing any more; the batcher has said why a closing entry failed.
            task.exception()
        self._ready.put_nowait(None)

    async def _run(self) -> None:
        outcome = Outcome.ABORTED
        try:
            if self._what.format is LogFormat.CSV:
                await self._give(self._header(), rows=0)
            await self._copy()
            await self._all_taken()
            outcome = Outcome.DONE
        finally:
            await asyncio.shield(self._close(outcome))

    def _header(self) -> bytes:
        return csv_header()

    async def _copy(self) -> None:
        """Let the server write."""
        entries = narrowed(self._what.filter, self._what.scope, self._key).subquery("entries")
        lines = select(func.convert_from(entries.c.leaf, "UTF8")).order_by(entries.c.entry_id)
        compiled = lines.compile(dialect=dialect.dialect())
        given = [compiled.params[name] for name in compiled.positiontup or ()]
        async with snapshot(self._engine) as connection:
            await connection.copy_from_query(
                str(compiled), *given, output=self._take, format="csv", quote=_QUOTE, delimiter=_DELIMITER
            )

    async def _take(self, chunk: bytes) -> None:
        """Whole lines, as many as the server has sent."""
        if self._what.format is LogFormat.NDJSON:
            await self._give(chunk, rows=chunk.count(b"\n"))
        else:
            leaves = chunk.split(b"\n")[:-1]
            await self._give(csv_lines(leaves), rows=len(leaves))

    async def _give(self, chunk: bytes, *, rows: int) -> None:
        await self._wait_for_room()
        if not await self._allowed():
            raise RightLost
        self.taken.rows += rows
        self.taken.octets += len(chunk)
        self._digest.update(chunk)
        self._ready.put_nowait(bytes(chunk))

    async def _all_taken(self) -> None:
        for _ in range(CHUNKS_AHEAD):
            await self._wait_for_room()

    async def _wait_for_room(self) -> None:
        try:
            async with asyncio.timeout(self._stalled):
                await self._free.acquire()
        except TimeoutError:
            raise ReaderStalled from None

    async def _close(self, outcome: Outcome) -> None:
        """Leave the closing entry. Raises `LogUnavailable`, and the stream breaks off."""
        self.taken.sha256 = self._digest.hexdigest()
        journal = RequestJournal()
        journal.tell(self.taken.told(self._what))
        await self._batcher.add(
            Pending(actor=self._actor, circumstances=self._circumstances, outcome=outcome, journal=journal)
        )
