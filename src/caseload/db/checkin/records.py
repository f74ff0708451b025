"""Check-ins in PostgreSQL, each with everything that happened to it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, insert, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.checkin.answers import add_answers
from caseload.db.checkin.closing import closed_days
from caseload.db.checkin.facts import with_facts
from caseload.db.checkin.rows import begin_waiting, end_waiting, move_values
from caseload.db.failures import violated
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client, episode
from caseload.db.tables.checkin import check_in, check_in_attempt, check_in_move, check_in_outcome, check_in_waiting
from caseload.db.tables.checkin_plan import check_in_plan_current
from caseload.domain.access import Reach
from caseload.domain.checkin import (
    AlreadySettled,
    Attempt,
    CheckIn,
    CheckInUnknown,
    Move,
    Outcome,
    Record,
    Waiting,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import CheckInId, ClientId, ProgrammeId
from caseload.domain.journal import Journal

_WITHIN = within_reach()

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


IN_CARE = select(
    exists().where(
        episode.c.client_id == bindparam("client"),
        episode.c.programme_id == bindparam("programme"),
        func.upper_inf(episode.c.period),
    )
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
        (record,) = await with_facts(self._connection, [wanted])
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
        return list(reversed(await with_facts(self._connection, found.scalars().all())))

    async def closed_days(self, programme: ProgrammeId, *, since: date) -> frozenset[date]:
        """See `domain.checkin.CheckIns.closed_days`."""
        return await closed_days(self._connection, programme, since=since)

    async def open_before(self, one: CheckIn) -> Sequence[Record]:
        """See `domain.checkin.CheckIns.open_before`."""
        found = await self._connection.execute(_OPEN_BEFORE, {"plan": one.plan, "due_at": one.due_at})
        return await with_facts(self._connection, found.scalars().all())

    async def overtaken_by(self, one: CheckInId) -> Sequence[Record]:
        """See `domain.checkin.CheckIns.overtaken_by`."""
        found = await self._connection.execute(_OVERTAKEN_BY, {"check_in": one})
        return await with_facts(self._connection, found.scalars().all())

    async def in_care(self, of: ClientId, programme: ProgrammeId) -> bool:
        """See `domain.checkin.CheckIns.in_care`."""
        return bool((await self._connection.execute(IN_CARE, {"client": of, "programme": programme})).scalar_one())

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
        await self._connection.execute(insert(check_in_move).values(move_values(move)))
        await self._waits(move.check_in, waiting)

    async def _waits(self, one: CheckInId, waiting: Waiting | None) -> None:
        await end_waiting(self._connection, [one])
        await begin_waiting(self._connection, [waiting] if waiting else [])

    async def add_outcomes(self, outcomes: Sequence[Outcome], waiting: Sequence[Waiting]) -> None:
        """See `domain.checkin.CheckIns.add_outcomes`."""
        try:
            await self._connection.execute(insert(check_in_outcome), [_outcome_values(one) for one in outcomes])
        except IntegrityError as refused:
            if violated(refused) == "check_in_outcome_on_behalf_of_fkey":
                raise Invalid(Fault("on_behalf_of", "nobody of this identifier works here")) from refused
            raise AlreadySettled("Somebody else settled it at the same moment. Read the check-in again.") from refused
        await add_answers(self._connection, outcomes)
        await end_waiting(self._connection, [one.check_in for one in outcomes])
        await begin_waiting(self._connection, waiting)


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
        "on_behalf_of": one.on_behalf_of,
        "recorded_by": one.recorded_by,
        "recorded_at": one.recorded_at,
    }
