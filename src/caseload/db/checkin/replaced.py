"""What a new version of a plan replaces: which check-ins still wait, that they are withdrawn, and which days are settled."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from sqlalchemy import Date, bindparam, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.checkin.rows import end_waiting
from caseload.db.tables.base import INSTANT
from caseload.db.tables.checkin import check_in, check_in_outcome, check_in_waiting
from caseload.domain.checkin import Ended, Replaced
from caseload.domain.checkin.record import SETTLED_BY_PEOPLE
from caseload.domain.ids import CheckInId, PlanId, StaffId

_outcomes = (
    select(check_in_outcome.c.version)
    .where(check_in_outcome.c.check_in_id == check_in_waiting.c.check_in_id)
    .order_by(check_in_outcome.c.version.desc())
    .limit(1)
    .scalar_subquery()
)
OPEN_FROM: Final = (
    select(check_in_waiting.c.check_in_id, _outcomes.label("outcomes"))
    .join(check_in, check_in.c.id == check_in_waiting.c.check_in_id)
    .where(
        check_in_waiting.c.plan_id == bindparam("plan"),
        check_in_waiting.c.due_at >= bindparam("moment", type_=INSTANT),
        check_in.c.due_at >= bindparam("moment", type_=INSTANT),
    )
)

_newer = check_in_outcome.alias("newer")
SETTLED_DAYS: Final = (
    select(check_in.c.scheduled_on)
    .join(check_in_outcome, check_in_outcome.c.check_in_id == check_in.c.id)
    .where(
        check_in.c.plan_id == bindparam("plan"),
        check_in.c.scheduled_on >= bindparam("since", type_=Date()),
        check_in_outcome.c.ended.in_(sorted(SETTLED_BY_PEOPLE)),
        ~exists().where(
            _newer.c.check_in_id == check_in_outcome.c.check_in_id, _newer.c.version > check_in_outcome.c.version
        ),
    )
)


async def open_from(connection: AsyncConnection, plan: PlanId, moment: datetime) -> Sequence[Replaced]:
    """The plan's open check-ins that were scheduled for then or later, and have not been moved to earlier."""
    rows = await connection.execute(OPEN_FROM, {"plan": plan, "moment": moment})
    return [Replaced(check_in=CheckInId(row.check_in_id), outcome_version=1 + (row.outcomes or 0)) for row in rows]


async def withdraw(
    connection: AsyncConnection, check_ins: Sequence[Replaced], *, reason: str, by: StaffId, now: datetime
) -> None:
    """Keep that these have been withdrawn, and no longer wait."""
    if not check_ins:
        return
    await connection.execute(
        insert(check_in_outcome),
        [
            {
                "check_in_id": one.check_in,
                "version": one.outcome_version,
                "ended": Ended.WITHDRAWN,
                "reason": reason,
                "recorded_by": by,
                "recorded_at": now,
            }
            for one in check_ins
        ],
    )
    await end_waiting(connection, [one.check_in for one in check_ins])


async def settled_days(connection: AsyncConnection, plan: PlanId, *, since: date) -> frozenset[date]:
    """The local days from then on for which a check-in of the plan has been completed or missed."""
    rows = await connection.execute(SETTLED_DAYS, {"plan": plan, "since": since})
    return frozenset(rows.scalars())
