"""What lies beside the entries: whoever takes some of it away, or puts something else there, is found."""

import os
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.beside import Looked, look
from caseload.domain.ids import ClientId
from tests.factories.audit import a_client, a_pending, seen
from tests.factories.exported import Sequenced

pytestmark = pytest.mark.anyio

SHOWN = (3, 1, 2)


class Place:
    """A log with some entries about some clients, of which some have their place in the tree."""

    def __init__(self, log: Sequenced, owner: asyncpg.Connection, clients: list[ClientId]) -> None:
        self.log = log
        self.owner = owner
        self.clients = clients

    async def looked(self) -> Looked:
        async with self.log.engine.connect() as connection:
            return await look(connection, self.log.trail)

    async def entry(self, clients: int) -> UUID:
        """The newest entry that names so many clients."""
        return await self.owner.fetchval(
            "select entry_id from audit.disclosure where cardinality(refs) = $1 order by entry_id desc limit 1", clients
        )

    async def change(self, statement: str, *given: object) -> None:
        await self.log.as_superuser(statement, given=given)


@pytest.fixture
async def place(own_engine: AsyncEngine, owner: asyncpg.Connection) -> Place:
    log = await Sequenced.of(2, own_engine, owner)
    clients = [a_client() for _ in range(5)]
    await log.write(len(SHOWN), [a_pending(seen(some)) for some in _some_of(clients)])
    await log.sequence()
    await log.write(1, [a_pending(seen(clients))])
    return Place(log, owner, clients)


def _some_of(clients: Sequence[ClientId]) -> list[Sequence[ClientId]]:
    return [clients[:number] for number in SHOWN]


async def test_what_nobody_touched_is_whole(place: Place) -> None:
    found = await place.looked()
    assert found.is_whole
    assert found.entries == await place.owner.fetchval("select count(*) from audit.log")
    assert found.mentions >= sum(SHOWN) + 5
    assert (found.named, found.strangers, found.erased) == ([], set(), 0)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("delete from audit.disclosure where entry_id = $1", "names 3 clients, and there are 0 beside it"),
        (
            "update audit.disclosure set refs = refs[2:3] where entry_id = $1",
            "names 3 clients, and there are 2 beside it",
        ),
        (
            "update audit.disclosure set refs = array[refs[2], refs[1], refs[3]] where entry_id = $1",
            "of 2 of its clients there lies something else",
        ),
        (
            "update audit.disclosure set sealed = set_byte(sealed, 20, 255 - get_byte(sealed, 20)) where entry_id = $1",
            "does not say of the request what it committed to",
        ),
        (
            "update audit.disclosure set sealed = '' where entry_id = $1",
            "of 3 of its clients there lies something else",
        ),
    ],
)
async def test_what_was_taken_away_or_exchanged_is_named(place: Place, statement: str, says: str) -> None:
    entry = await place.entry(3)
    await place.change(statement, entry)
    found = await place.looked()
    assert not found.is_whole
    index = await place.owner.fetchval("select idx from audit.entry where entry_id = $1", entry)
    assert any(line.startswith(f"Entry {index}") and says in line for line in found.named), found.named
    assert {line.split(":")[0].split(" names")[0] for line in found.named} == {f"Entry {index}"}


async def test_a_reference_that_is_nobodys_is_explained_by_an_erasure_or_by_nothing(place: Place) -> None:
    """As somebody would do it who wants not to be seen in the report of one client."""
    entry = await place.entry(1)
    await place.change("update audit.disclosure set refs = array[$2::bytea] where entry_id = $1", entry, os.urandom(16))
    found = await place.looked()
    assert (len(found.strangers), found.erased, found.is_whole) == (1, 0, False)


async def test_whoever_was_erased_is_no_fault(place: Place) -> None:
    await place.change(
        "with gone as (delete from keys.client_key where client_id = $1 returning key_id)"
        " insert into keys.erased (key_id, erasure_id, ground, proposed_by, confirmed_by, erased_at)"
        " select key_id, gen_random_uuid(), 'retention_over', gen_random_uuid(), gen_random_uuid(), now() from gone",
        place.clients[0],
    )
    found = await place.looked()
    assert (len(found.strangers), found.erased, found.is_whole) == (1, 1, True)


async def test_an_entry_without_a_place_is_looked_at_too(place: Place) -> None:
    entry = await place.entry(5)
    await place.change("delete from audit.disclosure where entry_id = $1", entry)
    assert any(f"Entry {entry} names 5 clients" in line for line in (await place.looked()).named)
