"""What a valid row of a clinic's history is: the columns of each file, and what is refused and why.

Rows come in as text and leave as facts. Nothing is guessed: what is not written is not known, a day that cannot
be right is refused, and every fault of a row is named at once (`cells`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from caseload.domain.client import EARLIEST_BIRTH, LONGEST_IDENTIFIER, LONGEST_NAME, Identity, Sex
from caseload.domain.history.cells import Reading
from caseload.domain.medicines import FORMS, Form, Medicine
from caseload.domain.programme import check_programme


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


def programme_row(line: int, cells: Mapping[str, str]) -> ProgrammeRow:
    """Read a row of programmes.csv. Raises `Invalid` with every fault."""
    reading = Reading(cells)
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
    reading = Reading(cells)
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
    reading = Reading(cells)
    medicine = reading.word("medicine", Medicine, Medicine.METHADONE)
    form = reading.word("form", Form, Form.ORAL_SOLUTION)
    if not reading.faults.found and form not in FORMS[medicine]:
        reading.faults.add("form", f"{medicine.value} is made as {', '.join(sorted(FORMS[medicine]))}")
    row = DoseRow(
        line=line,
        given_on=reading.day("given_on"),
        medicine=medicine,
        form=form,
        amount_mg=reading.milligrams("amount_mg"),
    )
    reading.done()
    return row


def visit_row(line: int, cells: Mapping[str, str]) -> VisitRow:
    """Read a row of visits.csv. Raises `Invalid` with every fault."""
    reading = Reading(cells)
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
    reading = Reading(cells)
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
    reading = Reading(cells)
    row = DecisionRow(
        line=line,
        day=reading.day("day"),
        decision=reading.word("decision", Decision, Decision.SECOND_PART),
    )
    reading.done()
    return row
