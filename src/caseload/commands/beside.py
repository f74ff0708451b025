"""A program of ours that runs beside the service, started again when it ends, stopped last."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from caseload.db.embedded.process import die_with_parent
from caseload.observability import logger

FIRST_PAUSE_SECONDS: Final = 0.5
LONGEST_PAUSE_SECONDS: Final = 30.0
STOP_SECONDS: Final = 20.0


@contextmanager
def running_beside(command: Sequence[str], variables: Mapping[str, str]) -> Generator[None]:
    """Run `caseload COMMAND` for as long as the context lasts, in a process of its own.

    When it ends by itself it is started again, later each time. At the end it is asked to stop and waited for. If
    this process dies, the kernel stops it.
    """
    beside = _Beside(command, variables)
    thread = threading.Thread(target=beside.keep_running, name=f"beside: {command[0]}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        beside.stop()
        thread.join(STOP_SECONDS)


class _Beside:
    def __init__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        self._command = command
        self._variables = variables
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def keep_running(self) -> None:
        """Start it and wait for its end, over and over. What ties it to us follows this thread, which lives on."""
        pause = FIRST_PAUSE_SECONDS
        while (process := self._start()) is not None:
            code = process.wait()
            if not self._stopping.is_set():
                logger(__name__).error("ended and is started again", program=self._command[0], code=code, pause=pause)
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def stop(self) -> None:
        """Ask it to stop; kill it when it does not."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _start(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(
                [sys.executable, "-m", "caseload", *self._command],
                env={**os.environ, **self._variables},
                stdin=subprocess.DEVNULL,
                # Ctrl-C in the terminal reaches us, and we stop it when the workers have ended.
                start_new_session=True,
                preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509 one prctl call
            )
            return self._process
