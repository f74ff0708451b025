"""Signatures: what they show, what they cover, and who can make one."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import UUID

import pytest

from caseload.domain.access import Act, Holding, Role
from caseload.domain.errors import NotPermitted
from caseload.domain.ids import ProgrammeId, StaffId
from caseload.domain.people import Proof, ProofNotYours, ProofSpent, SigningSuspended, Staff
from caseload.domain.signature import (
    Meaning,
    NotRegistered,
    Subject,
    Version,
    canonical_bytes,
    sign,
    sign_together,
    signing_role,
)
from tests.factories.seals import SEALING, SEALS

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HOME, AWAY = ProgrammeId(UUID(int=1)), ProgrammeId(UUID(int=2))
ADA = Staff(
    id=StaffId(UUID(int=7)),
    user_name="ada",
    printed_name="Dr Ada Osei",
    session=None,
    holdings=(Holding(role=Role.NURSE, programme=AWAY), Holding(role=Role.PRESCRIBER, programme=HOME)),
    registration="GMC 7654321",
)
VERSION = Version(subject=Subject.DOSE, id=UUID(int=3), number=2, content={"amount_mg": Decimal("60.000")})


def proof(of: Staff = ADA) -> Proof:
    return Proof(staff=of.id, at=NOW, methods=("password",), sealing=SEALING)


def test_a_signature_shows_name_registration_role_time_and_meaning_in_what_was_signed() -> None:
    made = sign(VERSION, by=ADA, role=Role.PRESCRIBER, meaning=Meaning.REVIEWED, proof=proof(), now=NOW)
    said = json.loads(made.signed_bytes)
    assert said["signer"] == {
        "id": str(ADA.id),
        "printed_name": "Dr Ada Osei",
        "registration": "GMC 7654321",
        "role": "prescriber",
    }
    assert (said["meaning"], said["methods"], said["format"]) == ("reviewed", ["password"], 1)
    assert said["signed_at"] == "2026-11-22T09:00:00.000000+00:00"
    assert said["subject"]["content"] == {"amount_mg": "60.000"}


def test_a_signature_covers_that_version_with_that_content_and_no_other() -> None:
    made = sign(VERSION, by=ADA, role=Role.PRESCRIBER, meaning=Meaning.REVIEWED, proof=proof(), now=NOW)
    assert made.covers(VERSION)
    for other in (
        replace(VERSION, number=3),
        replace(VERSION, id=UUID(int=4)),
        replace(VERSION, subject=Subject.ORDER),
        replace(VERSION, content={"amount_mg": Decimal("65.000")}),
    ):
        assert not made.covers(other)
    assert not replace(made, digest=bytes(32)).covers(VERSION)
    moved = replace(made, statement=replace(made.statement, printed_name="Somebody Else"))
    assert not moved.covers(VERSION)


def test_the_service_seals_the_exact_bytes_that_were_signed() -> None:
    made = sign(VERSION, by=ADA, role=Role.PRESCRIBER, meaning=Meaning.REVIEWED, proof=proof(), now=NOW)
    assert made.seal is not None
    assert SEALS.is_good(made.seal, made.signed_bytes)
    assert not SEALS.is_good(made.seal, made.signed_bytes + b" ")


def test_signing_needs_a_registration_in_force() -> None:
    with pytest.raises(NotRegistered):
        sign(
            VERSION,
            by=replace(ADA, registration=None),
            role=Role.PRESCRIBER,
            meaning=Meaning.REVIEWED,
            proof=proof(),
            now=NOW,
        )


def test_a_proof_is_good_for_one_act_of_the_person_who_made_it() -> None:
    used = proof()
    sign(VERSION, by=ADA, role=Role.PRESCRIBER, meaning=Meaning.REVIEWED, proof=used, now=NOW)
    with pytest.raises(ProofSpent):
        sign(VERSION, by=ADA, role=Role.PRESCRIBER, meaning=Meaning.REVIEWED, proof=used, now=NOW)
    stranger = replace(ADA, id=StaffId(UUID(int=8)))
    with pytest.raises(ProofNotYours):
        sign(VERSION, by=ADA, role=Role.PRESCRIBER, meaning=Meaning.REVIEWED, proof=proof(stranger), now=NOW)


def test_nobody_signs_while_a_reset_of_their_password_is_unconfirmed() -> None:
    with pytest.raises(SigningSuspended):
        sign(
            VERSION,
            by=replace(ADA, may_sign=False),
            role=Role.PRESCRIBER,
            meaning=Meaning.REVIEWED,
            proof=proof(),
            now=NOW,
        )


def test_one_proof_signs_several_versions_each_with_a_signature_of_its_own() -> None:
    other = replace(VERSION, id=UUID(int=4))
    one, two = sign_together(
        [(VERSION, Role.PRESCRIBER), (other, Role.NURSE)], by=ADA, meaning=Meaning.REVIEWED, proof=proof(), now=NOW
    )
    assert one.covers(VERSION)
    assert two.covers(other)
    assert one.id != two.id
    assert (one.statement.role, two.statement.role) == (Role.PRESCRIBER, Role.NURSE)


def test_somebody_signs_in_the_role_that_allows_the_act_there() -> None:
    assert signing_role(ADA, Act.WRITE_ORDER, HOME) is Role.PRESCRIBER
    assert signing_role(ADA, Act.SIGN_OFF_DOSE, AWAY) is Role.NURSE
    with pytest.raises(NotPermitted):
        signing_role(ADA, Act.WRITE_ORDER, AWAY)


def test_the_signed_bytes_are_the_same_however_the_document_was_put_together() -> None:
    summer = datetime(2026, 11, 22, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    one = {"b": [1, None, True], "a": {"at": summer, "on": date(2026, 11, 22)}, "é": "ü"}
    two = {"é": "ü", "a": {"on": date(2026, 11, 22), "at": NOW}, "b": (1, None, True)}
    assert canonical_bytes(one) == canonical_bytes(two)
    assert (
        canonical_bytes(one)
        == '{"a":{"at":"2026-11-22T09:00:00.000000+00:00","on":"2026-11-22"},"b":[1,null,true],"é":"ü"}'.encode()
    )


@pytest.mark.parametrize("amount", ["1E+1", "10", "10.0", "10.000"])
def test_an_amount_is_signed_as_it_is_stored_however_it_was_written(amount: str) -> None:
    assert canonical_bytes({"amount_mg": Decimal(amount)}) == b'{"amount_mg":"10.000"}'


def test_a_float_has_no_exact_text() -> None:
    with pytest.raises(TypeError, match="float has no exact text"):
        canonical_bytes({"amount_mg": 0.1})
