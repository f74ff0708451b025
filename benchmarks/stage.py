"""The stage of a run: a scratch data folder, a local PostgreSQL with fsync on, and the service with two workers."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from caseload.db.embedded import EmbeddedServer
from caseload.db.embedded.binaries import bin_dir
from caseload.request.database import migrate_to_head

WORKERS = 2
START_SECONDS = 60
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Usage:
    """What processes have used: seconds of processor, and memory they own or share fairly (PSS), in MB."""

    cpu: float
    pss: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A running PostgreSQL with a migrated database, and where things are."""

    scratch: Path
    owner: str
    service: str
    sequencer: str
    postmaster: int
    pgbench: Path

    @contextmanager
    def serving(self, app: str = "caseload.app:create_app") -> Generator["Served"]:
        """The service over the database, in processes of its own."""
        port = _free_port()
        environment = {
            **os.environ,
            "CASELOAD_DATABASE_URL": self.service,
            # The log is put in order beside the requests, as it is in a clinic.
            "CASELOAD_SEQUENCER_DATABASE_URL": self.sequencer,
            "CASELOAD_DATA_DIR": str(self.scratch),
            "CASELOAD_PORT": str(port),
            "CASELOAD_WORKERS": str(WORKERS),
            "CASELOAD_LOG_LEVEL": "error",
            # What 20,000 plans that were loaded in bulk leave to be made would be measured with the requests.
            "CASELOAD_JOBS": "apart",
        }
        command = [sys.executable, "-c", _SERVE, app]
        process = subprocess.Popen(command, env=environment, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url, process)
            yield Served(url, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)

    async def renew_statistics(self) -> None:
        """What autovacuum does within the minute: plans follow from how large the tables are now."""
        owner = await asyncpg.connect(self.owner)
        try:
            await owner.execute("analyze")
        finally:
            await owner.close()

    def postgres(self) -> Usage:
        """What PostgreSQL has used so far."""
        return usage_of(self.postmaster)


_SERVE = """
import sys
from caseload.commands.serve import run
from caseload.settings import load
run(load(), app=sys.argv[1], demo=False)
"""


@dataclass(frozen=True, slots=True)
class Served:
    """The running service."""

    url: str
    parent: int

    def usage(self) -> Usage:
        """What the workers have used so far."""
        return usage_of(self.parent, itself=False)


@contextmanager
def stage() -> Generator[Stage]:
    """Everything up, and everything gone at the end."""
    scratch = Path(tempfile.mkdtemp(prefix="caseload-bench-"))
    scratch.chmod(0o711)
    try:
        with EmbeddedServer(scratch, options={"shared_buffers": "512MB", "max_wal_size": "4GB"}) as server:
            migrate_to_head(server.databases.owner, organisation="caseload")
            pgbench = bin_dir() / "pgbench"
            addresses = server.databases
            yield Stage(scratch, addresses.owner, addresses.service, str(addresses.sequencer), server.pid, pgbench)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = "the service did not start; its own words stand above"
            raise RuntimeError(message)
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=2):  # noqa: S310 loopback
                return
        except urllib.error.HTTPError:
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    message = f"the service was not ready within {START_SECONDS} s"
    raise RuntimeError(message)


def usage_of(parent: int, *, itself: bool = True) -> Usage:
    """What a process and its children have used so far."""
    cpu, pss = 0.0, list[float]()
    for pid in [parent, *_children(parent)] if itself else _children(parent):
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        cpu += (int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])) / TICKS
        pss += [int(line.split()[1]) / 1024 for line in rollup.splitlines() if line.startswith("Pss:")]
    return Usage(cpu, tuple(pss))


def _children(parent: int) -> list[int]:
    found = list[int]()
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        try:
            found += [int(pid) for pid in task.read_text().split()]
        except OSError:
            continue
    return found
