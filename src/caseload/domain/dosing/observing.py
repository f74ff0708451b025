"""How a client is before a dose, as the person at the window sees it: what a step up waits for, among others.

One act records all of it: how awake the client is, whether intoxicated, and, where it is measured, withdrawal on a scale
(COWS). What the profile names as a reason holds every dose until a prescriber has looked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, HoldId, PreDoseId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import Hold, HoldReason, Holds, MedicationRecord
from caseload.domain.medication.holding import keep_hold
from caseload.domain.medication.record import LONGEST_NOTE
from caseload.domain.observation import InstrumentName, Observations, Observed, instrument
from caseload.domain.observation import record as record_observation
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
    withdrawal: UUID | None = None
    """The observation of withdrawal that was made with it."""
    hold: HoldId | None = None
    """The hold that it raised."""
    seen_at: datetime | None = None
    """When it was seen, where it was written down only afterwards."""

    @property
    def happened_at(self) -> datetime:
        """When it was seen."""
        return self.seen_at or self.recorded_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What somebody sees before a dose."""

    sedation: Sedation
    intoxicated: bool
    note: str = ""
    cows: Mapping[str, int | None] | None = None
    """The answers to the Clinical Opiate Withdrawal Scale, where it is measured."""


class PreDoseObserved(Event):
    """Somebody recorded how a client was before a dose."""

    name: ClassVar[str] = "dose.observed_before"


class PreDoses(Holds, Protocol):
    """The observations before doses."""

    async def holds_of(self, client: ClientId, /) -> Sequence[Hold]:
        """Every hold of a client, newest first."""
        ...

    async def add_pre_dose(self, seen: PreDose, /) -> None:
        """Keep an observation."""
        ...


async def observe_before_dose(
    client: ClientId,
    seen: Seen,
    *,
    as_id: PreDoseId,
    by: Staff,
    now: datetime,
    doses: PreDoses,
    observations: Observations,
    journal: Journal,
    seen_at: datetime | None = None,
) -> PreDose:
    """Record how a client is before today's dose, and hold the client where the profile says so.

    `seen_at` is for what was seen before and is written down afterwards: it belongs to the dose of that day. Raises `ClientUnknown`, `NotPermitted`, `Invalid`.
    """
    faults = Faults()
    faults.check(when=len(seen.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
    at = seen_at or now
    faults.check(when=at > now, where="seen_at", problem="what has happened cannot lie in the future")
    faults.raise_if_any()
    record = await doses.lock(client, by=by, act=Act.RECORD_DOSE)
    place = record.place(by, Act.RECORD_DOSE)
    withdrawal = None
    if seen.cows is not None:
        measured = await record_observation(
            client,
            Observed(observed_at=at, answers=seen.cows),
            as_id=new_id(),
            instrument=instrument(InstrumentName.COWS),
            by=by,
            now=now,
            observations=observations,
            journal=journal,
        )
        withdrawal = measured.id
    hold = await _held(client, seen, record, place, by=by, now=now, doses=doses)
    if hold is not None:
        await keep_hold(hold, record, holds=doses, journal=journal)
    kept = PreDose(
        id=as_id,
        client=client,
        programme=place,
        dosing_day=record.day_of(at),
        sedation=seen.sedation,
        intoxicated=seen.intoxicated,
        note=seen.note,
        recorded_by=by.id,
        recorded_at=now,
        withdrawal=withdrawal,
        hold=hold.id if hold is not None else None,
        seen_at=seen_at,
    )
    await doses.add_pre_dose(kept)
    journal.tell(PreDoseObserved(client=client, records=(kept.id,)))
    return kept


async def _held(
    client: ClientId,
    seen: Seen,
    record: MedicationRecord,
    place: ProgrammeId,
    *,
    by: Staff,
    now: datetime,
    doses: PreDoses,
) -> Hold | None:
    """The hold that the profile raises for what was seen; none where the same rule holds the client already."""
    said = record.rules_on(record.day_of(now)).around_the_dose.before
    if seen.intoxicated and said.holds_intoxicated:
        reason = HoldReason.INTOXICATION
    elif said.holds_from is not None and seen.sedation.reaches(said.holds_from):
        reason = HoldReason.SEDATION
    else:
        return None
    holds = await doses.holds_of(client)
    if any(hold.by_rule == said.rule and hold.cleared_at is None for hold in holds):
        return None
    return Hold(
        id=HoldId(new_id()),
        client=client,
        programme=place,
        reason=reason,
        note=said.says,
        raised_by=by.id,
        raised_at=now,
        by_rule=said.rule,
    )
