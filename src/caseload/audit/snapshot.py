"""One moment of the log, read as `audit_reader` for as long as an export takes."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.accesslog import READER
from caseload.audit.driver import driver

_LONGEST: Final = "set local statement_timeout = '1h'"
"""How long an export may hold a snapshot of the database."""


@asynccontextmanager
async def snapshot(engine: AsyncEngine) -> AsyncGenerator[asyncpg.Connection]:
    """A driver's connection that sees one moment. On an error it is thrown away: the rest is still on its way."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        raw = await driver(connection)
        moment = raw.transaction(isolation="repeatable_read", readonly=True)
        try:
            await moment.start()
            await raw.execute(f"set local role {READER}")
            await raw.execute(_LONGEST)
            yield raw
            await moment.commit()
        except BaseException:
            raw.terminate()
            await connection.invalidate()
            raise
