"""A bundle of any size is written in the same memory."""

import tracemalloc
from hashlib import sha256
from pathlib import Path

import pytest

from caseload.audit import canonical, packing
from caseload.audit.bundle import MANIFEST, Laid, Manifest, Opened, Scope
from caseload.audit.packing import Packer

FILES = 500
OCTETS_EACH = 40
"""What a file may leave in memory; its name and digest alone take 280."""


@pytest.fixture(params=["in memory", "on the disk"])
def _listing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "on the disk":
        monkeypatch.setattr(packing, "_LISTED_IN_MEMORY", 1)


@pytest.mark.usefixtures("_listing")
def test_the_manifest_lists_every_file(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with Packer(out, scope=Scope.SPAN, size=1) as packer:
        for number in range(20):
            packer.file(f"tile/0/{number:03}", b"x" * number)
        packed = packer.close(made="2026-11-22T12:00:00Z", opened=Opened.NOTHING, asked={"event": "dose"})
        packer.publish()
    data = (out / MANIFEST).read_bytes()
    manifest = Manifest.decode(data)
    there = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    del there[MANIFEST]
    expected = {Laid(name, len(held), sha256(held).hexdigest()) for name, held in there.items()}
    assert set(manifest.files) == expected
    assert len(manifest.files) == len(expected) > 20
    assert manifest.encode() == data == canonical.encode(canonical.parse(data))
    assert packed.sha256 == sha256(data).hexdigest()
    assert packed.octets == len(data) + sum(map(len, there.values()))


def test_files_leave_nothing_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "_LISTED_IN_MEMORY", 1)
    with Packer(tmp_path / "out", scope=Scope.SPAN, size=1) as packer:
        packer.file("tile/0/first", b"x")
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            for number in range(FILES):
                packer.file(f"tile/0/{number}", b"x")
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert after - before < FILES * OCTETS_EACH
