"""The parts of an order: who hands the medicine over, how it stands, its steps, and what was asked before it counted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from caseload.domain.medicines import DosePart


class Standing(StrEnum):
    """How an order stands on a dosing day at a moment."""

    DRAFT = "draft"
    NOT_BEGUN = "not_begun"
    IN_FORCE = "in_force"
    ENDED = "ended"
    STOPPED = "stopped"
    REPLACED = "replaced"


class Supply(StrEnum):
    """Who hands the medicine over."""

    WINDOW = "window"
    """Our own."""
    PHARMACY = "pharmacy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From a day on another amount is ordered."""

    from_on: date
    amounts_mg: Mapping[DosePart, Decimal]

    @property
    def total_mg(self) -> Decimal:
        """All parts of a day together."""
        return sum(self.amounts_mg.values(), Decimal())

    def is_above(self, other: "Step") -> bool:
        """Whether any part of the day holds more than before."""
        return any(amount > other.amounts_mg.get(part, Decimal()) for part, amount in self.amounts_mg.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A question of the profile about an order, with the facts it asked about and the prescriber's reason."""

    rule: str
    profile: str
    profile_version: int
    reason: str
    facts: Mapping[str, object]
    """Text, whole numbers and lists of text."""
    at: datetime
