"""Gives every committed entry its place and builds the tree: one process at a time, whoever holds the lock.

A round moves what is in the queue behind the tree, in transactions of at most so many entries, and then has it signed
(`publishing`). Whenever the end of a transaction is unknown, everything in memory is dropped and read again from what is
durable. Before anything is sequenced a witness may refuse, because it has seen more of this log than the database now
holds.
"""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg
import structlog

from caseload.audit import tree as trees
from caseload.audit.keystore import SigningKeys
from caseload.audit.pace import TROUBLE, Pace
from caseload.audit.publishing import Publisher, Witness
from caseload.audit.tlog.note import is_key_name
from caseload.audit.tree import NotTheSameQueue, Tree
from caseload.settings import OperatorError

LOCK: Final = 4_711_202_613
"""Key of the advisory lock that one sequencer holds for as long as its connection lives."""
_MAKE_ROOM: Final = "select audit.extend()"
"""The workers make partitions ahead of time; where none has run for long, this does."""
_log = structlog.get_logger()


class NameChanged(OperatorError):
    """The log has another name than the settings say."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sequencer:
    """One candidate. `run` waits for its turn, sequences until it is stopped, and starts over after trouble."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        keys: SigningKeys,
        *,
        name: str | None,
        organisation: str,
        overlap: timedelta = timedelta(days=30),
        witness: Witness | None = None,
        pace: Pace | None = None,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._connect = connect
        self._keys = keys
        self._name = name
        self._organisation = organisation
        self._pace = pace or Pace()
        self._clock = clock
        self._publisher = Publisher(
            self._connected, keys, overlap=overlap, witness=witness, pace=self._pace, clock=clock
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Sequence until told to stop; what is in the queue then still gets its place.

        Raises `OperatorError` for what nobody but an operator can mend: a damaged log, a lost key, a rollback.
        """
        while not stop.is_set():
            try:
                async with self._connected() as connection:
                    if await self._is_our_turn(connection, stop):
                        await self._serve(connection, stop)
            except TROUBLE as trouble:
                _log.error("sequencer starts over", error=type(trouble).__name__)
                await _pause(stop, self._pace.retry_seconds)

    @asynccontextmanager
    async def _connected(self) -> AsyncGenerator[asyncpg.Connection]:
        """A connection that is given up whatever happens: the lock and an open transaction go with it."""
        connection = await self._connect()
        try:
            yield connection
        except BaseException:
            connection.terminate()
            raise
        await connection.close()

    async def _is_our_turn(self, connection: asyncpg.Connection, stop: asyncio.Event) -> bool:
        """Wait for the lock. It is free once the one before has ended, and whatever it was committing with it."""
        waits = False
        while not stop.is_set():
            if await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
                return True
            if not waits:
                _log.info("another sequencer is at work: this one stands by")
                waits = True
            await _pause(stop, self._pace.standby_seconds)
        return False

    async def _serve(self, connection: asyncpg.Connection, stop: asyncio.Event) -> None:
        await connection.execute(_MAKE_ROOM)
        tree = await self._loaded(connection)
        _log.info("sequencer at work", origin=tree.epoch.origin, size=tree.size)
        await self._publisher.begin(connection, tree)
        async with self._publisher.beside() as asking:
            while not stop.is_set():
                began = asyncio.get_running_loop().time()
                await self._round(connection, tree)
                if asking is not None and asking.done():
                    asking.result()
                await _pause(stop, began + self._pace.round_seconds - asyncio.get_running_loop().time())
            await self._round(connection, tree)
        await self._publisher.end()

    async def _round(self, connection: asyncpg.Connection, tree: Tree) -> None:
        """Empty the queue and sign."""
        loop = asyncio.get_running_loop()
        signed = loop.time()
        while await tree.add(connection, limit=self._pace.batch, now=self._clock()) == self._pace.batch:
            if loop.time() - signed >= self._pace.sign_seconds:
                await self._publisher.sign(connection, tree)
                signed = loop.time()
        await self._publisher.sign(connection, tree)

    async def _loaded(self, connection: asyncpg.Connection) -> Tree:
        """The tree as it is durable; begun, where there is none yet."""
        tree = await trees.load(connection)
        if tree is None:
            origin = self._origin()
            signer = self._keys.signers(origin)[-1]
            await trees.begin(connection, origin=origin, key=signer.key, now=self._clock())
            tree = await trees.load(connection)
            if tree is None:
                raise NotTheSameQueue
        if self._name is not None and tree.epoch.origin.rpartition("/")[0] != self._name:
            raise NameChanged(
                f"The log is called {tree.epoch.origin} and CASELOAD_AUDIT_ORIGIN says {self._name}: a log keeps its "
                "name, so unset the variable."
            )
        return tree

    def _origin(self) -> str:
        """The log's name, with the number of its epoch at the end. Once per installation, kept in the database."""
        base = self._name or f"{self._organisation}.caseload.internal/{secrets.token_hex(4)}"
        if not is_key_name(base):
            raise NameChanged(f"CASELOAD_AUDIT_ORIGIN is {base!r}: a log's name has no spaces and no plus.")
        return f"{base}/1"


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, or end at once when told to stop."""
    if seconds > 0:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), seconds)
