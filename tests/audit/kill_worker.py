"""Writers and readers against a log, as a program to be killed: every entry it may speak of is in its file first.

python -m tests.audit.kill_worker DATABASE_URL KEY_FOLDER FILE
"""

import asyncio
import os
import sys
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.batcher import Batcher, LogUnavailable
from caseload.audit.keystore import FolderOfKeys
from caseload.audit.trail import AuditTrail
from caseload.db.engine import make_engine
from caseload.domain.ids import EntryId
from caseload.settings import Secret, Settings
from tests.factories.audit import a_client, a_pending, seen

EACH = 32
TROUBLE = (SQLAlchemyError, LogUnavailable, OSError, TimeoutError)


async def write(engine: AsyncEngine, trail: AuditTrail) -> EntryId:
    """One entry in a transaction of its own, acknowledged when that has committed."""
    async with engine.connect() as connection:
        await connection.begin()
        entry = await trail.append(connection, a_pending(seen([a_client()])))
        kept = False
        try:
            await connection.commit()
            kept = True
        finally:
            trail.settle([entry], kept=kept)
    return entry.id


async def work(url: str, keys: Path, file: int) -> None:
    """Thirty-two writers and thirty-two readers, until somebody kills us."""
    settings = Settings(database_url=Secret(url), db_pool_size=EACH + 2)
    engine = make_engine(settings)
    trail = AuditTrail(FolderOfKeys(keys, may_make=True), organisation="clinic-01")
    batcher = Batcher(engine, trail)

    async def again(*, writes: bool) -> None:
        while True:
            try:
                entry = await (write(engine, trail) if writes else batcher.add(a_pending()))
            except TROUBLE:
                await asyncio.sleep(0.05)
            else:
                os.write(file, f"{entry}\n".encode())

    async with asyncio.TaskGroup() as everybody:
        for number in range(2 * EACH):
            everybody.create_task(again(writes=number % 2 == 0))


if __name__ == "__main__":
    _, address, folder, acknowledged = sys.argv
    opened = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    asyncio.run(work(address, Path(folder), opened))
