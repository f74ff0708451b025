"""What a valid row of a clinic's history is: the columns of each file, and what is refused and why.

Rows come in as text and leave as facts. Nothing is guessed: what is not written is not known, a day that cannot
be right is refused, and every fault of a row is named at once.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import TypeVar

from caseload.domain.client import EARLIEST_BIRTH, LONGEST_IDENTIFIER, LONGEST_NAME, Identity, Sex
from caseload.domain.errors import Faults
from caseload.domain.medicines import FORMS, Form, Medicine, check_milligrams
from caseload.domain.programme import check_programme

EARLIEST_DAY = date(1900, 1, 1)
"""No day of anybody's record lies before it: earlier years are slips of the pen or of a spreadsheet."""

_WRITTEN_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_WRITTEN_AMOUNT = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of writing: they make a name look like another one."""

_Word = TypeVar("_Word", bound=StrEnum)


class Outcome(StrEnum):
    """What became of a visit."""

    ATTENDED = "attended"
    DID_NOT_ATTEND = "did_not_attend"
    UNKNOWN = "unknown"
    """Nobody wrote it down. It is neither attended nor missed, and stays so until somebody who knows says which."""


class Decision(StrEnum):
    """What two dose rows on one day turned out to be."""

    SECOND_PART = "second_part"
    """Both were swallowed: parts of one day's dose."""
    CORRECTION = "correction"
    """The lower line replaces the ones above it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file."""

    name: str
    required: bool = True
    """The column must be there. (That its cells must not be empty is said where they are read.)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One file of the folder."""

    file: str
    columns: tuple[Column, ...]
    required: bool = True


def _sheet(file: str, columns: str, *, optional: str = "", required: bool = True) -> Sheet:
    return Sheet(
        file=file,
        columns=(
            *(Column(name=name) for name in columns.split()),
            *(Column(name=name, required=False) for name in optional.split()),
        ),
        required=required,
    )


PROGRAMMES = _sheet("programmes.csv", "code name time_zone profile")
CLIENTS = _sheet(
    "clients.csv",
    "external_id given_name family_name birth_date birth_date_estimated sex programme admitted_on",
    optional="housing employment education covered_until",
)
DOSES = _sheet("doses.csv", "external_id given_on medicine form amount_mg")
VISITS = _sheet("visits.csv", "external_id scheduled_on label status reason")
DRUG_SCREENS = _sheet("drug_screens.csv", "external_id collected_on substance result")
DECISIONS = _sheet("decisions.csv", "external_id day decision", required=False)
SHEETS = (PROGRAMMES, CLIENTS, DOSES, VISITS, DRUG_SCREENS, DECISIONS)
"""In the order in which they are read: whoever is named must have been introduced before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeRow:
    """A programme (site) whose history comes in."""

    line: int
    code: str
    name: str
    time_zone: str
    profile: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """A person, where they are treated and since when."""

    line: int
    external_id: str
    identity: Identity
    programme: str
    admitted_on: date
    covered_until: date | None
    """Until which day the dose rows of this person are complete, if the clinic says so."""
    recorded: Mapping[str, str]
    """Housing, employment and education in the words of the record; what is empty there is absent here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseRow:
    """A dose that was taken, as the clinic before us recorded it."""

    line: int
    given_on: date
    medicine: Medicine
    form: Form
    amount_mg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRow:
    """A visit that was planned or made."""

    line: int
    scheduled_on: date | None
    """Absent for many visits that were missed: they were never given a day."""
    label: str
    status: Outcome
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenRow:
    """One substance of one drug screen, as recorded."""

    line: int
    collected_on: date
    substance: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """Somebody's answer to a question that the rows leave open."""

    line: int
    day: date
    decision: Decision


RESULTS = frozenset({"positive", "negative", "unknown"})
"""What a screen can say of a substance. An unknown result is not a negative one."""


@lru_cache(maxsize=4096)
def _day(written: str) -> date | None:
    """A calendar day in the one form that cannot be misread (ISO 8601, section 5.2.2.1), or None."""
    if not _WRITTEN_DAY.fullmatch(written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _amount(written: str) -> Decimal | None:
    return Decimal(written) if _WRITTEN_AMOUNT.fullmatch(written) else None


def is_plain(text: str) -> bool:
    """Whether a text holds nothing that hides, breaks or reorders what a person reads."""
    return text.isprintable() or not any(
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} or character in _BIDI for character in text
    )


@dataclass(slots=True)
class _Reading:
    """One row while it is being read: takes cells out and keeps what is wrong with them.

    After a fault a stand-in is returned, so that reading goes on and finds the other faults too; `done` raises.
    """

    cells: Mapping[str, str]
    faults: Faults = field(default_factory=Faults)

    def text(self, column: str, *, most: int, needed: bool = True) -> str:
        found = self.cells.get(column, "")
        if not found:
            self.faults.check(when=needed, where=column, problem="is empty")
        elif len(found) > most:
            self.faults.add(column, f"has {len(found):,} characters; at most {most} are kept")
        elif not is_plain(found):
            self.faults.add(column, "holds a control character")
        return found if found.isascii() else unicodedata.normalize("NFC", found)

    def day_if_any(self, column: str, *, earliest: date = EARLIEST_DAY) -> date | None:
        written = self.cells.get(column, "")
        if not written:
            return None
        found = _day(written)
        if found is None:
            self.faults.add(column, "is not a day; write it as YYYY-MM-DD")
        elif found < earliest:
            self.faults.add(column, f"lies in the year {found.year}; no day before {earliest.year} is taken")
        return found

    def day(self, column: str, *, earliest: date = EARLIEST_DAY) -> date:
        found = self.day_if_any(column, earliest=earliest)
        self.faults.check(when=not self.cells.get(column, ""), where=column, problem="is empty")
        return found or EARLIEST_DAY

    def word(self, column: str, words: type[_Word], otherwise: _Word) -> _Word:
        written = self.cells.get(column, "")
        try:
            return words(written)
        except ValueError:
            known = ", ".join(sorted(words))
            self.faults.add(column, f"is not one of {known}" if written else f"is empty; write one of {known}")
            return otherwise

    def done(self) -> None:
        self.faults.raise_if_any()


