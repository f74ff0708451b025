"""Units: one dated dose each, labelled, handed out together, and each accounted for by itself.

An administration and a dispense are two records (FHIR R4 MedicationAdministration, MedicationDispense): a unit is never
a dose at the window, and what was taken home never adds to what was consumed (21 CFR 1304.24(a)(6) and (7)).
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from caseload.domain.ids import (
    ClientId,
    DispenseId,
    OrderId,
    ProgrammeId,
    ReturnId,
    StaffId,
    TakeHomeDecisionId,
    UnitId,
    WasteId,
)
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.takehome.collecting import Collecting

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letter that reads as a digit."""
_LABEL_LENGTH: Final = 12


class CameBack(StrEnum):
    """In what state a unit came back."""

    FULL = "full"
    """Untouched. It is destroyed with a witness and never given to anybody again."""
    EMPTY = "empty"
    MISSING = "missing"
    """It did not come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a unit, as the client or somebody else said; a later version puts an earlier one right."""

    unit: UnitId
    version: int
    report: ReturnId
    state: CameBack
    taken: bool
    """Whether it is said to have been taken on its day."""
    reason: str | None = None
    """Why an earlier version was not right."""
    waste: WasteId | None = None
    """The record by which a full one is destroyed, where the programme keeps its stock with us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeHomeUnit:
    """One labelled unit for one part of one dosing day."""

    id: UnitId
    dispense: DispenseId
    client: ClientId
    programme: ProgrammeId
    """Where it was handed out."""
    order: OrderId
    decision: TakeHomeDecisionId | None
    """None for a closed day, where the profile needs no decision for those."""
    for_on: date
    part: DosePart
    medicine: Medicine
    form: Form
    strength_mg: Decimal
    amount_mg: Decimal
    amount_ml: Decimal | None
    label: str
    is_closure: bool
    """For a day on which the window is closed: it counts against no ladder."""
    dispensed_on: date
    replaces: UnitId | None = None
    """The unit for the same part of the day that came back full."""
    is_exception: bool = False
    """Handed out although a rule stood in the way: the dispense names it."""
    outcome: Outcome | None = None

    @property
    def is_back(self) -> bool:
        """Whether it came back full: its day is free again."""
        return self.outcome is not None and self.outcome.state is CameBack.FULL


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Why, by whom and when it was written down only afterwards."""

    reason: str
    recorded_by: StaffId
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispense:
    """What was handed to whom at one time."""

    id: DispenseId
    client: ClientId
    programme: ProgrammeId
    units: tuple[TakeHomeUnit, ...]
    educated: bool
    """Whether the client was told how to carry and store it safely."""
    education_note: str
    collecting: Collecting
    dispensed_by: StaffId
    dispensed_at: datetime
    dispensed_on: date
    profile: str
    profile_version: int
    rules: tuple[str, ...] = ()
    """The rules that it broke: what is about to be handed out breaks none, what was handed out on paper may."""
    late: Late | None = None
    """Written down only afterwards."""

    @property
    def recorded_at(self) -> datetime:
        """When we were told."""
        return self.dispensed_at if self.late is None else self.late.recorded_at


def label_of(unit: UUID) -> str:
    """A label id that fits on a bottle and can be read out: from the random half of the unit's own id."""
    number = unit.int & ((1 << (5 * _LABEL_LENGTH)) - 1)
    marks = [_ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LABEL_LENGTH))]
    return "-".join("".join(marks[begin : begin + 4]) for begin in range(0, _LABEL_LENGTH, 4))
