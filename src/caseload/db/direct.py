"""Statements of the hottest paths, built by SQLAlchemy once and run by the driver itself (decision 0303).

Through the driver a statement costs this process a tenth of what it costs through SQLAlchemy. The transaction stays
SQLAlchemy's: it begins with the first statement that goes through it, and until then a direct one goes that way too,
so that a lock can never be taken outside of the transaction that it is for.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn, Protocol, cast

import asyncpg
from sqlalchemy import Executable, Table, literal, select
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg as AsyncpgDialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ClauseElement

from caseload.db.failures import DRIVER_LOST, SERVER_GOES

_DIALECT: Final = AsyncpgDialect()
_ANYTHING: Final = select(literal(1))

_FAILED: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)

Given = Mapping[str, Any]


class Named(Protocol):
    """A row, read by the names of its columns, from whichever of the two it came."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""
        ...

    def values(self) -> Iterable[Any]:
        """The values of all columns, in the order of the statement."""
        ...


class Direct:
    """One statement whose text never changes, for the driver.

    `anywhere` is for a read that is whole by itself: it neither waits for a transaction to begin nor begins one.
    """

    __slots__ = ("_anywhere", "_fixed", "_names", "_statement", "_text")

    def __init__(self, statement: Executable, *, anywhere: bool = False) -> None:
        compiled = cast(SQLCompiler, cast(ClauseElement, statement).compile(dialect=_DIALECT))
        self._statement = statement
        self._anywhere = anywhere
        self._text = str(compiled)
        self._names = tuple(compiled.positiontup or ())
        self._fixed: Given = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}

    async def one(self, connection: AsyncConnection, given: Given) -> Named:
        """The one row; for statements that always have one."""
        return cast("Named", await self.first(connection, given))

    async def first(self, connection: AsyncConnection, given: Given) -> Named | None:
        """The first row, if there is one."""
        driver = await _driver(connection)
        if self._goes_to(driver):
            try:
                return await driver.fetchrow(self._text, *self._arguments(given))
            except _FAILED as broken:
                await _raise(broken, connection, driver)
        return (await connection.execute(self._statement, given)).mappings().first()

    async def all(self, connection: AsyncConnection, given: Given) -> Sequence[Named]:
        """Every row."""
        driver = await _driver(connection)
        if self._goes_to(driver):
            try:
                return await driver.fetch(self._text, *self._arguments(given))
            except _FAILED as broken:
                await _raise(broken, connection, driver)
        return (await connection.execute(self._statement, given)).mappings().all()

    async def run(self, connection: AsyncConnection, given: Given) -> None:
        """Run it for what it does."""
        driver = await _driver(connection)
        if self._goes_to(driver):
            try:
                await driver.execute(self._text, *self._arguments(given))
            except _FAILED as broken:
                await _raise(broken, connection, driver)
        else:
            await connection.execute(self._statement, given)

    def _goes_to(self, driver: asyncpg.Connection) -> bool:
        return self._anywhere or driver.is_in_transaction() or driver.is_closed()

    def _arguments(self, given: Given) -> list[Any]:
        fixed = self._fixed
        return [given[name] if name in given else fixed[name] for name in self._names]


async def bring_in(
    connection: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Add many rows at once (COPY), in the transaction: `rows` hold the values of these columns, in their order.

    What SQLAlchemy would do with each value costs more than the row.
    """
    if not rows:
        return
    driver = await _driver(connection)
    if not driver.is_in_transaction():
        await connection.execute(_ANYTHING)
        driver = await _driver(connection)
    try:
        await driver.copy_records_to_table(table.name, schema_name=table.schema, columns=columns, records=rows)
    except _FAILED as broken:
        await _raise(broken, connection, driver)


async def _driver(connection: AsyncConnection) -> asyncpg.Connection:
    """The driver's connection. While SQLAlchemy's is whole, asking it needs none of the switching that awaiting does."""
    whole = connection.sync_connection
    if whole is None or whole.invalidated:
        found = await connection.get_raw_connection()
    else:
        found = whole.connection
    return cast("asyncpg.Connection", found.driver_connection)


async def _raise(broken: Exception, connection: AsyncConnection, driver: asyncpg.Connection) -> NoReturn:
    """Raise it; where the connection has gone, see to it that nobody tries to roll anything back on it."""
    gone = driver.is_closed() or getattr(broken, "sqlstate", None) in SERVER_GOES or isinstance(broken, DRIVER_LOST)
    if gone:
        await connection.invalidate(broken)
    if gone or isinstance(broken, asyncpg.InterfaceError):
        raise ConnectionResetError from broken
    raise broken
