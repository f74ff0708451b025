"""Making the check-ins of the coming weeks: some plans in each step, so that an entry stays small."""

from datetime import timedelta
from typing import Final

from caseload.db.checkin import Plans
from caseload.domain.checkin import schedule_ahead
from caseload.domain.job import Job
from caseload.jobs.kind import Kind, Step
from caseload.request.work import Work

PLANS_AT_ONCE = 500


async def schedule_check_ins(work: Work, _: Job) -> Step:
    """Schedule the next plans up to the horizon. A plan that another process holds is left to it."""
    plans = Plans(work.connection, work.journal, now=work.now)
    taken = await schedule_ahead(now=work.now, plans=plans, journal=work.journal, at_most=PLANS_AT_ONCE)
    return Step.MORE if taken else Step.NOTHING


SCHEDULE_CHECK_INS: Final = Kind(name="check_in.scheduled", step=schedule_check_ins, every=timedelta(minutes=10))
