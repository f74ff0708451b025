"""Connections that only read, handed from one piece of work to the next without going back to the pool between them.

To check one out and in again costs as much as a small statement. A few are therefore kept while nobody uses them, of
those on which nothing but `Direct` statements ran: there is nothing to undo. Every other one goes the long way through
the pool, and so does every one beyond those few, so that whoever writes always finds room there.
"""

import time
from collections.abc import Callable
from typing import Final, cast

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.engine import RECYCLE_SECONDS

_BY_ITSELF: Final = "AUTOCOMMIT"
"""Each statement by itself, without a transaction around it."""
_KEPT_UNTIL: Final = "caseload.kept_until"
"""Where a connection of the driver says until when it is kept."""


class Readers:
    """The connections of one process for reading: statement by statement, without a transaction."""

    def __init__(self, engine: AsyncEngine, *, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep at most so many of the engine's connections while nobody uses them."""
        # Said once for all of them: to say it for each connection costs a sixth of opening one.
        self._engine = engine.execution_options(isolation_level=_BY_ITSELF)
        self._most = most
        self._clock = clock
        self._idle: list[AsyncConnection] = []

    @property
    def idle(self) -> int:
        """How many are kept while nobody uses them."""
        return len(self._idle)

    async def take(self) -> AsyncConnection:
        """A connection for one piece of work. Raises what connecting raises."""
        while self._idle:
            connection = self._idle.pop()
            if _whole(connection) is not None:
                return connection
            await connection.close()
        return await self._engine.connect()

    def keep(self, connection: AsyncConnection) -> bool:
        """Keep it for the next piece of work, where that is possible; otherwise it is still to be closed."""
        whole = _whole(connection)
        if whole is None or whole.in_transaction() or len(self._idle) >= self._most:
            return False
        if whole.get_execution_options().get("isolation_level") != _BY_ITSELF:
            return False
        now = self._clock()
        if now > whole.info.setdefault(_KEPT_UNTIL, now + RECYCLE_SECONDS):
            return False
        self._idle.append(connection)
        return True

    async def close(self) -> None:
        """Close those that are kept."""
        while self._idle:
            await self._idle.pop().close()


def _whole(connection: AsyncConnection) -> Connection | None:
    """What lies behind it, unless it has ended."""
    whole = connection.sync_connection
    if whole is None or whole.closed or whole.invalidated:
        return None
    return None if cast("asyncpg.Connection", whole.connection.driver_connection).is_closed() else whole
