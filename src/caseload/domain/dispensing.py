"""The dispensing log: what left the stock for whom, day by day, as a controlled-drugs inspector reads it.

21 CFR 1304.24(a): substance, strength, form, date, adequate identification of the patient, amount consumed, amount
and form taken home, and who dispensed. The patient is identified by number, not by name: the log remains a record
under 42 CFR Part 2 (1304.24(d)). What was consumed and what was taken home are two columns and never one sum: a line is
a dose at the window, or a unit on the day on which it was handed out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, UnitId
from caseload.domain.people import Staff

LONGEST_PERIOD = timedelta(days=31)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispensed:
    """One line of the log: the newest version of one dose, or one unit that was handed out."""

    dose: DoseId | UnitId
    """The dose, or the unit."""
    version: int
    client: ClientId
    chart_number: str | None
    dosing_day: date
    given_at: datetime | None
    medicine: str
    form: str
    strength_mg: Decimal | None
    """None where no order was in force."""
    amount_consumed_mg: Decimal
    """0 for a unit."""
    dispensed_by: str
    entry: str
    rules_broken: tuple[str, ...]
    not_given: bool
    """A clinician has signed that it was in fact not given; the line stays."""
    taken_home_mg: Decimal = Decimal()
    """0 for a dose at the window."""
    label: str | None = None
    """The label id of a unit."""
    for_on: date | None = None
    """The day for which a unit is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days asked for, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        """Refuse a period that ends before it begins or is too long for one answer."""
        if self.last < self.first:
            raise Invalid(Fault("last", "must not be before the first day"))
        if self.last - self.first >= LONGEST_PERIOD:
            raise Invalid(Fault("last", f"ask for {LONGEST_PERIOD.days} days at most, and again for the next ones"))


class DispensingLog(Protocol):
    """Where the log is read."""

    async def lines(
        self, programme: ProgrammeId, period: Period, *, after: DoseId | UnitId | None, limit: int
    ) -> Sequence[Dispensed]:
        """The lines of a period in the order of dispensing."""
        ...


async def read_log(
    programme: ProgrammeId, period: Period, *, by: Staff, after: DoseId | UnitId | None, limit: int, log: DispensingLog
) -> Sequence[Dispensed]:
    """The log of a programme; raises `NotPermitted` for whoever may not read it there."""
    by.require(Act.SEE_DISPENSING_LOG, programme)
    return await log.lines(programme, period, after=after, limit=limit)
