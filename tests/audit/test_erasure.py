"""Erasing one client from the log: unlinkable afterwards, every proof intact, and nobody else touched."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.audit.accesslog import UNREADABLE, LogReader
from caseload.audit.erasure import KeptErasures
from caseload.audit.journal import RequestJournal
from caseload.audit.leaf import decode, made_at
from caseload.audit.traces import LogTraces
from caseload.audit.trail import AuditTrail, Circumstances, Entry, Outcome
from caseload.domain.access import Holding, Role
from caseload.domain.accesslog import Access, ClientNotInLog, LogFilter, LogScope
from caseload.domain.erasure import AlreadyProposed, ClientErased, Erasure, ErasureUnknown, Ground
from caseload.domain.ids import ClientId, ErasureId, StaffId, new_id
from caseload.domain.oversight import Places, Span
from tests.factories.audit import KeysInMemory, Someone, a_client, a_pending, a_trail, seen

pytestmark = pytest.mark.anyio

EVERYTHING = LogScope(programmes=None)
LONG_ENOUGH = timedelta(minutes=10, seconds=1)


def proposed(client: ClientId, *, ago: timedelta = LONG_ENOUGH) -> Erasure:
    return Erasure(
        id=ErasureId(new_id()),
        client=client,
        ground=Ground.RETENTION_OVER,
        proposed_by=StaffId(new_id()),
        proposed_at=datetime.now(UTC) - ago,
    )


async def accesses(connection: AsyncConnection, trail: AuditTrail, client: ClientId) -> list[Access]:
    return list(await LogReader(connection, trail).accesses(client, LogFilter(), EVERYTHING, after=None, limit=50))


async def a_list(engine: AsyncEngine, trail: AuditTrail, *clients: ClientId) -> Entry:
    """An entry of a list, committed, with the keys remembered as the service would."""
    async with engine.begin() as connection:
        entry = await trail.append(connection, a_pending(seen(clients)))
    trail.settle([entry], kept=True)
    return entry


async def erase(engine: AsyncEngine, trail: AuditTrail, client: ClientId) -> None:
    async with engine.begin() as connection:
        erasures = KeptErasures(connection, trail)
        await erasures.add(proposal := proposed(client))
        erased = await erasures.destroy_key(proposal, by=StaffId(new_id()), at=datetime.now(UTC))
        journal = RequestJournal()
        journal.tell(ClientErased(records=(erased.key, erased.id)))
        entry = await trail.append(connection, a_pending(journal, event="erasure.confirm"))
    trail.settle([entry], kept=True)


async def test_one_client_becomes_unlinkable_and_everybody_else_on_the_list_keeps_their_proof(
    own_engine: AsyncEngine,
) -> None:
    trail, (erased, *others) = a_trail(), [a_client() for _ in range(7)]
    entry = await a_list(own_engine, trail, others[0], erased, *others[1:])
    async with own_engine.connect() as connection:
        before = {other: await accesses(connection, trail, other) for other in others}
        assert len(await accesses(connection, trail, erased)) == 1
    await erase(own_engine, trail, erased)
    async with own_engine.connect() as connection:
        with pytest.raises(ClientNotInLog):
            await accesses(connection, trail, erased)
        assert {other: await accesses(connection, trail, other) for other in others} == before
        assert all(access.proved for found in before.values() for access in found)
        span = Span(since=made_at(entry.id), until=datetime.now(UTC))
        names = await trail.keys.references(connection)
        assert set(names.values()) == set(others)
        assert await LogTraces(connection, trail).opened(span, EVERYTHING, Places.of([])) == []
        kept = await LogReader(connection, trail).entries(LogFilter(), EVERYTHING, after=None, limit=9)
    assert [each.clients for each in kept] == [0, 7], "the entry still says how many it named"
    [about] = [fact for fact in kept[0].about if "did" in fact]
    assert about["did"][0]["ev"] == "client.erased"  # type: ignore[index]  a value of JSON, known to be a list of objects
    assert str(erased) not in str(kept)
    assert decode(entry.leaf).subj is not None
    assert UNREADABLE not in kept[1].about


async def test_what_is_seen_of_an_erased_client_later_goes_under_a_new_key(own_engine: AsyncEngine) -> None:
    trail, client = a_trail(), a_client()
    await a_list(own_engine, trail, client)
    await erase(own_engine, trail, client)
    later = await a_list(own_engine, trail, client)
    async with own_engine.connect() as connection:
        found = await accesses(connection, trail, client)
    assert [each.entry.id for each in found] == [later.id]
    assert found[0].proved


async def test_while_an_erasure_is_proposed_no_process_remembers_the_key(own_engine: AsyncEngine) -> None:
    store, client, other = KeysInMemory(), a_client(), a_client()
    trail, worker = a_trail(store), a_trail(store)
    await a_list(own_engine, trail, client, other)
    async with own_engine.begin() as connection:
        await KeptErasures(connection, trail).add(proposed(client))
    await a_list(own_engine, worker, client, other)
    assert worker.keys._remembered.keys() == {other}
    async with own_engine.connect() as connection:
        assert len(await accesses(connection, worker, client)) == 2, "until it is confirmed, nothing is lost"


async def test_destroying_a_key_forgets_it_at_once_in_the_process_that_does_it(own_engine: AsyncEngine) -> None:
    trail, client = a_trail(), a_client()
    await a_list(own_engine, trail, client)
    assert client in trail.keys._remembered
    await erase(own_engine, trail, client)
    assert client not in trail.keys._remembered


async def test_the_last_access_is_one_of_care_and_not_of_looking_after_the_log(connection: AsyncConnection) -> None:
    trail, client = a_trail(), a_client()
    erasures = KeptErasures(connection, trail)
    with pytest.raises(ClientNotInLog):
        await erasures.last_access(client)
    officer = Someone(holdings=(Holding(role=Role.PRIVACY_OFFICER, programme=None),))
    both = Someone(holdings=(*officer.holdings, Holding(role=Role.AUDITOR, programme=None)))
    await trail.append(connection, a_pending(seen([client]), actor=officer))
    assert await erasures.last_access(client) is None
    refused = Circumstances(route="GET /api/v1/clients/{client_id}", event="client.read", client=client)
    entry = await trail.append(connection, a_pending(circumstances=refused, outcome=Outcome.REFUSED, status=404))
    for watcher in (officer, both):
        await trail.append(connection, a_pending(seen([client]), actor=watcher))
    assert await erasures.last_access(client) == made_at(entry.id)


async def test_proposals_come_and_go(connection: AsyncConnection) -> None:
    trail, client = a_trail(), a_client()
    erasures, proposal = KeptErasures(connection, trail), proposed(client)
    await erasures.add(proposal)
    assert await erasures.get(proposal.id) == proposal
    assert proposal in await erasures.waiting()
    async with connection.begin_nested() as attempt:
        with pytest.raises(AlreadyProposed):
            await erasures.add(proposed(client))
        await attempt.rollback()
    await erasures.withdraw(proposal)
    with pytest.raises(ErasureUnknown):
        await erasures.get(proposal.id)
    with pytest.raises(ErasureUnknown):
        await erasures.destroy_key(proposal, by=StaffId(new_id()), at=proposal.proposed_at)


async def test_the_database_itself_asks_for_the_wait_and_for_two_people(
    own_engine: AsyncEngine, service: asyncpg.Connection
) -> None:
    trail, client = a_trail(), a_client()
    await a_list(own_engine, trail, client)
    fresh, old = proposed(client, ago=timedelta(minutes=9)), proposed(a_client())
    for each in (fresh, old):
        async with own_engine.begin() as connection:
            await KeptErasures(connection, trail).add(each)
    for statement, given in (
        ("select * from keys.destroy($1, $2, now())", (fresh.id, new_id())),
        ("select * from keys.destroy($1, $2, now())", (old.id, old.proposed_by)),
        ("delete from keys.client_key where client_id = $1", (client,)),
        ("insert into keys.erased select $1, $1, 'retention_over', $1, $2, now()", (new_id(), new_id())),
        ("update keys.erasure set proposed_at = '2000-01-01' where id = $1", (fresh.id,)),
        ("delete from keys.erased where key_id = $1", (new_id(),)),
    ):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.IntegrityConstraintViolationError)):
            await service.execute(statement, *given)
    assert await service.fetchval("select count(*) from keys.client_key where client_id = $1", client) == 1
