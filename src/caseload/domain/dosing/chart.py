"""The medication chart: the record of doses as it stands, each with how its second look ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from caseload.domain.dosing.dose import Correction, Dose, Kind
from caseload.domain.dosing.due import Due
from caseload.domain.dosing.giver import GiverStanding, GiverWord, standing_of
from caseload.domain.ids import DoseId, StaffId
from caseload.domain.medication import Decision, Hold, MedicationRecord, Order
from caseload.domain.profiles.around import IdentifiedBy
from caseload.domain.signature import Meaning


class DoseStanding(StrEnum):
    """Where a version of a dose stands. Only `not_given` makes the dose count no longer."""

    WAITING = "waiting"
    """For a second clinician's signature."""
    SIGNED = "signed"
    SENT_BACK = "sent_back"
    NOT_GIVEN = "not_given"
    """Corrected: it was in fact not given."""
    AMENDED = "amended"
    """A later version took its place before anybody had looked at this one."""
    BROUGHT_IN = "brought_in"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """How a second clinician's look at a version ended, as a signature shows it (21 CFR 11.50)."""

    by: StaffId
    printed_name: str
    at: datetime
    meaning: Meaning | None
    """None when it was sent back."""
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VomitedAfter:
    """It came back."""

    minutes: int
    witnessed: bool
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Charted:
    """A version of a dose, and where it stands."""

    dose: Dose
    reviewed: Reviewed | None = None
    correction: Correction | None = None
    is_newest: bool = True
    identified_by: IdentifiedBy | None = None
    """How whoever gave it made sure who it was."""
    vomited: VomitedAfter | None = None
    replaces: DoseId | None = None
    """The dose in whose place it was given."""
    giver: GiverWord | None = None
    """The word of whoever is named as its giver, where somebody else entered it."""

    def as_recorded(self) -> "Charted":
        """The same as it was when it had just been recorded: the first answer to whoever asks again."""
        return Charted(dose=self.dose, identified_by=self.identified_by, replaces=self.replaces)

    @property
    def giver_standing(self) -> GiverStanding | None:
        """Where the word of the named giver stands; None where nobody is asked."""
        return standing_of(self.dose, self.giver)

    @property
    def standing(self) -> DoseStanding:
        """Where it stands."""
        if self.correction is not None:
            return DoseStanding.NOT_GIVEN
        if self.dose.kind is Kind.BROUGHT_IN:
            return DoseStanding.BROUGHT_IN
        if self.reviewed is None:
            return DoseStanding.WAITING if self.is_newest else DoseStanding.AMENDED
        return DoseStanding.SIGNED if self.reviewed.meaning is not None else DoseStanding.SENT_BACK


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A client's medication: what is due today, and the record behind it."""

    record: MedicationRecord
    due: Due
    beside: Sequence[Due]
    """What is due by an order that stands beside it, in a later part of the day."""
    orders: Sequence[Order]
    holds: Sequence[Hold]
    decisions: Sequence[Decision]
    doses: Sequence[Charted]
