"""Statements that the driver runs itself: inside SQLAlchemy's transaction, never outside of it."""

from typing import Any, cast

import anyio
import asyncpg
import pytest
from sqlalchemy import Integer, bindparam, func, literal, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.direct import Direct
from caseload.db.engine import make_engine
from caseload.db.failures import Failure, failure_of
from caseload.settings import Secret, Settings
from tests.factories.lifeline import lifeline

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


async def closed(driver: asyncpg.Connection) -> None:
    told = anyio.Event()
    driver.add_termination_listener(lambda _: told.set())
    if not driver.is_closed():
        await told.wait()


@pytest.mark.parametrize("anywhere", [True, False])
@pytest.mark.parametrize("noticed", [True, False])
@pytest.mark.parametrize("way", ["run", "first", "all"])
async def test_a_connection_that_breaks_is_unavailable_and_fails_only_once(
    engine: AsyncEngine, owner_dsn: str, *, anywhere: bool, noticed: bool, way: str
) -> None:
    sum_of = Direct(select((bindparam("a", type_=Integer()) + 1).label("sum")), anywhere=anywhere)
    async with engine.connect() as connection:
        process = await connection.scalar(select(func.pg_backend_pid()))
        owner = await asyncpg.connect(owner_dsn)
        await owner.execute("select pg_terminate_backend($1, 5000)", process)
        await owner.close()
        driver = await driver_of(connection)
        if noticed:
            await closed(driver)
        with pytest.raises(ConnectionResetError) as broken:
            await getattr(sum_of, way)(connection, {"a": 1})
        assert failure_of(broken.value) is Failure.UNAVAILABLE
    async with engine.connect() as connection:
        assert (await sum_of.one(connection, {"a": 1}))["sum"] == 2


@pytest.mark.parametrize("way", ["run", "first", "all", "execute"])
async def test_a_server_that_has_said_its_last_word_is_unavailable_before_it_hangs_up(
    database: str, owner_dsn: str, way: str
) -> None:
    """Until then the driver says of itself that it cannot go on."""
    statement = select((bindparam("a", type_=Integer()) + 1).label("sum"))
    async with lifeline(database) as (line, url):
        engine = make_engine(Settings(database_url=Secret(url)))
        async with engine.connect() as connection:
            process = await connection.scalar(select(func.pg_backend_pid()))
            line.delay_the_end()
            owner = await asyncpg.connect(owner_dsn)
            await owner.execute("select pg_terminate_backend($1, 5000)", process)
            await owner.close()
            await anyio.sleep(0.1)
            asked = connection if way == "execute" else Direct(statement, anywhere=True)
            with pytest.raises((ConnectionResetError, DBAPIError)) as broken:
                await getattr(asked, way)(*((statement,) if way == "execute" else (connection,)), {"a": 1})
            assert failure_of(broken.value) is Failure.UNAVAILABLE
            assert connection.invalidated
        line.mend()
        async with engine.connect() as connection:
            assert await connection.scalar(select(func.pg_backend_pid())) != process
        await engine.dispose()


async def test_a_connection_that_ended_while_it_waited_is_not_handed_out(engine: AsyncEngine, owner_dsn: str) -> None:
    async with engine.connect() as connection:
        process = await connection.scalar(select(func.pg_backend_pid()))
        driver = await driver_of(connection)
    owner = await asyncpg.connect(owner_dsn)
    await owner.execute("select pg_terminate_backend($1, 5000)", process)
    await owner.close()
    await closed(driver)
    async with engine.connect() as connection:
        assert await connection.scalar(select(func.pg_backend_pid())) != process
