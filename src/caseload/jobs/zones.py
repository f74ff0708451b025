"""What was planned in a programme follows it to another time zone, some plans or sessions in each step."""

from datetime import timedelta
from typing import Final

from caseload.db.attendance.zone import LeftBehind
from caseload.db.checkin.zone import Following
from caseload.db.programme import Programmes
from caseload.domain.attendance.zone import follow_zone as let_session_follow
from caseload.domain.checkin import follow_zone as let_plan_follow
from caseload.domain.job import Job
from caseload.domain.programme import FOLLOWED
from caseload.jobs.check_ins import step_up_check_ins
from caseload.jobs.kind import Kind, Step
from caseload.request.work import Work

PLANS_AT_ONCE: Final = 100
SESSIONS_AT_ONCE: Final = 100


async def follow_zones(work: Work, job: Job) -> Step:
    """Let what is planned be worked out in the zone that its programme has moved to; nothing where none has moved.

    What calls for more contact counts from when people decided a plan, and a plan that follows is decided anew: so what has
    been recorded until now leads to more contact first.
    """
    programmes = {each.id: each for each in await Programmes(work.connection).all() if each.zones is not None}
    if not programmes:
        return Step.NOTHING
    if await step_up_check_ins(work, job) is not Step.NOTHING:
        return Step.MORE
    plans = Following(work.connection, work.journal, now=work.now)
    followed = await plans.left_behind(at_most=PLANS_AT_ONCE)
    for plan in followed:
        zone = programmes[plan.programme].zone
        await let_plan_follow(plan, zone, by=work.by, now=work.now, plans=plans, journal=work.journal)
    if followed:
        return Step.MORE
    sessions = LeftBehind(work.connection, work.journal, now=work.now)
    moved = await sessions.left_behind(at_most=SESSIONS_AT_ONCE)
    for session in moved:
        zone = programmes[session.programme].zone
        await let_session_follow(session, zone, by=work.by, now=work.now, sessions=sessions, journal=work.journal)
    return Step.MORE if moved else Step.NOTHING


FOLLOW_ZONES: Final = Kind(name=FOLLOWED, step=follow_zones, every=timedelta(hours=1))
