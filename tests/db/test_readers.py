"""Connections that only read are handed on without the pool, and only those on which there is nothing to undo."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest
from sqlalchemy import func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.pool import QueuePool

from caseload.db.direct import Direct
from caseload.db.engine import RECYCLE_SECONDS, make_engine
from caseload.db.readers import Readers
from caseload.settings import Secret, Settings

pytestmark = pytest.mark.anyio

_BACKEND = Direct(select(func.pg_backend_pid().label("pid")), anywhere=True)
_SEVEN = Direct(select(literal(7).label("seven")), anywhere=True)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def small(database: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(Settings(database_url=Secret(database), db_pool_size=4))
    yield engine
    await engine.dispose()


async def use(readers: Readers) -> int:
    """Take one, ask it something, give it back as a piece of work does; says which server process it was."""
    connection = await readers.take()
    pid = (await _BACKEND.one(connection, {}))["pid"]
    await give_back(readers, connection)
    return pid


async def give_back(readers: Readers, connection: AsyncConnection) -> bool:
    if kept := readers.keep(connection):
        return kept
    await connection.close()
    return False


def taken(engine: AsyncEngine) -> int:
    return cast("QueuePool", engine.pool).checkedout()


async def test_the_next_reader_gets_the_connection_that_is_free(small: AsyncEngine) -> None:
    readers = Readers(small, most=2)
    assert await use(readers) == await use(readers)
    assert (readers.idle, taken(small)) == (1, 1)
    await readers.close()
    assert (readers.idle, taken(small)) == (0, 0)


async def test_two_at_once_get_two(small: AsyncEngine) -> None:
    readers = Readers(small, most=2)
    first, second = await readers.take(), await readers.take()
    assert (await _BACKEND.one(first, {}))["pid"] != (await _BACKEND.one(second, {}))["pid"]
    assert [await give_back(readers, each) for each in (first, second)] == [True, True]
    await readers.close()


async def test_no_more_are_kept_than_leave_room_for_whoever_writes(small: AsyncEngine) -> None:
    readers = Readers(small, most=2, patience_seconds=0)
    three = [await readers.take() for _ in range(3)]
    assert [await give_back(readers, each) for each in three] == [True, True, False]
    assert taken(small) == 2
    async with small.connect(), small.connect():
        assert taken(small) == 4, "the other half of the pool is there for others"
    await readers.close()


async def test_what_sqlalchemy_has_begun_something_on_goes_back_to_the_pool(small: AsyncEngine) -> None:
    readers = Readers(small, most=2)
    connection = await readers.take()
    await connection.execute(select(literal(1)))
    assert not await give_back(readers, connection)
    assert taken(small) == 0


async def test_a_connection_that_was_closed_is_not_kept(small: AsyncEngine) -> None:
    readers = Readers(small, most=2)
    connection = await readers.take()
    await connection.invalidate()
    assert not await give_back(readers, connection)
    connection = await readers.take()
    await connection.close()
    assert not await give_back(readers, connection)
    assert (readers.idle, taken(small)) == (0, 0)


async def test_connections_that_ended_while_they_were_kept_are_not_handed_out(small: AsyncEngine) -> None:
    readers = Readers(small, most=2)
    both = [await readers.take() for _ in range(2)]
    gone = [(await _BACKEND.one(each, {}))["pid"] for each in both]
    for each in both:
        await give_back(readers, each)
        driver = (await each.get_raw_connection()).driver_connection
        assert driver is not None
        driver.terminate()
    assert await use(readers) not in gone
    assert (readers.idle, taken(small)) == (1, 1)
    await readers.close()


async def test_a_connection_is_not_kept_for_ever(small: AsyncEngine) -> None:
    clock = Clock()
    readers = Readers(small, most=2, clock=clock)
    await use(readers)
    clock.now += RECYCLE_SECONDS
    await use(readers)
    assert readers.idle == 1
    clock.now += 1
    await use(readers)
    assert (readers.idle, taken(small)) == (0, 0)


async def test_whoever_waits_gets_what_the_first_one_gives_back(small: AsyncEngine) -> None:
    readers = Readers(small, most=1, patience_seconds=60)
    first = await readers.take()
    second, third = (asyncio.create_task(readers.take()) for _ in range(2))
    await asyncio.sleep(0)
    assert await give_back(readers, first)
    assert await second is first
    assert await give_back(readers, first)
    assert await third is first
    assert await give_back(readers, first)
    assert (readers.idle, taken(small)) == (1, 1)
    await readers.close()


async def test_whoever_waits_opens_one_where_the_first_could_not_be_kept(small: AsyncEngine) -> None:
    readers = Readers(small, most=1, patience_seconds=60)
    first = await readers.take()
    await first.execute(select(literal(1)))
    waiting = asyncio.create_task(readers.take())
    await asyncio.sleep(0)
    assert not await give_back(readers, first)
    second = await waiting
    assert second is not first
    assert await give_back(readers, second)
    await readers.close()


async def test_nobody_waits_for_long_work_of_others(small: AsyncEngine) -> None:
    readers = Readers(small, most=1, patience_seconds=0.01)
    first = await readers.take()
    second = await readers.take()
    assert taken(small) == 2
    assert [await give_back(readers, each) for each in (first, second)] == [True, False]
    await readers.close()


async def test_who_goes_away_while_waiting_takes_nothing_along(small: AsyncEngine) -> None:
    readers = Readers(small, most=1, patience_seconds=60)
    first = await readers.take()
    early, late, waiting = (asyncio.create_task(readers.take()) for _ in range(3))
    await asyncio.sleep(0)
    early.cancel()
    await asyncio.wait([early])
    assert await give_back(readers, first)
    late.cancel()  # it has been given the connection, and has not come round to using it
    await asyncio.wait([late])
    assert (early.cancelled(), late.cancelled()) == (True, True)
    assert await waiting is first
    assert await give_back(readers, first)
    assert (readers.idle, taken(small)) == (1, 1)
    await readers.close()


async def test_a_database_that_is_away_is_asked_by_the_next_one_too() -> None:
    readers = Readers(make_engine(Settings(database_url=Secret("postgresql://nobody@127.0.0.1:1/nothing"))), most=1)
    for _ in range(2):
        with pytest.raises(ConnectionRefusedError):
            await readers.take()
