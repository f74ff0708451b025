"""Recording that a dose of a day was not given, and why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.dosing.dose import NotGiven, NotGivenReason
from caseload.domain.dosing.window import Doses
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ClientId, DoseId, OrderId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import LONGEST_NOTE
from caseload.domain.medicines import DosePart
from caseload.domain.people import Staff


class WasGiven(Conflict):
    """This part of the day has been given."""


class NotGivenRecorded(Event):
    """A dose that was due was not given."""

    name: ClassVar[str] = "dose.not_given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A dose of a day that is not given, and why."""

    client: ClientId
    order: OrderId | None
    part: DosePart
    reason: NotGivenReason
    note: str = ""
    on: date | None = None
    """Its day, where that is written down afterwards; None for today."""


async def record_not_given(
    missing: Missing, *, as_id: DoseId, by: Staff, now: datetime, doses: Doses, journal: Journal
) -> NotGiven:
    """Record that a dose of today, or of a day before, was not given, and why.

    Raises `Invalid`, `ClientUnknown`, `NotPermitted`, and `WasGiven` when the record has a dose of that part: two
    records that contradict each other would leave the next nurse to choose.
    """
    faults = Faults()
    faults.check(
        when=missing.reason is NotGivenReason.OTHER and not missing.note.strip(),
        where="note",
        problem="say what the other reason is",
    )
    faults.check(when=len(missing.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
    faults.raise_if_any()
    record = await doses.lock(missing.client, by=by, act=Act.RECORD_DOSE)
    today = record.day_of(now)
    day = missing.on or today
    faults.check(when=day > today, where="on", problem="what has happened cannot lie in the future")
    faults.raise_if_any()
    taken = (await doses.given_on([missing.client], day)).get(missing.client, ())
    if any(given.part.meets(missing.part) for given in taken):
        raise WasGiven('If it was in fact not given, a colleague corrects that dose as "not given".')
    covered = await doses.covered_on(record, day)
    if any(given.part.meets(missing.part) for given in covered):
        raise WasGiven("Somebody else says that it was taken. If that is wrong, withdraw the statement.")
    not_given = NotGiven(
        id=as_id,
        client=missing.client,
        programme=record.place(by, Act.RECORD_DOSE),
        order=missing.order,
        dosing_day=day,
        part=missing.part,
        reason=missing.reason,
        note=missing.note,
        recorded_at=now,
        recorded_by=by.id,
    )
    await doses.add_not_given(not_given)
    journal.tell(NotGivenRecorded(client=missing.client, records=(not_given.id,), facts={"reason": not_given.reason}))
    return not_given
