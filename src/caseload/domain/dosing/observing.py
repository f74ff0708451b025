"""How a client is before a dose, as the person at the window sees it: what a step up waits for, among others."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, PreDoseId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import MedicationRecords
from caseload.domain.medication.record import LONGEST_NOTE
from caseload.domain.people import Staff
from caseload.domain.profiles.around import Sedation


@dataclass(frozen=True, slots=True, kw_only=True)
class PreDose:
    """What somebody saw before a dose of a day. It is never changed: who sees more records it again."""

    id: PreDoseId
    client: ClientId
    programme: ProgrammeId
    dosing_day: date
    sedation: Sedation
    intoxicated: bool
    note: str
    recorded_by: StaffId
    recorded_at: datetime


class PreDoseObserved(Event):
    """Somebody recorded how a client was before a dose."""

    name: ClassVar[str] = "dose.observed_before"


class PreDoses(MedicationRecords, Protocol):
    """The observations before doses."""

    async def add_pre_dose(self, seen: PreDose, /) -> None:
        """Keep an observation."""
        ...


async def observe_before_dose(
    client: ClientId,
    sedation: Sedation,
    note: str,
    *,
    intoxicated: bool,
    as_id: PreDoseId,
    by: Staff,
    now: datetime,
    doses: PreDoses,
    journal: Journal,
) -> PreDose:
    """Record how a client is before today's dose. It stops nothing: whoever finds something raises a hold.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`.
    """
    faults = Faults()
    faults.check(when=len(note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
    faults.raise_if_any()
    record = await doses.lock(client, by=by, act=Act.RECORD_DOSE)
    seen = PreDose(
        id=as_id,
        client=client,
        programme=record.place(by, Act.RECORD_DOSE),
        dosing_day=record.day_of(now),
        sedation=sedation,
        intoxicated=intoxicated,
        note=note,
        recorded_by=by.id,
        recorded_at=now,
    )
    await doses.add_pre_dose(seen)
    journal.tell(PreDoseObserved(client=client, records=(seen.id,)))
    return seen
