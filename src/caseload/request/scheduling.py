"""Making the check-ins of the coming weeks: some plans in each piece of work, so that an entry stays small."""

from typing import Final

from caseload.db.checkin import Plans
from caseload.domain.checkin import horizon, schedule_ahead
from caseload.domain.people import the_command_line
from caseload.request.work import Service

PLANS_AT_ONCE: Final = 100


async def schedule_check_ins(service: Service) -> int:
    """Schedule every running plan up to the horizon; return how many plans that were.

    Several processes may do it at once: a plan that another one holds is left to it. Killed half way, what has been
    committed stays and the rest is found again. Nothing to do leaves no entry.
    """
    done = 0
    while await _any_behind(service):
        async with service.work(by=the_command_line(), event="check_in.scheduled") as work:
            plans = Plans(work.connection, work.journal, now=work.now)
            taken = await schedule_ahead(now=work.now, plans=plans, journal=work.journal, at_most=PLANS_AT_ONCE)
            if taken == 0:
                await work.drop()
        if taken == 0:
            break
        done += taken
    return done


async def _any_behind(service: Service) -> bool:
    work = service.begin()
    try:
        await work.open()
        plans = Plans(work.connection, work.journal, now=work.now)
        return await plans.any_behind(horizon(work.now))
    finally:
        await work.drop()
