"""A running service, seen from outside: started on a free port over a data folder of the test's own."""

import http.client
import json
import socket
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests import processes

TINY = ("-m", "tests.commands.tiny_service")
"""`caseload serve` over the smallest application."""
WHOLE = ("-m", "caseload", "serve")
"""The service as people start it."""


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Service:
    """A running service, seen from outside."""

    process: subprocess.Popen[str]
    port: int
    data: Path
    said: Path

    def get(self, path: str = "/") -> str:
        """What it answers: the worker's process id and the database user."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            asked.request("GET", path)
            return asked.getresponse().read().decode()
        finally:
            asked.close()

    def workers(self) -> set[int]:
        """The processes that answer."""
        return {int(self.get().split()[0]) for _ in range(40)}

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self.said.read_text().splitlines() if line.startswith("{")]

    def events(self) -> list[str]:
        """The names of what it has logged."""
        return [line["event"] for line in self.lines()]

    def database(self) -> int:
        """The process id of its PostgreSQL."""
        return int(self._pid_file().read_text().splitlines()[0])

    def left(self) -> list[int]:
        """Its PostgreSQL, if there is one of its own."""
        try:
            return [self.database()]
        except FileNotFoundError:
            return []

    def _pid_file(self) -> Path:
        return self.data / "postgres" / "postmaster.pid"


def variables(port: int, data: Path, **more: str) -> dict[str, str]:
    """The settings of a service under test."""
    return {
        "CASELOAD_PORT": str(port),
        "CASELOAD_DATA_DIR": str(data),
        "CASELOAD_WORKERS": "2",
        "CASELOAD_JOBS": "apart",
    } | more


@contextmanager
def service(data: Path, program: Sequence[str] = TINY, /, **more: str) -> Generator[Service]:
    """A service that has said it is ready."""
    port = free_port()
    said = data.parent / f"said-{port}"
    with processes.running(*program, variables=variables(port, data, **more), said=said) as process:
        started = Service(process, port, data, said)
        processes.until(lambda: "ready" in started.events() or process.poll() is not None, "the service is ready")
        assert process.poll() is None, said.read_text()
        try:
            yield started
        finally:
            # A server whose service was killed goes on for a moment, in a folder that is about to be removed.
            left = started.left()
            process.kill()
            processes.until(lambda: all(processes.gone(pid) for pid in left), "the server ends with its service")
