"""Standing in the way of other connections, and knowing that they wait."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_LOOK_ANEW = text("select pg_stat_clear_snapshot()")
_BEHIND = text("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()")


async def until_others_wait(connection: AsyncConnection, many: int = 1) -> None:
    """Until so many other connections wait for what this one, or whoever is before them, has not committed."""
    for _ in range(500):
        await connection.execute(_LOOK_ANEW)
        if (await connection.execute(_BEHIND)).scalar_one() >= many:
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"{many} do not wait")
