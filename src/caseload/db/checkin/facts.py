"""Check-ins with everything that happened to each, in as many statements as there are kinds of facts."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Uuid, any_, bindparam, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.checkin.answers import ANSWERS, answers_of
from caseload.db.checkin.phases import OF_ITS_PHASE, TERMS_OF_CHECK_IN
from caseload.db.checkin.rows import CHECK_IN, check_in_of, terms_of
from caseload.db.tables.checkin import check_in, check_in_attempt, check_in_move, check_in_outcome
from caseload.db.tables.checkin_plan import check_in_plan_phase, check_in_plan_version
from caseload.domain.checkin import (
    Answers,
    AskedBy,
    Attempt,
    Ended,
    Mode,
    Move,
    Outcome,
    Record,
    Result,
)
from caseload.domain.ids import CheckInId, StaffId

_COMPLETED = Ended.COMPLETED.value
_THESE = any_(bindparam("these", type_=ARRAY(Uuid())))

_CHECK_INS = (
    select(*CHECK_IN, *TERMS_OF_CHECK_IN)
    .join(
        check_in_plan_version,
        (check_in_plan_version.c.plan_id == check_in.c.plan_id)
        & (check_in_plan_version.c.version == check_in.c.plan_version),
    )
    .outerjoin(check_in_plan_phase, OF_ITS_PHASE)
    .where(check_in.c.id == _THESE)
    .order_by(check_in.c.due_at, check_in.c.id)
)
_MOVES = (
    select(
        check_in_move.c.check_in_id,
        check_in_move.c.number,
        check_in_move.c.due_at,
        check_in_move.c.grace_ends_at,
        check_in_move.c.asked_by,
        check_in_move.c.reason,
        check_in_move.c.recorded_by,
        check_in_move.c.recorded_at,
    )
    .where(check_in_move.c.check_in_id == _THESE)
    .order_by(check_in_move.c.number)
)
_ATTEMPTS = (
    select(
        check_in_attempt.c.id,
        check_in_attempt.c.check_in_id,
        check_in_attempt.c.attempted_at,
        check_in_attempt.c.mode,
        check_in_attempt.c.result,
        check_in_attempt.c.note,
        check_in_attempt.c.recorded_by,
        check_in_attempt.c.recorded_at,
    )
    .where(check_in_attempt.c.check_in_id == _THESE)
    .order_by(check_in_attempt.c.recorded_at, check_in_attempt.c.id)
)
_OUTCOMES = (
    select(
        check_in_outcome.c.check_in_id,
        check_in_outcome.c.version,
        check_in_outcome.c.ended,
        check_in_outcome.c.occurred_at,
        check_in_outcome.c.mode,
        check_in_outcome.c.note,
        check_in_outcome.c.reason,
        check_in_outcome.c.overtaken_by,
        check_in_outcome.c.on_behalf_of,
        check_in_outcome.c.recorded_by,
        check_in_outcome.c.recorded_at,
    )
    .where(check_in_outcome.c.check_in_id == _THESE)
    .order_by(check_in_outcome.c.version)
)


async def with_facts(connection: AsyncConnection, these: Sequence[UUID]) -> Sequence[Record]:
    """These check-ins with their facts, in the order in which they are due."""
    if not these:
        return []
    given = {"these": list(these)}
    rows = (await connection.execute(_CHECK_INS, given)).all()
    moves = await _by_check_in(connection, _MOVES, given)
    attempts = await _by_check_in(connection, _ATTEMPTS, given)
    outcomes = await _by_check_in(connection, _OUTCOMES, given)
    answers = await _answers(connection, outcomes)
    return [
        Record(
            check_in=check_in_of(row),
            terms=terms_of(row),
            moves=tuple(_move(each) for each in moves[row.id]),
            attempts=tuple(_attempt(each) for each in attempts[row.id]),
            outcomes=tuple(_outcome(each, answers) for each in outcomes[row.id]),
        )
        for row in rows
    ]


async def _by_check_in(
    connection: AsyncConnection, statement: Select[*tuple[Any, ...]], given: dict[str, list[UUID]]
) -> dict[UUID, list[Row[*tuple[Any, ...]]]]:
    found: dict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in await connection.execute(statement, given):
        found[row.check_in_id].append(row)
    return found


async def _answers(
    connection: AsyncConnection, outcomes: Mapping[UUID, Sequence[Row[*tuple[Any, ...]]]]
) -> Mapping[tuple[UUID, int], Answers]:
    """What was answered, by check-in and version of its outcome; asked of those alone that took place."""
    took_place = [one for one, versions in outcomes.items() if any(each.ended == _COMPLETED for each in versions)]
    if not took_place:
        return {}
    rows = (await connection.execute(ANSWERS, {"these": took_place})).mappings()
    return {(row["check_in_id"], row["version"]): answers_of(row) for row in rows}


def _move(row: Row[*tuple[Any, ...]]) -> Move:
    return Move(
        check_in=CheckInId(row.check_in_id),
        number=row.number,
        due_at=row.due_at,
        grace_ends_at=row.grace_ends_at,
        asked_by=AskedBy(row.asked_by),
        reason=row.reason,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _attempt(row: Row[*tuple[Any, ...]]) -> Attempt:
    return Attempt(
        id=row.id,
        check_in=CheckInId(row.check_in_id),
        attempted_at=row.attempted_at,
        mode=Mode(row.mode),
        result=Result(row.result),
        note=row.note,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _outcome(row: Row[*tuple[Any, ...]], answers: Mapping[tuple[UUID, int], Answers]) -> Outcome:
    return Outcome(
        check_in=CheckInId(row.check_in_id),
        version=row.version,
        ended=Ended(row.ended),
        occurred_at=row.occurred_at,
        mode=None if row.mode is None else Mode(row.mode),
        note=row.note,
        reason=row.reason,
        overtaken_by=None if row.overtaken_by is None else CheckInId(row.overtaken_by),
        on_behalf_of=None if row.on_behalf_of is None else StaffId(row.on_behalf_of),
        answers=answers.get((row.check_in_id, row.version)),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )
