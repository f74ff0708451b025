"""The entered sheets of a programme in PostgreSQL: numbers alone, no client."""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import Date, Integer, Uuid, and_, bindparam, distinct, func, literal_column, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.dosing.doses import IS_NEWEST
from caseload.db.dosing.giver import ENTERED_BY_ANOTHER
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.downtime import downtime_entry, downtime_line
from caseload.db.tables.giver import dose_giver_word
from caseload.domain.dosing.giver import Word
from caseload.domain.downtime import EnteredSheet, Outcome, What
from caseload.domain.ids import DowntimeId, ProgrammeId, StaffId

_AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made."""
_ONE: Final = literal_column("1", Integer())
_DAY = bindparam("day", type_=Date())

_answers = (
    select(
        func.count(distinct(downtime_line.c.line)).label("lines"),
        *(func.count().filter(downtime_line.c.outcome == outcome.value).label(outcome.value) for outcome in Outcome),
    )
    .where(downtime_line.c.entry_id == downtime_entry.c.id)
    .correlate(downtime_entry)
    .lateral("answers")
)
_is_disputed = dose_giver_word.c.word == Word.DISPUTED.value
_words = (
    select(
        func.count().filter(and_(ENTERED_BY_ANOTHER, dose_giver_word.c.word.is_(None))).label("to_confirm"),
        func.count().filter(_is_disputed).label("disputed"),
        func.count().filter(dose_giver_word.c.word == Word.CLOSED.value).label("closed"),
    )
    .select_from(
        downtime_line.join(dose, dose.c.id == downtime_line.c.record_id).outerjoin(
            dose_giver_word,
            and_(dose_giver_word.c.dose_id == dose.c.id, dose_giver_word.c.dose_version == dose.c.version),
        )
    )
    .where(
        downtime_line.c.entry_id == downtime_entry.c.id,
        downtime_line.c.what == What.GIVEN.value,
        downtime_line.c.outcome.in_((Outcome.RECORDED.value, Outcome.EXCEPTION.value)),
        IS_NEWEST,
        ~select(_ONE).where(dose_correction.c.dose_id == dose.c.id).correlate(dose).exists(),
    )
    .correlate(downtime_entry)
    .lateral("words")
)
ENTERED_IN: Final = (
    select(
        downtime_entry.c.id,
        downtime_entry.c.programme_id,
        downtime_entry.c.day,
        downtime_entry.c.reason,
        downtime_entry.c.recorded_by,
        downtime_entry.c.recorded_at,
        *_answers.c,
        *_words.c,
    )
    .select_from(downtime_entry.join(_answers, true()).join(_words, true()))
    .where(
        downtime_entry.c.programme_id == bindparam("programme", type_=Uuid()),
        or_(_DAY.is_(None), downtime_entry.c.day == _DAY),
        downtime_entry.c.id < bindparam("after", type_=Uuid()),
    )
    .order_by(downtime_entry.c.id.desc())
    .limit(bindparam("limit"))
)


async def entered_in(
    connection: AsyncConnection, programme: ProgrammeId, *, day: date | None, after: UUID | None, limit: int
) -> Sequence[EnteredSheet]:
    """The sheets of a programme, the last entered first. Whoever asks has been let through to the programme."""
    given = {"programme": programme, "day": day, "after": after or _AFTER_ALL, "limit": limit}
    return [
        EnteredSheet(
            id=DowntimeId(row.id),
            programme=ProgrammeId(row.programme_id),
            day=row.day,
            reason=row.reason,
            entered_by=StaffId(row.recorded_by),
            entered_at=row.recorded_at,
            lines=row.lines,
            outcomes={outcome: getattr(row, outcome.value) for outcome in Outcome},
            to_confirm=row.to_confirm,
            disputed=row.disputed,
            closed=row.closed,
        )
        for row in (await connection.execute(ENTERED_IN, given)).all()
    ]
