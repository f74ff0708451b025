"""Makes the entries of reads and refusals durable together, so that a hundred of them share one commit.

    batcher = Batcher(engine, trail)          # once per process, on a connection that serves nothing else
    entry_id = await batcher.add(pending)     # returns when durable; an answer may leave then and not before
    await batcher.close()                     # takes no more, makes what waits durable

A lone entry is flushed at once. While a flush is under way others gather and go with the next one. There is no spool: when the database cannot take an entry, whoever waits for it gets `LogUnavailable`
and answers 503. The next flush opens a new connection, so it recovers with the database.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg
import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.canonical import NotCanonical
from caseload.audit.driver import driver
from caseload.audit.keystore import KeyStoreUnusable
from caseload.audit.leaf import BadLeaf
from caseload.audit.trail import APPEND, AuditTrail, Entry, Pending, parameters
from caseload.domain.ids import EntryId

MOST_PER_FLUSH = 512
MOST_REFERENCES_PER_FLUSH = 16_384
MOST_WAITING = 8_192
PATIENCE_SECONDS = 10.0
REFERENCES_BETWEEN_TIDYING = 20_000
"""References to clients that gather in the index's pending list, about a megabyte, before they are put in place."""

_TIDY = select(func.audit.tidy())
_log = structlog.get_logger()


class LogUnavailable(Exception):
    """The entry could not be made durable, so nothing of what it tells may leave."""


