"""Connections for tests that look at the log from every side."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.db.engine import make_engine
from caseload.settings import Secret, Settings
from tests.shared_server import Addresses


@pytest.fixture
async def own_engine(throwaway_database: Addresses) -> AsyncIterator[AsyncEngine]:
    """The service's engine over a database of the test's own, in which it may commit."""
    made = make_engine(Settings(database_url=Secret(throwaway_database.service)), application_name="caseload-test")
    yield made
    await made.dispose()


@pytest.fixture
async def owner(throwaway_database: Addresses) -> AsyncIterator[asyncpg.Connection]:
    """The superuser of the same database: whoever can do everything, to look and to attack."""
    connection = await asyncpg.connect(throwaway_database.owner)
    yield connection
    await connection.close()


@pytest.fixture
async def service(throwaway_database: Addresses) -> AsyncIterator[asyncpg.Connection]:
    """The service's own user of the same database."""
    connection = await asyncpg.connect(throwaway_database.service)
    yield connection
    await connection.close()
