"""Bringing a database to the shape this version needs, and saying whether it is there.

The migrations lie in `migrations/` of a clone and in `caseload/migrations` of an installed wheel.
"""

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

import caseload
from caseload.settings import OperatorError

ONE_AT_A_TIME = 4_711_202_611
"""Key of the advisory lock that makes two services starting at once migrate one after the other."""


class CannotMigrate(OperatorError):
    """The database cannot be brought to the needed shape; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands against this version."""

    current: str | None
    """The newest revision in the database, or nothing in an empty one."""
    head: str
    """The newest revision this version knows."""
    known: bool
    """Whether this version knows the database's revision. Not when a newer version has migrated it."""

    @property
    def up_to_date(self) -> bool:
        """Whether the service can work with the database as it is."""
        return self.current == self.head

    @property
    def advice(self) -> str:
        """What an operator should do about it, in one line."""
        if self.up_to_date:
            return f"The database is at {self.head}, as this version needs."
        if not self.known:
            return (
                f"The database is at {self.current}, which this version does not know (its newest is {self.head}): "
                "a newer caseload has migrated it. Install that version."
            )
        at = f"at {self.current}" if self.current else "empty"
        return f"The database is {at} and this version needs {self.head}: run `caseload db upgrade`."


def folder() -> Path:
    """Where the migrations lie: beside the modules in a wheel, at the top of a clone."""
    package = Path(caseload.__file__).parent
    for candidate in (package / "migrations", package.parents[1] / "migrations"):
        if (candidate / "env.py").is_file():
            return candidate
    message = f"The migrations are missing beside {package}: install caseload again."
    raise CannotMigrate(message)


def config(output: io.StringIO | None = None) -> Config:
    """Alembic's configuration, without a file of its own."""
    made = Config(output_buffer=output)
    made.set_main_option("script_location", str(folder()).replace("%", "%%"))
    return made


def head() -> str:
    """The newest revision this version knows."""
    heads = ScriptDirectory.from_config(config()).get_heads()
    if len(heads) != 1:
        message = f"The migrations in {folder()} end in {', '.join(sorted(heads)) or 'nothing'}: one of them must be last."
        raise CannotMigrate(message)
    return heads[0]


def upgrade(owner_url: str, *, revision: str = "head") -> Standing:
    """Apply what is missing, each revision in a transaction of its own, one process at a time.

    Raises `CannotMigrate` when a newer version has been here.
    """
    return asyncio.run(_with_connection(owner_url, lambda connection: _upgrade(connection, revision)))


def check(url: str) -> Standing:
    """Where the database stands. The service's own user may ask."""
    return asyncio.run(_with_connection(url, _standing))


def require(url: str) -> None:
    """Raise `CannotMigrate` unless the database is at exactly the revision this version needs."""
    standing = check(url)
    if not standing.up_to_date:
        raise CannotMigrate(standing.advice)


def sql(revisions: str = "head") -> str:
    """The statements of the migrations, as a database administrator would review them."""
    written = io.StringIO()
    command.upgrade(config(written), revisions, sql=True)
    return written.getvalue()


async def _with_connection(url: str, work: Callable[[Connection], Standing]) -> Standing:
    engine = create_async_engine("postgresql+asyncpg://", connect_args={"dsn": url}, poolclass=NullPool)
    try:
        connection = await _connected(engine)
        try:
            return await connection.run_sync(work)
        finally:
            await connection.close()
    finally:
        await engine.dispose()


async def _connected(engine: AsyncEngine) -> AsyncConnection:
    try:
        return await engine.connect()
    except OSError as error:
        message = (
            f"The database cannot be reached ({type(error).__name__}): is it running, and is its address right? "
            "See CASELOAD_DATABASE_URL."
        )
        raise CannotMigrate(message) from None


def _standing(connection: Connection) -> Standing:
    script = ScriptDirectory.from_config(config())
    current = MigrationContext.configure(connection).get_current_revision()
    known = current is None or any(revision.revision == current for revision in script.walk_revisions())
    return Standing(current, head(), known)


def _upgrade(connection: Connection, revision: str) -> Standing:
    connection.execute(text("select pg_advisory_lock(:key)"), {"key": ONE_AT_A_TIME})
    before = _standing(connection)
    if not before.known:
        raise CannotMigrate(before.advice)
    # The lock belongs to the session, not to this transaction, and goes with the connection.
    connection.commit()
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, revision)
    return _standing(connection)
