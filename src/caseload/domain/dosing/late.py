"""Recording what has already happened: a late entry is never refused, and an exception holds the next dose."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.dosing.at_home import suspend_after_missed
from caseload.domain.dosing.contacting import tell_prescriber
from caseload.domain.dosing.dose import Dose, Entry, Kind
from caseload.domain.dosing.facts import Giving
from caseload.domain.dosing.guest import against_guest
from caseload.domain.dosing.injecting import check_injecting
from caseload.domain.dosing.rules import judge
from caseload.domain.dosing.steps import in_step
from caseload.domain.dosing.window import Doses, check_giving, check_volume, ordinary_dose
from caseload.domain.errors import Faults
from caseload.domain.ids import DoseId, HoldId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import EXCEPTION_HOLDS_NEXT, Hold, HoldReason, MedicationRecord, OrderUnknown, keep_hold
from caseload.domain.medication.record import check_reason
from caseload.domain.people import Staff


class DoseRecordedLate(Event):
    """A dose that had been given before was recorded, with the reason why only then."""

    name: ClassVar[str] = "dose.recorded_late"


class ExceptionRecorded(Event):
    """A dose was recorded that broke a rule."""

    name: ClassVar[str] = "dose.exception_recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """Why and by whom something is recorded only now."""

    reason: str
    given_by: StaffId | None = None
    """The colleague who gave it, when it was not the person who records (a downtime sheet typed in)."""


async def record_late(
    giving: Giving, late: Late, *, as_id: DoseId, by: Staff, now: datetime, doses: Doses, journal: Journal
) -> Dose:
    """Record a dose that has already been given. No rule refuses it: what was swallowed must be in the record.

    If it broke a rule it is kept as an exception that names the rules, counts at once, holds the next dose and goes to
    a prescriber. Raises `Invalid`, `ClientUnknown`, `NotPermitted`, `OrderUnknown`.
    """
    check_giving(giving)
    faults = Faults()
    check_reason(late.reason, faults, "late_reason")
    faults.check(when=giving.given_at > now, where="given_at", problem="what has happened cannot lie in the future")
    faults.raise_if_any()
    record = await doses.lock(giving.client, by=by, act=Act.RECORD_DOSE)
    record.require_open()
    place = record.place(by, Act.RECORD_DOSE)
    day = record.day_of(giving.given_at)
    facts = in_step(await doses.facts(record, giving, day, at=giving.given_at, past=True), day)
    if giving.order is not None and facts.order is None:
        raise OrderUnknown("Read the client's medication chart for the orders there are, or name none.")
    check_volume(giving, facts.order)
    check_injecting(giving.injecting, giving.form, giving.medicine, facts.delivery, day)
    rules = record.rules_on(day)
    judgement = judge(giving, day, facts, record, at=giving.given_at, now=now)
    elsewhere = against_guest(facts.guests, day, at=giving.given_at, place=place, order=giving.order, record=record)
    broken = tuple(refusal.rule.value for refusal in (*judgement.broken, *elsewhere))
    dose = replace(
        ordinary_dose(
            giving, as_id=as_id, place=place, day=day, facts=facts, judgement=judgement, rules=rules, by=by, now=now
        ),
        given_by=late.given_by or by.id,
        entry=Entry.LATE,
        late_reason=late.reason,
    )
    if broken:
        dose = replace(dose, kind=Kind.EXCEPTION, rules=broken, decision=None, freed_by=None)
    sign_by = now + timedelta(hours=rules.sign_off.deadline_hours)
    await doses.add_dose(dose, sign_by=sign_by, station=giving.station, injecting=giving.injecting)
    await doses.note_gap(dose.client, record.day_of(now))
    if giving.identified_by is not None:
        await doses.add_identity_check(dose.id, giving.identified_by)
    journal.tell(DoseRecordedLate(client=dose.client, records=(dose.id,), facts={"profile": rules.label}))
    await tell_prescriber(dose, judgement.to_do, by=by, now=now, tasks=doses, journal=journal)
    await suspend_after_missed(dose, judgement.without.missed, rules, doses=doses, journal=journal)
    if broken:
        await hold_next(dose, broken, record, by=by, now=now, doses=doses, journal=journal)
    return dose


async def hold_next(
    dose: Dose,
    broken: Sequence[str],
    record: MedicationRecord,
    *,
    by: Staff,
    now: datetime,
    doses: Doses,
    journal: Journal,
) -> None:
    """Hold the next dose after one that broke a rule, until a prescriber has looked at it."""
    hold = Hold(
        id=HoldId(new_id()),
        client=dose.client,
        programme=dose.programme,
        reason=HoldReason.EXCEPTION,
        note="",
        raised_by=by.id,
        raised_at=now,
        by_rule=EXCEPTION_HOLDS_NEXT,
        dose=dose.id,
        dose_version=dose.version,
    )
    journal.tell(
        ExceptionRecorded(client=dose.client, records=(dose.id, hold.id), facts={"rules": ",".join(sorted(broken))})
    )
    await keep_hold(hold, record, holds=doses, journal=journal)
