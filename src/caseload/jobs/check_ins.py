"""Making the check-ins of the coming weeks, some plans in each step; and more of them for whom something has happened."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from caseload.db.checkin import Plans
from caseload.db.checkin.changing import Turned, turned_lately
from caseload.db.checkin.stepping import LOOKS_BACK, Due, due_to_step_up, hold_those_free
from caseload.db.programme import Programmes
from caseload.domain.checkin import NothingToStepUp, Occurred, StepUpGround, schedule_ahead, step_up
from caseload.domain.ids import ProgrammeId
from caseload.domain.job import Job
from caseload.domain.medication import large_changes
from caseload.domain.programme import Programme
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
    programmes = {each.id: each for each in await Programmes(work.connection).all()}
    stepped = False
    for due in [*await due_to_step_up(work.connection, now=work.now), *await _dose_changes(work, programmes)]:
        [plan] = await plans.standing([due.plan])
        programme = programmes[plan.programme]
        rules = programme.rules_on(programme.today(work.now))
        try:
            await step_up(plan, due.what, rules=rules, by=work.by, now=work.now, plans=plans, journal=work.journal)
        except NothingToStepUp:
            continue
        stepped = True
    return Step.DONE if stepped else Step.NOTHING


async def _dose_changes(work: Work, programmes: Mapping[ProgrammeId, Programme]) -> Sequence[Due]:
    """The large changes of a daily dose that came lately, after people decided the plan; the plans held."""
    today = work.now.date()
    found: list[Due] = []
    for turned in await turned_lately(work.connection, since=today - LOOKS_BACK, until=today + timedelta(days=1)):
        found += _changes_of(turned, programmes[turned.programme], now=work.now)
    held = await hold_those_free(work.connection, {due.plan for due in found})
    return [due for due in found if due.plan in held]


def _changes_of(turned: Turned, programme: Programme, *, now: datetime) -> Iterator[Due]:
    today = programme.today(now)
    percent = programme.rules_on(today).check_ins.step_up.dose_change_percent
    zone = programme.zones or programme.time_zone
    for change in large_changes(turned.orders, zone, percent=percent, first=today - LOOKS_BACK, last=today):
        if change.since > turned.decided_at and (change.order, change.on) not in turned.led:
            what = Occurred(ground=StepUpGround.DOSE_CHANGE, on=change.on, record=change.order)
            yield Due(plan=turned.plan, what=what)


STEP_UP_CHECK_INS: Final = Kind(name="check_in.stepped_up", step=step_up_check_ins, every=timedelta(minutes=15))
SCHEDULE_CHECK_INS: Final = Kind(name="check_in.scheduled", step=schedule_check_ins, every=timedelta(minutes=10))
