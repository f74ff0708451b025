"""Starting, watching and killing real processes, for the tests that are about nothing else."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from caseload.db.embedded.process import alive, die_with_parent

ROOT = Path(__file__).parents[1]
PATIENCE_SECONDS = 240.0


def environment(**variables: str) -> dict[str, str]:
    """The environment of a process of ours: none of the caller's settings, and the modules of this tree."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CASELOAD_", "PG"))}
    return kept | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "CASELOAD_LOG_FORMAT": "json"} | variables


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `python ARGUMENTS` to its end."""
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment(**variables),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


@contextmanager
def running(
    *arguments: str, variables: Mapping[str, str] | None = None, said: Path | None = None
) -> Generator[subprocess.Popen[str]]:
    """Run `python ARGUMENTS` meanwhile; it is killed at the end if it has not ended. What it says goes to a file."""
    with contextlib.ExitStack() as stack:
        output = stack.enter_context(said.open("w")) if said else subprocess.PIPE
        process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, *arguments],
                env=environment(**(variables or {})),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
                # A run that is killed leaves no service behind.
                preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 one prctl call, from the main thread
            )
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)


def until(happened: Callable[[], bool], what: str) -> None:
    """Wait for something, and fail with what was waited for."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not happened():
        assert time.monotonic() < deadline, f"waited {PATIENCE_SECONDS:.0f} s in vain: {what}"
        time.sleep(0.05)


def gone(pid: int) -> bool:
    """Whether a process has ended (it may still wait to be counted by its parent)."""
    return not alive(pid)
