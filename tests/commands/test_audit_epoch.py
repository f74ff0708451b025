"""`caseload audit epoch`: the way on after entries that a witness has seen are lost, decided by two."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from caseload.audit.keystore import key_store
from caseload.audit.leaf import Leaf
from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import VerifierKey, cosign_text, sign_text, write_note
from caseload.audit.tlog.policy import KnownWitness, Policy
from caseload.commands import audit
from caseload.settings import OperatorError, Settings
from tests.audit.test_witness import WITNESS
from tests.commands.test_audit import PASSWORD, leaves
from tests.commands.test_audit import clinic as clinic  # noqa: PLC0414  a fixture, lent out
from tests.commands.test_audit import run as ask
from tests.commands.test_audit_keys import policy, sequence
from tests.shared_server import Addresses

LOST = 20
"""Entries that the witness has seen and the database does not have."""


@pytest.fixture
def log(clinic: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Addresses:
    """A clinic whose log has been signed once, and whose policy names a witness."""
    ask(tmp_path, "list")  # leaves entries
    sequence(clinic, tmp_path / "data")
    known = Policy(witnesses=(KnownWitness("office", WITNESS.key, "http://127.0.0.1:9/"),), quorum="office")
    (tmp_path / "policy").write_bytes(known.encode())
    monkeypatch.setenv("CASELOAD_AUDIT_POLICY", str(tmp_path / "policy"))
    monkeypatch.setenv("CASELOAD_SEQUENCER_DATABASE_URL", clinic.sequencer)
    return clinic


def run(folder: Path, seen: Path, *more: str, by: str = "ned", approved_by: str = "ida") -> Result:
    password = folder / "password"
    password.write_text(PASSWORD + "\n")
    seen.touch()
    given = ["epoch", "--as", by, "--approved-by", approved_by, "--seen", str(seen), *more]
    files = ["--password-file", str(password), "--approval-file", str(password)]
    return CliRunner().invoke(audit.command, [*given, *files])


def head(log: Addresses) -> Checkpoint:
    async def read() -> Checkpoint:
        connection = await asyncpg.connect(log.owner)
        row = await connection.fetchrow("select origin, size, root from audit.checkpoint order by size desc limit 1")
        await connection.close()
        assert row is not None
        return Checkpoint(origin=row["origin"], size=row["size"], root=row["root"])

    return asyncio.run(read())


def witnessed(folder: Path, seen: Checkpoint) -> Path:
    """What the witness shows."""
    text = seen.text()
    (signer,) = key_store(Settings(data_dir=folder / "data")).signers(seen.origin)
    path = folder / "last-witnessed"
    path.write_bytes(write_note(text, [sign_text(text, signer), cosign_text(text, WITNESS, at=1_800_000_000)]))
    return path


def opened(log: Addresses) -> list[Leaf]:
    return [leaf for leaf in leaves(log) if leaf.ev == "epoch.opened"]


def keys(folder: Path) -> list[VerifierKey]:
    return [signer.key for signer in key_store(Settings(data_dir=folder / "data")).signers("any")]


def test_after_a_loss_two_people_open_the_next_epoch_under_a_key_of_its_own(log: Addresses, tmp_path: Path) -> None:
    before, (old,) = head(log), policy().logs
    ahead = Checkpoint(origin=before.origin, size=before.size + LOST, root=bytes(32))
    told = run(tmp_path, witnessed(tmp_path, ahead))
    assert told.exit_code == 0, told.output
    (leaf,) = opened(log)
    route = f"caseload audit epoch 2 after {ahead.size} root {ahead.root.hex()} restored {before.size}"
    assert (leaf.route, leaf.op, leaf.purp, leaf.act.role) == (route, "E", "HCOMPL", ("administrator",))
    sequence(log, tmp_path / "data")
    (new,) = policy().logs
    assert new.key.name == f"{before.origin.removesuffix('/1')}/2"
    assert new.key.public != old.key.public
    assert str(new.key) in told.stderr
    both = Policy(logs=(old, new)).encode()
    assert Policy.parse(both).logs == (old, new), "an auditor can believe both names"
    assert isinstance(run(tmp_path, tmp_path / "last-witnessed").exception, OperatorError)
    assert len(opened(log)) == 1


@pytest.mark.parametrize(
    ("by", "approved_by", "why"),
    [
        ("ned", "ned", "Two people decide this"),
        ("ned", " NED", "Two people decide this"),
        ("ida", "ned", "ned may not read the log: an auditor or a privacy officer approves"),
    ],
)
def test_one_alone_or_the_wrong_two_open_nothing(
    log: Addresses, tmp_path: Path, by: str, approved_by: str, why: str
) -> None:
    before = head(log)
    seen = witnessed(tmp_path, Checkpoint(origin=before.origin, size=before.size + LOST, root=bytes(32)))
    told = run(tmp_path, seen, by=by, approved_by=approved_by)
    assert why in str(told.exception)
    assert (opened(log), len(keys(tmp_path))) == ([], 1)


def test_nothing_is_opened_when_nothing_is_lost_unless_the_key_is(log: Addresses, tmp_path: Path) -> None:
    before = head(log)
    seen = witnessed(tmp_path, before)
    told = run(tmp_path, seen)
    assert f"The database holds all {before.size} entries that were witnessed" in str(told.exception)
    assert (opened(log), len(keys(tmp_path))) == ([], 1)
    told = run(tmp_path, seen, "--key-stolen")
    assert told.exit_code == 0, told.output
    (leaf,) = opened(log)
    assert leaf.route.endswith(f"after {before.size} root {before.root.hex()} restored {before.size}")
    sequence(log, tmp_path / "data")
    (new,) = policy().logs
    assert new.key.public == keys(tmp_path)[1].public


def test_what_no_witness_has_cosigned_is_no_reason(log: Addresses, tmp_path: Path) -> None:
    before = head(log)
    text = Checkpoint(origin=before.origin, size=before.size + LOST, root=bytes(32)).text()
    (signer,) = key_store(Settings(data_dir=tmp_path / "data")).signers(before.origin)
    (tmp_path / "seen").write_bytes(write_note(text, [sign_text(text, signer)]))
    assert "No witness of the policy has cosigned this" in str(run(tmp_path, tmp_path / "seen").exception)
    assert opened(log) == []
