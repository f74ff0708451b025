"""Progress for whoever watches, and silence for whoever does not."""

import os
import pty
import subprocess
import sys

from tests import processes

WORKING = """
import time
from caseload.commands.terminal import progress
with progress("Bringing in", total=3) as bar:
    for done in range(4):
        bar.update(bar.task_ids[0], completed=done)
        time.sleep(0.15)
print("done")
"""


def test_progress_is_silent_when_nobody_watches() -> None:
    told = processes.run("-c", WORKING)
    assert (told.returncode, told.stdout, told.stderr) == (0, "done\n", "")


def test_progress_shows_on_a_terminal_and_stays_out_of_the_output() -> None:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", WORKING],
        env=processes.environment(TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    ) as working:
        os.close(theirs)
        output, _ = working.communicate(timeout=processes.PATIENCE_SECONDS)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # How a terminal says that the other end is closed.
    finally:
        os.close(ours)
    assert b"Bringing in" in shown
    assert b"3/3" in shown
    assert output == "done\n"
