"""`caseload serve` with real processes: one start, one stop, and nothing left behind whichever way it ends."""

import os
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests import processes, scratch
from tests.commands.tiny_app import FORKED, MADE, STAYS
from tests.running_service import TINY, Service, free_port, service, variables
from tests.shared_server import Addresses


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder the server's own user can reach."""
    with scratch.folder() as path:
        yield path


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_finishes_what_it_has_begun_and_leaves_nothing(folder: Path, how: signal.Signals) -> None:
    with service(folder / "data") as running:
        processes.until(lambda: len(running.workers()) == 2, "both workers answer")
        workers, database = running.workers(), running.database()
        answers: list[str] = []
        slow = threading.Thread(target=lambda: answers.append(running.get("/slow")))
        slow.start()
        processes.until(lambda: _asked_slowly(running), "the slow request is in the database")
        running.process.send_signal(how)
        slow.join()
        assert running.process.wait(processes.PATIENCE_SECONDS) == 0
        assert answers[0].endswith(" caseload")
        assert running.events()[-1] == "stopped"
        for pid in (*workers, database):
            assert processes.gone(pid)
        assert not (folder / "data" / "postgres" / "postmaster.pid").exists()


def _asked_slowly(running: Service) -> bool:
    told = processes.run("-c", IN_PROGRESS, str(running.data))
    assert told.returncode == 0, told.stderr
    return told.stdout.strip() == "1"


IN_PROGRESS = """
import asyncio, sys, asyncpg
from pathlib import Path
from caseload.db.embedded import reach
from caseload.settings import Settings
async def count(url):
    connection = await asyncpg.connect(url)
    print(await connection.fetchval("select count(*) from pg_stat_activity where wait_event = 'PgSleep'"))
with reach(Settings(data_dir=Path(sys.argv[1]))) as databases:
    asyncio.run(count(databases.owner))
"""


def test_killed_it_leaves_no_orphan_and_the_next_start_recovers(folder: Path) -> None:
    with service(folder / "data") as running:
        left = (*running.workers(), running.database())
        running.process.kill()
        running.process.wait()
        processes.until(lambda: all(processes.gone(pid) for pid in left), "workers and server end with the service")
    with service(folder / "data") as again:
        assert again.get().endswith(" caseload")


def test_a_second_start_beside_the_first_says_so(folder: Path) -> None:
    with service(folder / "data") as first:
        on_its_port = processes.run(*TINY, **variables(first.port, folder / "other"))
        assert on_its_port.returncode != 0
        assert f"A caseload already serves on port {first.port}" in on_its_port.stderr
        on_its_data = processes.run(*TINY, **variables(free_port(), first.data))
        assert on_its_data.returncode != 0
        assert f"Already running: process {first.process.pid} holds {first.data}" in on_its_data.stderr
        assert first.get().endswith(" caseload")


def test_a_port_of_somebody_else_is_left_to_them(folder: Path) -> None:
    with socket.socket() as other:
        # Even one that would share it.
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = int(other.getsockname()[1])
        told = processes.run(*TINY, **variables(port, folder / "data"))
    assert told.returncode != 0
    assert f"Somebody else listens on 127.0.0.1:{port}" in told.stderr
    assert not (folder / "data").exists()


def test_an_address_of_another_machine_is_refused(folder: Path) -> None:
    told = processes.run(*TINY, **variables(free_port(), folder / "data", CASELOAD_HOST="192.0.2.1"))
    assert told.returncode != 0
    assert "192.0.2.1" in told.stderr


