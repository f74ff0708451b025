"""Holds, and a prescriber's signed decisions that clear them or allow a dose after missed ones.

While a hold is in force nothing of what it is aimed at is about to be given: an order, the dose of a day, or everything.
Counselling attendance can never hold a dose: there is no such
reason (42 CFR 8.12; no programme may make medicine depend on counselling).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, DecisionId, DoseId, HoldId, ProgrammeId, StaffId
from caseload.domain.journal import Event
from caseload.domain.medication.aim import EVERY_DOSE, Aim, HoldReason, clears_by
from caseload.domain.medication.order import Order
from caseload.domain.medication.task import Tasks
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff
from caseload.domain.signature import Signature, Signatures, Subject, Version

EXCEPTION_HOLDS_NEXT: Final = "exception_holds_next"
"""The rule by which a dose that broke a rule holds the next one until a prescriber has looked."""
HOLD_TELLS_PHARMACY: Final = "hold_tells_pharmacy"
"""The rule by which somebody telephones the pharmacy when a hold is raised or cleared."""


class HoldUnknown(NotFound):
    """There is no such hold within your reach."""


class DecisionUnknown(NotFound):
    """There is no such decision within your reach."""


class HoldCleared(Conflict):
    """The hold has already been cleared."""


class NothingToDecide(Conflict):
    """No missed-dose rule stands in the way on these days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Nothing of what it is aimed at is given from the moment it is raised until a prescriber clears it."""

    id: HoldId
    client: ClientId
    programme: ProgrammeId
    reason: HoldReason
    note: str
    raised_by: StaffId
    raised_at: datetime
    by_rule: str | None = None
    """The rule that raised it; None when a person did."""
    policy: str | None = None
    """That rule with the version it stood in: the profile's as it was in force then, or the product's own."""
    dose: DoseId | None = None
    """The dose that broke a rule."""
    dose_version: int | None = None
    aim: Aim = EVERY_DOSE
    told: tuple[str, ...] = ()
    """Whom the person who raised it had told already."""
    clears: str | None = None
    """What clears it, in the words of whoever raised it."""
    cleared_at: datetime | None = None
    cleared_by: DecisionId | None = None

    @property
    def cleared_when(self) -> str:
        """What clears it."""
        return self.clears if self.clears is not None else clears_by(self.reason)


class DecisionKind(StrEnum):
    """What a prescriber decides."""

    CLEAR_HOLD = "clear_hold"
    ALLOW_DOSE = "allow_dose"
    """One dose on one of the named days, in spite of missed doses or days that nobody knows of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A prescriber's signed decision with its reason."""

    id: DecisionId
    client: ClientId
    programme: ProgrammeId
    kind: DecisionKind
    reason: str
    decided_by: StaffId
    decided_at: datetime
    hold: HoldId | None = None
    days: tuple[date, ...] = ()
    at_most_mg: Decimal | None = None
    """The most that may be given on the strength of this decision; None means what the order says."""
    profile: str = ""
    profile_version: int = 0
    rules: tuple[str, ...] = ()
    """The profile's rules that stood in the way when it was decided."""
    last_taken_on: date | None = None
    missed: int = 0
    medicine: Medicine | None = None
    """The medicine that may be given; None for a cleared hold, and for days with orders of more than one."""

    def as_signed(self) -> Version:
        """The content that the prescriber signs, with the facts it rests on."""
        return Version(
            subject=Subject.DECISION,
            id=self.id,
            number=1,
            content={
                "at_most_mg": self.at_most_mg,
                "client": self.client,
                "days": self.days,
                "decided_at": self.decided_at,
                "decided_by": self.decided_by,
                "hold": self.hold,
                "kind": self.kind,
                "last_taken_on": self.last_taken_on,
                "missed": self.missed,
                "profile": self.profile,
                "profile_version": self.profile_version,
                "programme": self.programme,
                "reason": self.reason,
                "rules": self.rules,
            }
            | ({} if self.medicine is None else {"medicine": self.medicine}),
        )


class HoldRaised(Event):
    """Nothing is given to the client until a prescriber clears it."""

    name: ClassVar[str] = "hold.raised"


class MedicationDecided(Event):
    """A prescriber cleared a hold or allowed a dose after missed ones."""

    name: ClassVar[str] = "medication.decided"


class Holds(Tasks, Signatures, Protocol):
    """The holds of clients and the decisions about them. Whoever adds one has locked the client's record first."""

    async def orders_of(self, client: ClientId, /) -> Sequence[Order]:
        """Every order of a client, newest first."""
        ...

    async def add_hold(self, hold: Hold, /) -> None:
        """Keep a hold."""
        ...

    async def hold(self, hold: HoldId, /, *, by: Staff, act: Act) -> Hold:
        """One hold; raises `HoldUnknown` outside the person's reach."""
        ...

    async def add_decision(self, decision: Decision, signature: Signature, /) -> None:
        """Keep a signed decision, and with it the end of the hold it clears; raises `HoldCleared`."""
        ...
