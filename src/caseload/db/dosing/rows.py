"""From rows to the domain's words and back, for every statement about doses."""

from typing import Any

from sqlalchemy import ColumnElement, Row, SmallInteger, Text, case, literal_column, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from caseload.db.tables.dosing import dose
from caseload.db.tables.giver import dose_giver_word
from caseload.domain.dosing import Correction, Dose, Entry, Kind, NotGiven, NotGivenReason
from caseload.domain.dosing.giver import GiverWord, Word
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, StaffId
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.signature import Signature
from caseload.domain.signoff import RANKS, Risk


def rank(columns: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[int]:
    """The rank of a dose in the queue: `domain.signoff.risk_of`, of a row."""

    def number(risk: Risk) -> ColumnElement[int]:
        return literal_column(str(RANKS[risk]), SmallInteger())

    return case(
        (columns.kind == literal_column(f"'{Kind.EXCEPTION}'"), number(Risk.EXCEPTION)),
        (columns.version > literal_column("1"), number(Risk.AMENDED)),
        (columns.decision_id.is_not(None), number(Risk.DECIDED)),
        (columns.entry == literal_column(f"'{Entry.LATE}'"), number(Risk.LATE)),
        else_=number(Risk.ROUTINE),
    )


DOSE_COLUMNS = tuple(column for column in dose.c if column.computed is None)


def _of_giver(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """Looked up only of what was entered afterwards: of nothing else is there a giver's word."""
    said = (
        select(column)
        .where(dose_giver_word.c.dose_id == dose.c.id, dose_giver_word.c.dose_version == dose.c.version)
        .correlate(dose)
        .scalar_subquery()
    )
    return case((dose.c.entry == literal_column(f"'{Entry.LATE}'", Text()), said)).label(name)


GIVER_COLUMNS = (
    _of_giver(dose_giver_word.c.word, "giver_word"),
    _of_giver(dose_giver_word.c.said_at, "giver_said_at"),
    _of_giver(dose_giver_word.c.said_by, "giver_said_by"),
    _of_giver(dose_giver_word.c.reason, "giver_reason"),
)


def giver_word_of(row: Row[*tuple[Any, ...]]) -> GiverWord | None:
    """The named giver's word in a row with `GIVER_COLUMNS`, if there is one."""
    if row.giver_word is None:
        return None
    return GiverWord(
        word=Word(row.giver_word), at=row.giver_said_at, by=StaffId(row.giver_said_by), reason=row.giver_reason
    )


def dose_of(row: Row[*tuple[Any, ...]]) -> Dose:
    """The dose in a row with `DOSE_COLUMNS`."""
    return Dose(
        id=DoseId(row.id),
        version=row.version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        order=row.order_id,
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        medicine=Medicine(row.medicine),
        form=Form(row.form),
        amount_mg=row.amount_mg,
        supervised=row.supervised,
        given_at=row.given_at,
        given_by=None if row.given_by is None else StaffId(row.given_by),
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
        kind=Kind(row.kind),
        entry=Entry(row.entry),
        late_reason=row.late_reason,
        less_reason=row.less_reason,
        rules=tuple(row.rules or ()),
        profile=row.profile,
        profile_version=row.profile_version,
        decision=row.decision_id,
        freed_by=row.freed_by,
        replacement=row.replacement_id,
        amended_at=row.amended_at,
        amended_by=row.amended_by,
        amendment_reason=row.amendment_reason,
        source=row.source_id,
        source_line=row.source_line,
        amount_ml=row.amount_ml,
        strength_mg=row.strength_mg,
    )


def dose_values(recorded: Dose) -> dict[str, Any]:
    """The columns of a dose."""
    return {
        "id": recorded.id,
        "version": recorded.version,
        "client_id": recorded.client,
        "programme_id": recorded.programme,
        "order_id": recorded.order,
        "dosing_day": recorded.dosing_day,
        "part": recorded.part.value,
        "medicine": recorded.medicine.value,
        "form": recorded.form.value,
        "amount_mg": recorded.amount_mg,
        "supervised": recorded.supervised,
        "given_at": recorded.given_at,
        "given_by": recorded.given_by,
        "recorded_at": recorded.recorded_at,
        "recorded_by": recorded.recorded_by,
        "kind": recorded.kind.value,
        "entry": recorded.entry.value,
        "late_reason": recorded.late_reason,
        "less_reason": recorded.less_reason,
        "rules": list(recorded.rules) or None,
        "profile": recorded.profile,
        "profile_version": recorded.profile_version,
        "decision_id": recorded.decision,
        "freed_by": recorded.freed_by,
        "replacement_id": recorded.replacement,
        "amended_at": recorded.amended_at,
        "amended_by": recorded.amended_by,
        "amendment_reason": recorded.amendment_reason,
        "source_id": recorded.source,
        "source_line": recorded.source_line,
        "amount_ml": recorded.amount_ml,
        "strength_mg": recorded.strength_mg,
    }


def not_given_of(row: Row[*tuple[Any, ...]]) -> NotGiven:
    """The dose that was not given of this row."""
    return NotGiven(
        id=DoseId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        order=row.order_id,
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        reason=NotGivenReason(row.reason),
        note=row.note,
        recorded_at=row.recorded_at,
        recorded_by=StaffId(row.recorded_by),
    )


def not_given_values(not_given: NotGiven) -> dict[str, Any]:
    """The columns of a dose that was not given."""
    return {
        "id": not_given.id,
        "client_id": not_given.client,
        "programme_id": not_given.programme,
        "order_id": not_given.order,
        "dosing_day": not_given.dosing_day,
        "part": not_given.part,
        "reason": not_given.reason,
        "note": not_given.note,
        "recorded_at": not_given.recorded_at,
        "recorded_by": not_given.recorded_by,
    }


def correction_of(row: Row[*tuple[Any, ...]]) -> Correction:
    """The correction "not given" of this row."""
    return Correction(
        id=row.id,
        dose=DoseId(row.dose_id),
        dose_version=row.dose_version,
        client=ClientId(row.client_id),
        dosing_day=row.dosing_day,
        part=DosePart(row.part),
        reason=row.reason,
        signed_by=StaffId(row.signed_by),
        signed_at=row.signed_at,
    )


def correction_values(correction: Correction, signature: Signature) -> dict[str, Any]:
    """The columns of a correction "not given" and of the signature under it."""
    return {
        "id": correction.id,
        "dose_id": correction.dose,
        "dose_version": correction.dose_version,
        "client_id": correction.client,
        "dosing_day": correction.dosing_day,
        "part": correction.part,
        "reason": correction.reason,
        "signed_by": correction.signed_by,
        "signed_at": correction.signed_at,
        "signature_id": signature.id,
    }
