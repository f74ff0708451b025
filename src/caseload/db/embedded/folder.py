"""The data folder: what lies where, who may enter, and who holds it."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from caseload.db.embedded.account import Account
from caseload.db.embedded.errors import AlreadyRunning, CannotStart
from caseload.settings import Secret, kept_secret

LONGEST_SOCKET_PATH = 107
"""Bytes of a socket's path (`sun_path` of unix(7) less its closing zero)."""
SOCKET_NAME = ".s.PGSQL.5432"
STATUS_LINE = 7
SOCKET_LINE = 4


class DataFolder:
    """One folder with everything kept. `postgres/` is the server's own; the rest belongs to this process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cluster = path / "postgres"
        self.programs = path / "programs"
        self.log = path / "postgres-start.log"
        self._lock = path / "lock"
        self._held: int | None = None

    def prepare(self) -> None:
        """Make the folder. Others may pass through it (as root the server runs as another user), not list it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = self.path.stat().st_mode
            if os.geteuid() == 0 and mode & 0o011 != 0o011:
                self.path.chmod(mode | 0o011)
        except OSError as error:
            message = f"The folder {self.path} cannot be made ({os.strerror(error.errno or 0)}): set CASELOAD_DATA_DIR."
            raise CannotStart(message) from None

    def hold(self) -> None:
        """Take the folder for this process until it ends, however it ends. Raises `AlreadyRunning`."""
        descriptor = self._open(self._lock)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno not in {errno.EAGAIN, errno.EACCES}:
                raise
            raise AlreadyRunning(self._who_holds()) from None
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        self._held = descriptor

    def release(self) -> None:
        """Let go of the folder."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    @contextmanager
    def shared(self) -> Generator[Callable[[], None]]:
        """Say that a command is using the server, whoever started it.

        Yields what waits until nobody else is: the command that started the server stops it only then, and one that
        comes meanwhile waits for that and starts its own.
        """
        self.prepare()
        descriptor = self._open(self.path / "users")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH)
            yield lambda: fcntl.flock(descriptor, fcntl.LOCK_EX)
        finally:
            os.close(descriptor)

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except PermissionError:
            message = f"{self.path} belongs to another user: run as that user, or choose another CASELOAD_DATA_DIR."
            raise CannotStart(message) from None

    def _who_holds(self) -> str:
        holder = self._lock.read_text().strip() or "unknown"
        return (
            f"Already running: process {holder} holds {self.path}. Use that one, stop it first, "
            "or choose another CASELOAD_DATA_DIR and CASELOAD_PORT."
        )

    def password(self, user: str) -> Secret:
        """The generated password of a database user, kept where only the owner of the folder can read it."""
        return kept_secret(self.path / "secrets" / f"{user}.password")

    def status(self) -> list[str]:
        """The lines of `postmaster.pid`: 1 process id, 5 socket folder, 8 status. Empty when there is no server."""
        try:
            return (self.cluster / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, PermissionError):
            return []

    def socket_of_running(self) -> str | None:
        """The socket folder of a server that accepts connections, if there is one."""
        lines = self.status()
        if len(lines) > STATUS_LINE and lines[STATUS_LINE].strip() == "ready":
            return lines[SOCKET_LINE]
        return None

    def socket_folder(self, account: Account) -> Path:
        """A folder for the socket that only the server's user may enter: here, or somewhere short.

        A socket's path may not exceed 107 bytes. The short one has a random name, made with mode 0700, so that
        nobody can wait there for us.
        """
        near = self.path / "run"
        if len(os.fsencode(near / SOCKET_NAME)) <= LONGEST_SOCKET_PATH:
            near.mkdir(mode=0o700, exist_ok=True)
        else:
            near = Path(tempfile.mkdtemp(prefix="caseload-", dir=_runtime_base()))
        near.chmod(0o700)
        account.give(near)
        return near

    def discard_socket_folder(self, folder: Path) -> None:
        """Remove a short socket folder; the one in the data folder stays."""
        if folder.parent != self.path:
            shutil.rmtree(folder, ignore_errors=True)


def _runtime_base() -> str:
    own = os.environ.get("XDG_RUNTIME_DIR", "")
    candidates = ["/run", "/tmp"] if os.geteuid() == 0 else [own, "/tmp"]  # noqa: S108 a random 0700 folder in it
    for candidate in candidates:
        if candidate and Path(candidate).is_dir() and os.access(candidate, os.W_OK):
            return candidate
    return tempfile.gettempdir()
