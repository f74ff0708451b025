"""Seeing a client more often who used again: by what they said of their days of use, after none the last time.

From how many days on it counts is the profile's (product convention; no external norm was found). Who uses as the time
before has not relapsed, and of whoever was never asked before nothing is concluded. It is a reason for more contact and
nothing else: no dose, no take-home and no discharge follows from it.
"""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from caseload.domain.checkin.answers import Answers, Question
from caseload.domain.checkin.plan import CheckIn, Plan, PlanStopped, StepUpGround
from caseload.domain.checkin.record import Outcome
from caseload.domain.checkin.stepping import NothingToStepUp, Occurred, Versions, step_up
from caseload.domain.ids import ClientId, PlanId
from caseload.domain.journal import Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programmes
from caseload.domain.schedule import local_day


class Relapses(Versions, Protocol):
    """The plans, and what was said of use before."""

    async def standing_one(self, plan: PlanId, /) -> Plan:
        """The plan as it stands; whoever asks holds it."""
        ...

    async def answered_before(self, client: ClientId, outcome: Outcome, /) -> Answers | None:
        """The last answers about days of use of a contact before this one, as they stand now; None where there are none."""
        ...

    async def has_led(self, plan: PlanId, record: UUID, /) -> bool:
        """Whether this record has led to more contact in this plan already, whatever became of it."""
        ...


def use_days(answers: Answers | None) -> int | None:
    """The days of use in the last 28 or 30, the more of both; None where neither was answered."""
    said = [] if answers is None else [answers.given.get(each) for each in (Question.USE_DAYS_28, Question.USE_DAYS_30)]
    return max((each for each in said if isinstance(each, int)), default=None)


async def step_up_after_relapse(
    of: CheckIn,
    outcome: Outcome,
    *,
    by: Staff,
    now: datetime,
    programmes: Programmes,
    plans: Relapses,
    journal: Journal,
) -> Plan | None:
    """See the client more often, in the plan of this check-in, where what they said of it is a relapse; once.

    The plan is held. Nothing happens where they are seen as often already, or the plan has been stopped.
    """
    days = use_days(outcome.answers)
    if not days or outcome.occurred_at is None:
        return None
    programme = await programmes.get(of.programme)
    rules = programme.rules_on(programme.today(now))
    if days < rules.check_ins.step_up.relapse_use_days:
        return None
    if use_days(await plans.answered_before(of.client, outcome)) != 0 or await plans.has_led(of.plan, of.id):
        return None
    what = Occurred(ground=StepUpGround.RELAPSE, on=local_day(outcome.occurred_at, programme.zone), record=of.id)
    plan = await plans.standing_one(of.plan)
    try:
        return await step_up(plan, what, rules=rules, by=by, now=now, plans=plans, journal=journal)
    except (NothingToStepUp, PlanStopped):
        return None
