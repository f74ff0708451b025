"""`caseload signatures`: everything is verified, what fails is named, and the key of the service is looked after."""

import asyncio
from base64 import b64decode
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from caseload.audit.keystore import KeyName, key_store
from caseload.commands import signatures
from caseload.commands.signatures import SignaturesFail
from caseload.request.seals import Seals
from caseload.settings import Settings
from tests.commands.test_audit import clinic as clinic  # noqa: PLC0414  a fixture, lent out
from tests.commands.test_audit import leaves
from tests.shared_server import Addresses, execute

FORGED = """
    set session_replication_role = replica;
    insert into clinic.signature (id, subject, subject_id, subject_version, signer_id, printed_name, role, registration,
      meaning, signed_at, methods, format_version, signed_bytes, digest, seal_key, seal)
    select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'dose', '00000000-0000-7000-8000-0000000000aa',
      2, '00000000-0000-7000-8000-0000000000bb', 'Dr Nobody', 'prescriber', 'GMC 1', 'reviewed', now(), '{password}', 1,
      '{"subject":{"content":{}}}', sha256('{"subject":{"content":{}}}'), 1, decode(repeat('00', 64), 'hex')
    from generate_series(1, %d) n
"""


def alone(*given: str) -> Result:
    return CliRunner().invoke(signatures.command, list(given))


def test_verifying_a_whole_database_says_so_and_leaves_an_entry_that_names_nobody(clinic: Addresses) -> None:
    told = alone("verify")
    assert (told.exit_code, told.stdout) == (0, "All 0 signatures prove what they say.\n"), told.output
    (entry,) = [leaf for leaf in leaves(clinic) if leaf.ev == "signatures.verified"]
    assert (entry.op, entry.purp, entry.act.auth, entry.subj) == ("E", "HCOMPL", "command_line", None)


def test_a_signature_that_fails_is_named_with_its_record_and_the_reason_and_the_exit_code_is_one(
    clinic: Addresses,
) -> None:
    asyncio.run(execute(clinic.owner, FORGED % 2))
    told = alone("verify")
    assert isinstance(told.exception, SignaturesFail)
    assert str(told.exception) == "2 of 2 signatures fail. See docs/signing.md."
    first, second = told.stdout.splitlines()
    assert first.startswith(
        "Signature 00000000-0000-7000-8000-000000000001 under dose 00000000-0000-7000-8000-0000000000aa version 2: "
    )
    assert "its seal was not made over these bytes by the key that it names" in first
    assert "the record that was signed is not there" in first
    assert "000000000002" in second


def test_of_very_many_that_fail_the_first_thousand_are_named(clinic: Addresses) -> None:
    asyncio.run(execute(clinic.owner, FORGED % 1_002))
    told = alone("verify")
    assert isinstance(told.exception, SignaturesFail)
    lines = told.stdout.splitlines()
    assert (len(lines), lines[-1]) == (1_001, "And 2 others.")
    assert str(told.exception) == "1,002 of 1,002 signatures fail. See docs/signing.md."


def test_a_new_key_seals_from_now_on_is_named_by_the_log_and_the_old_one_stays(
    clinic: Addresses, tmp_path: Path
) -> None:
    seals = Seals(key_store(Settings(data_dir=tmp_path / "data")))
    before = seals.newest()
    assert alone("keys").stdout.startswith("1 ")
    told = alone("rotate")
    assert told.exit_code == 0, told.output
    assert "signatures.2.key: keep a copy of it" in told.stdout
    assert seals.newest().number == 2, "also for a service that is running"
    named = [leaf.route for leaf in leaves(clinic) if f" {KeyName.SIGNATURES}." in leaf.route]
    assert [route.split()[2] for route in sorted(named)] == ["signatures.1", "signatures.2"]
    listed = dict(line.split() for line in alone("keys").stdout.splitlines())
    assert b64decode(listed["1"]) == before.public
    assert b64decode(listed["2"]) == seals.newest().public


@pytest.mark.parametrize("number", [0, 7])
def test_a_seal_that_names_no_key_of_ours_is_not_good(tmp_path: Path, number: int) -> None:
    seals = Seals(key_store(Settings(data_dir=tmp_path)))
    seal = seals.newest().seal(b"signed")
    assert seals.is_good(seal, b"signed")
    assert not seals.is_good(type(seal)(key=number, value=seal.value), b"signed")
