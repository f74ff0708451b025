"""Room ahead in the log: the partition after the one in which the newest entry stands."""

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

_EXTEND = select(func.audit.extend())
_log = structlog.get_logger()


async def make_room(engine: AsyncEngine) -> int:
    """Make the next partition when it is missing; return how many were made. Safe in several processes at once.

    Ten million entries lie between the moment it is missing and the moment it is needed, so a failure (somebody holds
    the table for longer than two seconds) is no trouble: it is tried again.
    """
    async with engine.begin() as connection:
        made: int = (await connection.execute(_EXTEND)).scalar_one()
    if made:
        _log.info("the log has another partition", made=made)
    return made
