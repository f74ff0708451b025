"""Whether a vomited or spilled dose is replaced: a clinician's signed decision. `replacing` gives what it allows.

The profile says who decides, and when it asks for a second confirmation. Source: clinic practice (not replaced without
a clinician's assessment; after about 30 minutes generally not at all; often by half); a ladder in minutes is local
policy and unconfirmed, so the profile asks and forbids nothing.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act, Role
from caseload.domain.dosing import (
    Dose,
    Doses,
)
from caseload.domain.dosing.correction import newest_dose
from caseload.domain.dosing.refusal import policy
from caseload.domain.errors import Conflict, Faults, NotPermitted
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, ReplacementId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import DosePart, check_milligrams
from caseload.domain.people import Proof, Staff
from caseload.domain.profiles import Profile
from caseload.domain.signature import Meaning, Signature, Signatures, Subject, Version, sign, signing_role


class Verdict(StrEnum):
    """What a clinician decides about a dose that was lost."""

    REPLACE = "replace"
    LEAVE = "leave"
    """Nothing is given in its place."""


class NothingLost(Conflict):
    """Nothing of this dose is in the record as vomited or spilled."""


class AlreadyReplaced(Conflict):
    """This dose has been replaced."""


class ReplacementAsks(Conflict):
    """The profile asks for a second confirmation before this dose is replaced."""


class NotYoursToDecide(NotPermitted):
    """The programme's rules ask another role whether a dose is replaced."""


class DoseReplacementDecided(Event):
    """A clinician decided whether a lost dose is replaced."""

    name: ClassVar[str] = "dose.replacement_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """What was lost of a dose, and what has been done about it."""

    minutes_after: int | None
    """How long after it the dose came back; None when it did not."""
    witnessed: bool
    spilled_mg: Decimal
    decision: "Replacement | None"
    """The newest decision."""
    replaced_by: DoseId | None

    @property
    def is_any(self) -> bool:
        """Whether anything of it was lost."""
        return self.minutes_after is not None or self.spilled_mg > 0

    def lost_mg(self, dose: Dose) -> Decimal:
        """How much at most was lost of what was meant for the client."""
        came_back = dose.amount_mg if self.minutes_after is not None else Decimal()
        return came_back + self.spilled_mg


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """What a clinician wants to decide."""

    verdict: Verdict
    at_most_mg: Decimal | None
    reason: str
    confirmed: bool = False
    """Said a second time, where the profile asks for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """A clinician's signed decision about a dose that was lost."""

    id: ReplacementId
    dose: DoseId
    dose_version: int
    client: ClientId
    programme: ProgrammeId
    dosing_day: date
    part: DosePart
    verdict: Verdict
    at_most_mg: Decimal | None
    reason: str
    asked: tuple[str, ...]
    """What the profile asked before it was signed."""
    decided_by: StaffId
    decided_at: datetime
    profile: str
    profile_version: int

    def as_signed(self) -> Version:
        """The content that the clinician signs."""
        return Version(
            subject=Subject.DOSE_REPLACEMENT,
            id=self.id,
            number=1,
            content={
                "asked": self.asked,
                "at_most_mg": self.at_most_mg,
                "client": self.client,
                "decided_at": self.decided_at,
                "decided_by": self.decided_by,
                "dose": self.dose,
                "dose_version": self.dose_version,
                "dosing_day": self.dosing_day,
                "part": self.part,
                "profile": self.profile,
                "profile_version": self.profile_version,
                "programme": self.programme,
                "reason": self.reason,
                "verdict": self.verdict,
            },
        )


class Replacements(Doses, Signatures, Protocol):
    """Lost doses, and the decisions about them."""

    async def loss_of(self, dose: DoseId, /) -> Loss:
        """What is in the record of a dose that was lost."""
        ...

    async def add_replacement(self, decision: Replacement, signature: Signature, /) -> None:
        """Keep a signed decision."""
        ...


