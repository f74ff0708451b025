"""Fixtures that every test may use: a migrated database per worker, connections that roll back, throw-away copies.

`database`, `owner_dsn`   the worker's database, as the service and as the owner that migrates
`connection`              a connection of the service in a transaction that is rolled back after the test
`throwaway_database`      a fresh copy (`.service`, `.owner`) for a test that must commit or opens its own connections
`settings`                settings over `database` with a data folder of the test's own
`counts`                  how often: `counts(5, full=50)` is 5 in `make test` and 50 in `make soak`
"""

import itertools
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import hypothesis
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db.engine import make_engine
from caseload.settings import Secret, Settings
from tests.looked_at import LOOKED_AT, LookedAt
from tests.shared_server import Addresses, SharedServer, copied, needs_server, wait_for

SERVER = pytest.StashKey[SharedServer]()
_numbers = itertools.count(1)


hypothesis.settings.register_profile("quick", max_examples=50, deadline=None)
hypothesis.settings.register_profile("soak", max_examples=2000, deadline=None)


class Counts(Protocol):
    """How often something is tried, by the size of the run."""

    def __call__(self, quick: int, /, *, full: int) -> int: ...


class WorkerNode(Protocol):
    """What xdist's controller knows of one worker."""

    config: pytest.Config
    workerinput: dict[str, str]


def _told(config: pytest.Config) -> dict[str, str] | None:
    """What the controller told this worker; nothing in the process that leads the run."""
    return getattr(config, "workerinput", None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--soak` runs the same tests at the full counts."""
    parser.addoption("--soak", action="store_true", help="full counts: what `make soak` runs")


@pytest.fixture(scope="session")
def counts(pytestconfig: pytest.Config) -> Counts:
    """Choose between the count of `make test` and that of `make soak`."""

    def chosen(quick: int, /, *, full: int) -> int:
        return full if pytestconfig.getoption("--soak") else quick

    return chosen


def pytest_configure(config: pytest.Config) -> None:
    """The leading process alone holds the shared server; every process collects what its tests have looked at."""
    hypothesis.settings.load_profile("soak" if config.getoption("--soak") else "quick")
    config.stash[LOOKED_AT] = LookedAt()
    config.pluginmanager.register(config.stash[LOOKED_AT])
    if _told(config) is None:
        config.stash[SERVER] = SharedServer()


def pytest_unconfigure(config: pytest.Config) -> None:
    """The server ends with the run."""
    if SERVER in config.stash:
        config.stash[SERVER].stop()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerNode) -> None:
    """Tell each worker where it will find the address."""
    node.workerinput["address"] = str(node.config.stash[SERVER].address)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: WorkerNode, ids: Iterable[str]) -> None:
    """Start the server for the workers, once it is known that a test may ask for it."""
    if needs_server(ids):
        node.config.stash[SERVER].start()


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """One event loop for the whole session, of the kind the service runs on."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="session")
def server(pytestconfig: pytest.Config) -> Addresses:
    """The shared PostgreSQL."""
    told = _told(pytestconfig)
    if told is not None:
        return wait_for(Path(told["address"]))
    shared = pytestconfig.stash[SERVER]
    shared.start()
    return wait_for(shared.address)


@pytest.fixture(scope="session")
def addresses(server: Addresses) -> Iterator[Addresses]:
    """This worker's own migrated database."""
    with copied(server, f"caseload_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}") as found:
        yield found


@pytest.fixture(scope="session")
def database(addresses: Addresses) -> str:
    """The worker's database, as the service: a member of `caseload_app`."""
    return addresses.service


@pytest.fixture(scope="session")
def owner_dsn(addresses: Addresses) -> str:
    """The worker's database, as the owner that migrates."""
    return addresses.owner


@pytest.fixture(scope="session")
async def engine(anyio_backend: object, database: str) -> AsyncIterator[AsyncEngine]:
    """The service's engine over the worker's database, made as the service makes it."""
    made = make_engine(Settings(database_url=Secret(database)), application_name="caseload-test")
    yield made
    await made.dispose()


@pytest.fixture
async def connection(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection of the service in a transaction that is rolled back after the test."""
    async with engine.connect() as opened:
        transaction = await opened.begin()
        yield opened
        await transaction.rollback()


@pytest.fixture
def throwaway_database(server: Addresses) -> Iterator[Addresses]:
    """A fresh copy of the migrated database, for a test that must commit."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with copied(server, f"throwaway_{worker}_{next(_numbers)}") as found:
        yield found


@pytest.fixture
def settings(database: str, tmp_path: Path) -> Settings:
    """Settings as a worker process of the service has them."""
    return Settings(database_url=Secret(database), data_dir=tmp_path)
