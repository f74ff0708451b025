"""Plans whose programme has moved to another time zone since they were decided, in PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Date, bindparam, exists, insert, or_, select

from caseload.db.checkin.facts import with_facts
from caseload.db.checkin.plans import Plans
from caseload.db.checkin.rows import begin_waiting, end_waiting, move_values
from caseload.db.tables.base import INSTANT
from caseload.db.tables.checkin import check_in_move, check_in_waiting
from caseload.db.tables.checkin_plan import check_in_plan, check_in_plan_current, check_in_plan_version
from caseload.db.tables.programme import programme
from caseload.domain.checkin import Move, Plan, Record, Waiting
from caseload.domain.ids import PlanId
from caseload.domain.schedule import LATEST

LEFT_BEHIND: Final = (
    select(check_in_plan_current.c.plan_id)
    .join(check_in_plan, check_in_plan.c.id == check_in_plan_current.c.plan_id)
    .join(
        check_in_plan_version,
        (check_in_plan_version.c.plan_id == check_in_plan_current.c.plan_id)
        & (check_in_plan_version.c.version == check_in_plan_current.c.version),
    )
    .join(programme, programme.c.id == check_in_plan.c.programme_id)
    .where(
        programme.c.zones.is_not(None),
        check_in_plan_version.c.time_zone != programme.c.time_zone,
        or_(
            check_in_plan_current.c.scheduled_through < bindparam("latest", type_=Date()),
            exists().where(
                check_in_waiting.c.plan_id == check_in_plan_current.c.plan_id,
                check_in_waiting.c.due_at > bindparam("now", type_=INSTANT),
            ),
        ),
    )
    .order_by(check_in_plan_current.c.plan_id)
    .limit(bindparam("at_most"))
    .with_for_update(of=check_in_plan_current, skip_locked=True)
)
WAITING_OF: Final = select(check_in_waiting.c.check_in_id).where(check_in_waiting.c.plan_id == bindparam("plan"))


class Following(Plans):
    """Satisfies `domain.checkin.Following`."""

    async def left_behind(self, *, at_most: int) -> Sequence[Plan]:
        """Running plans that still go by another zone than their programme's, held; those held elsewhere are left out."""
        given = {"latest": LATEST, "now": self._now, "at_most": at_most}
        held = (await self._connection.execute(LEFT_BEHIND, given)).scalars().all()
        return await self.standing([PlanId(each) for each in held])

    async def waiting_of(self, plan: PlanId) -> Sequence[Record]:
        """See `domain.checkin.Following.waiting_of`."""
        these = (await self._connection.execute(WAITING_OF, {"plan": plan})).scalars().all()
        return await with_facts(self._connection, these)

    async def add_moves(self, moves: Sequence[Move], waiting: Sequence[Waiting]) -> None:
        """See `domain.checkin.Following.add_moves`."""
        await self._connection.execute(insert(check_in_move), [move_values(each) for each in moves])
        await end_waiting(self._connection, [each.check_in for each in moves])
        await begin_waiting(self._connection, waiting)
