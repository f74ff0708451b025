"""One PostgreSQL for a whole test run, shared by every worker, and one migrated database to copy from.

The process that leads the run (pytest itself, or xdist's controller) owns the server, so it lives exactly as long as
the run. It starts when the first test that is not about plain Python is about to run.
"""

import asyncio
import json
import os
import shutil
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import asyncpg

from caseload.db.embedded import EmbeddedServer
from caseload.request.database import migrate_to_head
from tests import scratch

TEMPLATE = "caseload_template"
WAIT_SECONDS = 120.0
NEEDS_NOTHING = ("tests/domain/",)

EMPTY_LOG = """
    alter event trigger audit_no_ddl disable; alter event trigger audit_no_drop disable;
    alter table audit.queue disable trigger all; alter table audit.disclosure disable trigger all;
    truncate audit.queue, audit.disclosure;
    alter table audit.queue enable always trigger no_change, enable always trigger no_loss;
    alter table audit.disclosure enable always trigger no_change;
    alter event trigger audit_no_ddl enable always; alter event trigger audit_no_drop enable always;
"""
"""The migrations have left entries, and a test that counts its own begins with none. Only a superuser can do this."""

OPTIONS = {
    # Only what decides about surviving a power cut, which no test that shares this server is about.
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    # A plan must not hang on which table somebody happened to analyse a moment ago.
    "autovacuum": "off",
}


@dataclass(frozen=True, slots=True)
class Addresses:
    """One database, as its owner, as the service and as who puts the audit log in order."""

    owner: str
    service: str
    sequencer: str

    def of(self, name: str) -> "Addresses":
        """The addresses of another database on the same server."""
        return Addresses(*(_renamed(url, name) for url in (self.owner, self.service, self.sequencer)))


def _renamed(url: str, name: str) -> str:
    before, _, after = url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}?{after}"


class SharedServer:
    """The server of this run, as the process that leads the run sees it."""

    def __init__(self) -> None:
        self.folder = scratch.new_folder()
        self._server: EmbeddedServer | None = None

    @property
    def address(self) -> Path:
        """The file that tells the workers where the server is."""
        return self.folder / "address.json"

    def start(self) -> None:
        """Start it and migrate the database that the others are copied from; does nothing the second time."""
        if self._server is not None:
            return
        self._server = EmbeddedServer(self.folder / "data", pg_bin=chosen_programs(), options=OPTIONS)
        databases = self._server.start().databases
        addresses = Addresses(databases.owner, databases.service, str(databases.sequencer))
        asyncio.run(execute(addresses.owner, f"create database {TEMPLATE}"))
        migrate_to_head(addresses.of(TEMPLATE).owner, organisation="caseload")
        asyncio.run(execute(addresses.of(TEMPLATE).owner, EMPTY_LOG))
        # Nothing can be copied while somebody is connected to it, so nobody may.
        asyncio.run(execute(addresses.owner, f"alter database {TEMPLATE} with allow_connections false"))
        draft = self.address.with_suffix(".new")
        draft.write_text(json.dumps(asdict(addresses)))
        draft.rename(self.address)

    def stop(self) -> None:
        """Stop it and remove everything."""
        if self._server is not None:
            self._server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def chosen_programs() -> Path | None:
    """The PostgreSQL to test with when it is not the wheel's: `CASELOAD_PG_BIN=/usr/lib/postgresql/15/bin make test`."""
    chosen = os.environ.get("CASELOAD_PG_BIN")
    return Path(chosen) if chosen else None


def needs_server(test_ids: Iterable[str]) -> bool:
    """Whether any of these tests may ask for the server."""
    return any(not test_id.startswith(NEEDS_NOTHING) for test_id in test_ids)


def wait_for(address: Path) -> Addresses:
    """Where the server is, once the leading process has started it."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not address.exists():
        if time.monotonic() > deadline:
            message = f"The shared PostgreSQL did not start within {WAIT_SECONDS:.0f} s."
            raise TimeoutError(message)
        time.sleep(0.02)
    found = json.loads(address.read_text())
    return Addresses(**found)


@contextmanager
def copied(server: Addresses, name: str) -> Generator[Addresses]:
    """A fresh copy of the migrated database, dropped afterwards whoever is still connected."""
    asyncio.run(_copy(server.owner, name))
    try:
        yield server.of(name)
    finally:
        asyncio.run(execute(server.owner, f"drop database {name} with (force)"))


async def _copy(url: str, name: str) -> None:
    """Copy it. The server waits five seconds for whoever migrated it to be gone, which on a busy machine may not do."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            try:
                await execute(url, f"create database {name} template {TEMPLATE} strategy file_copy")
            except asyncpg.ObjectInUseError:
                continue
            return


async def execute(url: str, statement: str) -> None:
    """Run one statement on a connection of its own, outside any transaction."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
