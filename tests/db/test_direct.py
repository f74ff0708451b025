"""Statements that the driver runs itself: inside SQLAlchemy's transaction, never outside of it."""

from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db import direct
from caseload.db.direct import Direct
from caseload.db.failures import Failure, failure_of

pytestmark = pytest.mark.anyio

_SUM = Direct(
    select((bindparam("a", type_=Integer()) + bindparam("b", type_=Integer())).label("sum"), literal(7).label("seven"))
)
_NOTHING = Direct(select(literal(1).label("one")).where(literal(1) == bindparam("a", type_=Integer())))


async def driver_of(connection: AsyncConnection) -> asyncpg.Connection:
    return cast("asyncpg.Connection", (await connection.get_raw_connection()).driver_connection)


def read(row: Any) -> tuple[int, int]:
    return row["sum"], row["seven"]


async def test_a_row_reads_the_same_from_the_driver_and_from_sqlalchemy(engine: AsyncEngine) -> None:
    async with engine.connect() as connection, connection.begin():
        assert not (await driver_of(connection)).is_in_transaction()
        assert read(await _SUM.one(connection, {"b": 2, "a": 1})) == (3, 7)
        assert (await driver_of(connection)).is_in_transaction()
        assert read(await _SUM.one(connection, {"b": 2, "a": 1})) == (3, 7)
        assert await _NOTHING.first(connection, {"a": 2}) is None
        assert await _NOTHING.first(connection, {"a": 1}) is not None


async def test_the_first_statement_of_a_transaction_begins_it(engine: AsyncEngine) -> None:
    async with engine.connect() as connection, connection.begin():
        await _SUM.run(connection, {"a": 1, "b": 2})
        assert (await driver_of(connection)).is_in_transaction()


async def test_a_read_that_is_whole_by_itself_begins_nothing(engine: AsyncEngine) -> None:
    read_anywhere = Direct(select(literal(7).label("seven")), anywhere=True)
    async with engine.connect() as connection, connection.begin():
        assert (await read_anywhere.one(connection, {}))["seven"] == 7
        assert not (await driver_of(connection)).is_in_transaction()
        await _SUM.run(connection, {"a": 1, "b": 2})
        assert (await read_anywhere.one(connection, {}))["seven"] == 7


async def test_a_parameter_that_is_left_out_is_a_mistake_of_ours(connection: AsyncConnection) -> None:
    await connection.execute(text("select 1"))
    with pytest.raises(KeyError):
        await _SUM.one(connection, {"a": 1})


class Broken:
    """A driver's connection that is in a transaction and breaks at the next word."""

    def is_in_transaction(self) -> bool:
        return True

    async def fetchrow(self, *_: object) -> None:
        raise asyncpg.InterfaceError("connection is closed")

    execute = fetchrow


@pytest.mark.parametrize("run", [True, False])
async def test_a_connection_that_breaks_is_said_to_be_unavailable(
    connection: AsyncConnection, monkeypatch: pytest.MonkeyPatch, *, run: bool
) -> None:
    async def broken_driver(_: AsyncConnection) -> Broken:
        return Broken()

    monkeypatch.setattr(direct, "_driver", broken_driver)
    with pytest.raises(ConnectionResetError) as broken:
        await (_SUM.run if run else _SUM.first)(connection, {"a": 1, "b": 2})
    assert failure_of(broken.value) is Failure.UNAVAILABLE
