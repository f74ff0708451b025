"""Every command of the README's first five minutes, executed as written against a clinic that `serve --demo` made."""

import json
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import processes, scratch
from tests.running_service import WHOLE, Service, service

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class FirstDay:
    """The first start, the walk through the README, and the next start."""

    walk: subprocess.CompletedProcess[str]
    starts: tuple[str, str]
    """What it says of itself at each."""
    ports: tuple[int, int]


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> FirstDay:
    """All blocks in one shell, stopping at the first command that fails; then Ctrl-C, and another start."""
    blocks = BLOCK.findall(README.read_text())
    assert len(blocks) == 4
    script = "set -euo pipefail\n" + "\necho '=== next'\n".join(blocks)
    with scratch.folder() as folder:
        data = folder / "data"
        with service(data, (*WHOLE, "--demo")) as running:
            walk = subprocess.run(
                ["bash", "-c", script],  # noqa: S607 - the shell a reader would use
                env=processes.environment(CASELOAD_PORT=str(running.port), CASELOAD_DATA_DIR=str(data)),
                cwd=tmp_path_factory.mktemp("walk"),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )
            first = told(running)
        with service(data, (*WHOLE, "--demo")) as again:
            return FirstDay(walk, (first, told(again)), (running.port, again.port))


def told(running: Service) -> str:
    """All that it says until it is told to stop, which it then does."""
    processes.until(lambda: "Ctrl-C stops it" in running.said.read_text(), "it has said where to go")
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(processes.PATIENCE_SECONDS) == 0
    return running.said.read_text()


def test_the_first_start_makes_the_demo_clinic_and_the_next_finds_it(first_day: FirstDay) -> None:
    assert ["Making up a demo clinic" in said for said in first_day.starts] == [True, False]
    for said, port in zip(first_day.starts, first_day.ports, strict=True):
        listed = said.partition("Sign in to the demo")[2].partition("Everybody else")[0]
        assert [line.split()[0] for line in listed.splitlines()[1:] if line] == [
            "nurse",
            "prescriber",
            "counsellor",
            "auditor",
        ]
        assert f"caseload is ready at http://127.0.0.1:{port}" in said


def test_the_first_five_minutes_work_as_written(first_day: FirstDay) -> None:
    walk = first_day.walk
    assert walk.returncode == 0, walk.stdout
    # As on a terminal: every answer on a line of its own.
    shown = [[line for line in block.splitlines() if line] for block in walk.stdout.split("=== next\n")]
    nothing, (dose,), refused_and_signed, (overdue, accesses, *csv) = shown
    assert not nothing
    recorded = json.loads(dose)
    assert recorded["kind"] == "ordinary"
    refused, signed = map(json.loads, refused_and_signed)
    assert refused["status"] == 409
    assert refused["facts"]["rule"] == "already_given"
    assert [each["dose_id"] for each in signed["signed"]] == [recorded["id"]] or signed["signed"]
    assert json.loads(overdue)["items"], "the demo has overdue check-ins to show"
    assert json.loads(accesses)["items"], "the nurse has seen this client"
    assert len(csv) == 3
    assert "," in csv[0]


def test_the_readme_names_only_commands_that_exist() -> None:
    said = README.read_text()

    for target in re.findall(r"\bmake ([a-z]+)\b", said):
        assert re.search(rf"^{target}:", (README.parent / "Makefile").read_text(), re.MULTILINE), target
    for command in re.findall(r"caseload ((?:db |keys |staff |audit |import )?[a-z]+)", said):
        if command in {"settings", "serve", "staff add", "db upgrade", "db", "keys make"}:
            assert processes.run("-m", "caseload", *command.split(), "--help").returncode == 0
