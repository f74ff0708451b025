"""What was said of use before a contact, and what has led to more contact already."""

from typing import Final
from uuid import UUID

from sqlalchemy import bindparam, exists, func, select

from caseload.db.checkin.answers import answers_of
from caseload.db.checkin.plans import Plans
from caseload.db.tables.base import INSTANT
from caseload.db.tables.checkin import check_in, check_in_answers, check_in_outcome
from caseload.db.tables.checkin_plan import check_in_step_up
from caseload.domain.checkin import Answers, Ended, Outcome, Plan
from caseload.domain.ids import ClientId, PlanId

_newer = check_in_outcome.alias("newer")
BEFORE: Final = (
    select(*check_in_answers.c)
    .select_from(
        check_in.join(check_in_outcome, check_in_outcome.c.check_in_id == check_in.c.id).join(
            check_in_answers,
            (check_in_answers.c.check_in_id == check_in_outcome.c.check_in_id)
            & (check_in_answers.c.version == check_in_outcome.c.version),
        )
    )
    .where(
        check_in.c.client_id == bindparam("client"),
        check_in.c.id != bindparam("check_in"),
        check_in_outcome.c.ended == Ended.COMPLETED.value,
        check_in_outcome.c.occurred_at < bindparam("at", type_=INSTANT),
        func.num_nonnulls(check_in_answers.c.use_days_28, check_in_answers.c.use_days_30) > 0,
        ~exists().where(
            _newer.c.check_in_id == check_in_outcome.c.check_in_id, _newer.c.version > check_in_outcome.c.version
        ),
    )
    .order_by(check_in_outcome.c.occurred_at.desc())
    .limit(1)
)
HAS_LED: Final = select(
    exists().where(check_in_step_up.c.plan_id == bindparam("plan"), check_in_step_up.c.record_id == bindparam("record"))
)


class RelapsePlans(Plans):
    """Satisfies `domain.checkin.Relapses`."""

    async def standing_one(self, plan: PlanId) -> Plan:
        """See `domain.checkin.Relapses.standing_one`."""
        [found] = await self.standing([plan])
        return found

    async def answered_before(self, client: ClientId, outcome: Outcome) -> Answers | None:
        """See `domain.checkin.Relapses.answered_before`."""
        given = {"client": client, "check_in": outcome.check_in, "at": outcome.occurred_at}
        row = (await self._connection.execute(BEFORE, given)).mappings().first()
        self._journal.saw(client, "check_in")
        return None if row is None else answers_of(row)

    async def has_led(self, plan: PlanId, record: UUID) -> bool:
        """See `domain.checkin.Relapses.has_led`."""
        return bool((await self._connection.execute(HAS_LED, {"plan": plan, "record": record})).scalar_one())
