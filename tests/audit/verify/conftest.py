"""A log of a few hundred entries, exported once, and the verifier as an auditor runs it."""

import io
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from caseload.audit.verify.cli import main
from tests.factories.bundles import MadeLog, a_witness

ENTRIES = 600
"""Three tiles of the lowest level, the last one not full."""
SEEN_AT_SIZE = 250


@dataclass
class Verified:
    """What an auditor gets to see."""

    code: int
    text: str

    def says(self, *sentences: str) -> bool:
        return all(sentence in self.text for sentence in sentences)


@dataclass
class Auditor:
    """Somebody with a policy, perhaps an old checkpoint, and the verifier."""

    folder: Path

    def verify(self, bundle: Path, policy: bytes, *known: bytes, arguments: tuple[str, ...] = ()) -> Verified:
        (self.folder / "policy").write_bytes(policy)
        kept: list[str] = []
        for number, note in enumerate(known):
            path = self.folder / f"known-{number}"
            path.write_bytes(note)
            kept += ["--known", str(path)]
        out = io.StringIO()
        given = [str(bundle), "--policy", str(self.folder / "policy"), "--evidence", str(self.evidence)]
        code = main([*given, *kept, *arguments], out=out)
        return Verified(code, out.getvalue())

    @property
    def evidence(self) -> Path:
        return self.folder / "evidence"


@pytest.fixture
def auditor(tmp_path: Path) -> Auditor:
    folder = tmp_path / "auditor"
    folder.mkdir()
    return Auditor(folder)


@pytest.fixture(scope="session")
async def whole_log(anyio_backend: object) -> MadeLog:
    """Nobody changes this one: a test that attacks takes a copy."""
    log = MadeLog(witnesses=[a_witness()])
    return await log.write(ENTRIES)


@pytest.fixture
def log(whole_log: MadeLog) -> MadeLog:
    """A copy to attack."""
    return whole_log.copy()


@pytest.fixture(scope="session")
def exported_once(whole_log: MadeLog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("exported") / "bundle"
    whole_log.export(out, older={SEEN_AT_SIZE: whole_log.note(size=SEEN_AT_SIZE)})
    return out


@pytest.fixture
def bundle(exported_once: Path, tmp_path: Path) -> Path:
    """An honest export, to be changed."""
    return Path(shutil.copytree(exported_once, tmp_path / "bundle"))
