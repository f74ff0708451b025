"""What a hold is aimed at, who is told of it, and what clears it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from caseload.domain.errors import Faults
from caseload.domain.ids import OrderId
from caseload.domain.medication.record import LONGEST_NOTE, check_reason
from caseload.domain.medicines import DosePart

MOST_TOLD = 20


class HoldReason(StrEnum):
    """Why nothing may be given."""

    INTOXICATION = "intoxication"
    SEDATION = "sedation"
    MEDICAL = "medical"
    IDENTITY = "identity"
    PRESCRIBER_ASKED = "prescriber_asked"
    MISSED_DOSES = "missed_doses"
    """A pharmacy reported missed doses that a prescriber must decide about; only the rule raises it."""
    EXCEPTION = "exception"
    """A dose was recorded that broke a rule; only the rule raises it."""
    REGISTERED_TWICE = "registered_twice"
    """Somebody says that the client is registered twice; only a proposed or undone merge raises it."""
    TRANSFERRED = "transferred"
    """The client came from another programme, where every order was stopped; only a transfer raises it."""
    OTHER = "other"


BY_RULE = frozenset(
    {HoldReason.MISSED_DOSES, HoldReason.EXCEPTION, HoldReason.REGISTERED_TWICE, HoldReason.TRANSFERRED}
)
"""Reasons that no person gives."""

_CLEARS: Mapping[HoldReason, str] = MappingProxyType({
    HoldReason.INTOXICATION: "Seen sober and awake, and a prescriber's signed decision.",
    HoldReason.SEDATION: "Seen awake, with the cause looked for, and a prescriber's signed decision.",
    HoldReason.MEDICAL: "What was found has been looked at, and a prescriber's signed decision.",
    HoldReason.IDENTITY: "It is certain who stands there, and a prescriber's signed decision.",
    HoldReason.PRESCRIBER_ASKED: "The prescriber has seen the client, and signs a decision.",
    HoldReason.MISSED_DOSES: "A prescriber has assessed the client, and signs a decision or writes another order.",
    HoldReason.EXCEPTION: "A prescriber has looked at the dose that broke a rule, and signs a decision.",
    HoldReason.REGISTERED_TWICE: "A prescriber has looked at the doses and orders of both registrations, and signs a decision.",
    HoldReason.TRANSFERRED: "A prescriber here has looked at the last doses, has ordered anew or decided not to, and signs a decision.",
    HoldReason.OTHER: "A prescriber's signed decision.",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """At what: one order, the dose of one day or a part of it, or every dose of the client."""

    order: OrderId | None = None
    on_day: date | None = None
    part: DosePart | None = None
    """Of the day; None means all of it."""

    def check(self, today: date, faults: Faults) -> None:
        """Add faults unless it is one thing that lies ahead."""
        faults.check(
            when=self.order is not None and self.on_day is not None,
            where="on_day",
            problem="aim at an order or at the dose of a day, not at both",
        )
        faults.check(
            when=self.part is not None and self.on_day is None, where="part", problem="is a part of which day?"
        )
        faults.check(
            when=self.on_day is not None and self.on_day < today, where="on_day", problem="has passed: nothing is held"
        )


EVERY_DOSE: Final = Aim()
"""Of the client, whatever the order and the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a person says with a hold."""

    note: str = ""
    told: tuple[str, ...] = ()
    """Whom you have told already, by name and function."""
    clears: str | None = None
    """What clears it; by the reason, where you say nothing."""

    def check(self, reason: HoldReason, faults: Faults) -> None:
        """Add faults unless they can be kept."""
        faults.check(when=reason in BY_RULE, where="reason", problem="only a rule raises this one")
        faults.check(
            when=reason is HoldReason.OTHER and not self.note.strip(),
            where="note",
            problem="say what the other reason is",
        )
        faults.check(when=len(self.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
        faults.check(when=len(self.told) > MOST_TOLD, where="told", problem=f"at most {MOST_TOLD} people")
        for number, each in enumerate(self.told):
            check_reason(each, faults, f"told.{number}")
        if self.clears is not None:
            check_reason(self.clears, faults, "clears")


def clears_by(reason: HoldReason) -> str:
    """What clears a hold of this reason, where nobody says anything else."""
    return _CLEARS[reason]
