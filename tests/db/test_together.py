"""Several readings in one statement give what each gives alone."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.caseload import client_identity
from caseload.db.together import Together, aligned, rows
from tests.factories import people
from tests.factories.clients import BORN, in_care

pytestmark = pytest.mark.anyio

_OF_THESE = client_identity.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid())))
_NAMES = select(client_identity.c.client_id, client_identity.c.given_name.label("value")).where(_OF_THESE)
_PEOPLE = (
    select(client_identity.c.client_id, client_identity.c.given_name, client_identity.c.birth_date)
    .where(_OF_THESE)
    .order_by(client_identity.c.given_name.desc())
)
_RECORDED = select(client_identity.c.client_id, client_identity.c.recorded_at).where(_OF_THESE)


class Person(msgspec.Struct, frozen=True):
    client_id: UUID
    given_name: str
    birth_date: date


class Written(msgspec.Struct, frozen=True):
    client_id: UUID
    recorded_at: datetime


NAMES = aligned("names", _NAMES, str)
PEOPLE = rows("people", _PEOPLE, Person)
WRITTEN = rows("written", _RECORDED, Written)
TOGETHER = Together(NAMES, PEOPLE, WRITTEN)
NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)


async def two(connection: AsyncConnection) -> tuple[UUID, UUID]:
    """Two people in care."""
    place = await people.programme(connection)
    counsellor = (await people.staff(connection)).id
    found = [
        (await in_care(connection, programme=place, counsellor=counsellor, given_name=name, since=NOON)).id
        for name in ('A "0" ö', 'B "1"')
    ]
    return found[0], found[1]


async def test_values_stand_in_the_order_of_the_clients_with_none_for_whoever_has_none(
    connection: AsyncConnection,
) -> None:
    one, other = await two(connection)
    row = await TOGETHER.read(connection, {"clients": [other, uuid4(), one]})
    assert list(NAMES.of(row)) == ['B "1"', None, 'A "0" ö']


async def test_rows_come_in_their_order_as_what_they_are(connection: AsyncConnection) -> None:
    one, other = await two(connection)
    row = await TOGETHER.read(connection, {"clients": [one, other]})
    assert PEOPLE.of(row) == [Person(other, 'B "1"', BORN), Person(one, 'A "0" ö', BORN)]
    assert {each.recorded_at for each in WRITTEN.of(row)} == {NOON}
    assert all(each.recorded_at.tzinfo is UTC for each in WRITTEN.of(row))


async def test_of_nobody_there_is_nothing(connection: AsyncConnection) -> None:
    row = await TOGETHER.read(connection, {"clients": [uuid4()]})
    assert (list(NAMES.of(row)), PEOPLE.of(row), WRITTEN.of(row)) == ([None], [], [])
