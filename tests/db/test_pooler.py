"""Behind a pooler that hands out server connections by transaction, everything still works."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import Integer, bindparam, column, func, select, table
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from caseload.db import revisions
from caseload.db.direct import Direct
from caseload.db.embedded.account import Account
from caseload.db.engine import make_engine
from caseload.settings import Secret, Settings
from tests import processes, scratch
from tests.running_service import free_port
from tests.shared_server import Addresses

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

NEEDS_POOLER = pytest.mark.skipif(
    PROGRAM is None, reason="no pgbouncer here: install Debian's package of that name to run these"
)
pytestmark = pytest.mark.anyio

A, B = bindparam("a", type_=Integer()), bindparam("b", type_=Integer())
SUM = select((A + B).label("sum"))
PRODUCT = select((A * B).label("product"))
ANYWHERE = Direct(SUM, anywhere=True)
LEFT_BEHIND = select(func.count()).select_from(table("pg_prepared_statements", column("name")))
ZONE = select(func.current_setting("TimeZone"))


@pytest.fixture
def pooled(throwaway_database: Addresses) -> Iterator[str]:
    """The service's address of a throw-away database, by way of a pooler with two server connections."""
    server = urlsplit(throwaway_database.service)
    port = free_port()
    with scratch.folder() as folder:
        (folder / "users").write_text(f'"{server.username}" "{server.password}"\n')
        (folder / "pgbouncer.ini").write_text(
            f"[databases]\npooled = host={parse_qs(server.query)['host'][0]} dbname={server.path.strip('/')}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
            f"auth_type = scram-sha-256\nauth_file = {folder / 'users'}\n"
            "pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n"
        )
        # Like the server it does not run as root, and as the same user it can reach the server's socket.
        owner = Path(parse_qs(server.query)["host"][0]).stat()
        account = Account(owner.st_uid, owner.st_gid)
        for path in (folder / "users", folder / "pgbouncer.ini"):
            account.give(path)
        with subprocess.Popen(
            [str(PROGRAM), str(folder / "pgbouncer.ini")], stderr=subprocess.DEVNULL, **account.child()
        ) as pooler:
            try:
                yield f"postgresql://{server.username}:{server.password}@127.0.0.1:{port}/pooled"
            finally:
                pooler.terminate()


async def _statements(connection: AsyncConnection, number: int) -> None:
    """Two that differ, one after the other, so that whichever the server has parsed last is the wrong one."""
    given = {"a": number, "b": 2}
    assert (await connection.execute(SUM, given)).scalar_one() == number + 2
    assert (await connection.execute(PRODUCT, given)).scalar_one() == number * 2
    assert (await ANYWHERE.one(connection, given))["sum"] == number + 2


async def _work(engine: AsyncEngine, times: int) -> None:
    """As writes do it, in a transaction; as reads do it, statement by statement."""
    for number in range(times):
        async with engine.begin() as connection:
            await _statements(connection, number)
        async with engine.connect() as connection:
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            await _statements(connection, number)


async def _connected(engine: AsyncEngine) -> None:
    async with asyncio.timeout(processes.PATIENCE_SECONDS):
        while True:
            try:
                async with engine.connect():
                    return
            except OSError:
                await asyncio.sleep(0.05)


@asynccontextmanager
async def _engine(url: str) -> AsyncGenerator[AsyncEngine]:
    engine = make_engine(Settings(database_url=Secret(url), db_pooler="transaction", db_pool_size=32))
    try:
        yield engine
    finally:
        await engine.dispose()


async def test_behind_a_pooler_a_statement_leaves_nothing_on_the_server_that_another_would_lack(database: str) -> None:
    async with _engine(database) as engine:
        await _work(engine, 2)
        async with engine.connect() as connection:
            assert (await connection.execute(LEFT_BEHIND)).scalar_one() == 0
            assert (await connection.execute(ZONE)).scalar_one() == "UTC"


@NEEDS_POOLER
async def test_many_clients_share_a_few_server_connections(pooled: str) -> None:
    async with _engine(pooled) as engine:
        await _connected(engine)
        async with asyncio.timeout(processes.PATIENCE_SECONDS), asyncio.TaskGroup() as together:
            for _ in range(32):
                together.create_task(_work(engine, 10))
        async with engine.connect() as connection:
            assert (await connection.execute(LEFT_BEHIND)).scalar_one() == 0
            assert (await connection.execute(ZONE)).scalar_one() == "UTC"


@NEEDS_POOLER
async def test_the_shape_of_the_database_is_asked_through_the_pooler_again_and_again(pooled: str) -> None:
    async with _engine(pooled) as engine:
        await _connected(engine)
    # Each time in a process of its own, as starts are: the driver counts the names of statements per process.
    for _ in range(2):
        told = await asyncio.to_thread(processes.run, "-m", "caseload", "db", "check", CASELOAD_DATABASE_URL=pooled)
        assert (told.returncode, told.stderr) == (0, "")
        assert revisions.head() in told.stdout


@NEEDS_POOLER
async def test_without_the_switch_the_pooler_refuses(pooled: str) -> None:
    async with _engine(pooled) as switched:
        await _connected(switched)
    engine = make_engine(Settings(database_url=Secret(pooled)))
    with pytest.raises(Exception, match="unsupported startup parameter"):
        await engine.connect()
    await engine.dispose()
