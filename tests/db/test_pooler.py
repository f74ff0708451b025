"""Behind a pooler that hands out server connections by transaction, everything still works."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from caseload.db.embedded.account import Account
from caseload.db.engine import make_engine
from caseload.settings import Secret, Settings
from tests import processes
from tests.running_service import free_port
from tests.shared_server import Addresses

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(PROGRAM is None, reason="no pgbouncer here: install Debian's package of that name to run these"),
]


@pytest.fixture
def pooled(throwaway_database: Addresses) -> Iterator[str]:
    """The service's address of a throw-away database, by way of a pooler with two server connections."""
    server = urlsplit(throwaway_database.service)
    port = free_port()
    with processes.folder() as folder:
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


SUM = text("select cast(:a as integer) + cast(:b as integer)")


async def _work(engine: AsyncEngine, times: int) -> None:
    for number in range(times):
        async with engine.begin() as connection:
            found = await connection.execute(SUM, {"a": number, "b": 1})
            assert found.scalar_one() == number + 1
            found = await connection.execute(SUM, {"a": number, "b": 2})
            assert found.scalar_one() == number + 2


async def _connected(engine: AsyncEngine) -> None:
    async with asyncio.timeout(processes.PATIENCE_SECONDS):
        while True:
            try:
                async with engine.connect():
                    return
            except OSError:
                await asyncio.sleep(0.05)


async def test_many_clients_share_a_few_server_connections(pooled: str) -> None:
    engine = make_engine(Settings(database_url=Secret(pooled), db_pooler="transaction", db_pool_size=16))
    await _connected(engine)
    await asyncio.gather(*[_work(engine, 20) for _ in range(16)])
    await engine.dispose()


async def test_without_the_switch_the_pooler_refuses(pooled: str) -> None:
    switched = make_engine(Settings(database_url=Secret(pooled), db_pooler="transaction"))
    await _connected(switched)
    await switched.dispose()
    engine = make_engine(Settings(database_url=Secret(pooled)))
    with pytest.raises(Exception, match="unsupported startup parameter"):
        await engine.connect()
    await engine.dispose()
