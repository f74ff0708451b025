"""Instants that travel as bytes arrive to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from sqlalchemy import bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.instants import as_sent, instant_of
from caseload.db.tables.base import INSTANT

pytestmark = pytest.mark.anyio

_THERE_AND_BACK = select(as_sent(bindparam("instant", type_=INSTANT)))
INSTANTS = some.datetimes(datetime(1900, 1, 1), datetime(2900, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001  UTC by the timezones


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(instant=INSTANTS)
async def test_an_instant_survives_the_way(connection: AsyncConnection, instant: datetime) -> None:
    found = (await connection.execute(_THERE_AND_BACK, {"instant": instant})).scalar_one()
    assert isinstance(found, bytes)
    assert instant_of(found) == instant
    assert instant_of(found).tzinfo is UTC


async def test_the_hour_that_happens_twice_is_two_instants(connection: AsyncConnection) -> None:
    first = datetime(2026, 11, 1, 1, 30, 0, 1, tzinfo=timezone(timedelta(hours=-4)))
    second = first.replace(tzinfo=timezone(timedelta(hours=-5)))
    sent = [(await connection.execute(_THERE_AND_BACK, {"instant": each})).scalar_one() for each in (first, second)]
    assert sent[0] < sent[1]
    assert [instant_of(each) for each in sent] == [first, second]
