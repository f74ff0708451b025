"""One piece of work: one connection, one transaction, one `now`, one entry in the audit log.

A write appends its entry inside its own transaction and commits before its answer leaves. A read gives its
connection back first and then waits until the batcher has made its entry durable. A refusal rolls back and
leaves an entry that says how it ended. Requests come through `gate`; the command line, imports and jobs use
`Service.work`, which is the same class.

Settling ends in one of three ways: `conclude` and `abandon` return, and the entry is durable; or they raise
`Unsettled`, which carries the only thing that may still be answered.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.batcher import Batcher, LogUnavailable
from caseload.audit.journal import RequestJournal
from caseload.audit.published import Newest
from caseload.audit.trail import AuditTrail, Auth, Circumstances, Entry, Outcome, Pending, Purpose
from caseload.db.failures import Failure, failure_of, is_refusal
from caseload.db.readers import Readers
from caseload.domain.access import BrokenGlass
from caseload.domain.errors import CaseloadError
from caseload.domain.people import SecondFactor, Staff
from caseload.request.door import Door
from caseload.request.refusal import OVERTAKEN, UNAVAILABLE, UNKNOWN, UNLOGGED, Refusal
from caseload.request.seals import Seals
from caseload.request.strangers import Strangers
from caseload.settings import Settings

_log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class NotSignedInYet(RuntimeError):
    """Code asked who is acting before anybody was identified: a mistake of ours."""


class NotOpen(RuntimeError):
    """Code asked for the connection before the work was opened, or after it was settled: a mistake of ours."""


class Unsettled(Exception):
    """The work or its entry could not be made durable. Nothing of what it made or saw may leave."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.name)
        self.refusal = refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a process needs to do pieces of work. Made once, by `app` or by a command."""

    settings: Settings
    engine: AsyncEngine
    trail: AuditTrail
    batcher: Batcher
    request_secret: bytes = field(repr=False)
    """Under which the digests of requests with an Idempotency-Key are made."""
    door: Door
    seals: Seals
    """The keys with which the service seals what is signed."""
    second_factors: Sequence[SecondFactor] = ()
    """The proofs beside the password that an account may have: none is built in yet."""
    newest: Newest = field(default_factory=Newest)
    """The newest signed checkpoint of the log, which every answer that left an entry names."""
    strangers: Strangers = field(default_factory=Strangers)
    clock: Callable[[], datetime] = _utc_now
    readers: Readers = field(init=False)
    """The same connections, for work that only reads: statement by statement, without a transaction."""

    def __post_init__(self) -> None:
        """Half of the connections are for reading."""
        object.__setattr__(self, "readers", Readers(self.engine, most=self.settings.db_pool_size // 2))

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
            await asyncio.shield(work.abandon(Outcome.REFUSED))
            raise
        except BaseException:
            await asyncio.shield(work.abandon(Outcome.FAILED))
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
    leaf: bytes = b""
    """The bytes of that entry, whose hash is the receipt for whoever asked."""
    _connection: AsyncConnection | None = None
    _lent: bool = False
    """Whether the connection is one of those that only read."""
    _pages: list[Entry] = field(default_factory=list[Entry])
    """Entries of this transaction that stand before its last one."""
    ended: bool = False
    """Whether it has been settled; from then on it has no connection any more."""

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
            if self.ended:
                raise NotOpen
            if self.writes:
                # Kept before it is set up, so that whatever happens next gives it back.
                self._connection = await self.service.engine.connect()
                await self._connection.begin()
            else:
                self._connection = await self.service.readers.take()
                self._lent = True
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
        """Make the work and its entry durable. Nothing may leave before this has returned; raises `Unsettled`."""
        if self.ended:
            return
        if self.writes and self._connection is not None:
            await self._commit(self._connection, status)
            self.ended = True
            await self._give_back()
        else:
            await self._give_back()
            if self._leaves_entry():
                await self._enter(self.outcome, status)
            self.ended = True

    async def abandon(self, outcome: Outcome, status: int | None = None) -> None:
        """Undo the work and leave an entry that says how it ended; raises `Unsettled`.

        Whoever is not known and was told nothing is counted, and told of together with others.
        """
        if self.ended:
            return
        self.ended = True
        await self._give_back()
        if self.staff is not None or not self.journal.is_empty:
            await self._enter(outcome, status)
        elif self.circumstances.act is not None and outcome is Outcome.REFUSED:
            source = self.service.door.source(self.circumstances.source)[:8].hex()
            self.service.strangers.turn_away(source, at=self.now)

    async def undo(self) -> None:
        """Give the connection back, undoing what was not committed; the work goes on and may be opened again."""
        await self._give_back()

    async def drop(self) -> None:
        """Give the connection back whatever happened, undoing what was not committed."""
        self.ended = True
        await self._give_back()

    def _leaves_entry(self) -> bool:
        """What showed or told something leaves an entry whoever asked, and whatever its route declares."""
        return not self.journal.is_empty or (self.staff is not None and self.audited)

    async def _commit(self, connection: AsyncConnection, status: int | None) -> None:
        """Append the entry and commit. A transaction that wrote and has no entry is refused."""
        trail = self.service.trail
        try:
            entry = await trail.append(connection, self._pending(self.outcome, status))
        except Exception as error:
            raise Unsettled(_why_not_appended(error)) from error
        made, self._pages = [*self._pages, entry], []
        kept = False
        try:
            await connection.commit()
            kept = True
        except Exception as error:
            raise Unsettled(_why_not_committed(error)) from error
        finally:
            trail.settle(made, kept=kept)
        self.entry, self.leaf = entry.id, entry.leaf

    async def _enter(self, outcome: Outcome, status: int | None) -> None:
        """Wait until an entry without a transaction of its own is durable."""
        try:
            entry = await self.service.batcher.enter(self._pending(outcome, status))
        except LogUnavailable as error:
            raise Unsettled(UNAVAILABLE) from error
        except Exception as error:
            _log.error("entry refused", exc_info=error)
            raise Unsettled(UNLOGGED) from error
        self.entry, self.leaf = entry.id, entry.leaf

    def _pending(self, outcome: Outcome, status: int | None) -> Pending:
        """What the entry will say. What a success told gives its name; a refusal is named by what was asked."""
        if outcome is Outcome.DONE and self.journal.events:
            self.circumstances.event = None
        if self.staff is not None and self.staff.apart.glass is not None:
            self._mark(self.staff.apart.glass)
        return Pending(
            actor=self.staff,
            circumstances=self.circumstances,
            outcome=outcome,
            journal=self.journal,
            status=status,
        )

    def _mark(self, glass: BrokenGlass) -> None:
        """Say in the entry that this was seen or done behind a broken glass: where it is about its client alone."""
        said = self.circumstances
        concerned = {*self.journal.shown(), *self.journal.told_of()}
        if said.client == glass.client or concerned == {glass.client}:
            said.purpose = Purpose.BREAK_GLASS
            said.asked = {**said.asked, "glass": str(glass.id)}

    async def _give_back(self) -> None:
        """Give the connection back, undoing what was not committed. A broken one is thrown away, not complained of."""
        undone, self._pages = self._pages, []
        if undone:
            self.service.trail.settle(undone, kept=False)
        connection, self._connection = self._connection, None
        if connection is None:
            return
        lent, self._lent = self._lent, False
        if lent and self.service.readers.keep(connection):
            return
        try:
            if connection.in_transaction():
                await connection.rollback()
        except Exception as error:  # noqa: BLE001  nothing is lost: a connection that cannot roll back has ended
            _log.warning("connection thrown away", exc_info=error)
            await connection.invalidate()
        finally:
            await connection.close()


def _why_not_appended(error: Exception) -> Refusal:
    """Nothing has been committed yet."""
    if failure_of(error) is Failure.UNAVAILABLE:
        return UNAVAILABLE
    if failure_of(error) is Failure.BUSY:
        return OVERTAKEN
    _log.error("entry refused", exc_info=error)
    return UNLOGGED


def _why_not_committed(error: Exception) -> Refusal:
    """A constraint that is checked at the end refused it, or nobody knows."""
    if is_refusal(error) or failure_of(error) is Failure.BUSY:
        _log.warning("refused at commit", exc_info=error)
        return OVERTAKEN
    _log.error("commit failed", exc_info=error)
    return UNKNOWN
