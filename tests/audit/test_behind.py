"""How long the log waits for its signature and for its witnesses, as those who look after it see it."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.audit.behind import Behind, behind
from caseload.audit.tlog.note import LocalSigner, Signer
from caseload.request import metrics
from tests.audit.test_sequencer import Log, until
from tests.audit.test_witness import WITNESS
from tests.audit.test_witnessed_log import serving, until_seen, witnesses
from tests.shared_server import Addresses

pytestmark = pytest.mark.anyio

NONE, WAITED = timedelta(), timedelta(seconds=90)


@pytest.fixture
async def log(throwaway_database: Addresses, own_engine: AsyncEngine, owner: asyncpg.Connection) -> Log:
    return Log(throwaway_database, own_engine, owner)


async def age_of(log: Log, number: int) -> datetime:
    """The moment at which the entry of this number, in the order of the log, has waited for as long as the tests say."""
    at: datetime = await log.owner.fetchval("select at from audit.log order by entry_id offset $1 limit 1", number)
    return at + WAITED


async def looked(log: Log, *keys: Signer, now: datetime) -> Behind:
    async with log.engine.connect() as connection:
        return await behind(connection, [each.key for each in keys], now=now)


async def nobody_is_waited_for(log: Log) -> bool:
    return (await looked(log, WITNESS, now=await age_of(log, 6))).witness == NONE


async def test_an_entry_waits_until_it_is_under_a_signature(log: Log) -> None:
    assert await looked(log, now=log.now) == Behind(signature=NONE, witness=None)
    await log.append(3)
    assert await looked(log, now=await age_of(log, 0)) == Behind(signature=WAITED, witness=None)
    await log.sequence()
    assert await looked(log, now=await age_of(log, 0)) == Behind(signature=NONE, witness=None)
    await log.append(1)
    assert (await looked(log, now=await age_of(log, 3))).signature == WAITED


async def test_a_witness_that_is_away_is_seen_and_so_is_its_return(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        port = server.server_port
        async with log.running(log.sequencer(witness=witnesses(log, port))):
            await log.append(2)
            await until_seen(server, 2)
    assert (await looked(log, WITNESS, now=await age_of(log, 1))).witness == NONE
    async with log.running(log.sequencer(witness=witnesses(log, port))):
        await log.append(5)
        await log.until_signed()
        assert await looked(log, WITNESS, now=await age_of(log, 2)) == Behind(signature=NONE, witness=WAITED)
        with serving(log, tmp_path, port=port):
            await until(lambda: nobody_is_waited_for(log))


async def test_with_several_witnesses_the_one_that_lags_is_seen(log: Log, tmp_path: Path) -> None:
    with serving(log, tmp_path) as server:
        async with log.running(log.sequencer(witness=witnesses(log, server.server_port))):
            await log.append(2)
            await until_seen(server, 2)
    never = LocalSigner(os.urandom(32), name="never.example/w")
    assert (await looked(log, WITNESS, never, now=await age_of(log, 0))).witness == WAITED


async def test_the_numbers_for_operators_say_it_and_name_nobody() -> None:
    metrics.log_is_behind(Behind(signature=timedelta(seconds=2), witness=WAITED))
    said = metrics.exposition().decode()
    assert 'caseload_audit_behind_seconds{of="signature"} 2.0' in said
    assert 'caseload_audit_behind_seconds{of="witness"} 90.0' in said
    assert WITNESS.key.name not in said
