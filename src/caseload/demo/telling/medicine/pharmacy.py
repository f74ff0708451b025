"""A client whom a pharmacy supplies: what it reports each week, and the three days that hold the order now."""

from datetime import datetime

from caseload.db.dosing import Statements
from caseload.demo.stories import Treatment
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.stage import Life
from caseload.domain.client import Client
from caseload.domain.dosing import DayOutcome, HowVerified, Report, StatementDay, record_supply
from caseload.domain.ids import StatementId, new_id
from caseload.domain.medication import Order
from caseload.domain.medicines import DosePart

EVERY_DAYS = 7
MISSED_DAYS = range(1, 4)
"""Days ago on which nobody came for the dose; the pharmacy told us this morning."""
PHARMACY, PHARMACIST = "Harbour Street Pharmacy", "R. Okafor, pharmacist"


async def hear_from_the_pharmacy(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
    """What the pharmacy of an order tells of the days since it last called: once a week, and yesterday.

    Yesterday's report holds the order by the rule, and leaves a call to the pharmacy on the list.
    """
    order = life.order
    if order is None:
        return
    now = here.stage.moment(ago, 16, 10)
    since = life.risen_on or life.story.admitted
    if ago == 1 or since - ago == EVERY_DAYS:
        days = tuple(_day(here, treatment, each) for each in range(since, ago - 1, -1))
        await _report(here, client, order, days, ago, now)
        life.risen_on = ago - 1
        here.memory.eventful.add(client.id)


def _day(here: Dispensary, treatment: Treatment, ago: int) -> StatementDay:
    day = here.stage.day(ago)
    if ago in MISSED_DAYS:
        return StatementDay(day=day, part=DosePart.WHOLE, outcome=DayOutcome.MISSED)
    if ago == treatment.turning_point:
        why = "Drunk at the counter; asked to come back, and did not."
        return StatementDay(day=day, part=DosePart.WHOLE, outcome=DayOutcome.WITHHELD, reason=why)
    return StatementDay(day=day, part=DosePart.WHOLE, outcome=DayOutcome.TAKEN, amount_mg=treatment.dose_mg)


async def _report(
    here: Dispensary, client: Client, order: Order, days: tuple[StatementDay, ...], ago: int, now: datetime
) -> None:
    await record_supply(
        Report(
            order=order.id,
            pharmacy=PHARMACY,
            informant=PHARMACIST,
            how=HowVerified.TELEPHONE,
            told_at=now,
            days=days,
        ),
        client.id,
        as_id=StatementId(new_id()),
        by=here.nurse(ago),
        now=now,
        statements=Statements(here.work.connection, here.work.journal, now=now),
        journal=here.work.journal,
    )
