"""Bringing a database to the shape this version needs. Alembic takes a while to load, so `revisions` is asked first.

Each revision is a transaction of its own, and an entry of the log with its number and the digest of its statements is
in that same transaction: before the statements where there is a log already, because what watches over the log's
schema lets nothing through without it.
"""

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum
from functools import cache, partial

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from caseload.db import revisions
from caseload.db.revisions import CannotMigrate, Standing, check, folder

ONE_AT_A_TIME = 4_711_202_611
"""Key of the advisory lock that makes two services starting at once migrate one after the other."""


class Applied(StrEnum):
    """What the log is told of a revision, as the name of an event."""

    NOW = "schema.change"
    EARLIER = "schema.found"
    """It was applied before the log was told of revisions, or before there was a log."""


Tell = Callable[[AsyncConnection, Applied, str, str], Awaitable[None]]
"""Puts an entry about a revision, with the SHA-256 of its statements, into the connection's transaction."""


def config(output: io.StringIO | None = None) -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config(output_buffer=output)
    made.set_main_option("script_location", str(folder()).replace("%", "%%"))
    return made


def upgrade(owner_url: str, *, tell: Tell, revision: str | None = None) -> Standing:
    """Apply what is missing, each revision in a transaction of its own, one process at a time.

    Raises `CannotMigrate` when a newer version has been here, or when the database cannot be reached.
    """
    before = check(owner_url)
    if not before.known:
        raise CannotMigrate(before.advice)
    asyncio.run(_upgrade(owner_url, revision or revisions.head(), tell))
    return check(owner_url)


def sql(revision: str | None = None) -> str:
    """The statements of all migrations, or of one revision, as a database administrator would review them."""
    written = io.StringIO()
    wanted = revisions.path(None, revisions.head()) if revision is None else [revision]
    _run(config(written), wanted, as_sql=True)
    return written.getvalue()


def digest(revision: str) -> str:
    """SHA-256 of the statements of one revision, as its entry in the log has it."""
    return hashlib.sha256(sql(revision).encode()).hexdigest()


@cache
def _scripts(location: str) -> ScriptDirectory:
    """Alembic's view of the folder: it reads every file, and its own commands do so for each revision again."""
    return ScriptDirectory(location)


def _run(made: Config, wanted: Sequence[str], *, as_sql: bool = False) -> None:
    """Apply these revisions, or write their statements, one after the other."""
    scripts = _scripts(str(folder()))
    steps = [MigrationStep.upgrade_from_script(scripts.revision_map, scripts.get_revision(each)) for each in wanted]
    before = scripts.get_revision(wanted[0]).down_revision

    def chosen(_current: object, _context: MigrationContext) -> Sequence[MigrationStep]:
        return steps

    with EnvironmentContext(made, scripts, fn=chosen, as_sql=as_sql, starting_rev=before if as_sql else None):
        scripts.run_env()


async def _upgrade(owner_url: str, revision: str, tell: Tell) -> None:
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": owner_url}, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # The lock belongs to the session, not to this transaction, and goes with the connection.
            await connection.execute(text("select pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
            await connection.commit()
            current = await _current(connection)
            await connection.commit()
            for each in revisions.path(current, revision):
                await _apply(connection, each, tell)
                await connection.commit()
    finally:
        await engine.dispose()


async def _apply(connection: AsyncConnection, revision: str, tell: Tell) -> None:
    """One revision and its entry, in the connection's transaction."""
    await connection.begin()
    could_tell = await _has_log(connection)
    if could_tell:
        await _tell(connection, revision, tell)
    await connection.run_sync(partial(_migrate, revision=revision))
    if not could_tell and await _has_log(connection):
        await _tell(connection, revision, tell)


def _migrate(connection: Connection, *, revision: str) -> None:
    made = config()
    made.attributes["connection"] = connection
    _run(made, [revision])


async def _tell(connection: AsyncConnection, revision: str, tell: Tell) -> None:
    """Tell the log, as its owner; the first time of every revision that it follows as well."""
    await connection.execute(text("set local role audit_owner"))
    for earlier in await _untold(connection, revision):
        await tell(connection, Applied.EARLIER, earlier, digest(earlier))
    await tell(connection, Applied.NOW, revision, digest(revision))
    await connection.execute(text("reset role"))


async def _untold(connection: AsyncConnection, revision: str) -> list[str]:
    said = text("select exists (select from audit.log where event = :now)")
    if (await connection.execute(said, {"now": Applied.NOW.value})).scalar_one():
        return []
    return revisions.path(None, revision)[:-1]


async def _has_log(connection: AsyncConnection) -> bool:
    found = text("select to_regprocedure('audit.append(bytea[],bytea[],bytea[])') is not null")
    return bool((await connection.execute(found)).scalar_one())


async def _current(connection: AsyncConnection) -> str | None:
    there = text("select to_regclass('public.alembic_version') is not null")
    if not (await connection.execute(there)).scalar_one():
        return None
    return (await connection.execute(text("select version_num from public.alembic_version"))).scalar_one_or_none()
