"""What goes on by itself with escalations: on to whose turn it is, and three missed doses raised by the record."""

from datetime import timedelta
from typing import Final

from caseload.db.dosing import DosingDays
from caseload.db.escalation import Escalations
from caseload.db.on_call import KeptRotas
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.escalation import pass_on
from caseload.domain.escalation.missed import escalate_missed, is_long, runs
from caseload.domain.job import Job
from caseload.domain.journal import Unseen
from caseload.domain.programme import Programme
from caseload.jobs.kind import Kind, Step
from caseload.jobs.reader import reader
from caseload.request.work import Work


async def pass_escalations_on(work: Work, _: Job) -> Step:
    """Pass on what nobody has acknowledged in time, in the next programme where anything is to be."""
    for programme in await Programmes(work.connection).all():
        if await pass_on_in(work, programme):
            return Step.MORE
    return Step.NOTHING


async def pass_on_in(work: Work, programme: Programme) -> int:
    """Pass on what is due in a programme; return how often something went on."""
    rotas = KeptRotas(work.connection, now=work.now)
    rules = programme.rules_on(programme.today(work.now))
    held = await rotas.held_open(programme.id)
    before = await rotas.passings([each.id for each in held])
    made = 0
    for each in held:
        made += len(
            await pass_on(each, before.get(each.id, ()), rules, now=work.now, recipients=rotas, journal=work.journal)
        )
    return made


async def escalate_missed_doses(work: Work, _: Job) -> Step:
    """Raise what the dose record says of today, in the next programme where anything is to be raised."""
    for programme in await Programmes(work.connection).all():
        if await escalate_missed_in(work, programme):
            return Step.MORE
    return Step.NOTHING


async def escalate_missed_in(work: Work, programme: Programme) -> int:
    """Raise each run of missed doses of a programme that is long enough and has not been raised; return how many."""
    today = programme.today(work.now)
    rules = programme.rules_on(today)
    days = DosingDays(work.connection, Unseen(), now=work.now)
    due = await days.due_in(
        programme.id, today, by=reader(programme.id), act=Act.SEE_MEDICATION, only=lambda one: is_long(one, rules)
    )
    return await escalate_missed(
        runs(due, programme.id),
        programme.id,
        by=work.by,
        now=work.now,
        missed=Escalations(work.connection, work.journal, now=work.now),
        journal=work.journal,
    )


PASS_ON: Final = Kind(name="escalation.passed", step=pass_escalations_on, every=timedelta(minutes=1))
MISSED_DOSES: Final = Kind(name="escalation.raised", step=escalate_missed_doses, every=timedelta(minutes=30))
