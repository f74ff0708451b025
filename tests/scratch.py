"""Where the data of servers under test lies: in memory where there is room, for a new file on a disk costs tenfold.

What is asked of them is the same: a process that is killed loses nothing that a file system has, wherever that is.
"""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108  Linux has it for this, and only we read what we make there
ROOM = 4 * 1024**3


def place() -> str | None:
    """A folder in memory with room for a whole run; None for wherever temporary files go."""
    try:
        return str(MEMORY) if shutil.disk_usage(MEMORY).free >= ROOM else None
    except OSError:
        return None


def new_folder() -> Path:
    """A folder that the server's own user can reach, which pytest's `tmp_path` is not when run as root."""
    path = Path(tempfile.mkdtemp(prefix="caseload-test-", dir=place()))
    path.chmod(0o711)
    return path


@contextmanager
def folder() -> Generator[Path]:
    """The same, removed at the end."""
    path = new_folder()
    try:
        yield path
    finally:
        shutil.rmtree(path)
