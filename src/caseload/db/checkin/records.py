"""Check-ins in PostgreSQL, each with everything that happened to it."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, Uuid, any_, bindparam, exists, insert, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.checkin.rows import CHECK_IN, TERMS, begin_waiting, check_in_of, end_waiting, terms_of
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.checkin import (
    check_in,
    check_in_attempt,
    check_in_move,
    check_in_outcome,
    check_in_plan_current,
    check_in_plan_version,
    check_in_waiting,
)
from caseload.domain.access import Reach
from caseload.domain.checkin import (
    AlreadySettled,
    AskedBy,
    Attempt,
    CheckIn,
    CheckInUnknown,
    Ended,
    Mode,
    Move,
    Outcome,
    Record,
    Result,
    Waiting,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import CheckInId, ClientId, StaffId
from caseload.domain.journal import Journal

_WITHIN = within_reach()
_THESE = any_(bindparam("these", type_=ARRAY(Uuid())))

_CHECK_INS = (
    select(*CHECK_IN, *TERMS)
    .join(
        check_in_plan_version,
        (check_in_plan_version.c.plan_id == check_in.c.plan_id)
        & (check_in_plan_version.c.version == check_in.c.plan_version),
    )
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
        check_in_outcome.c.recorded_by,
        check_in_outcome.c.recorded_at,
    )
    .where(check_in_outcome.c.check_in_id == _THESE)
    .order_by(check_in_outcome.c.version)
)

_SEEN = (
    select(check_in.c.id)
    .join(client, client.c.id == check_in.c.client_id)
    .where(check_in.c.id == bindparam("check_in"), _WITHIN)
)
_HOLD = _SEEN.join(check_in_plan_current, check_in_plan_current.c.plan_id == check_in.c.plan_id).with_for_update(
    of=check_in_plan_current
)
_SEEN_CLIENT = select(client.c.id).where(client.c.id == bindparam("client"), _WITHIN)

_OPEN_BEFORE = (
    select(check_in_waiting.c.check_in_id)
    .join(check_in, check_in.c.id == check_in_waiting.c.check_in_id)
    .where(check_in_waiting.c.plan_id == bindparam("plan"), check_in.c.due_at < bindparam("due_at", type_=INSTANT))
)
_newer = check_in_outcome.alias("newer")
_OVERTAKEN_BY = select(check_in_outcome.c.check_in_id).where(
    check_in_outcome.c.overtaken_by == bindparam("check_in"),
    ~exists().where(
        _newer.c.check_in_id == check_in_outcome.c.check_in_id, _newer.c.version > check_in_outcome.c.version
    ),
)

_place = check_in.alias("place")
_OF_CLIENT = (
    select(check_in.c.id)
    .where(check_in.c.client_id == bindparam("client"))
    .order_by(check_in.c.due_at.desc(), check_in.c.id.desc())
    .limit(bindparam("limit"))
)
_OF_CLIENT_NEXT = _OF_CLIENT.where(
    tuple_(check_in.c.due_at, check_in.c.id)
    < tuple_(select(_place.c.due_at).where(_place.c.id == bindparam("after")).scalar_subquery(), bindparam("after"))
)


class CheckIns:
    """Satisfies `domain.checkin.CheckIns`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def hold(self, wanted: CheckInId, *, reach: Reach) -> Record:
        """See `domain.checkin.CheckIns.hold`."""
        return await self._found(_HOLD, wanted, reach)

    async def get(self, wanted: CheckInId, *, reach: Reach) -> Record:
        """A check-in as it stands, without holding its plan; or `CheckInUnknown`."""
        return await self._found(_SEEN, wanted, reach)

    async def _found(self, statement: Select[*tuple[Any, ...]], wanted: CheckInId, reach: Reach) -> Record:
        given = {"check_in": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(statement, given)).first() is None:
            raise CheckInUnknown("Look at the client's check-ins for the one you mean.")
        return await self._one(wanted)

    async def _one(self, wanted: CheckInId) -> Record:
        (record,) = await self._records([wanted])
        self._journal.saw(record.check_in.client, "check_in")
        return record

    async def of_client(self, of: ClientId, *, reach: Reach, after: CheckInId | None, limit: int) -> Sequence[Record]:
        """A client's check-ins by when they were scheduled, latest first; or `ClientUnknown`."""
        given = {"client": of, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(_SEEN_CLIENT, given)).first() is None:
            raise ClientUnknown
        self._journal.saw(of, "check_in")
        page: dict[str, Any] = {"client": of, "limit": limit}
        found = (
            await self._connection.execute(_OF_CLIENT, page)
            if after is None
            else await self._connection.execute(_OF_CLIENT_NEXT, {**page, "after": after})
        )
        return list(reversed(await self._records(found.scalars().all())))

    async def open_before(self, one: CheckIn) -> Sequence[Record]:
        """See `domain.checkin.CheckIns.open_before`."""
        found = await self._connection.execute(_OPEN_BEFORE, {"plan": one.plan, "due_at": one.due_at})
        return await self._records(found.scalars().all())

    async def overtaken_by(self, one: CheckInId) -> Sequence[Record]:
        """See `domain.checkin.CheckIns.overtaken_by`."""
        found = await self._connection.execute(_OVERTAKEN_BY, {"check_in": one})
        return await self._records(found.scalars().all())

    async def _records(self, these: Sequence[UUID]) -> Sequence[Record]:
        """These check-ins with their facts, in the order in which they are due."""
        if not these:
            return []
        given = {"these": list(these)}
        rows = (await self._connection.execute(_CHECK_INS, given)).all()
        moves = await self._by_check_in(_MOVES, given)
        attempts = await self._by_check_in(_ATTEMPTS, given)
        outcomes = await self._by_check_in(_OUTCOMES, given)
        return [
            Record(
                check_in=check_in_of(row),
                terms=terms_of(row),
                moves=tuple(_move(each) for each in moves[row.id]),
                attempts=tuple(_attempt(each) for each in attempts[row.id]),
                outcomes=tuple(_outcome(each) for each in outcomes[row.id]),
            )
            for row in rows
        ]

    async def _by_check_in(
        self, statement: Select[*tuple[Any, ...]], given: dict[str, list[UUID]]
    ) -> dict[UUID, list[Row[*tuple[Any, ...]]]]:
        found: dict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
        for row in await self._connection.execute(statement, given):
            found[row.check_in_id].append(row)
        return found

    async def add_attempt(self, attempt: Attempt, waiting: Waiting | None) -> None:
        """See `domain.checkin.CheckIns.add_attempt`."""
        await self._connection.execute(
            insert(check_in_attempt).values(
                id=attempt.id,
                check_in_id=attempt.check_in,
                attempted_at=attempt.attempted_at,
                mode=attempt.mode,
                result=attempt.result,
                note=attempt.note,
                recorded_by=attempt.recorded_by,
                recorded_at=attempt.recorded_at,
            )
        )
        await self._waits(attempt.check_in, waiting)

    async def add_move(self, move: Move, waiting: Waiting | None) -> None:
        """See `domain.checkin.CheckIns.add_move`."""
        await self._connection.execute(
            insert(check_in_move).values(
                check_in_id=move.check_in,
                number=move.number,
                due_at=move.due_at,
                grace_ends_at=move.grace_ends_at,
                asked_by=move.asked_by,
                reason=move.reason,
                recorded_by=move.recorded_by,
                recorded_at=move.recorded_at,
            )
        )
        await self._waits(move.check_in, waiting)

    async def _waits(self, one: CheckInId, waiting: Waiting | None) -> None:
        await end_waiting(self._connection, [one])
        await begin_waiting(self._connection, [waiting] if waiting else [])

    async def add_outcomes(self, outcomes: Sequence[Outcome], waiting: Sequence[Waiting]) -> None:
        """See `domain.checkin.CheckIns.add_outcomes`."""
        try:
            await self._connection.execute(insert(check_in_outcome), [_outcome_values(one) for one in outcomes])
        except IntegrityError as raced:
            raise AlreadySettled("Somebody else settled it at the same moment. Read the check-in again.") from raced
        await end_waiting(self._connection, [one.check_in for one in outcomes])
        await begin_waiting(self._connection, waiting)


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


def _outcome(row: Row[*tuple[Any, ...]]) -> Outcome:
    return Outcome(
        check_in=CheckInId(row.check_in_id),
        version=row.version,
        ended=Ended(row.ended),
        occurred_at=row.occurred_at,
        mode=None if row.mode is None else Mode(row.mode),
        note=row.note,
        reason=row.reason,
        overtaken_by=None if row.overtaken_by is None else CheckInId(row.overtaken_by),
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
    )


def _outcome_values(one: Outcome) -> dict[str, Any]:
    return {
        "check_in_id": one.check_in,
        "version": one.version,
        "ended": one.ended,
        "occurred_at": one.occurred_at,
        "mode": one.mode,
        "note": one.note,
        "reason": one.reason,
        "overtaken_by": one.overtaken_by,
        "recorded_by": one.recorded_by,
        "recorded_at": one.recorded_at,
    }
