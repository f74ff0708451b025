"""Observations in the stories: withdrawal and a drug screen before a first order, and the heart under methadone.

Of some who drink as well, the withdrawal from alcohol.
"""

from random import Random

from caseload.db.observation import KeptObservations
from caseload.db.screening import KeptScreens
from caseload.demo.stories import Treatment
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.watching import ask
from caseload.demo.telling.stage import Life
from caseload.domain.client import Client
from caseload.domain.ids import new_id
from caseload.domain.medicines import Medicine
from caseload.domain.observation import InstrumentName, Observed, instrument, record
from caseload.domain.screening import Finding, Matrix, Method, Result, Sample, Substance, Why, record_screen

DRINKS_TOO = 15
"""Of every so many clients one."""
LOOKED_FOR = (Substance.OPIATES, Substance.FENTANYL, Substance.BENZODIAZEPINES, Substance.COCAINE)


async def look_at(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
    """What the nurse observed on the morning of the first order."""
    chance = Random(f"observed {life.story.number} {ago}")  # noqa: S311  makes up a clinic, guards nothing
    names = [InstrumentName.COWS]
    if treatment.medicine is Medicine.METHADONE:
        names.append(InstrumentName.QTC)
    if life.story.number % DRINKS_TOO == 0:
        names.append(InstrumentName.CIWA_AR)
    for name in names:
        by, now = instrument(name), here.stage.moment(ago, 6, 30)
        answers = {
            item.code: chance.choice(item.values[:3]) if item.values else chance.randint(390, 505) for item in by.items
        }
        await record(
            client.id,
            Observed(observed_at=now, answers=answers),
            as_id=new_id(),
            instrument=by,
            by=here.nurse(ago),
            now=now,
            observations=KeptObservations(here.work.connection, here.work.journal),
            journal=here.work.journal,
        )
    await _screen(here, client, chance, ago)
    await ask(here, client, life.story.number, ago)


async def _screen(here: Dispensary, client: Client, chance: Random, ago: int) -> None:
    now, refused = here.stage.moment(ago, 6, 40), chance.random() < 0.1
    await record_screen(
        client.id,
        Sample(
            why=Why.ADMISSION,
            collected_at=now,
            matrix=Matrix.URINE,
            observed=False,
            refused=refused,
            results=[]
            if refused
            else [
                Result(substance, Method.POINT_OF_CARE, chance.choice((Finding.POSITIVE, Finding.NEGATIVE)))
                for substance in LOOKED_FOR
            ],
        ),
        as_id=new_id(),
        programme=here.stage.programme.id,
        by=here.nurse(ago),
        now=now,
        screens=KeptScreens(here.work.connection, here.work.journal),
        journal=here.work.journal,
    )
