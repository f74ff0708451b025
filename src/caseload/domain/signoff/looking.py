"""The second look at a dose: a clinician other than the giver signs the exact version, or sends it back with a reason."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act, Role
from caseload.domain.dosing import BroughtInDose, Dose, DoseMoved, DoseUnknown, Kind, OwnDose
from caseload.domain.dosing.giver import GIVER_DISPUTES, asks_giver
from caseload.domain.errors import CaseloadError, Conflict, Faults, NotPermitted
from caseload.domain.ids import DoseId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Proof, Staff
from caseload.domain.profiles import profile_version
from caseload.domain.signature import Meaning, Signature, Signatures, sign_together, signing_role

MOST_AT_ONCE = 100
Disputed = Collection[tuple[DoseId, int]]


class Verdict(StrEnum):
    """How a second clinician's look at a version of a dose ended."""

    SIGNED = "signed"
    REJECTED = "rejected"


class SignedAlone(Conflict):
    """A dose that broke a rule, or that its named giver disputes, is signed by itself, with its facts in view."""


class NotForYourRole(NotPermitted):
    """The programme's rules ask another role to sign for this dose."""


class DoseSignedOff(Event):
    """A second clinician signed the record of a dose."""

    name: ClassVar[str] = "dose.signed_off"


class DoseRejected(Event):
    """A second clinician sent the record of a dose back to the recorder."""

    name: ClassVar[str] = "dose.rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """The record of a dose was sent back with a reason."""

    dose: DoseId
    version: int
    reason: str
    rejected_by: StaffId
    rejected_at: datetime


class SignOffs(Signatures, Protocol):
    """What waits for a second clinician, and how it ended."""

    async def newest(self, doses: Sequence[DoseId], /, *, by: Staff) -> Sequence[Dose]:
        """The newest versions of those doses that are within the person's reach to sign for."""
        ...

    async def disputed(self, doses: Collection[DoseId], /) -> Collection[tuple[DoseId, int]]:
        """The versions of these doses that their named givers dispute."""
        ...

    async def add_sign_offs(self, signed: Sequence[tuple[Dose, Signature]], /) -> Sequence[DoseId]:
        """Keep the sign-offs of the versions that still wait; return the doses that had moved on meanwhile."""
        ...

    async def made_by(self, by: Staff, versions: Mapping[DoseId, int], /) -> Sequence[Signature]:
        """The signatures that this person has made under these versions."""
        ...

    async def add_rejection(self, rejection: Rejection, /) -> bool:
        """Keep a rejection; False when the version no longer waits."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedOff:
    """What became of the doses that somebody signed together."""

    signed: Mapping[DoseId, Signature]
    refused: Mapping[DoseId, CaseloadError]


async def sign_off(
    versions: Mapping[DoseId, int],
    *,
    by: Staff,
    proof: Proof,
    meaning: Meaning,
    now: datetime,
    sign_offs: SignOffs,
    journal: Journal,
) -> SignedOff:
    """Sign for doses as displayed, each by a signature of its own; what changed meanwhile is refused and named.

    Several at once are routine: one that broke a rule is refused among others, and what is no dose (an order, a decision)
    is unknown here. One proof is spent for all of them. Raises `Invalid`, and what `sign` raises.
    """
    faults = Faults()
    faults.check(
        when=not 1 <= len(versions) <= MOST_AT_ONCE, where="doses", problem=f"sign 1 to {MOST_AT_ONCE} at once"
    )
    faults.check(when=meaning is Meaning.AUTHORED, where="meaning", problem="the author of a dose is who recorded it")
    faults.raise_if_any()
    found = {dose.id: dose for dose in await sign_offs.newest(sorted(versions), by=by)}
    disputed = await _disputed(found.values(), sign_offs)
    accepted: dict[DoseId, tuple[Dose, Role]] = {}
    refused: dict[DoseId, CaseloadError] = {}
    for dose_id, version in versions.items():
        try:
            accepted[dose_id] = _for_signing(
                found.get(dose_id), version, by, alone=len(versions) == 1, disputed=disputed
            )
        except CaseloadError as error:
            refused[dose_id] = error
    if not accepted:
        return SignedOff(signed={}, refused=refused)
    signatures = sign_together(
        [(dose.as_signed(), role) for dose, role in accepted.values()], by=by, meaning=meaning, proof=proof, now=now
    )
    doses = [dose for dose, _ in accepted.values()]
    moved = set(await sign_offs.add_sign_offs(list(zip(doses, signatures, strict=True))))
    refused |= {dose_id: _moved() for dose_id in moved}
    signed = {dose.id: made for dose, made in zip(doses, signatures, strict=True) if dose.id not in moved}
    for dose in doses:
        if dose.id in signed:
            records = (dose.id, signed[dose.id].id)
            journal.tell(DoseSignedOff(client=dose.client, records=records, facts={"version": dose.version}))
    return SignedOff(signed=signed, refused=refused)


async def signed_before(versions: Mapping[DoseId, int], *, by: Staff, sign_offs: SignOffs) -> SignedOff:
    """How an earlier, identical request ended: the signatures this person made under these versions.

    Only of doses that are within reach now. Why the others were not signed is told as far as it can be told still.
    """
    found = {dose.id: dose for dose in await sign_offs.newest(sorted(versions), by=by)}
    disputed = await _disputed(found.values(), sign_offs)
    made = {DoseId(each.subject_id): each for each in await sign_offs.made_by(by, versions)}
    signed = {dose_id: each for dose_id, each in made.items() if dose_id in found}
    refused = {
        dose_id: _why_not(found.get(dose_id), version, by, alone=len(versions) == 1, disputed=disputed)
        for dose_id, version in versions.items()
        if dose_id not in signed
    }
    return SignedOff(signed=signed, refused=refused)


async def reject(
    dose_id: DoseId, version: int, reason: str, *, by: Staff, now: datetime, sign_offs: SignOffs, journal: Journal
) -> Rejection:
    """Send a version of a dose back to its recorder with the reason; only an amendment makes it ready to sign again.

    Raises `Invalid`, `DoseUnknown`, `DoseMoved`, `BroughtInDose`, `OwnDose`, `NotPermitted`.
    """
    faults = Faults()
    check_reason(reason, faults)
    faults.raise_if_any()
    found = await sign_offs.newest([dose_id], by=by)
    dose, _ = _for_signing(found[0] if found else None, version, by, alone=True)
    rejection = Rejection(dose=dose.id, version=version, reason=reason, rejected_by=by.id, rejected_at=now)
    if not await sign_offs.add_rejection(rejection):
        raise _moved()
    journal.tell(DoseRejected(client=dose.client, records=(dose.id,), facts={"version": version}))
    return rejection


async def _disputed(found: Collection[Dose], sign_offs: SignOffs) -> Disputed:
    """Which of these are disputed. Of what was recorded at the window nobody is asked."""
    asked = [dose.id for dose in found if asks_giver(dose)]
    return await sign_offs.disputed(asked) if asked else ()


def _for_signing(
    dose: Dose | None, version: int, by: Staff, *, alone: bool, disputed: Disputed = ()
) -> tuple[Dose, Role]:
    """The dose and the role in which this person may be its second pair of eyes, or the reason why not."""
    if dose is None:
        raise DoseUnknown("Read the queue again.")
    if dose.kind is Kind.BROUGHT_IN:
        raise BroughtInDose("It needs no signature.")
    if dose.version != version:
        raise _moved()
    if by.id in dose.hands:
        raise OwnDose("Leave it for a colleague.")
    if dose.kind is Kind.EXCEPTION and not alone:
        raise SignedAlone("Read which rules it broke, and sign it by itself.", rules=dose.rules)
    if (dose.id, dose.version) in disputed and not alone:
        raise SignedAlone("Read what its named giver says, and sign it by itself.", rules=[GIVER_DISPUTES])
    return dose, _second_role(dose, by)


def _why_not(dose: Dose | None, version: int, by: Staff, *, alone: bool, disputed: Disputed) -> CaseloadError:
    """Why a dose was not signed, when it is known that it was not."""
    try:
        _for_signing(dose, version, by, alone=alone, disputed=disputed)
    except CaseloadError as error:
        return error
    return _moved()


def _second_role(dose: Dose, by: Staff) -> Role:
    """The role in which the profile that judged the dose lets this person sign for it; raises `NotForYourRole`."""
    signing_role(by, Act.SIGN_OFF_DOSE, dose.programme)
    asked = profile_version(dose.profile, dose.profile_version).sign_off
    held = (holding.role for holding in by.holdings if holding.programme in {dose.programme, None})
    role = next((role for role in held if role in asked.roles), None)
    if role is None:
        raise NotForYourRole(asked.says, rule=asked.rule)
    return role


def _moved() -> DoseMoved:
    return DoseMoved("It was amended, signed, sent back or corrected meanwhile. Read the queue again.")
