"""Every command of the README's first five minutes, executed as written against a clinic that `serve --demo` made."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests import processes
from tests.running_service import WHOLE, service

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """All blocks in one shell, stopping at the first command that fails."""
    blocks = BLOCK.findall(README.read_text())
    assert len(blocks) == 4
    script = "set -euo pipefail\n" + "\necho '=== next'\n".join(blocks)
    with processes.folder() as folder:
        data = folder / "data"
        with service(data, (*WHOLE, "--demo")) as running:
            return subprocess.run(
                ["bash", "-c", script],  # noqa: S607 - the shell a reader would use
                env=processes.environment(CASELOAD_PORT=str(running.port), CASELOAD_DATA_DIR=str(data)),
                cwd=tmp_path_factory.mktemp("walk"),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=120,
                check=False,
            )


def test_the_first_five_minutes_work_as_written(walk: subprocess.CompletedProcess[str]) -> None:
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
