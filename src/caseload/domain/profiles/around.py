"""What a profile asks around a dose: who it is, how they are before it, and what follows when it is lost."""

from collections.abc import Iterable
from enum import StrEnum

from caseload.domain.access import CLINICIANS, Role
from caseload.domain.medicines import Medicine
from caseload.domain.profiles.said import Data, SaidBy


class IdentifiedBy(StrEnum):
    """How whoever gives a dose made sure whom they give it to."""

    PHOTOGRAPH = "photograph"
    ID_DOCUMENT = "id_document"
    QUESTIONS = "questions"
    """Date of birth and address, asked and not told."""
    KNOWN = "known"
    """Known by sight to whoever gives it."""


class Sedation(StrEnum):
    """How awake the client is, the least first."""

    ALERT = "alert"
    DROWSY = "drowsy"
    HARD_TO_ROUSE = "hard_to_rouse"

    def reaches(self, other: "Sedation") -> bool:
        """Whether the client is as hard to wake as that, or harder."""
        order = list(Sedation)
        return order.index(self) >= order.index(other)


class Identity(SaidBy, frozen=True):
    """Which checks of identity count, and whether a dose may be given without one."""

    required: bool
    accepts: tuple[IdentifiedBy, ...]


class Before(SaidBy, frozen=True):
    """What is seen before a dose that holds it until a prescriber has looked."""

    holds_intoxicated: bool
    holds_from: Sedation | None
    """From which sedation on; None where the profile leaves it to whoever sees it."""


class Withdrawal(SaidBy, frozen=True):
    """Before the first dose of which medicines withdrawal is measured."""

    medicines: tuple[Medicine, ...]


class Vomited(SaidBy, frozen=True):
    """Who decides whether a vomited or spilled dose is replaced, and when they are asked twice."""

    decided_by: tuple[Role, ...]
    asks_after_minutes: int
    """A replacement after so many minutes needs a second confirmation: most of the dose has been taken up."""
    asks_unwitnessed: bool
    """So does one of a dose that nobody saw come back."""

    def looser_than(self, base: "Vomited") -> Iterable[str]:
        """What of `base` this loosens."""
        if not set(self.decided_by) <= set(base.decided_by):
            yield "around_the_dose.vomited.decided_by: more roles may decide"
        if self.asks_after_minutes > base.asks_after_minutes:
            yield "around_the_dose.vomited.asks_after_minutes: asked later"
        if base.asks_unwitnessed and not self.asks_unwitnessed:
            yield "around_the_dose.vomited.asks_unwitnessed: no longer asked"


class AroundTheDose(Data, frozen=True):
    """Everything that a profile asks around a dose."""

    identity: Identity
    before: Before
    withdrawal: Withdrawal
    vomited: Vomited
    spilled: SaidBy

    def contradictions(self) -> Iterable[str]:
        """What makes it unusable although its form is right."""
        if not self.identity.accepts:
            yield "around_the_dose.identity.accepts must name a check"
        if not self.vomited.decided_by or not set(self.vomited.decided_by) <= CLINICIANS:
            yield "around_the_dose.vomited.decided_by must name clinicians"
        if self.vomited.asks_after_minutes < 0:
            yield "around_the_dose.vomited.asks_after_minutes must not be negative"

    def looser_than(self, base: "AroundTheDose") -> Iterable[str]:
        """Every rule of `base` that this loosens."""
        if base.identity.required and not self.identity.required:
            yield "around_the_dose.identity.required: a dose may be given without"
        if not set(self.identity.accepts) <= set(base.identity.accepts):
            yield "around_the_dose.identity.accepts: more checks count"
        if base.before.holds_intoxicated and not self.before.holds_intoxicated:
            yield "around_the_dose.before.holds_intoxicated: no longer holds"
        if base.before.holds_from is not None and (
            self.before.holds_from is None or not base.before.holds_from.reaches(self.before.holds_from)
        ):
            yield "around_the_dose.before.holds_from: holds later"
        if not set(base.withdrawal.medicines) <= set(self.withdrawal.medicines):
            yield "around_the_dose.withdrawal.medicines: asked of fewer medicines"
        yield from self.vomited.looser_than(base.vomited)