async def decide_replacement(
    dose_id: DoseId,
    wished: Wished,
    *,
    as_id: ReplacementId,
    by: Staff,
    proof: Proof,
    now: datetime,
    replacements: Replacements,
    journal: Journal,
) -> Replacement:
    """Decide, and sign, whether a lost dose is replaced and by how much at most.

    Raises `DoseUnknown`, `DoseMoved`, `NothingLost`, `AlreadyReplaced`, `ReplacementAsks`, `NotYoursToDecide`, `Invalid`,
    and what `sign` raises.
    """
    faults = Faults()
    check_reason(wished.reason, faults)
    faults.check(
        when=(wished.at_most_mg is None) != (wished.verdict is Verdict.LEAVE),
        where="at_most_mg",
        problem="is named exactly when the dose is replaced",
    )
    if wished.at_most_mg is not None:
        check_milligrams(wished.at_most_mg, "at_most_mg", faults)
    faults.raise_if_any()
    record, dose = await newest_dose(dose_id, by=by, act=Act.DECIDE_REPLACEMENT, doses=replacements)
    place = record.place(by, Act.DECIDE_REPLACEMENT)
    rules = record.rules_on(record.day_of(now))
    role = _deciding_role(by, place, rules)
    loss = await replacements.loss_of(dose.id)
    if not loss.is_any:
        raise NothingLost("Record first that it was vomited or spilled.")
    if loss.replaced_by is not None:
        raise AlreadyReplaced("Read the client's medication chart.", dose=str(loss.replaced_by))
    lost_mg = loss.lost_mg(dose)
    faults.check(
        when=wished.at_most_mg is not None and wished.at_most_mg > lost_mg,
        where="at_most_mg",
        problem=f"must not be more than the {lost_mg} mg that were lost",
    )
    faults.raise_if_any()
    asked = _asked(loss, wished, rules)
    if asked and not wished.confirmed:
        says = rules.around_the_dose.vomited.says
        raise ReplacementAsks(
            f"{says} Send it again with `confirmed`.",
            rule=rules.around_the_dose.vomited.rule,
            policy=policy(rules.around_the_dose.vomited.rule, rules),
            asked=list(asked),
            minutes_after=loss.minutes_after,
            witnessed=loss.witnessed,
        )
    decision = Replacement(
        id=as_id,
        dose=dose.id,
        dose_version=dose.version,
        client=dose.client,
        programme=place,
        dosing_day=dose.dosing_day,
        part=dose.part,
        verdict=wished.verdict,
        at_most_mg=wished.at_most_mg,
        reason=wished.reason,
        asked=asked,
        decided_by=by.id,
        decided_at=now,
        profile=rules.profile,
        profile_version=rules.version,
    )
    signature = sign(decision.as_signed(), by=by, role=role, meaning=Meaning.APPROVED, proof=proof, now=now)
    await replacements.add_replacement(decision, signature)
    journal.tell(
        DoseReplacementDecided(
            client=dose.client,
            records=(dose.id, decision.id, signature.id),
            facts={"verdict": decision.verdict, "profile": rules.label},
        )
    )
    return decision


def _deciding_role(by: Staff, place: ProgrammeId, rules: Profile) -> Role:
    """The role in which the profile lets this person decide; raises `NotYoursToDecide`."""
    signing_role(by, Act.DECIDE_REPLACEMENT, place)
    vomited = rules.around_the_dose.vomited
    held = (holding.role for holding in by.holdings if holding.programme in {place, None})
    role = next((role for role in held if role in vomited.decided_by), None)
    if role is None:
        raise NotYoursToDecide(vomited.says, rule=vomited.rule)
    return role


def _asked(loss: Loss, wished: Wished, rules: Profile) -> tuple[str, ...]:
    """What the profile asks twice about: a dose that came back late, or that nobody saw come back."""
    vomited = rules.around_the_dose.vomited
    if wished.verdict is Verdict.LEAVE or loss.minutes_after is None:
        return ()
    found: list[str] = []
    if loss.minutes_after >= vomited.asks_after_minutes:
        found.append("late")
    if vomited.asks_unwitnessed and not loss.witnessed:
        found.append("unwitnessed")
    return tuple(found)
