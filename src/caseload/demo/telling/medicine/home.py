"""Take-homes in the stories: who has been there for a year takes some days home, on the prescriber's word."""

from datetime import timedelta
from typing import Final

from caseload.db.takehome.returns import Returns
from caseload.demo.stories import Tale, Treatment
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.stage import Life
from caseload.domain.client import Client
from caseload.domain.ids import DispenseId, TakeHomeDecisionId, new_id
from caseload.domain.takehome import (
    Answer,
    Criterion,
    Handing,
    TakeHomeWish,
    Wanted,
    decide_take_home,
    dispense,
)
from caseload.domain.takehome.collecting import Collecting, Identity

DAYS_HOME: Final = 6
BY_ANOTHER: Final = 5
"""Of every so many clients one sends somebody."""
HANDED_OUT_DAYS_AGO: Final = 1
REVIEWED_AFTER: Final = timedelta(days=60)


async def take_home(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
    """Yesterday six days were handed out to whoever has been there for a year: today's dose is at home."""
    order = life.order
    if treatment.tale is not Tale.YEAR or ago != HANDED_OUT_DAYS_AGO or order is None:
        return
    now = here.stage.moment(ago, 10, 30)
    await here.doses(now).keep()
    prescriber = here.stage.team.prescriber
    homes = Returns(here.work.connection, here.work.journal, now=now)
    await decide_take_home(
        TakeHomeWish(
            medicine=order.medicine,
            days=DAYS_HOME,
            answers=dict.fromkeys(Criterion, Answer(met=True)),
            rationale="A year without a missed week; works shifts; has shown a locked box.",
            review_on=here.stage.day(ago) + REVIEWED_AFTER,
        ),
        client.id,
        as_id=TakeHomeDecisionId(new_id()),
        by=prescriber,
        proof=here.stage.proof(prescriber, now),
        now=now,
        decisions=homes,
        journal=here.work.journal,
    )
    days = [here.stage.day(ago) + timedelta(days=number) for number in range(1, DAYS_HOME + 1)]
    await dispense(
        Handing(
            client=client.id,
            units=tuple(
                Wanted(for_on=day, part=part, amount_mg=amount)
                for day in days
                for part, amount in order.amounts_mg.items()
            ),
            educated=True,
            collecting=_collecting(life),
        ),
        as_id=DispenseId(new_id()),
        by=here.nurse(ago),
        now=now,
        homes=homes,
        journal=here.work.journal,
    )


def _collecting(life: Life) -> Collecting:
    """Mostly the client, who is known at the window; some work shifts, and somebody collects it for them."""
    if life.story.number % BY_ANOTHER == 1:
        return Collecting(name="May Thornbury, her sister", identity=Identity(requested=True, provided=True))
    return Collecting(by_client=True, identity=Identity(requested=False, provided=False))
