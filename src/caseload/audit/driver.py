"""The driver below SQLAlchemy, for the few statements that every request pays for."""

from typing import cast

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection


async def driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The connection below SQLAlchemy's."""
    return cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)
