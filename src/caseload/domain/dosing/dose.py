"""Doses as recorded: what was taken, by whom it was given, when it happened and when we were told."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from caseload.domain.ids import ClientId, CorrectionId, DecisionId, DoseId, OrderId, ProgrammeId, ReplacementId, StaffId
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.signature import Subject, Version


class Kind(StrEnum):
    """What a dose record is to the rules."""

    ORDINARY = "ordinary"
    """It broke no rule, and takes its part of the dosing day: no second one can be stored."""
    EXCEPTION = "exception"
    """It happened although a rule was against it: labelled, counted, and it holds the next one."""
    REPLACEMENT = "replacement"
    """Given in the place of a dose that was vomited or spilled, by a clinician's decision: beside the part of its day."""
    BROUGHT_IN = "brought_in"
    """From the history of a programme before it started with us: it has a source and no order."""


class Entry(StrEnum):
    """How a dose came into the record."""

    WINDOW = "window"
    """Recorded as it was given."""
    LATE = "late"
    """Recorded afterwards, with the reason why."""
    SOURCE = "source"
    """Brought in from the record of another system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dose:
    """One version of the record of one dose. Version 1 is the recording; each amendment is a version of its own."""

    id: DoseId
    version: int
    client: ClientId
    programme: ProgrammeId
    """Where it was given."""
    order: OrderId | None
    """None for brought-in doses, and for an exception given without any order."""
    dosing_day: date
    """The local date in the home programme's zone, fixed at recording."""
    part: DosePart
    medicine: Medicine
    form: Form
    amount_mg: Decimal
    supervised: bool | None
    """None only for brought-in doses, of which it is not known."""
    given_at: datetime | None
    """None only for brought-in doses, of which only the day is known."""
    given_by: StaffId | None
    """None only for brought-in doses: nobody here gave them."""
    recorded_at: datetime
    recorded_by: StaffId
    kind: Kind
    entry: Entry
    late_reason: str | None = None
    less_reason: str | None = None
    rules: tuple[str, ...] = ()
    """The rules that an exception broke."""
    profile: str
    profile_version: int
    decision: DecisionId | None = None
    """The prescriber's decision that allowed it, used up by it."""
    freed_by: CorrectionId | None = None
    """The correction "not given" that freed this part of the day for it."""
    replacement: ReplacementId | None = None
    """The decision by which it replaces another dose; it is used up by it."""
    amended_at: datetime | None = None
    amended_by: StaffId | None = None
    amendment_reason: str | None = None
    source: UUID | None = None
    source_line: int | None = None
    amount_ml: Decimal | None = None
    """Of a liquid, by the concentration beside it; None where no order of ours tells the concentration."""
    strength_mg: Decimal | None = None
    """Milligrams in one millilitre of what was measured."""

    @property
    def profile_label(self) -> str:
        """The profile and version by which it was judged."""
        return f"{self.profile}-{self.profile_version}"

    @property
    def hands(self) -> frozenset[StaffId]:
        """Everybody whose own work this version is: they can never be its second pair of eyes."""
        return frozenset(hand for hand in (self.given_by, self.recorded_by, self.amended_by) if hand is not None)

    def as_signed(self) -> Version:
        """The exact version under which a second clinician signs."""
        return Version(
            subject=Subject.DOSE,
            id=self.id,
            number=self.version,
            content=self._said()
            | {
                "amended_at": self.amended_at,
                "amended_by": self.amended_by,
                "amendment_reason": self.amendment_reason,
                "amount_mg": self.amount_mg,
                "client": self.client,
                "decision": self.decision,
                "dosing_day": self.dosing_day,
                "entry": self.entry,
                "form": self.form,
                "freed_by": self.freed_by,
                "given_at": self.given_at,
                "given_by": self.given_by,
                "kind": self.kind,
                "late_reason": self.late_reason,
                "less_reason": self.less_reason,
                "medicine": self.medicine,
                "order": self.order,
                "part": self.part,
                "profile": self.profile,
                "profile_version": self.profile_version,
                "programme": self.programme,
                "recorded_at": self.recorded_at,
                "recorded_by": self.recorded_by,
                "rules": self.rules,
                "supervised": self.supervised,
            },
        )

    def _said(self) -> dict[str, object]:
        """What stands in the signed content only where there is something to say."""
        said: dict[str, object] = {}
        if self.amount_ml is not None:
            said |= {"amount_ml": self.amount_ml, "strength_mg": self.strength_mg}
        if self.replacement is not None:
            said["replacement"] = self.replacement
        return said


class NotGivenReason(StrEnum):
    """Why a dose that was due was not given (FHIR R4 MedicationAdministration, `not-done` with statusReason)."""

    REFUSED = "refused"
    HELD = "held"
    ABSENT = "absent"
    INTOXICATED = "intoxicated"
    NO_ORDER = "no_order"
    STOCK = "stock"
    SYSTEM = "system"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotGiven:
    """A dose that was not given, and why. It is never a dose of zero milligrams."""

    id: DoseId
    client: ClientId
    programme: ProgrammeId
    order: OrderId | None
    dosing_day: date
    part: DosePart
    reason: NotGivenReason
    note: str
    recorded_at: datetime
    recorded_by: StaffId


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A recorded dose was in fact not given: it no longer counts, and its part of the day is free again."""

    id: CorrectionId
    dose: DoseId
    dose_version: int
    """The version that the signer read."""
    client: ClientId
    dosing_day: date
    part: DosePart
    reason: str
    signed_by: StaffId
    signed_at: datetime

    def as_signed(self) -> Version:
        """The content that the second clinician signs."""
        return Version(
            subject=Subject.DOSE_CORRECTION,
            id=self.id,
            number=1,
            content={
                "client": self.client,
                "dose": self.dose,
                "dose_version": self.dose_version,
                "dosing_day": self.dosing_day,
                "part": self.part,
                "reason": self.reason,
                "signed_at": self.signed_at,
                "signed_by": self.signed_by,
            },
        )
