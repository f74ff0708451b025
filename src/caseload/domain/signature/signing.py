"""Electronic signatures: one mechanism for orders, decisions, corrections and the second look at a dose.

A signature is made in the signer's own session with their identity proved again in the act. It shows the printed
name, the time and the meaning (21 CFR 11.50) and keeps the exact bytes that were signed, so that it cannot be moved
to another record or another version of it (21 CFR 11.70). The service seals these bytes with its own key: whoever can
write in the database, and does not have that key, can make none.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, Protocol, cast
from uuid import UUID

from caseload.domain.access import CLINICIANS, MAY, Act, Role
from caseload.domain.errors import NotPermitted
from caseload.domain.ids import ProgrammeId, SignatureId, StaffId, new_id
from caseload.domain.people import Proof, Seal, Staff

FORMAT_VERSION: Final = 1
"""How the signed bytes are laid out. Another layout is another number; the old one stays readable for ever."""


class Meaning(StrEnum):
    """What the signer says by signing (21 CFR 11.50(a)(3))."""

    AUTHORED = "authored"
    REVIEWED = "reviewed"
    WITNESSED = "witnessed"
    APPROVED = "approved"


class Subject(StrEnum):
    """What is signed."""

    ORDER = "order"
    ORDER_STOP = "order_stop"
    DECISION = "decision"
    DOSE = "dose"
    DOSE_CORRECTION = "dose_correction"
    DOSE_REPLACEMENT = "dose_replacement"
    DOSE_SPILL = "dose_spill"
    STOCK_WASTE = "stock_waste"
    STOCK_COUNT = "stock_count"
    DISCHARGE = "discharge"
    TAKE_HOME_DECISION = "take_home_decision"
    TAKE_HOME_SUSPENSION = "take_home_suspension"
    SESSION_NOTE = "session_note"


class NotRegistered(NotPermitted):
    """You have no registration in force, so you cannot sign."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """The exact version of a record that is signed, with its content."""

    subject: Subject
    id: UUID
    number: int
    content: Mapping[str, object]
    """What is stored, by the record's own words: text, whole numbers, amounts, days, instants, lists of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a signature shows: who signs as what, when, how proved, and what it means."""

    id: SignatureId
    signer: StaffId
    printed_name: str
    role: Role
    registration: str | None
    """None where the role asks for none."""
    meaning: Meaning
    signed_at: datetime
    methods: tuple[str, ...]

    def over(self, version: Version) -> bytes:
        """The exact bytes that are signed: canonical JSON of this statement and the version under it."""
        return canonical_bytes(
            {
                "format": FORMAT_VERSION,
                "id": self.id,
                "meaning": self.meaning,
                "methods": self.methods,
                "signed_at": self.signed_at,
                "signer": {
                    "id": self.signer,
                    "printed_name": self.printed_name,
                    "registration": self.registration,
                    "role": self.role,
                },
                "subject": {
                    "content": version.content,
                    "id": version.id,
                    "kind": version.subject,
                    "version": version.number,
                },
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One person's signature under one version of one record."""

    statement: Statement
    subject: Subject
    subject_id: UUID
    subject_version: int
    format_version: int
    signed_bytes: bytes
    digest: bytes
    """SHA-256 of the signed bytes."""
    seal: Seal | None
    """The service's own signature over the signed bytes; None only for what was signed before there were seals."""

    @property
    def id(self) -> SignatureId:
        """The signature's own id."""
        return self.statement.id

    def covers(self, version: Version) -> bool:
        """Whether it was made under exactly this version with exactly this content."""
        return self.statement.over(version) == self.signed_bytes and self.is_whole()

    def is_whole(self) -> bool:
        """Whether the signed bytes are still those that the digest was taken of."""
        return hashlib.sha256(self.signed_bytes).digest() == self.digest


class Signatures(Protocol):
    """The signatures that were made."""

    async def add(self, signature: Signature, /) -> None:
        """Keep a signature."""
        ...


def sign(version: Version, *, by: Staff, role: Role, meaning: Meaning, proof: Proof, now: datetime) -> Signature:
    """Sign one version with a proof made for this act.

    Raises `NotRegistered`, `SigningSuspended`, `ProofNotYours`, `ProofSpent`.
    """
    return sign_together([(version, role)], by=by, meaning=meaning, proof=proof, now=now)[0]


def sign_together(
    versions: Sequence[tuple[Version, Role]], *, by: Staff, meaning: Meaning, proof: Proof, now: datetime
) -> Sequence[Signature]:
    """Sign several versions, as they were displayed together, with one proof: a signature of its own for each.

    Beside each version stands the role in which it is signed.

    Raises `NotRegistered`, `SigningSuspended`, `ProofNotYours`, `ProofSpent`.
    """
    if by.registration is None and any(role in CLINICIANS for _, role in versions):
        raise NotRegistered("Ask the administrator to record your registration and its new expiry.")
    proof.spend(by=by)
    signatures: list[Signature] = []
    for version, role in versions:
        statement = Statement(
            id=SignatureId(new_id()),
            signer=by.id,
            printed_name=by.printed_name,
            role=role,
            registration=by.registration if role in CLINICIANS else None,
            meaning=meaning,
            signed_at=now,
            methods=proof.methods,
        )
        signed = statement.over(version)
        signatures.append(
            Signature(
                statement=statement,
                subject=version.subject,
                subject_id=version.id,
                subject_version=version.number,
                format_version=FORMAT_VERSION,
                signed_bytes=signed,
                digest=hashlib.sha256(signed).digest(),
                seal=proof.sealing.seal(signed),
            )
        )
    return signatures


def signing_role(by: Staff, act: Act, programme: ProgrammeId) -> Role:
    """The role in which a person signs there; raises `NotPermitted` when none of theirs allows the act."""
    by.require(act, programme)
    return next(
        holding.role for holding in by.holdings if holding.role in MAY[act] and holding.programme in {programme, None}
    )


def canonical_bytes(document: Mapping[str, object]) -> bytes:
    """The one way to write a document: keys in order, no spaces, UTF-8, instants and amounts (to a thousandth) as text."""
    return json.dumps(_plain(document), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _plain(value: object) -> object:
    """The value in the few types that are written; raises `TypeError` for any other (a float has no exact text)."""
    match value:
        case None | bool() | int():
            plain: object = value
        case str() | UUID():
            plain = str(value)
        case Decimal():
            plain = f"{value:.3f}"
        case datetime():
            plain = value.astimezone(UTC).isoformat(timespec="microseconds")
        case date():
            plain = value.isoformat()
        case Mapping():
            plain = {str(key): _plain(item) for key, item in cast("Mapping[object, object]", value).items()}
        case tuple() | list():
            plain = [_plain(item) for item in cast("Sequence[object]", value)]
        case _:
            message = f"{type(value).__name__} has no exact text that could be signed"
            raise TypeError(message)
    return plain
