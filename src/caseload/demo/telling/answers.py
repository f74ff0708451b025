"""What clients say in their check-ins: mostly steady, now and then without an answer, and lately one who does not wait."""

from datetime import datetime, timedelta
from typing import Final

from caseload.db.checkin import Templates
from caseload.db.escalation import Escalations
from caseload.db.observation import KeptObservations
from caseload.demo.telling.stage import Life, Stage
from caseload.domain.checkin import Answer, Answers, Asked, Filled, Question
from caseload.domain.observation import InstrumentName, instrument
from caseload.request.work import Work

LATELY_DAYS: Final = 4
EVERY: Final = 3
"""One check-in in so many was asked the questions, and one in twice as many filled in a GAD-7."""


async def asked_of(life: Life, at: datetime, *, stage: Stage, work: Work, now: datetime) -> Asked | None:
    """What was asked of a client at that moment, and what they said; None where nothing was."""
    number = life.story.number + at.toordinal()
    overdosed = _overdosed(life, at, stage)
    if number % EVERY and not overdosed:
        return None
    given = dict(_answers(number), overdose_since=overdosed)
    return Asked(
        answers=Answers(given={Question(name): answer for name, answer in given.items()}),
        template=await Templates(work.connection).template(stage.programme.id),
        escalations=Escalations(work.connection, work.journal, now=now),
        observations=KeptObservations(work.connection, work.journal),
        filled=[_gad7(number)] if number % (2 * EVERY) == 0 else [],
    )


def _overdosed(life: Life, at: datetime, stage: Stage) -> bool:
    """Of one client in some twenty, in the last days: what the clinicians still have to take on."""
    return life.story.number % 19 == 4 and at > stage.moment(LATELY_DAYS, 0) - timedelta(minutes=1)


def _answers(number: int) -> dict[str, Answer]:
    days = number % 7
    return {
        "craving": number % 6,
        "use_days_28": days,
        "use_days_30": None if days == 6 else days + number % 2,
        "mood": 4 + number % 5,
        "housing": "temporary" if number % 11 == 0 else "stable",
        "medication": "as_ordered",
        "naloxone_held": number % 5 != 0,
        "suicide": "no" if number % 7 else None,
        "safeguarding": False,
    }


def _gad7(number: int) -> Filled:
    items = instrument(InstrumentName.GAD7).items
    answers = {item.code: (number + place) % 3 for place, item in enumerate(items)}
    return Filled(instrument=InstrumentName.GAD7, answers=answers)
