"""A service over a database of these tests' own, emptied of jobs before each, and a worker that does not wait."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from caseload.app import open_service
from caseload.jobs.kind import Kind
from caseload.jobs.worker import Worker
from caseload.request.work import Service
from caseload.settings import Secret, Settings
from tests.factories.checkin import MORNING
from tests.shared_server import Addresses, copied

LATER = MORNING + timedelta(days=20)

Told = Callable[[str], Awaitable[int]]


@pytest.fixture(scope="module")
def jobs_database(server: Addresses) -> Iterator[Addresses]:
    """One copy for a module: a copy for each test would take longer than the test."""
    with copied(server, f"jobs_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}") as found:
        yield found


@pytest.fixture
async def owner(jobs_database: Addresses) -> AsyncIterator[Any]:
    connection = await asyncpg.connect(jobs_database.owner)
    await connection.execute("truncate jobs.job, jobs.pgqueuer, jobs.pgqueuer_log")
    yield connection
    await connection.close()


@pytest.fixture
async def service(owner: object, jobs_database: Addresses, tmp_path: Path) -> AsyncIterator[Service]:
    async with open_service(Settings(database_url=Secret(jobs_database.service), data_dir=tmp_path)) as opened:
        yield replace(opened, clock=lambda: LATER)


@pytest.fixture
async def told(owner: Any) -> Told:
    """How many entries of an event there are since the test began."""

    async def entries(event: str) -> int:
        found = "select count(*) from (select event from audit.queue union all select event from audit.entry) e"
        return await owner.fetchval(f"{found} where event = $1", event)

    events = ("job.given_up", "check_in.scheduled", "test.done")
    before = {event: await entries(event) for event in events}

    async def since(event: str) -> int:
        return await entries(event) - before[event]

    return since


def worker(service: Service, *kinds: Kind) -> Worker:
    return Worker(service, kinds, look_every=timedelta(milliseconds=40), silent_for=timedelta(seconds=1))
