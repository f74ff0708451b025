"""Making the check-ins of the coming weeks, some plans in each step; and more of them for whom something has happened."""

from datetime import timedelta
from typing import Final

from caseload.db.checkin import Plans
from caseload.db.checkin.stepping import due_to_step_up
from caseload.db.programme import Programmes
from caseload.domain.checkin import NothingToStepUp, schedule_ahead, step_up
from caseload.domain.job import Job
from caseload.jobs.kind import Kind, Step
from caseload.request.work import Work

PLANS_AT_ONCE = 500


async def schedule_check_ins(work: Work, _: Job) -> Step:
    """Schedule the next plans up to the horizon. A plan that another process holds is left to it."""
    plans = Plans(work.connection, work.journal, now=work.now)
    taken = await schedule_ahead(now=work.now, plans=plans, journal=work.journal, at_most=PLANS_AT_ONCE)
    return Step.MORE if taken else Step.NOTHING


async def step_up_check_ins(work: Work, _: Job) -> Step:
    """See clients more often for what has been recorded of them since somebody last decided their plan."""
    plans = Plans(work.connection, work.journal, now=work.now)
    stepped = False
    for due in await due_to_step_up(work.connection, now=work.now):
        [plan] = await plans.standing([due.plan])
        programme = await Programmes(work.connection).get(plan.programme)
        rules = programme.rules_on(programme.today(work.now))
        try:
            await step_up(plan, due.what, rules=rules, by=work.by, now=work.now, plans=plans, journal=work.journal)
        except NothingToStepUp:
            continue
        stepped = True
    return Step.DONE if stepped else Step.NOTHING


STEP_UP_CHECK_INS: Final = Kind(name="check_in.stepped_up", step=step_up_check_ins, every=timedelta(minutes=15))
SCHEDULE_CHECK_INS: Final = Kind(name="check_in.scheduled", step=schedule_check_ins, every=timedelta(minutes=10))
