"""Closure days for check-ins, in PostgreSQL: which there are, and what waits on them."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Date, Uuid, any_, bindparam, exists, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.checkin.facts import with_facts
from caseload.db.checkin.rows import begin_waiting, end_waiting, move_values
from caseload.db.tables.base import INSTANT
from caseload.db.tables.checkin import check_in_move, check_in_waiting
from caseload.db.tables.checkin_plan import check_in_plan_current
from caseload.db.tables.closure import closure_day
from caseload.domain.checkin import Move, Record, Waiting
from caseload.domain.ids import ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.programme import Programme
from caseload.domain.schedule import start_of_day

LONGEST_GRACE: Final = timedelta(days=93)
"""No grace reaches further: the most days that a plan may give, and every other day and each Sunday closed."""

_newer = closure_day.alias("newer")
CLOSED_SINCE: Final = select(closure_day.c.day).where(
    closure_day.c.programme_id == bindparam("programme"),
    closure_day.c.day >= bindparam("since", type_=Date()),
    closure_day.c.is_closed,
    ~exists().where(
        _newer.c.programme_id == closure_day.c.programme_id,
        _newer.c.day == closure_day.c.day,
        _newer.c.version > closure_day.c.version,
    ),
)
TOUCHED: Final = select(check_in_waiting.c.check_in_id, check_in_waiting.c.plan_id).where(
    check_in_waiting.c.programme_id == bindparam("programme"),
    check_in_waiting.c.due_at >= bindparam("earliest", type_=INSTANT),
    check_in_waiting.c.due_at < bindparam("ends", type_=INSTANT),
    check_in_waiting.c.grace_ends_at >= bindparam("begins", type_=INSTANT),
)
HELD: Final = (
    select(check_in_plan_current.c.plan_id)
    .where(check_in_plan_current.c.plan_id == any_(bindparam("plans", type_=ARRAY(Uuid()))))
    .order_by(check_in_plan_current.c.plan_id)
    .with_for_update()
)


class Closing:
    """Satisfies `domain.checkin.Closing`."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def closed_days(self, programme: ProgrammeId, *, since: date) -> frozenset[date]:
        """See `domain.checkin.Closing.closed_days`."""
        return await closed_days(self._connection, programme, since=since)

    async def touched_by(self, programme: Programme, days: Sequence[date]) -> Sequence[Record]:
        """See `domain.checkin.Closing.touched_by`. One statement for each day, whatever else is scheduled."""
        plans: dict[UUID, UUID] = {}
        for day in days:
            begins, ends = (start_of_day(each, programme.zone) for each in (day, day + timedelta(days=1)))
            given = {"programme": programme.id, "begins": begins, "ends": ends, "earliest": begins - LONGEST_GRACE}
            for row in await self._connection.execute(TOUCHED, given):
                plans[row.check_in_id] = row.plan_id
        await self._connection.execute(HELD, {"plans": sorted(set(plans.values()))})
        found = [each for each in await with_facts(self._connection, sorted(plans)) if each.outcome is None]
        for each in found:
            self._journal.saw(each.check_in.client, "check_in")
        return found

    async def add_moves(self, moves: Sequence[Move], waiting: Sequence[Waiting]) -> None:
        """See `domain.checkin.Closing.add_moves`."""
        await self._connection.execute(insert(check_in_move), [move_values(each) for each in moves])
        await end_waiting(self._connection, [each.check_in for each in moves])
        await begin_waiting(self._connection, waiting)


async def closed_days(connection: AsyncConnection, programme: ProgrammeId, *, since: date) -> frozenset[date]:
    """The days from then on on which a programme is closed: some two hundred, since nobody closes further ahead."""
    found = await connection.execute(CLOSED_SINCE, {"programme": programme, "since": since})
    return frozenset(found.scalars())
