"""Whether signatures still prove what they say: each against its seal, its own row, its record and the act it lies under.

A row of the database that was altered, copied or swapped with another fails in at least one of the four (21 CFR 11.70,
11.10(a)). What was taken out of the database whole, record and signature, is not found here: the audit log names both.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol, cast
from uuid import UUID

from caseload.domain.ids import SignatureId, StaffId
from caseload.domain.journal import Event
from caseload.domain.people import Seal
from caseload.domain.signature.signing import FORMAT_VERSION, Signature, Subject, Version, canonical_bytes

PAGE: Final = 1_000
MOST_NAMED: Final = 1_000
"""So many that fail are named; the others are counted."""


class Flaw(StrEnum):
    """What is wrong with a signature."""

    NOT_SEALED = "it has no seal of this service"
    SEAL = "its seal was not made over these bytes by the key that it names"
    DIGEST = "its digest is not that of the bytes that were signed"
    FORMAT = "its bytes are of a format that this version does not know"
    SHOWN = "what its row shows is not what was signed"
    NO_RECORD = "the record that was signed is not there"
    CONTENT = "the record says other than what was signed"
    NO_ACT = "nothing was done with it: its act is not there"
    ACT = "it lies under the act of another record, person or moment"


class SignaturesVerified(Event):
    """Every signature was verified."""

    name: ClassVar[str] = "signatures.verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedAct:
    """What somebody did with a signature, as the row of the act says it."""

    record: UUID
    version: int | None
    """None where the act does not say: its record has one version."""
    by: StaffId | None
    """None where the act does not say."""
    at: datetime

    def is_by(self, made: Signature) -> bool:
        """Whether this is the act for which the signature was made."""
        return (
            self.record == made.subject_id
            and self.version in {None, made.subject_version}
            and self.by in {None, made.statement.signer}
            and self.at == made.statement.signed_at
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A signature that does not prove what it says, or an act whose signature is not there."""

    signature: SignatureId
    subject: Subject
    record: UUID
    version: int | None
    flaws: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How a verification of all signatures ended."""

    signatures: int
    failed: Sequence[Failed]
    more: int
    """How many failed beyond those that are named."""

    @property
    def is_whole(self) -> bool:
        """Whether every signature proves what it says."""
        return not self.failed


class SignedRecords(Protocol):
    """Every signature with what it was made under, as they are stored."""

    async def page(self, after: SignatureId | None, limit: int, /) -> Sequence[Signature]:
        """The next signatures, by their ids."""
        ...

    async def stored(self, subject: Subject, records: Sequence[UUID], /) -> Sequence[Version]:
        """Those records, every version of them, as they would be signed now."""
        ...

    async def acts(
        self, subject: Subject, signatures: Sequence[SignatureId], /
    ) -> Mapping[SignatureId, Sequence[SignedAct]]:
        """What was done with these signatures."""
        ...

    async def without_signature(self) -> Sequence[Failed]:
        """The acts that name a signature which is not there."""
        ...


async def verify(
    records: SignedRecords, is_good: Callable[[Seal, bytes], bool], *, progress: Callable[[int], None]
) -> Verified:
    """Verify every signature in pages, so that it takes no more memory however many there are.

    `is_good` says whether a seal is the service's over these bytes.
    """
    done, more = 0, 0
    failed: list[Failed] = []
    after: SignatureId | None = None
    while page := await records.page(after, PAGE):
        after = page[-1].id
        for each, flaws in await _flaws_of(page, records, is_good):
            if len(failed) < MOST_NAMED:
                failed.append(_failed(each, flaws))
            else:
                more += 1
        done += len(page)
        progress(done)
    return Verified(signatures=done, failed=[*failed, *await records.without_signature()], more=more)


async def _flaws_of(
    page: Sequence[Signature], records: SignedRecords, is_good: Callable[[Seal, bytes], bool]
) -> list[tuple[Signature, tuple[Flaw, ...]]]:
    """Those of a page that fail, with what is wrong with each."""
    found: list[tuple[Signature, tuple[Flaw, ...]]] = []
    for subject in Subject:
        made = [each for each in page if each.subject is subject]
        if not made:
            continue
        listed = await records.stored(subject, sorted({each.subject_id for each in made}))
        stored = {(version.id, version.number): version for version in listed}
        acts = await records.acts(subject, [each.id for each in made])
        for each in made:
            version = stored.get((each.subject_id, each.subject_version))
            flaws = (
                *_flaws_of_seal(each, is_good),
                *_flaws_of_bytes(each, version),
                *_flaws_of_acts(each, acts.get(each.id, ())),
            )
            if flaws:
                found.append((each, flaws))
    return found


def _flaws_of_seal(made: Signature, is_good: Callable[[Seal, bytes], bool]) -> list[Flaw]:
    if made.seal is None:
        return [Flaw.NOT_SEALED]
    return [] if is_good(made.seal, made.signed_bytes) else [Flaw.SEAL]


def _flaws_of_bytes(made: Signature, stored: Version | None) -> list[Flaw]:
    """Against the bytes that were signed: the row that shows them, and the record as it is stored."""
    if not made.is_whole():
        return [Flaw.DIGEST]
    said = _content(made)
    if made.format_version != FORMAT_VERSION or said is None:
        return [Flaw.FORMAT]
    shown = Version(subject=made.subject, id=made.subject_id, number=made.subject_version, content=said)
    flaws = [] if made.statement.over(shown) == made.signed_bytes else [Flaw.SHOWN]
    if stored is None:
        return [*flaws, Flaw.NO_RECORD]
    if canonical_bytes(stored.content) != canonical_bytes(said):
        flaws.append(Flaw.CONTENT)
    return flaws


def _content(made: Signature) -> Mapping[str, object] | None:
    """The content in the bytes that were signed; None when they are not ours."""
    try:
        said = json.loads(made.signed_bytes, parse_float=str, parse_constant=str)["subject"]["content"]
    except (ValueError, TypeError, KeyError):
        return None
    return cast("dict[str, Any]", said) if isinstance(said, dict) else None


def _flaws_of_acts(made: Signature, acts: Sequence[SignedAct]) -> list[Flaw]:
    if not acts:
        return [Flaw.NO_ACT]
    return [] if len(acts) == 1 and acts[0].is_by(made) else [Flaw.ACT]


def _failed(made: Signature, flaws: Sequence[Flaw]) -> Failed:
    return Failed(
        signature=made.id,
        subject=made.subject,
        record=made.subject_id,
        version=made.subject_version,
        flaws=tuple(flaw.value for flaw in flaws),
    )
