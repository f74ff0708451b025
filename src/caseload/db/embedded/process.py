"""What the operating system knows of the server's processes: tying one to us, and finding those left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1
LONGEST_LEFTOVER_SECONDS = 60.0
POLL_SECONDS = 0.02


def die_with_parent(signal_number: int = signal.SIGINT) -> Callable[[], None] | None:
    """What a child must do before it becomes another program, so that it ends when its parent does (Linux only).

    `prctl(PR_SET_PDEATHSIG)` follows the thread that forked, so the parent forks from its main thread. The kernel
    forgets it at a change of user, so it is set after that: CPython calls this last. The library is loaded here,
    before the fork.
    """
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


def alive(pid: int) -> bool:
    """Whether a process with this id exists, whoever owns it. A zombie counts as gone."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return sys.platform != "linux"


def command_of(pid: int) -> str:
    """The command line of a process, or nothing when it cannot be seen."""
    if sys.platform == "linux":
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    told = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)  # noqa: S607  found as the system finds it: its place differs from system to system
    return told.stdout


def working_in(folder: Path) -> set[int]:
    """Processes whose working folder is the cluster: the server and its children, even without a postmaster."""
    if sys.platform != "linux":
        return set()
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            if (entry / "cwd").readlink() == folder and alive(int(entry.name)):
                found.add(int(entry.name))
        except OSError:
            continue
    return found


def clear_leftovers(cluster: Path, postmaster: int | None) -> bool:
    """Stop what a killed service may have left over this cluster. Says whether anything was there.

    On Linux the server stops by itself when its parent dies and may still be writing its last checkpoint; on macOS
    it lives on. Either way it is asked for a fast shutdown, which loses nothing, and waited for. A stranger that
    merely carries the recorded number (numbers are used again, in containers at once) is left alone, and the stale
    file goes, because PostgreSQL would otherwise take the stranger for a server.
    """
    waiting = working_in(cluster.resolve())
    ours = postmaster is not None and alive(postmaster) and _runs_over(postmaster, cluster)
    if ours and postmaster is not None:
        waiting.add(postmaster)
        os.kill(postmaster, signal.SIGINT)
    deadline = time.monotonic() + LONGEST_LEFTOVER_SECONDS
    while any(alive(pid) for pid in waiting):
        if time.monotonic() > deadline:
            listed = ", ".join(str(pid) for pid in sorted(waiting) if alive(pid))
            message = f"processes {listed} of an earlier server over {cluster} do not end"
            raise TimeoutError(message)
        time.sleep(POLL_SECONDS)
    if postmaster is not None and not ours and alive(postmaster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
    return bool(waiting)


def _runs_over(pid: int, cluster: Path) -> bool:
    command = command_of(pid)
    return str(cluster) in command or str(cluster.resolve()) in command
