"""Connections that only read, handed from one piece of work to the next without going back to the pool between them.

To check one out and in again costs as much as a small statement, and to wait for one there more than that. So a few are
kept for reading: of those on which nothing but `Direct` statements ran, because there is nothing to undo. Every other
one goes the long way through the pool, and so does whoever has waited here too long.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, cast

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.engine import RECYCLE_SECONDS

PATIENCE_SECONDS: Final = 0.1
"""How long a reader waits for another one to end. Then those who read have long work, and the pool is asked for more."""

_KEPT_UNTIL: Final = "caseload.kept_until"
"""Where a connection of the driver says until when it is kept."""


class Readers:
    """The connections of one process for reading: statement by statement, without a transaction."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        most: int,
        patience_seconds: float = PATIENCE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep at most so many of the engine's connections."""
        # Said once for all of them: to say it for each connection costs a sixth of opening one.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._most = most
        self._patience = patience_seconds
        self._clock = clock
        self._idle: list[AsyncConnection] = []
        self._in_use = 0
        self._waiting: deque[asyncio.Future[AsyncConnection | None]] = deque()

    @property
    def idle(self) -> int:
        """How many are kept while nobody uses them."""
        return len(self._idle)

    async def take(self) -> AsyncConnection:
        """A connection for one piece of work, which `keep` is told of when it has ended. Raises what connecting raises."""
        while self._idle:
            connection = self._idle.pop()
            if _whole(connection) is not None:
                self._in_use += 1
                return connection
            await connection.close()
        if self._in_use >= self._most and (handed_on := await self._waited()) is not None:
            return handed_on
        self._in_use += 1
        try:
            return await self._engine.connect()
        except BaseException:
            self._in_use -= 1
            raise

    def keep(self, connection: AsyncConnection) -> bool:
        """End its use, and keep it for the next piece of work where that is possible; otherwise it is to be closed."""
        self._in_use -= 1
        if not self._is_clean(connection):
            self._hand_on(None)
            return False
        if self._hand_on(connection):
            return True
        if len(self._idle) >= self._most:
            return False
        self._idle.append(connection)
        return True

    async def close(self) -> None:
        """Close those that nobody uses."""
        while self._idle:
            await self._idle.pop().close()

    async def _waited(self) -> AsyncConnection | None:
        """The connection of whoever ends next; None where it could not be kept, or when it takes too long."""
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[AsyncConnection | None] = loop.create_future()
        self._waiting.append(turn)
        impatience = loop.call_later(self._patience, _give_up, turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and (mine := turn.result()) is not None and not self.keep(mine):
                await mine.close()
            raise
        finally:
            impatience.cancel()

    def _hand_on(self, connection: AsyncConnection | None) -> bool:
        """Give the turn, and the connection if it could be kept, to whoever has waited longest."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                self._in_use += connection is not None
                turn.set_result(connection)
                return True
        return False

    def _is_clean(self, connection: AsyncConnection) -> bool:
        whole = _whole(connection)
        if whole is None or whole.in_transaction():
            return False
        now = self._clock()
        return now <= whole.info.setdefault(_KEPT_UNTIL, now + RECYCLE_SECONDS)


def _give_up(turn: asyncio.Future[AsyncConnection | None]) -> None:
    if not turn.done():
        turn.set_result(None)


def _whole(connection: AsyncConnection) -> Connection | None:
    """What lies behind it, unless it has ended."""
    whole = connection.sync_connection
    if whole is None or whole.closed or whole.invalidated:
        return None
    return None if cast("asyncpg.Connection", whole.connection.driver_connection).is_closed() else whole