def programme_row(line: int, cells: Mapping[str, str]) -> ProgrammeRow:
    """Read a row of programmes.csv. Raises `Invalid` with every fault."""
    reading = _Reading(cells)
    row = ProgrammeRow(
        line=line,
        code=cells.get("code", ""),
        name=cells.get("name", ""),
        time_zone=cells.get("time_zone", ""),
        profile=cells.get("profile", ""),
    )
    check_programme(row.code, row.name, row.time_zone, row.profile, reading.faults)
    reading.done()
    return row


def client_row(line: int, cells: Mapping[str, str]) -> ClientRow:
    """Read a row of clients.csv. Raises `Invalid` with every fault."""
    reading = _Reading(cells)
    estimated = reading.text("birth_date_estimated", most=8, needed=False) or "no"
    reading.faults.check(
        when=estimated not in {"yes", "no"}, where="birth_date_estimated", problem="is neither yes nor no"
    )
    identity = Identity(
        given_name=reading.text("given_name", most=LONGEST_NAME),
        family_name=reading.text("family_name", most=LONGEST_NAME),
        birth_date=reading.day("birth_date", earliest=EARLIEST_BIRTH),
        birth_date_estimated=estimated == "yes",
        sex=reading.word("sex", Sex, Sex.UNKNOWN) if cells.get("sex") else Sex.UNKNOWN,
    )
    recorded = {name: reading.text(name, most=100, needed=False) for name in ("housing", "employment", "education")}
    row = ClientRow(
        line=line,
        external_id=reading.text("external_id", most=LONGEST_IDENTIFIER),
        identity=identity,
        programme=reading.text("programme", most=64),
        admitted_on=reading.day("admitted_on"),
        covered_until=reading.day_if_any("covered_until"),
        recorded=MappingProxyType({name: text for name, text in recorded.items() if text}),
    )
    reading.faults.check(
        when=row.admitted_on < identity.birth_date, where="admitted_on", problem="lies before the day of birth"
    )
    reading.faults.check(
        when=row.covered_until is not None and row.covered_until < row.admitted_on,
        where="covered_until",
        problem="lies before the day of admission",
    )
    reading.done()
    return row


def dose_row(line: int, cells: Mapping[str, str]) -> DoseRow:
    """Read a row of doses.csv. Raises `Invalid` with every fault."""
    reading = _Reading(cells)
    medicine = reading.word("medicine", Medicine, Medicine.METHADONE)
    form = reading.word("form", Form, Form.ORAL_SOLUTION)
    if not reading.faults.found and form not in FORMS[medicine]:
        reading.faults.add("form", f"{medicine.value} is made as {', '.join(sorted(FORMS[medicine]))}")
    row = DoseRow(
        line=line,
        given_on=reading.day("given_on"),
        medicine=medicine,
        form=form,
        amount_mg=_milligrams(cells.get("amount_mg", ""), reading.faults),
    )
    reading.done()
    return row


def _milligrams(written: str, faults: Faults) -> Decimal:
    amount = _amount(written)
    if amount is not None:
        check_milligrams(amount, "amount_mg", faults)
        return amount
    if not written:
        faults.add("amount_mg", "is empty")
    elif "," in written:
        faults.add("amount_mg", "holds a comma; write decimals with a point and no thousands")
    else:
        faults.add("amount_mg", "is not a number of milligrams such as 16 or 2.5")
    return Decimal(1)


def visit_row(line: int, cells: Mapping[str, str]) -> VisitRow:
    """Read a row of visits.csv. Raises `Invalid` with every fault."""
    reading = _Reading(cells)
    row = VisitRow(
        line=line,
        scheduled_on=reading.day_if_any("scheduled_on"),
        label=reading.text("label", most=100, needed=False),
        status=reading.word("status", Outcome, Outcome.UNKNOWN),
        reason=reading.text("reason", most=500, needed=False),
    )
    reading.faults.check(
        when=row.status is not Outcome.DID_NOT_ATTEND and not cells.get("scheduled_on"),
        where="scheduled_on",
        problem="is empty; only a visit that was not attended may lack its day",
    )
    reading.done()
    return row


def screen_row(line: int, cells: Mapping[str, str]) -> ScreenRow:
    """Read a row of drug_screens.csv. Raises `Invalid` with every fault."""
    reading = _Reading(cells)
    row = ScreenRow(
        line=line,
        collected_on=reading.day("collected_on"),
        substance=reading.text("substance", most=64),
        result=reading.text("result", most=16),
    )
    reading.faults.check(
        when=bool(row.result) and row.result not in RESULTS,
        where="result",
        problem=f"is not one of {', '.join(sorted(RESULTS))}",
    )
    reading.done()
    return row


def decision_row(line: int, cells: Mapping[str, str]) -> DecisionRow:
    """Read a row of decisions.csv. Raises `Invalid` with every fault."""
    reading = _Reading(cells)
    row = DecisionRow(
        line=line,
        day=reading.day("day"),
        decision=reading.word("decision", Decision, Decision.SECOND_PART),
    )
    reading.done()
    return row
