"""`caseload audit keygen`, `rotate` and `policy`: keys that sign the log, and whom to believe."""

import asyncio
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from caseload.audit.keystore import KeyName, key_store
from caseload.audit.standing import sequencer_of
from caseload.audit.tlog.note import LocalSigner
from caseload.audit.tlog.policy import Policy
from caseload.audit.tlog.rotation import Handover
from caseload.commands import audit
from caseload.settings import OperatorError, Secret, Settings
from tests.commands.test_audit import clinic as clinic  # noqa: PLC0414  a fixture, lent out
from tests.commands.test_audit import leaves, run
from tests.shared_server import Addresses, execute


def sequence(addresses: Addresses, data: Path) -> None:
    """One round: a sequencer that is stopped at once still empties the queue."""

    async def sequenced() -> None:
        stop = asyncio.Event()
        sequencer = sequencer_of(Settings(data_dir=data), Secret(addresses.sequencer))
        running = asyncio.create_task(sequencer.run(stop))
        await asyncio.sleep(0.5)
        stop.set()
        await running

    asyncio.run(sequenced())


def alone(*given: str) -> Result:
    return CliRunner().invoke(audit.command, list(given))


def policy() -> Policy:
    told = alone("policy")
    assert told.exit_code == 0, told.output
    return Policy.parse(told.stdout.encode())


def test_a_rotation_is_an_entry_that_the_old_key_signed_and_the_policy_lists_both(
    clinic: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    assert isinstance(alone("policy").exception, OperatorError)
    sequence(clinic, data)
    (before,) = policy().logs
    told = run(tmp_path, "rotate")
    assert told.exit_code == 0, told.output
    (leaf,) = [leaf for leaf in leaves(clinic) if leaf.ev == "key.rotate"]
    assert leaf.key
    handover = Handover.parse(leaf.key.old, leaf.key.new, leaf.key.sig)
    assert handover.is_good()
    assert (handover.old, str(handover.new) in told.stdout) == (before.key, True)
    assert leaf.act.id not in {"anonymous", "system"}
    # It is in force once it has its place in the log, and not before.
    assert policy().logs == (before,)
    sequence(clinic, data)
    assert [log.key for log in policy().logs] == [handover.old, handover.new]
    # A second one hands over from the new key.
    run(tmp_path, "rotate")
    sequence(clinic, data)
    keys = [log.key for log in policy().logs]
    assert keys[:2] == [handover.old, handover.new]
    assert len(keys) == 3
    monkeypatch.setenv("CASELOAD_AUDIT_KEY_OVERLAP_DAYS", "0")
    assert [log.key for log in policy().logs] == keys[2:]


def test_a_key_that_was_made_and_not_handed_over_to_is_taken_and_not_another(clinic: Addresses, tmp_path: Path) -> None:
    data = tmp_path / "data"
    sequence(clinic, data)
    key_store(Settings(data_dir=data)).add(KeyName.SIGNING)
    assert run(tmp_path, "rotate").exit_code == 0
    assert len(list((data / "keys").glob("log-signing.*.key"))) == 2


def test_a_rotation_needs_the_key_in_force(clinic: Addresses, tmp_path: Path) -> None:
    data = tmp_path / "data"
    sequence(clinic, data)
    (data / "keys" / "log-signing.1.key").unlink()
    told = run(tmp_path, "rotate")
    assert isinstance(told.exception, OperatorError)
    assert "does not hold the key in force" in str(told.exception)
    assert [leaf.out for leaf in leaves(clinic) if leaf.ev == "key.rotate"] == [8]


def test_a_key_that_only_the_database_knows_gets_into_no_policy(clinic: Addresses, tmp_path: Path) -> None:
    data = tmp_path / "data"
    sequence(clinic, data)
    (own,) = policy().logs
    theirs = LocalSigner(bytes(32), name=own.key.name).key
    planted = "insert into audit.signing_key (vkey, origin, idx, at) values ('{}', '{}', 1, now())"
    asyncio.run(execute(clinic.owner, planted.format(theirs, theirs.name)))
    refused = alone("policy").exception
    assert isinstance(refused, OperatorError)
    assert f"does not hold the key in force, {theirs}" in str(refused)
    for file in (data / "keys").glob("log-signing.*.key"):
        file.unlink()
    assert isinstance(alone("policy").exception, OperatorError), "elsewhere it cannot be told"
    assert not list((data / "keys").glob("log-signing.*.key")), "and no key is made up"


def test_keygen_makes_the_first_key_and_no_second_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASELOAD_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("CASELOAD_PRODUCTION", "true")
    told = alone("keygen")
    assert told.exit_code == 0
    assert "log-signing.1.key" in told.stdout
    assert (tmp_path / "keys" / "log-signing.1.key").stat().st_mode & 0o777 == 0o600
    assert len(key_store(Settings(data_dir=tmp_path, production=True)).signers("log.example/1")) == 1
    again = alone("keygen")
    assert isinstance(again.exception, OperatorError)
    assert "caseload audit rotate" in str(again.exception)
