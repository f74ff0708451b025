"""Taking the steps by which whoever has not come is looked for: some ladders in each step, so that an entry stays small."""

from datetime import timedelta
from typing import Final

import structlog

from caseload.db.care_task import KeptCareTasks
from caseload.db.failures import Failure, failure_of
from caseload.db.outreach import KeptLadders
from caseload.db.programme import Programmes
from caseload.domain.job import Job
from caseload.domain.outreach import Climber, Ground, climb, ground_of
from caseload.domain.programme import Programme
from caseload.domain.schedule import local_day
from caseload.jobs.kind import Kind, Step
from caseload.request.work import Work

LADDERS_AT_ONCE: Final = 50

_log = structlog.get_logger()


async def climb_ladders(work: Work, _: Job) -> Step:
    """Take what is due in the next programme where anything is.

    Several workers may do it at once: a step that another has taken is left to it. A client with whom something goes wrong
    is tried again later, by a count of their own, and holds up nobody else.
    """
    for programme in await Programmes(work.connection).all():
        if await climb_in(work, programme):
            return Step.MORE
    return Step.NOTHING


async def climb_in(work: Work, programme: Programme) -> int:
    """Look at some ladders of a programme that may have a step due, and take it; return how many were looked at."""
    ladders = KeptLadders(work.connection, work.journal, now=work.now)
    climbers = await ladders.due(programme.id, at_most=LADDERS_AT_ONCE)
    if climbers:
        await KeptCareTasks(work.connection, work.journal, now=work.now).forget(programme.id)
        since = local_day(min(each.overdue_since for each in climbers), programme.zone)
        ground = ground_of(programme, await ladders.closed_days(programme.id, since=since), now=work.now)
        for climber in climbers:
            await _one(work, ladders, climber, ground)
    return len(climbers)


async def _one(work: Work, ladders: KeptLadders, climber: Climber, ground: Ground) -> None:
    """Take the steps of one client; where that fails none of them, and they are tried again later."""
    try:
        async with work.connection.begin_nested():
            await climb(climber, ground, by=work.by, now=work.now, ladders=ladders, journal=work.journal)
    except Exception as error:
        if failure_of(error) is Failure.UNAVAILABLE:
            raise
        await ladders.failed(climber.client)
        _log.warning("a step of the ladder could not be taken", error=type(error).__name__)


CLIMB_LADDERS: Final = Kind(name="outreach.step_taken", step=climb_ladders, every=timedelta(minutes=5))
