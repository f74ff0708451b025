"""One piece of work: one connection, one transaction, one `now`, one entry in the audit log.

A write appends its entry inside its own transaction and commits before its answer leaves. A read gives its
connection back first and then waits until the batcher has made its entry durable. A refusal rolls back and
leaves an entry that says how it ended. Requests come through `gate`; the command line, imports and jobs use
`Service.work`, which is the same class.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.batcher import Batcher
from caseload.audit.journal import RequestJournal
from caseload.audit.trail import AuditTrail, Auth, Circumstances, Entry, Outcome, Pending
from caseload.domain.errors import CaseloadError
from caseload.domain.people import Staff
from caseload.request.door import Door
from caseload.settings import Settings


def _utc_now() -> datetime:
    return datetime.now(UTC)


class NotSignedInYet(RuntimeError):
    """Code asked who is acting before anybody was identified: a mistake of ours."""


class NotOpen(RuntimeError):
    """Code asked for the connection before the work was opened: a mistake of ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a process needs to do pieces of work. Made once, by `app` or by a command."""

    settings: Settings
    engine: AsyncEngine
    trail: AuditTrail
    batcher: Batcher
    request_secret: bytes
    """Under which the digests of requests with an Idempotency-Key are made."""
    door: Door
    clock: Callable[[], datetime] = _utc_now

    def begin(self, circumstances: Circumstances | None = None) -> "Work":
        """A piece of work that has not opened its connection yet."""
        return Work(self, circumstances or Circumstances())

    @asynccontextmanager
    async def work(self, *, by: Staff | None, event: str, writes: bool = True) -> AsyncGenerator["Work", None]:
        """A piece of work outside a request: committed with its entry at the end, abandoned with one on an error."""
        work = self.begin(Circumstances(route=f"caseload {event}", event=event, auth=Auth.COMMAND_LINE))
        work.staff = by
        work.writes = writes
        try:
            await work.open()
            yield work
            await work.conclude()
        except CaseloadError:
            await work.abandon(Outcome.REFUSED)
            raise
        except BaseException:
            await work.abandon(Outcome.FAILED)
            raise


@dataclass(slots=True)
class Work:
    """One piece of work, from its first statement to its durable entry."""

    service: Service
    circumstances: Circumstances
    staff: Staff | None = None
    writes: bool = False
    now: datetime = field(init=False)
    journal: RequestJournal = field(init=False)
    audited: bool = True
    """Whether a success that showed nobody leaves an entry; False only for routes that say why."""
    outcome: Outcome = Outcome.DONE
    """What its entry says when it is concluded; another than done where what is told did not succeed."""
    entry: UUID | None = None
    """The entry it left."""
    _connection: AsyncConnection | None = None
    _pages: list[Entry] = field(default_factory=list[Entry])
    """Entries of this transaction that stand before its last one."""
    _ended: bool = False

    def __post_init__(self) -> None:
        """Read the clock once."""
        self.now = self.service.clock()
        self.journal = RequestJournal()

    @property
    def by(self) -> Staff:
        """Who is acting."""
        if self.staff is None:
            raise NotSignedInYet
        return self.staff

    @property
    def connection(self) -> AsyncConnection:
        """The one connection of this work, in its transaction when it writes."""
        if self._connection is None:
            raise NotOpen
        return self._connection

    async def open(self) -> AsyncConnection:
        """Open the connection: in a transaction for a write, statement by statement for a read."""
        if self._connection is None:
            connection = await self.service.engine.connect()
            try:
                if self.writes:
                    await connection.begin()
                else:
                    await connection.execution_options(isolation_level="AUTOCOMMIT")
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
        return self._connection

    async def turn_page(self, event: str) -> None:
        """Append an entry of this name for what was told so far, and begin the next, all in the one transaction.

        For long work that would be one unreadable entry. Nothing is appended when nothing was told.
        """
        if self.journal.is_empty:
            return
        pending = Pending(
            actor=self.staff,
            circumstances=replace(self.circumstances, event=event),
            outcome=Outcome.DONE,
            journal=self.journal,
        )
        self._pages.append(await self.service.trail.append(self.connection, pending))
        self.journal = RequestJournal()

    async def conclude(self, status: int | None = None) -> None:
        """Make the work and its entry durable, or raise: nothing may leave before this has returned."""
        if self._ended:
            return
        if not self.writes:
            await self._close()
            if self._leaves_entry():
                self.entry = await self.service.batcher.add(self._pending(self.outcome, status))
        elif self._connection is not None:
            await self._commit(self._connection, status)
        self._ended = True

    def _leaves_entry(self) -> bool:
        return self.staff is not None and (self.audited or not self.journal.is_empty)

    async def _commit(self, connection: AsyncConnection, status: int | None) -> None:
        """Append the entry and commit. A transaction that wrote and has no entry is refused."""
        trail = self.service.trail
        entry = await trail.append(connection, self._pending(self.outcome, status))
        made, self._pages = [*self._pages, entry], []
        try:
            await connection.commit()
        except BaseException:
            trail.settle(made, kept=False)
            raise
        trail.settle(made, kept=True)
        self.entry = entry.id
        await self._close()

    async def abandon(self, outcome: Outcome, status: int | None = None) -> None:
        """Undo the work and leave an entry that says how it ended, when it is known who asked."""
        if self._ended:
            return
        self._ended = True
        await self._undo()
        if self.staff is not None:
            self.entry = await self.service.batcher.add(self._pending(outcome, status))

    async def undo(self) -> None:
        """Give the connection back, undoing what was not committed; the work goes on and may be opened again."""
        await self._undo()

    async def drop(self) -> None:
        """Give the connection back whatever happened, undoing what was not committed."""
        self._ended = True
        await self._undo()

    def _pending(self, outcome: Outcome, status: int | None) -> Pending:
        """What the entry will say. What a success told gives its name; a refusal is named by what was asked."""
        if outcome is Outcome.DONE and self.journal.events:
            self.circumstances.event = None
        return Pending(
            actor=self.staff,
            circumstances=self.circumstances,
            outcome=outcome,
            journal=self.journal,
            status=status,
        )

    async def _undo(self) -> None:
        undone, self._pages = self._pages, []
        self.service.trail.settle(undone, kept=False)
        if self._connection is not None:
            try:
                await self._connection.rollback()
            finally:
                await self._close()

    async def _close(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            await connection.close()
