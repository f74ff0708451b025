"""What was asked in a contact, as it came over HTTP, and the more contact that may follow from it."""

from collections.abc import Mapping

from caseload.api.checkin.answers import AnswersIn
from caseload.api.checkin.store import check_ins_of
from caseload.api.escalation import escalations_of
from caseload.api.observation import Answers as FilledAnswers
from caseload.db.checkin import Plans, Templates
from caseload.db.checkin.relapses import RelapsePlans
from caseload.db.observation import KeptObservations
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.checkin import (
    Answers,
    Asked,
    Filled,
    Outcome,
    Record,
    StepUp,
    questions_of,
    step_up_after_relapse,
    use_days,
)
from caseload.domain.ids import CheckInId
from caseload.domain.observation import InstrumentName
from caseload.request.work import Work


async def asked_of(
    work: Work,
    check_in: CheckInId,
    answers: AnswersIn | None,
    instruments: Mapping[InstrumentName, FilledAnswers] | None,
) -> Asked:
    """What was asked, beside what the programme of the check-in asks."""
    record = await check_ins_of(work).get(check_in, reach=work.by.reach(Act.COMPLETE_CHECK_IN))
    template = await Templates(work.connection).template(record.check_in.programme)
    given = questions_of(answers or {})
    return Asked(
        answers=Answers(given=given, template_version=template.version or None) if given else None,
        template=template,
        escalations=escalations_of(work),
        observations=KeptObservations(work.connection, work.journal),
        filled=[Filled(instrument=name, answers=filled) for name, filled in (instruments or {}).items()],
    )


async def see_more_often_after_relapse(work: Work, outcome: Outcome) -> None:
    """What was just said may ask for more contact for a while."""
    if not use_days(outcome.answers):
        return
    record = await check_ins_of(work).get(outcome.check_in, reach=work.by.reach(Act.COMPLETE_CHECK_IN))
    await step_up_after_relapse(
        record.check_in,
        outcome,
        by=work.by,
        now=work.now,
        programmes=Programmes(work.connection),
        plans=RelapsePlans(work.connection, work.journal, now=work.now),
        journal=work.journal,
    )


async def step_up_after(work: Work, record: Record) -> StepUp | None:
    """That its plan asks for more contact because of what was said in a check-in, if it still does."""
    if record.outcome is None or not use_days(record.outcome.answers):
        return None
    plans = Plans(work.connection, work.journal, now=work.now)
    plan = await plans.get(record.check_in.plan, reach=work.by.reach(Act.COMPLETE_CHECK_IN))
    found = plan.version.step_up
    return found if found is not None and found.record == record.check_in.id else None
