"""Whether the database answers, which shape it has, and how much of the pool is in use."""

import functools

from sqlalchemy import Text, column, select, table
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from caseload.db import revisions

_VERSION = select(column("version_num", Text())).select_from(table("alembic_version", schema="public"))


@functools.cache
def needed_revision() -> str:
    """The newest migration this version knows: read from the files once per process."""
    return revisions.head()


async def revision(engine: AsyncEngine) -> str | None:
    """The newest migration the database has, in one statement. Raises what the driver raises when it is away."""
    async with engine.connect() as connection:
        return (await connection.execute(_VERSION)).scalar_one_or_none()


def connections(engine: AsyncEngine) -> tuple[int, int]:
    """How many connections of the pool are taken, and how many wait in it."""
    pool = engine.pool
    return (pool.checkedout(), pool.checkedin()) if isinstance(pool, QueuePool) else (0, 0)
