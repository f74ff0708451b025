"""Everything works from an installed wheel too: it carries the migrations and every file that is not Python."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import processes, scratch

PACKAGE = processes.ROOT / "src" / "caseload"


@pytest.fixture(scope="module")
def wheel() -> Iterator[Path]:
    """The wheel of this tree, built without a network."""
    with scratch.folder() as folder:
        subprocess.run(
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
            cwd=processes.ROOT,
            check=True,
            capture_output=True,
        )
        (built,) = folder.glob("caseload-*.whl")
        yield built


def test_it_carries_every_file_of_the_package_and_every_migration(wheel: Path) -> None:
    carried = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    in_tree = {
        f"caseload/{path.relative_to(PACKAGE)}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    } | {
        f"caseload/{path.relative_to(processes.ROOT)}"
        for path in (processes.ROOT / "migrations").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert in_tree - carried == set()
    assert carried - in_tree == set()


def test_it_brings_a_database_up_to_date_and_checks_it(wheel: Path) -> None:
    site = wheel.parent / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target", str(site), str(wheel)],
        check=True,
        capture_output=True,
    )
    variables = {"PYTHONPATH": str(site), "CASELOAD_DATA_DIR": str(wheel.parent / "data")}
    where = processes.run("-c", "import caseload; print(caseload.__file__)", **variables)
    assert Path(where.stdout.strip()).is_relative_to(site), "this is about the wheel, not about the tree"
    before = processes.run("-m", "caseload", "db", "check", **variables)
    assert (before.returncode, "run `caseload db upgrade`" in before.stderr) == (1, True), before.stderr
    assert processes.run("-m", "caseload", "db", "upgrade", **variables).returncode == 0
    after = processes.run("-m", "caseload", "db", "check", **variables)
    assert (after.returncode, after.stderr) == (0, "")
    assert "as this version needs.\n" in after.stdout