def asked_by_socket(path: Path, what: str) -> str:
    told = subprocess.run(
        ["curl", "-sS", "--unix-socket", str(path), "-H", "X-Forwarded-For: 192.0.2.60", f"http://any{what}"],  # noqa: S607  the curl of whoever runs it
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout


def test_a_proxy_on_the_same_machine_calls_through_a_socket_and_names_the_caller(folder: Path) -> None:
    path = folder / "http"
    on_socket = {"CASELOAD_SOCKET": str(path), "CASELOAD_TRUSTED_PROXIES": "socket"}
    with service(folder / "data", **on_socket) as running:
        assert asked_by_socket(path, "/").endswith(" caseload")
        assert asked_by_socket(path, "/caller") == "192.0.2.60"
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with pytest.raises(ConnectionRefusedError):
            running.get()
        beside = processes.run(*TINY, **variables(free_port(), folder / "other", **on_socket))
        assert beside.returncode != 0
        assert f"Somebody else listens on {path}" in beside.stderr
        running.process.kill()
        running.process.wait()
    assert path.exists(), "left behind by the kill"
    with service(folder / "data", **on_socket) as running:
        assert asked_by_socket(path, "/").endswith(" caseload")
        running.process.terminate()
        assert running.process.wait(processes.PATIENCE_SECONDS) == 0
    assert not path.exists()


def test_a_file_that_is_no_socket_is_left_alone(folder: Path) -> None:
    (folder / "precious").write_text("kept")
    told = processes.run(*TINY, **variables(free_port(), folder / "data", CASELOAD_SOCKET=str(folder / "precious")))
    assert told.returncode != 0
    assert "is there already and no socket" in told.stderr
    assert (folder / "precious").read_text() == "kept"


def test_a_worker_that_dies_is_replaced(folder: Path) -> None:
    with service(folder / "data") as running:
        before = running.workers()
        os.kill(min(before), signal.SIGKILL)
        processes.until(lambda: len(_workers_meanwhile(running) - before) == 1, "another worker takes its place")


def _terminate(running: Service) -> None:
    running.process.terminate()


def _interrupt_all(running: Service) -> None:
    """Ctrl-C: the terminal tells the whole group."""
    os.killpg(running.process.pid, signal.SIGINT)


def _workers_meanwhile(running: Service) -> set[int]:
    try:
        return running.workers()
    except OSError:
        return set()


@pytest.mark.parametrize("where", [FORKED, MADE])
@pytest.mark.parametrize("stop", [_terminate, _interrupt_all], ids=["told", "ctrl-c"])
def test_told_to_stop_it_does_not_wait_for_a_worker_that_is_still_starting(
    folder: Path, where: str, stop: Callable[[Service], None]
) -> None:
    with service(folder / "data", CASELOAD_DRAIN_SECONDS=str(processes.PATIENCE_SECONDS * 2)) as running:
        processes.until(lambda: len(running.workers()) == 2, "both workers answer")
        (running.data / MADE).touch()
        (running.data / where).touch()
        killed, other = running.workers()
        os.kill(killed, signal.SIGKILL)
        processes.until((running.data / STAYS).exists, "another worker has begun to start")
        stop(running)
        processes.until(lambda: processes.gone(other), "the workers have been told")
        # One that is told between its fork and its first line of ours meets those lines only now.
        (running.data / FORKED).unlink(missing_ok=True)
        assert running.process.wait(processes.PATIENCE_SECONDS / 2) == 0


def test_without_its_database_the_service_stops_so_that_it_is_started_anew(folder: Path) -> None:
    with service(folder / "data") as running:
        workers = running.workers()
        os.kill(running.database(), signal.SIGKILL)
        running.process.wait(processes.PATIENCE_SECONDS)
        assert "postgresql_ended" in running.events()
        for pid in workers:
            assert processes.gone(pid)
    with service(folder / "data") as again:
        assert again.get().endswith(" caseload")


def test_an_outside_database_is_used_as_it_is(folder: Path, throwaway_database: Addresses) -> None:
    outside = {"CASELOAD_DATABASE_URL": throwaway_database.service, "CASELOAD_DATABASE_OWNER_URL": "postgresql:///none"}
    with service(folder / "data", **outside) as running:
        assert running.get().endswith(" caseload")
        assert not (folder / "data" / "postgres").exists()
        # The owner's address is not passed on: a worker never needs it.
        assert running.get("/variables") == "CASELOAD_DATABASE_URL"


def test_an_outside_database_that_is_behind_is_told_to_be_upgraded(folder: Path, server: Addresses) -> None:
    told = processes.run(
        *TINY, **variables(free_port(), folder / "data", CASELOAD_DATABASE_URL=server.of("postgres").service)
    )
    assert told.returncode != 0
    assert "run `caseload db upgrade`" in told.stderr