_TROUBLE = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What a database that is away, full or in the wrong state raises."""

_ITS_OWN_FAULT = (BadLeaf, NotCanonical, KeyStoreUnusable)
"""What one entry can do wrong without the database being at fault."""


@dataclass(slots=True)
class _Waiting:
    pending: Pending
    durable: asyncio.Future[Entry]


class Batcher:
    """Group commit for entries that have no transaction of their own. One per process and event loop."""

    def __init__(
        self,
        engine: AsyncEngine,
        trail: AuditTrail,
        *,
        most_waiting: int = MOST_WAITING,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """Take a connection of the engine for good, when it is first needed."""
        self._engine = engine
        self._line = _Line(engine, trail)
        self._most_waiting = most_waiting
        self._patience = patience_seconds
        self._waiting: deque[_Waiting] = deque()
        self._flushing: asyncio.Task[None] | None = None
        self._closed = False
        self._untidy = 0
        self._tidying: asyncio.Task[None] | None = None

    async def add(self, pending: Pending) -> EntryId:
        """As `enter`, for who only wants to name the entry."""
        return (await self.enter(pending)).id

    async def enter(self, pending: Pending) -> Entry:
        """Return the entry once it is durable.

        Raises `LogUnavailable` when it cannot be made so, when too many wait already, or after `close`;
        `BadLeaf` or `NotCanonical` for what may not stand in the log. A caller that is cancelled leaves
        its entry behind.
        """
        if self._closed or len(self._waiting) >= self._most_waiting:
            raise LogUnavailable("The log takes no more entries at this moment.")
        waiting = _Waiting(pending, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if self._flushing is None:
            self._flushing = asyncio.create_task(self._flush_all(), name="audit flush")
        return await waiting.durable

    @property
    def waiting(self) -> int:
        """How many entries wait for a flush to take them."""
        return len(self._waiting)

    async def close(self) -> None:
        """Take no more, and return when everything that waits is durable or has failed."""
        self._closed = True
        if self._flushing is not None:
            await asyncio.wait([self._flushing])
        if self._tidying is not None:
            await self._tidying
        await self._line.close()

    async def _flush_all(self) -> None:
        """One flush after another for as long as somebody waits."""
        while self._waiting:
            await self._flush_next()
        self._flushing = None

    async def _flush_next(self) -> None:
        batch = self._take()
        try:
            await self._flush(batch)
        except Exception:  # noqa: BLE001  a mistake of ours; logged, and those who wait learn that nothing was kept
            _log.exception("audit flush failed")
        finally:
            _fail(batch, LogUnavailable("The log could not take this entry."))

    def _take(self) -> list[_Waiting]:
        """The oldest entries, up to what one flush carries."""
        taken: list[_Waiting] = []
        references = 0
        while self._waiting and len(taken) < MOST_PER_FLUSH and references < MOST_REFERENCES_PER_FLUSH:
            taken.append(self._waiting.popleft())
            references += len(taken[-1].pending.journal.kinds)
        return taken

    async def _flush(self, batch: Sequence[_Waiting]) -> None:
        """Make these durable or fail them. One that cannot be written does not take the others with it."""
        try:
            async with asyncio.timeout(self._patience):
                entries = await self._line.keep([each.pending for each in batch])
        except _ITS_OWN_FAULT as fault:
            if len(batch) == 1:
                _fail(batch, fault)
                return
            for each in batch:
                await self._flush([each])
        except (LogUnavailable, TimeoutError) as trouble:
            _log.error("audit log unavailable", entries=len(batch), error=type(trouble.__cause__ or trouble).__name__)
            _fail(batch, LogUnavailable("The log cannot be written at this moment."))
        else:
            for each, entry in zip(batch, entries, strict=True):
                if not each.durable.done():
                    each.durable.set_result(entry)
            self._count(sum(len(entry.references) for entry in entries))

    def _count(self, references: int) -> None:
        self._untidy += references
        if self._untidy >= REFERENCES_BETWEEN_TIDYING and self._tidying is None:
            self._untidy = 0
            self._tidying = asyncio.create_task(self._tidy(), name="audit tidying")

    async def _tidy(self) -> None:
        """Put gathered references in their places, beside the flushes: otherwise one of them would have to wait."""
        try:
            async with self._engine.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(_TIDY)
        except _TROUBLE as trouble:
            _log.warning("audit references stay unsorted for now", error=type(trouble).__name__)
        finally:
            self._tidying = None


class _Line:
    """One connection of the batcher: opened when first needed, and anew after any trouble with it."""

    def __init__(self, engine: AsyncEngine, trail: AuditTrail) -> None:
        self._engine = engine
        self._trail = trail
        self._connection: AsyncConnection | None = None
        self._raw: asyncpg.Connection | None = None

    async def keep(self, pendings: Sequence[Pending]) -> list[Entry]:
        """Make entries of these and commit them, all or none; on a second connection if the first one is dead.

        Raises `LogUnavailable`; then nobody knows whether they were kept.
        """
        entries: list[Entry] = []
        kept = False
        try:
            try:
                entries = await self._prepare(pendings)
                await self._append(entries)
            except _TROUBLE:
                await self._drop()
                entries = entries or await self._prepare(pendings)
                await self._append_again(entries)
            kept = True
        except _TROUBLE as trouble:
            raise LogUnavailable from trouble
        finally:
            self._trail.settle(entries, kept=kept)
            if not kept:
                await self._drop()
        return entries

    async def close(self) -> None:
        """Give the connection back."""
        self._raw = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()

    async def _prepare(self, pendings: Sequence[Pending]) -> list[Entry]:
        return await self._trail.prepare(await self._opened(), pendings)

    async def _append(self, entries: Sequence[Entry]) -> None:
        """One statement, which is its own transaction, past SQLAlchemy: it is the price of every read."""
        given = parameters(entries)
        await (await self._driver()).execute(APPEND, given["leaves"], given["refs"], given["sealed"])

    async def _driver(self) -> asyncpg.Connection:
        if self._raw is None:
            self._raw = await driver(await self._opened())
        return self._raw

    async def _append_again(self, entries: Sequence[Entry]) -> None:
        """Append what may have been appended already: their identifiers are new, so a twin is themselves."""
        try:
            await self._append(entries)
        except asyncpg.UniqueViolationError:
            _log.info("audit entries were kept by the first attempt", entries=len(entries))

    async def _opened(self) -> AsyncConnection:
        if self._connection is None:
            connection = await self._engine.connect()
            try:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
            except BaseException:
                await connection.invalidate()
                await connection.close()
                raise
            self._connection = connection
        return self._connection

    async def _drop(self) -> None:
        self._raw = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.invalidate()
            await connection.close()


def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
    for each in batch:
        if not each.durable.done():
            each.durable.set_exception(error)
