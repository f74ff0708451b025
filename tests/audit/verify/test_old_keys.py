"""Whoever comes by a key that the log has put aside, or by the key of a name it has put aside, and signs with it."""

from pathlib import Path

import pytest

from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import Signer, sign_text, write_note
from caseload.audit.tlog.rotation import hand_over
from caseload.domain.accesslog import LaidOpen
from tests.audit.verify.conftest import Auditor
from tests.audit.verify.test_attacks import a_rotation
from tests.factories.bundles import MadeLog, a_signer

pytestmark = pytest.mark.anyio


def signed(log: MadeLog, origin: str, *by: Signer) -> bytes:
    """The head of the log as it is, under that name."""
    own = Checkpoint.parse(log.note().decode().partition("\n\n")[0] + "\n")
    text = Checkpoint(origin=origin, size=own.size, root=own.root).text()
    return write_note(text, [sign_text(text, each) for each in by])


async def test_a_log_that_an_old_key_signs_is_a_fork_of_what_the_next_key_signed(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    new, name = a_signer(), log.signer.key.name
    policy = f"log {log.signer.key}\nlog {new.key}\nquorum none\n".encode()
    stolen = log.copy()
    log.put([a_rotation(1, *hand_over(log.signer, new.key).encode())])
    kept = signed(log, name, new)
    await stolen.write(5)
    stolen.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    alone = auditor.verify(tmp_path / "out", policy)
    assert alone.code == 0, "alone it is a log from before the change"
    assert alone.says("Your policy has another key of this log, which no entry here hands over to.")
    found = auditor.verify(tmp_path / "out", policy, kept)
    assert found.code == 3
    assert found.says("There are two histories")


@pytest.mark.parametrize(("by", "code"), [("old", 1), ("new", 0), ("both", 0)])
def test_the_key_that_a_log_gave_up_signs_nothing_after_that_by_itself(
    log: MadeLog, auditor: Auditor, tmp_path: Path, by: str, code: int
) -> None:
    old, new, name = log.signer, a_signer(), log.signer.key.name
    log.put([a_rotation(1, *hand_over(old, new.key).encode())])
    signers = {"old": [old], "new": [new], "both": [old, new]}[by]
    log.export(tmp_path / "out", note=signed(log, name, *signers), laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", f"log {old.key}\nlog {new.key}\nquorum none\n".encode())
    assert found.code == code
    assert found.says("The checkpoint is signed by a key that the log gave up with entry 600") is (by == "old")
    assert not found.says("which no entry here hands over to")


async def test_a_log_under_the_name_before_is_a_fork_of_what_was_signed_under_the_next(
    log: MadeLog, auditor: Auditor, tmp_path: Path
) -> None:
    name = log.signer.key.name.rpartition("/")[0] + "/2"
    new = a_signer(name)
    policy = f"log {log.signer.key}\nlog {new.key}\nquorum none\n".encode()
    stolen = log.copy()
    await log.write(2)
    kept = signed(log, name, new)
    await stolen.write(5)
    stolen.export(tmp_path / "out", laid_open=LaidOpen.NOTHING)
    found = auditor.verify(tmp_path / "out", policy, kept)
    assert found.code == 3
    assert found.says(f"under its other name {name}", "There are two histories")
