"""What belongs to an admission in the stories: nearly everybody is examined and assessed on the first day.

Some begin in interim treatment. Whoever was admitted long enough ago went on in comprehensive treatment; one has no plan yet.
"""

from datetime import datetime

from caseload.db.admission import KeptAdmissions
from caseload.db.interim import KeptInterims
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.admission import Duty, Said, record_done
from caseload.domain.caseload import Episode
from caseload.domain.ids import AdmissionDoneId, InterimId, new_id
from caseload.domain.interim import Begun, Ended, InterimTreatment, begin_interim, end_interim, plan_on
from caseload.request.work import Work

NOT_ASSESSED = 7
"""Of every so many clients one is still to be assessed, however long ago they were admitted."""
INTERIM = 10
"""Of every so many clients one begins in interim treatment."""
WITHOUT_PLAN = 20
"""Of every so many one stays in it without a plan, however long ago they were admitted."""
INTERIM_DAYS = 20


async def examine_and_assess(
    life: Life, episode: Episode, ago: int, *, now: datetime, stage: Stage, work: Work
) -> None:
    """Record both where the programme's profile has clocks for them."""
    if stage.rules(ago).monitoring.admission is None:
        return
    done = {Duty.EXAMINATION: stage.team.prescriber}
    if life.story.number % NOT_ASSESSED:
        done[Duty.ASSESSMENT] = stage.counsellor(life)
    for duty, who in done.items():
        await record_done(
            episode,
            Said(duty=duty, done_on=stage.day(ago), done_by=who.printed_name),
            as_id=AdmissionDoneId(new_id()),
            today=stage.day(ago),
            by=who,
            now=now,
            admissions=KeptAdmissions(work.connection, work.journal),
            journal=work.journal,
        )


async def begin_in_the_meantime(
    life: Life, episode: Episode, ago: int, *, now: datetime, stage: Stage, work: Work
) -> None:
    """Some wait for a place in comprehensive treatment, where the programme's profile knows interim treatment."""
    if stage.rules(ago).monitoring.interim is None or life.story.treatment is None or life.story.number % INTERIM:
        return
    kept, who = KeptInterims(work.connection, work.journal), stage.team.nurses[0]
    one = await begin_interim(
        episode,
        Begun(started_on=stage.day(ago)),
        others=await kept.of(episode.client),
        as_id=InterimId(new_id()),
        rules=stage.rules(ago),
        today=stage.day(ago),
        by=who,
        now=now,
        interims=kept,
        journal=work.journal,
    )
    if ago > INTERIM_DAYS and life.story.number % WITHOUT_PLAN:
        await _goes_on(one, ago - INTERIM_DAYS, stage=stage, work=work)


async def _goes_on(one: InterimTreatment, ago: int, *, stage: Stage, work: Work) -> None:
    """In comprehensive treatment, as was planned."""
    kept, now, who = KeptInterims(work.connection, work.journal), stage.moment(ago, 9), stage.team.prescriber
    day = stage.day(ago)
    planned = await plan_on(one, day, who.printed_name, today=day, by=who, now=now, interims=kept, journal=work.journal)
    await end_interim(
        planned, day, Ended.COMPREHENSIVE, today=day, by=who, now=now, interims=kept, journal=work.journal
    )
