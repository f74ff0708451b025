"""A dose that came back. It stays in the record as it was given, and nobody gives it again on their own.

It counts as taken for the missed-dose ladder, because nobody can say how much was taken up, and for the same reason not
as taken in full where a step up waits for that.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing import Doses
from caseload.domain.dosing.correction import newest_dose
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, StaffId, VomitId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import LONGEST_NOTE
from caseload.domain.medicines import LONG_ACTING, DosePart
from caseload.domain.people import Staff

LONGEST_MINUTES: Final = 24 * 60
"""What comes up a day later is no longer the dose."""


class LossUnknown(NotFound):
    """There is no such record of a lost dose within your reach."""


class AlreadyVomited(Conflict):
    """It is in the record already that this dose came back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vomited:
    """A dose came back."""

    id: VomitId
    dose: DoseId
    dose_version: int
    client: ClientId
    programme: ProgrammeId
    dosing_day: date
    part: DosePart
    minutes_after: int
    witnessed: bool
    """Whether somebody of the staff saw it."""
    note: str
    recorded_by: StaffId
    recorded_at: datetime


class DoseVomited(Event):
    """A dose came back."""

    name: ClassVar[str] = "dose.vomited"


class VomitedDoses(Doses, Protocol):
    """The doses that came back."""

    async def add_vomited(self, vomited: Vomited, /) -> None:
        """Keep that a dose came back; raises `AlreadyVomited`."""
        ...


async def record_vomited(
    dose_id: DoseId,
    minutes_after: int,
    note: str,
    *,
    witnessed: bool,
    as_id: VomitId,
    by: Staff,
    now: datetime,
    doses: VomitedDoses,
    journal: Journal,
) -> Vomited:
    """Record that a dose came back so many minutes after it was given.

    Raises `DoseUnknown`, `DoseMoved` (it was in fact not given), `BroughtInDose`, `AlreadyVomited`, `Invalid`,
    `NotPermitted`.
    """
    faults = Faults()
    faults.check(
        when=not 0 <= minutes_after <= LONGEST_MINUTES,
        where="minutes_after",
        problem=f"must lie between 0 and {LONGEST_MINUTES}",
    )
    faults.check(when=len(note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
    faults.raise_if_any()
    record, dose = await newest_dose(dose_id, by=by, act=Act.RECORD_DOSE, doses=doses)
    if dose.form in LONG_ACTING:
        raise Invalid(Fault("dose_id", "what was injected does not come back"))
    if dose.given_at is None or dose.given_at + timedelta(minutes=minutes_after) > now:
        raise Invalid(Fault("minutes_after", "what has happened cannot lie in the future"))
    vomited = Vomited(
        id=as_id,
        dose=dose.id,
        dose_version=dose.version,
        client=dose.client,
        programme=record.place(by, Act.RECORD_DOSE),
        dosing_day=dose.dosing_day,
        part=dose.part,
        minutes_after=minutes_after,
        witnessed=witnessed,
        note=note,
        recorded_by=by.id,
        recorded_at=now,
    )
    await doses.add_vomited(vomited)
    await doses.note_gap(dose.client, record.day_of(now))
    journal.tell(DoseVomited(client=dose.client, records=(dose.id, vomited.id), facts={"minutes": minutes_after}))
    return vomited
