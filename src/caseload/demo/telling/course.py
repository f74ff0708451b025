"""Where treatment stands: phases of those in care, moves between levels of care, and who has a keyworker."""

from datetime import timedelta
from typing import Final

from caseload.db.caseload import Caseloads
from caseload.db.caseload.course import Courses
from caseload.demo.cast import HARBOR
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.caseload import Edition, LevelOfCare, Phase, begin_phase, move_level_of_care, name_keyworker
from caseload.domain.ids import KeyworkerId, new_id
from caseload.request.work import Work

AFTER: Final = (
    (Phase.INDUCTION, 0, "First dose."),
    (Phase.STABILISATION, 14, "The dose has been found."),
    (Phase.MAINTENANCE, 90, "Comes regularly and feels well."),
)
"""From how many days after the admission on, and why."""
STEPPED_UP = LevelOfCare(edition=Edition.ASAM_4, level="2.1")
STEPPED_DOWN = LevelOfCare(edition=Edition.ASAM_4, level="1.5")
ONE_OF: Final = 7
"""Of so many clients in care one needs more hours than before, another fewer, and a third has a keyworker."""
WITH_KEYWORKER: Final = 2


async def tell_course(life: Life, *, stage: Stage, work: Work) -> None:
    """What has been said of one client in care."""
    episode = life.episode
    if episode is None:
        return
    by, now = stage.counsellor(life), work.now
    courses = Courses(work.connection, work.journal, now=now)
    for phase, days, why in AFTER:
        on = episode.admitted_on + timedelta(days=days)
        if on <= stage.today:
            await begin_phase(episode, phase, why, on=on, by=by, now=now, phases=courses, journal=work.journal)
    if life.story.number % ONE_OF == WITH_KEYWORKER:
        other = next(each for each in stage.team.counsellors if each.id != by.id)
        await name_keyworker(
            episode,
            other.id,
            "Knows the client from the group.",
            until_at=None,
            as_id=KeyworkerId(new_id()),
            by=stage.team.supervisor,
            now=now,
            caseloads=Caseloads(work.connection, work.journal, now=now),
            journal=work.journal,
        )
    if stage.programme.code != HARBOR:
        return
    to = {0: STEPPED_UP, 1: STEPPED_DOWN}.get(life.story.number % ONE_OF)
    on = episode.admitted_on + timedelta(days=7)
    if to is not None and on <= stage.today:
        await move_level_of_care(
            episode,
            to,
            on=on,
            by=by,
            now=now,
            caseloads=Caseloads(work.connection, work.journal, now=now),
            journal=work.journal,
        )
