"""What belongs to an admission in the stories: nearly everybody is examined and assessed on the first day."""

from datetime import datetime

from caseload.db.admission import KeptAdmissions
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.admission import Duty, Said, record_done
from caseload.domain.caseload import Episode
from caseload.domain.ids import AdmissionDoneId, new_id
from caseload.request.work import Work

NOT_ASSESSED = 7
"""Of every so many clients one is still to be assessed, however long ago they were admitted."""


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
