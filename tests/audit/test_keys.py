"""Keys of clients: made once, found together, remembered for a short while and bound to their client."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.driver import driver
from caseload.audit.keys import ClientKeys
from caseload.audit.keystore import KeyName, KeyStoreUnusable
from caseload.audit.tables import client_key
from tests.factories.audit import KeysInMemory, a_client

pytestmark = pytest.mark.anyio


class Statements:
    """The statements that a connection sends from now on."""

    def __init__(self) -> None:
        self._sent: list[str] = []

    @classmethod
    async def of(cls, connection: AsyncConnection) -> "Statements":
        statements = cls()
        (await driver(connection)).add_query_logger(statements._note)
        return statements

    def _note(self, sent: "asyncpg.LoggedQuery") -> None:
        self._sent.append(sent.query)

    async def count(self) -> int:
        await asyncio.sleep(0)  # the driver tells of a statement in the next turn of the loop
        return len(self._sent)


async def test_one_query_finds_the_keys_of_many_clients_and_none_when_they_are_remembered(
    connection: AsyncConnection,
) -> None:
    clients, store = [a_client() for _ in range(50)], KeysInMemory()
    made = await ClientKeys(store).of(connection, clients)
    keys, statements = ClientKeys(store), await Statements.of(connection)
    found = await keys.of(connection, clients)
    assert await statements.count() == 1
    assert {client: key.reference for client, key in found.keys.items()} == {
        client: key.reference for client, key in made.keys.items()
    }
    keys.remember(found.new_here)
    again = await keys.of(connection, clients)
    assert await statements.count() == 1
    assert again.keys == found.keys
    assert again.new_here == {}


@pytest.mark.parametrize("many", [1, 2, 16, 17, 64, 65, 200])
async def test_every_client_is_found_however_many_are_asked_for(connection: AsyncConnection, many: int) -> None:
    clients, store = [a_client() for _ in range(many)], KeysInMemory()
    made = await ClientKeys(store).of(connection, clients)
    found = await ClientKeys(store).of(connection, [*clients, *clients[:1]])
    assert {client: key.reference for client, key in found.keys.items()} == {
        client: key.reference for client, key in made.keys.items()
    }


async def test_clients_without_a_key_get_one_each(connection: AsyncConnection) -> None:
    keys, old = ClientKeys(KeysInMemory()), [a_client() for _ in range(3)]
    await keys.of(connection, old)
    everybody = [*old, *(a_client() for _ in range(3))]
    found = await keys.of(connection, everybody)
    assert set(found.keys) == set(everybody)
    assert len({key.reference for key in found.keys.values()}) == 6
    count = select(func.count()).where(client_key.c.client_id.in_(everybody))
    assert (await connection.execute(count)).scalar_one() == 6


async def test_processes_that_meet_new_clients_together_agree_and_do_not_deadlock(own_engine: AsyncEngine) -> None:
    clients, store = [a_client() for _ in range(20)], KeysInMemory()

    async def meet(order: Sequence[UUID]) -> dict[UUID, bytes]:
        async with own_engine.begin() as connection:
            found = await ClientKeys(store).of(connection, order)
            return {client: key.reference for client, key in found.keys.items()}

    results = await asyncio.gather(*(meet(clients[number:] + clients[:number]) for number in range(8)))
    assert all(result == results[0] for result in results)


async def test_a_key_is_remembered_for_its_time_and_no_longer(connection: AsyncConnection) -> None:
    now = 100.0
    keys = ClientKeys(KeysInMemory(), lifetime_seconds=300, clock=lambda: now)
    client, statements = a_client(), await Statements.of(connection)
    keys.remember((await keys.of(connection, [client])).new_here)
    sent = await statements.count()
    now = 399.9
    await keys.of(connection, [client])
    assert await statements.count() == sent
    now = 400.1
    await keys.of(connection, [client])
    assert await statements.count() == sent + 1


async def test_only_so_many_keys_are_remembered(connection: AsyncConnection) -> None:
    keys = ClientKeys(KeysInMemory(), most=5)
    clients = [a_client() for _ in range(8)]
    keys.remember((await keys.of(connection, clients)).new_here)
    assert set((await keys.of(connection, clients)).new_here) == set(clients[:3])


async def test_a_key_that_rested_says_the_same(connection: AsyncConnection) -> None:
    keys, clients = ClientKeys(KeysInMemory(), most_awake=2), [a_client() for _ in range(5)]
    keys.remember((await keys.of(connection, clients)).new_here)
    leaf, nonce = bytes(16), bytes(12)
    first = (await keys.of(connection, clients)).keys
    said = {client: (key.salt(leaf, 3), key.mark(leaf), key.seal(nonce, b"x", leaf)) for client, key in first.items()}
    for _ in range(2):
        for client in clients:
            [again] = (await keys.of(connection, [client])).keys.values()
            assert (again.salt(leaf, 3), again.mark(leaf), again.seal(nonce, b"x", leaf)) == said[client]
            assert again.open(nonce, said[client][2], leaf) == b"x"
    ready = [key for key in first.values() if key._box is not None]
    assert len(ready) == 2


async def test_what_was_not_committed_is_not_remembered(connection: AsyncConnection) -> None:
    keys, client = ClientKeys(KeysInMemory()), a_client()
    await keys.of(connection, [client])
    assert set((await keys.of(connection, [client])).new_here) == {client}


async def test_the_database_holds_no_key_in_the_clear(connection: AsyncConnection) -> None:
    store, client = KeysInMemory(), a_client()
    found = await ClientKeys(store).of(connection, [client])
    [wrapped] = (await connection.execute(select(client_key.c.wrapped).where(client_key.c.client_id == client))).one()
    assert len(wrapped) == 2 + 12 + 32 + 16
    assert found.keys[client].reference not in wrapped
    with pytest.raises(KeyStoreUnusable, match="does not open"):
        await ClientKeys(KeysInMemory()).of(connection, [client])


async def test_keys_that_were_swapped_between_clients_do_not_open(
    own_engine: AsyncEngine, owner: asyncpg.Connection
) -> None:
    store, clients = KeysInMemory(), [a_client(), a_client()]
    async with own_engine.begin() as connection:
        await ClientKeys(store).of(connection, clients)
    await owner.execute(
        "update keys.client_key set wrapped = other.wrapped from keys.client_key other"
        " where other.key_id <> client_key.key_id"
    )
    async with own_engine.begin() as connection:
        for client in clients:
            with pytest.raises(KeyStoreUnusable, match="does not open"):
                await ClientKeys(store).of(connection, [client])


async def test_a_new_wrapping_key_is_used_for_new_clients_and_the_old_ones_still_open(
    connection: AsyncConnection,
) -> None:
    store, old = KeysInMemory(), a_client()
    before = await ClientKeys(store).of(connection, [old])
    store.kept[KeyName.CLIENT_KEYS, 2] = bytes(range(32))
    new = a_client()
    after = await ClientKeys(store).of(connection, [old, new])
    assert after.keys[old].reference == before.keys[old].reference
    rows = await connection.execute(
        select(client_key.c.client_id, client_key.c.wrapped).where(client_key.c.client_id.in_([old, new]))
    )
    numbers = {row.client_id: row.wrapped for row in rows}
    assert (numbers[old][:2], numbers[new][:2]) == (b"\x00\x01", b"\x00\x02")
    del store.kept[KeyName.CLIENT_KEYS, 1]
    with pytest.raises(KeyStoreUnusable, match="no key client-keys 1"):
        await ClientKeys(store).of(connection, [old])


async def test_an_identifier_that_somebody_sent_gets_no_key(connection: AsyncConnection) -> None:
    """Otherwise anybody could fill the table by asking for clients that are not there."""
    keys, client, known, guessed = ClientKeys(KeysInMemory()), a_client(), a_client(), a_client()
    await keys.of(connection, [known])
    found = await keys.of(connection, [client], asked=[known, guessed])
    assert set(found.keys) == {client, known}
    count = select(func.count()).where(client_key.c.client_id == guessed)
    assert (await connection.execute(count)).scalar_one() == 0


async def test_asking_for_a_key_makes_none(connection: AsyncConnection) -> None:
    keys, client = ClientKeys(KeysInMemory()), a_client()
    assert await keys.existing(connection, client) is None
    assert await keys.existing(connection, client) is None
    count = select(func.count()).where(client_key.c.client_id == client)
    assert (await connection.execute(count)).scalar_one() == 0
