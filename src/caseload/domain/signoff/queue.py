"""What waits for a signature, the highest risk first.

Waiting, rejected or under amendment, a recorded dose counts as swallowed for every rule and never delays tomorrow's.
The queue is kept as rows that leave it when their version is signed or corrected, so that it stays as long as what
waits, whatever the record has grown to (decision 0302).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from caseload.domain.access import MAY, Act
from caseload.domain.dosing import Dose, Entry, Kind
from caseload.domain.dosing.giver import GiverWord
from caseload.domain.ids import ProgrammeId
from caseload.domain.people import Staff
from caseload.domain.programme import Programme


class Risk(StrEnum):
    """What a dose is ranked by, the highest first; within a rank the oldest comes first."""

    EXCEPTION = "exception"
    """It broke a rule: it was too much, too early, without an order, in spite of a hold."""
    AMENDED = "amended"
    """What the record says was changed after it was made, perhaps after it was signed."""
    DECIDED = "decided"
    """It was given on a prescriber's decision: after missed doses, on days that nobody knows of."""
    LATE = "late"
    """It was entered afterwards, from paper or from memory."""
    ROUTINE = "routine"
    """It broke no rule and was recorded as it was given."""


RANKS = {risk: rank for rank, risk in enumerate(Risk, start=1)}
"""As numbers, 1 being the highest."""


def risk_of(dose: Dose) -> Risk:
    """What a version of a dose is ranked by: the highest that is true of it."""
    if dose.kind is Kind.EXCEPTION:
        return Risk.EXCEPTION
    if dose.version > 1:
        return Risk.AMENDED
    if dose.decision is not None:
        return Risk.DECIDED
    return Risk.LATE if dose.entry is Entry.LATE else Risk.ROUTINE


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A version of a dose that waits: for a signature, or, sent back, for its recorder."""

    dose: Dose
    """The newest version, as it is displayed and would be signed."""
    sign_by: datetime
    """The profile's deadline for the signature."""
    rejected_at: datetime | None
    rejection: str | None
    """Why it was sent back; only an amendment makes it ready to sign again."""
    giver: GiverWord | None = None
    """The word of whoever is named as its giver, where somebody else entered it."""

    @property
    def risk(self) -> Risk:
        """What it is ranked by."""
        return risk_of(self.dose)

    def is_late(self, now: datetime) -> bool:
        """Whether the profile's deadline for the signature has passed."""
        return self.sign_by < now


def signs_for_doses(by: Staff, programmes: Sequence[Programme], *, now: datetime) -> list[ProgrammeId]:
    """Where this person may be the second pair of eyes today: in a role that the programme's profile asks for."""
    found: list[ProgrammeId] = []
    for programme in programmes:
        asked = programme.rules_on(programme.today(now)).sign_off.roles
        held = {each.role for each in by.holdings if each.programme in {programme.id, None}}
        if held & MAY[Act.SIGN_OFF_DOSE] & set(asked):
            found.append(programme.id)
    return found
