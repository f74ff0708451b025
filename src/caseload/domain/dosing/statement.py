"""What somebody else says of a client's medicine: another programme, a hospital, a prison, a pharmacy, the family.

Who said it, when, and for each day what was taken, missed or withheld. Its days count as taken only once somebody here
has verified it; what a pharmacy reports of an order of ours that it supplies was seen by the pharmacy itself and counts
at once, on the word of whoever spoke to it. None of it is a dose of ours, and none of it touches our stock. It is never
changed: what was wrong is withdrawn with a reason, and said anew.
Source: product convention for missed days (an excused day is without medicine unless a verified statement says that it
was taken: who, when, amount, date).
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, StaffId, StatementId
from caseload.domain.medication import MedicationRecord, Order
from caseload.domain.medication.record import LONGEST_NOTE, check_reason
from caseload.domain.medicines import FORMS, LONG_ACTING, DosePart, Form, Medicine, check_milligrams
from caseload.domain.moments import YEARS, check_year

MOST_DAYS: Final = 366
"""Parts of days that one statement can speak of."""
LONGEST_NAME: Final = 200
YEARS_FROM: Final = YEARS.start


class Source(StrEnum):
    """Who says it."""

    PHARMACY = "pharmacy"
    PROGRAMME = "programme"
    """Another dispensing programme."""
    HOSPITAL = "hospital"
    PRISON = "prison"
    PRESCRIBER = "prescriber"
    CLIENT = "client"
    FAMILY = "family"
    OTHER = "other"


class DayOutcome(StrEnum):
    """What became of a day's medicine."""

    TAKEN = "taken"
    MISSED = "missed"
    """The client did not come for it."""
    WITHHELD = "withheld"
    """It was not given although the client came; the reason stands beside it."""


class HowVerified(StrEnum):
    """How somebody made sure."""

    TELEPHONE = "telephone"
    IN_PERSON = "in_person"
    DOCUMENT = "document"
    """A letter, a chart or a printout was seen."""
    ELECTRONIC = "electronic"


class StatementUnknown(NotFound):
    """There is no such statement within your reach."""


class AlreadyVerified(Conflict):
    """The statement has been verified already."""


class StatementWithdrawn(Conflict):
    """The statement has been withdrawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDay:
    """What became of a part of one day's medicine."""

    day: date
    """In the home programme's days."""
    part: DosePart
    outcome: DayOutcome
    amount_mg: Decimal | None = None
    """Of what was taken; none otherwise."""
    taken_at: datetime | None = None
    reason: str | None = None
    """Why it was withheld."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """Who made sure of it, with whom, and how."""

    asked: str
    """Name and function of whoever was asked, or the document that was seen."""
    how: HowVerified
    verified_by: StaffId
    verified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """Who took it back, and why."""

    reason: str
    withdrawn_by: StaffId
    withdrawn_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What was said: who said it, when, and of which days."""

    source: Source
    source_name: str
    """Which pharmacy, prison or hospital; how the client or relative is called."""
    informant: str
    """Who said it there, by name and function."""
    told_at: datetime
    medicine: Medicine
    form: Form
    days: tuple[StatementDay, ...]
    note: str = ""
    order: OrderId | None = None
    """The order of ours that the pharmacy supplies."""

    def check(self, record: MedicationRecord, now: datetime, *, source_at: str = "source_name") -> None:
        """Raise `Invalid` with everything that cannot be kept; `source_at` is where the name of the source stands."""
        faults = Faults()
        for where, text in ((source_at, self.source_name), ("informant", self.informant)):
            check_name(text, where, faults)
        check_year(self.told_at, faults, "told_at")
        faults.check(when=self.told_at > now, where="told_at", problem="cannot lie in the future")
        faults.check(when=len(self.note) > LONGEST_NOTE, where="note", problem=f"at most {LONGEST_NOTE} characters")
        faults.check(
            when=self.form not in FORMS[self.medicine],
            where="form",
            problem=f"{self.medicine} is not made so; choose one of {', '.join(sorted(FORMS[self.medicine]))}",
        )
        faults.check(
            when=self.form in LONG_ACTING,
            where="form",
            problem="an injection given elsewhere is recorded as a late dose, with who gave it in the reason",
        )
        faults.raise_if_any()
        self._check_days(record, faults)
        faults.raise_if_any()

    def _check_days(self, record: MedicationRecord, faults: Faults) -> None:
        faults.check(when=not 1 <= len(self.days) <= MOST_DAYS, where="days", problem=f"say 1 to {MOST_DAYS} of them")
        last = record.day_of(self.told_at)
        before: list[StatementDay] = []
        for number, each in enumerate(self.days):
            where = f"days.{number}"
            faults.check(when=each.day > last, where=f"{where}.day", problem="must not lie after it was said")
            faults.check(when=each.day.year < YEARS_FROM, where=f"{where}.day", problem=f"from {YEARS_FROM} on")
            faults.check(
                when=any(other.day == each.day and other.part.meets(each.part) for other in before),
                where=f"{where}.part",
                problem="this part of the day is said already",
            )
            before.append(each)
            self._check_outcome(each, record, where, faults)

    def _check_outcome(self, each: StatementDay, record: MedicationRecord, where: str, faults: Faults) -> None:
        is_taken = each.outcome is DayOutcome.TAKEN
        if is_taken and each.amount_mg is not None:
            check_milligrams(each.amount_mg, f"{where}.amount_mg", faults)
        faults.check(
            when=is_taken is (each.amount_mg is None),
            where=f"{where}.amount_mg",
            problem="say how much was taken, and nothing of what was not",
        )
        if each.taken_at is not None and each.taken_at.year not in YEARS:
            check_year(each.taken_at, faults, f"{where}.taken_at")
        elif each.taken_at is not None:
            faults.check(
                when=not is_taken or each.taken_at > self.told_at or record.day_of(each.taken_at) != each.day,
                where=f"{where}.taken_at",
                problem="must be a time of this day, before it was said, at which something was taken",
            )
        if each.outcome is DayOutcome.WITHHELD:
            check_reason(each.reason or "", faults, f"{where}.reason")
        elif each.reason is not None:
            faults.add(f"{where}.reason", "belongs to what was withheld")


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a pharmacy reports of an order of ours that it supplies."""

    order: OrderId
    pharmacy: str
    informant: str
    """Who said it there, by name and function."""
    how: HowVerified
    told_at: datetime
    days: tuple[StatementDay, ...]
    note: str = ""

    def said(self, order: Order) -> Said:
        """As a statement; medicine and form are the order's."""
        return Said(
            source=Source.PHARMACY,
            source_name=self.pharmacy,
            informant=self.informant,
            told_at=self.told_at,
            medicine=order.medicine,
            form=order.form,
            days=self.days,
            note=self.note,
            order=order.id,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What was said, who wrote it down, and whether it counts."""

    id: StatementId
    client: ClientId
    programme: ProgrammeId
    said: Said
    recorded_by: StaffId
    recorded_at: datetime
    verified: Verification | None = None
    withdrawn: Withdrawal | None = None

    @property
    def counts(self) -> bool:
        """Whether its days count as taken."""
        return self.verified is not None and self.withdrawn is None


def check_name(text: str, where: str, faults: Faults) -> None:
    """Add a fault unless the text names somebody or something, in one line."""
    faults.check(when=not text.strip(), where=where, problem="say who")
    faults.check(when=len(text) > LONGEST_NAME, where=where, problem=f"at most {LONGEST_NAME} characters")
