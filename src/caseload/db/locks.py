"""Locks by name, had until the transaction ends: for what goes one after another and has no row of its own to hold."""

from typing import Final

from sqlalchemy import bindparam, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

_NAMED: Final = func.hashtextextended(bindparam("what"), literal_column("0"))
_ALONE: Final = select(func.pg_advisory_xact_lock(_NAMED))
_SHARED: Final = select(func.pg_advisory_xact_lock_shared(_NAMED))


async def hold(connection: AsyncConnection, what: str, *, shared: bool = False) -> None:
    """Wait until nobody else holds the name; whoever shares it waits for those alone who hold it for themselves."""
    await connection.execute(_SHARED if shared else _ALONE, {"what": what})
