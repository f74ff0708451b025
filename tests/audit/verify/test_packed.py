"""The verifier as one file: built the same twice, without a line of the service in it, and run as an auditor runs it."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from caseload.audit.verify import packed
from caseload.commands import audit
from tests.factories.bundles import MadeLog

pytestmark = pytest.mark.anyio

LOCK = Path(__file__).parents[3] / "requirements.lock"


def test_it_verifies_with_nothing_but_cryptography(bundle: Path, log: MadeLog, tmp_path: Path) -> None:
    out = tmp_path / "verifier"
    assert packed.main([str(out)]) == 0
    (tmp_path / "policy").write_bytes(log.policy())
    program = out / "caseload-verify.pyz"
    # -I: neither the environment nor the working folder adds a module; the libraries beside it are this test's own.
    only = out / "libraries"
    only.mkdir()
    for name in ("cryptography", "cffi", "pycparser", "_cffi_backend"):
        for found in _installed().glob(f"{name}*"):
            (only / found.name).symlink_to(found)
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(program), str(bundle), "--policy", str(tmp_path / "policy")],
        check=False, capture_output=True, text=True, timeout=60, cwd=tmp_path,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("VALID")


def test_without_cryptography_it_says_what_to_run(tmp_path: Path) -> None:
    packed.main([str(tmp_path)])
    ended = subprocess.run(
        [sys.executable, "-I", "-S", str(tmp_path / "caseload-verify.pyz"), "x"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert ended.returncode == 1
    wheels = f"wheels/{sys.version_info.major}.{sys.version_info.minor}/*.whl"
    assert f"pip install --no-deps --target libraries {wheels}" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_same_sources_give_the_same_bytes_and_nothing_else_is_in_them(tmp_path: Path) -> None:
    assert packed.archive() == packed.archive()
    path = tmp_path / "it.pyz"
    path.write_bytes(packed.archive())
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    assert not [name for name in names if name.endswith(("trail.py", "leaf.py", "keys.py", "tables.py"))]
    assert "caseload/audit/verify/cli.py" in names


def test_its_libraries_are_those_of_the_lock() -> None:
    wanted = packed.requirements(LOCK.read_text())
    named = [line.split("==")[0] for line in wanted.splitlines() if "==" in line]
    assert named == ["cffi", "cryptography", "pycparser"]
    assert wanted.count("--hash=sha256:") > 20


def test_the_command_of_the_service_is_the_same_program(bundle: Path, log: MadeLog, tmp_path: Path) -> None:
    (tmp_path / "policy").write_bytes(log.policy())
    ended = CliRunner().invoke(audit.command, ["verify", str(bundle), "--policy", str(tmp_path / "policy"), "--json"])
    assert ended.exit_code == 0
    assert '"verdict": "valid"' in ended.output
    shown = CliRunner().invoke(audit.command, ["verify", "--help"])
    assert (shown.exit_code, "exit codes:" in shown.output) == (0, True)


def _installed() -> Path:
    import cryptography  # noqa: PLC0415  only to find where it lies

    return Path(cryptography.__file__).parents[1]
