"""The life of the local PostgreSQL: made once, started as our child, ready, stopped, recovered."""

import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from caseload.db.embedded.account import Account, account_for
from caseload.db.embedded.binaries import Binaries, binaries
from caseload.db.embedded.errors import CannotStart
from caseload.db.embedded.folder import STATUS_LINE, DataFolder
from caseload.db.embedded.people import DATABASE, OWNER, SERVICE, Databases, make_people
from caseload.db.embedded.process import POLL_SECONDS, clear_leftovers, die_with_parent

STOP_SECONDS = 60.0

ALWAYS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgres-%a.log",
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    # What a statement carried and the row a constraint refused are client data: neither goes into the server's log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


class EmbeddedServer:
    """A PostgreSQL of our own over one data folder, for as long as this process lives.

    It is a direct child in a session of its own (Ctrl-C in the terminal reaches us, not it) that the kernel stops
    when we die. It listens on a socket in a folder that only its user may enter, and asks for passwords there too.
    Must be started from the main thread: the kernel's promise follows the thread.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        pg_bin: Path | None = None,
        options: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = DataFolder(data_dir.absolute())
        self._pg_bin = pg_bin
        self._options = dict(ALWAYS) | dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: Path | None = None

    @property
    def pid(self) -> int:
        """The process id of the running postmaster."""
        return self._running().pid

    @property
    def databases(self) -> Databases:
        """How to connect: as the owner that migrates, and as the service."""
        self._running()
        return Databases.over(self._folder, str(self._socket))

    def start(self) -> Self:
        """Make the cluster when there is none, start the server, wait until it accepts connections.

        Raises `CannotStart` (or its `AlreadyRunning`) with a sentence for the operator. A crash recovery may take
        long and is waited for.
        """
        if threading.current_thread() is not threading.main_thread():
            message = "The local PostgreSQL must be started from the main thread."
            raise CannotStart(message)
        self._folder.prepare()
        self._folder.hold()
        try:
            self._start_held()
        except BaseException:
            self.stop()
            raise
        return self

    def _start_held(self) -> None:
        account = account_for(self._folder.cluster)
        programs = binaries(self._pg_bin, account, self._folder.programs)
        if not self._folder.cluster.exists():
            _initialise(self._folder, programs, account)
        _refuse_other_version(self._folder.cluster, programs)
        self._recover()
        self._socket = self._folder.socket_folder(account)
        self._launch(programs, account)
        self._wait_ready()
        make_people(self.databases, self._folder)

    def _recover(self) -> None:
        lines = self._folder.status()
        recorded = int(lines[0]) if lines and re.fullmatch(r"\d+", lines[0].strip()) else None
        try:
            clear_leftovers(self._folder.cluster, recorded)
        except TimeoutError as error:
            message = f"Cannot take over {self._folder.path}: {error}. End them and start again."
            raise CannotStart(message) from None

    def _launch(self, programs: Binaries, account: Account) -> None:
        settings = self._options | {"unix_socket_directories": str(self._socket)}
        chosen = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with self._folder.log.open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    [programs.program("postgres"), "-D", str(self._folder.cluster), *chosen],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    cwd="/",
                    env=_environment(),
                    preexec_fn=die_with_parent(),  # noqa: PLW1509 one prctl call, forked from the main thread
                    **account.child(),
                )
            except PermissionError:
                message = f"The folder {self._folder.path} cannot be entered by user {account.uid}."
                raise CannotStart(message) from None

    def _wait_ready(self) -> None:
        process = self._running()
        while process.poll() is None:
            lines = self._folder.status()
            if (
                len(lines) > STATUS_LINE
                and lines[0].strip() == str(process.pid)
                and lines[STATUS_LINE].strip() == "ready"
            ):
                return
            time.sleep(POLL_SECONDS)
        self._process = None
        raise CannotStart(self._why_it_ended(process.pid))

    def _why_it_ended(self, pid: int) -> str:
        """The last fatal line of this attempt: of its first words, or of the server's log under its number."""
        said = self._folder.log.read_text(errors="replace").splitlines()
        for log in (self._folder.cluster / "log").glob("*.log"):
            said += [line for line in log.read_text(errors="replace").splitlines() if f"[{pid}]" in line]
        fatal = [line for line in said if "FATAL" in line or "PANIC" in line]
        reason = (fatal or said or ["it said nothing"])[-1]
        return f"PostgreSQL did not start: {reason} (more in {self._folder.log} and {self._folder.cluster / 'log'})"

    def stop(self) -> None:
        """Stop the server (a fast shutdown: open transactions roll back, nothing committed is lost) and let go."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                process.wait()
        if self._socket is not None:
            self._folder.discard_socket_folder(self._socket)
            self._socket = None
        self._folder.release()

    def let_go(self) -> None:
        """In a process forked from this one: forget the server and the lock, which are the parent's."""
        self._process = None
        self._folder.release()

    def exited(self) -> int | None:
        """The exit code when the server has ended by itself; nothing while it runs."""
        return self._process.poll() if self._process is not None else None

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            message = "The local PostgreSQL is not running."
            raise CannotStart(message)
        return self._process

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _environment() -> dict[str, str]:
    """What the server's processes get: no `PG*` of the caller's, no secrets, and messages in English."""
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}


def _initialise(folder: DataFolder, programs: Binaries, account: Account) -> None:
    """Make the cluster under another name and rename it when complete: a killed start leaves nothing half made."""
    draft = folder.path / "postgres.new"
    subprocess.run(["rm", "-rf", str(draft)], check=True)  # noqa: S607 files of another user in a folder of ours
    draft.mkdir(mode=0o700)
    account.give(draft)
    with tempfile.NamedTemporaryFile(dir="/tmp", prefix="caseload-", suffix=".password") as pwfile:
        pwfile.write(folder.password(OWNER).reveal().encode())
        pwfile.flush()
        account.give(Path(pwfile.name))
        made = _run_initdb(programs, draft, pwfile.name, account)
    if made.returncode != 0:
        reason = (made.stderr.strip().splitlines() or ["it said nothing"])[-1]
        message = (
            f"The database could not be made in {folder.path}: {reason}. Check free space, and that user "
            f"{account.uid} can reach the folder."
        )
        raise CannotStart(message)
    draft.rename(folder.cluster)


def _run_initdb(programs: Binaries, draft: Path, pwfile: str, account: Account) -> subprocess.CompletedProcess[str]:
    # The provider `builtin` came with PostgreSQL 17; before it, plain C sorts the same way.
    modern = programs.major >= 17
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"] if modern else ["--locale=C"]
    return subprocess.run(
        [
            programs.program("initdb"),
            f"--pgdata={draft}",
            f"--username={OWNER}",
            f"--pwfile={pwfile}",
            "--auth-local=scram-sha-256",
            "--auth-host=scram-sha-256",
            "--data-checksums",
            "--encoding=UTF8",
            *locale,
        ],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        cwd="/",
        env=_environment(),
        **account.child(),
    )


def _refuse_other_version(cluster: Path, programs: Binaries) -> None:
    made_by = (cluster / "PG_VERSION").read_text().strip()
    if made_by != str(programs.major):
        message = (
            f"The data in {cluster} were made by PostgreSQL {made_by}, and the programs here are {programs.version}. "
            f"With PostgreSQL {made_by} in CASELOAD_PG_BIN run `caseload db backup FILE`; then, with the new one and an "
            "empty CASELOAD_DATA_DIR, `caseload db restore FILE`."
        )
        raise CannotStart(message)


__all__ = ["DATABASE", "OWNER", "SERVICE", "EmbeddedServer"]
