"""What the nurse asks beside the first order, in the stories: allergies, what else is taken, and naloxone to take home."""

from random import Random

from caseload.db.flag import KeptFlags
from caseload.db.naloxone import Supplies
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.domain.client import Client
from caseload.domain.flag import Flag, FlagKind, Raised, end_flag, raise_flag
from caseload.domain.ids import FlagId, NaloxoneId, new_id
from caseload.domain.naloxone import NaloxoneForm, Offer, Outcome, Recipient, offer

ELSE_TAKEN = (
    (FlagKind.ALLERGY, "Penicillin: rash as a child"),
    (FlagKind.SEDATIVE, "Diazepam 5 mg at night, from the family doctor"),
    (FlagKind.QT_PROLONGING, "Citalopram 20 mg"),
    (FlagKind.CYP3A4_INDUCER, "Carbamazepine 200 mg twice a day"),
    (FlagKind.CYP3A4_INHIBITOR, "Fluconazole 50 mg"),
    (FlagKind.SEDATIVE, "Drinks in the evenings, by their own account"),
    (FlagKind.FAINTED, "Fell in the street last week; the emergency room found nothing"),
)
ONE_IN = 4
"""Of so many clients one has something that should be seen first."""
COURSE_DAYS, OVER = 14, 0.6


async def ask(here: Dispensary, client: Client, number: int, ago: int) -> None:
    """What is asked on the morning of the first order, and what is given to take home."""
    chance = Random(f"watched {number} {ago}")  # noqa: S311  makes up a clinic
    if chance.randrange(ONE_IN) == 0:
        kind, what = chance.choice(ELSE_TAKEN)
        flag = await _raise(here, client, Raised(kind=kind, what=what, since=here.stage.day(ago)), ago)
        if kind is not FlagKind.ALLERGY and ago >= COURSE_DAYS and chance.random() < OVER:
            await _end(here, flag, ago - COURSE_DAYS)
    await _offer(here, client, chance, ago)


async def _raise(here: Dispensary, client: Client, said: Raised, ago: int) -> Flag:
    return await raise_flag(
        client.id,
        said,
        as_id=FlagId(new_id()),
        programme=here.stage.programme.id,
        today=here.stage.day(ago),
        by=here.nurse(ago),
        now=here.stage.moment(ago, 6, 45),
        flags=KeptFlags(here.work.connection, here.work.journal),
        journal=here.work.journal,
    )


async def _end(here: Dispensary, flag: Flag, ago: int) -> None:
    await end_flag(
        flag,
        here.stage.day(ago),
        "The course is over.",
        today=here.stage.day(ago),
        by=here.nurse(ago),
        now=here.stage.moment(ago, 7),
        flags=KeptFlags(here.work.connection, here.work.journal),
        journal=here.work.journal,
    )


async def _offer(here: Dispensary, client: Client, chance: Random, ago: int) -> None:
    outcome = chance.choice((Outcome.SUPPLIED, Outcome.SUPPLIED, Outcome.SUPPLIED, Outcome.DECLINED, Outcome.HAS_SOME))
    supplied = outcome is Outcome.SUPPLIED
    await offer(
        client.id,
        Offer(
            offered_on=here.stage.day(ago),
            recipient=chance.choice((Recipient.CLIENT, Recipient.CLIENT, Recipient.HOUSEHOLD)),
            person=None,
            outcome=outcome,
            form=NaloxoneForm.NASAL_SPRAY if supplied else None,
            units=2 if supplied else None,
            trained=outcome is not Outcome.DECLINED,
        ),
        as_id=NaloxoneId(new_id()),
        programme=here.stage.programme.id,
        today=here.stage.day(ago),
        by=here.nurse(ago),
        now=here.stage.moment(ago, 6, 50),
        supplies=Supplies(here.work.connection, here.work.journal),
        journal=here.work.journal,
    )
