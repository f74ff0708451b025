"""Bringing a database to the shape this version needs. Alembic takes a while to load, so `revisions` is asked first."""

import asyncio
import io

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from caseload.db.revisions import CannotMigrate, Standing, check, folder

ONE_AT_A_TIME = 4_711_202_611
"""Key of the advisory lock that makes two services starting at once migrate one after the other."""


def config(output: io.StringIO | None = None) -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config(output_buffer=output)
    made.set_main_option("script_location", str(folder()).replace("%", "%%"))
    return made


def upgrade(owner_url: str, *, revision: str = "head") -> Standing:
    """Apply what is missing, each revision in a transaction of its own, one process at a time.

    Raises `CannotMigrate` when a newer version has been here, or when the database cannot be reached.
    """
    before = check(owner_url)
    if not before.known:
        raise CannotMigrate(before.advice)
    asyncio.run(_upgrade(owner_url, revision))
    return check(owner_url)


def sql() -> str:
    """The statements of the migrations, as a database administrator would review them."""
    written = io.StringIO()
    command.upgrade(config(written), "head", sql=True)
    return written.getvalue()


async def _upgrade(owner_url: str, revision: str) -> None:
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": owner_url}, poolclass=NullPool)

    def apply(connection: Connection) -> None:
        connection.execute(text("select pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
        # The lock belongs to the session, not to this transaction, and goes with the connection.
        connection.commit()
        made = config()
        made.attributes["connection"] = connection
        command.upgrade(made, revision)

    try:
        async with engine.connect() as connection:
            await connection.run_sync(apply)
    finally:
        await engine.dispose()
