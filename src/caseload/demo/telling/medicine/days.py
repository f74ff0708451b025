"""Medication told day by day: orders, doses at the window, what stood in their way, and the second look at each."""

from caseload.demo.stories import MISSED, Tale, Treatment
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.giving import AWAY_FOR_DAYS, give_todays, leave_out
from caseload.demo.telling.medicine.home import take_home
from caseload.demo.telling.medicine.mishaps import (
    after_the_dose,
    before_the_dose,
    close_for_who_left,
    instead_of_the_dose,
)
from caseload.demo.telling.medicine.observing import look_at
from caseload.demo.telling.medicine.orders import STEP_DAYS, begin, raise_dose
from caseload.demo.telling.medicine.pharmacy import hear_from_the_pharmacy
from caseload.demo.telling.medicine.second_look import sign
from caseload.demo.telling.stage import Life
from caseload.domain.dosing import NotGivenReason


async def tell_day(here: Dispensary, life: Life, ago: int) -> None:
    """One day of a client on medicine."""
    treatment, client = life.story.treatment, life.client
    if treatment is None or client is None or not life.story.in_care(ago):
        return
    if life.order is None:
        await look_at(here, life, client, treatment, ago)
        await begin(here, life, client, treatment, ago)
    elif life.rising_to is not None and (life.risen_on - ago) % STEP_DAYS == 0 and ago != life.risen_on:
        await raise_dose(here, life, client, treatment, ago)
    if treatment.tale is Tale.PHARMACY:
        await hear_from_the_pharmacy(here, life, client, treatment, ago)
        return
    await before_the_dose(here, life, client, treatment, ago)
    if _is_away(treatment, ago):
        await leave_out(here, life, client, NotGivenReason.ABSENT, "", here.stage.moment(ago, 12, 30), ago)
    elif not await instead_of_the_dose(here, life, client, treatment, ago):
        dose = await give_todays(here, life, client, treatment, ago)
        if dose is not None:
            await after_the_dose(here, life, client, treatment, dose, ago)
            await take_home(here, life, client, treatment, ago)


async def tell_evening(here: Dispensary, ago: int) -> None:
    """Let somebody other than the giver sign for the day's doses; what is left of yesterday's waits."""
    waiting, here.to_sign = here.to_sign, []
    await here.doses(here.stage.moment(ago, 17)).keep()
    if ago == 1:
        waiting = waiting[: len(waiting) // 2]
    await sign(here, waiting, here.stage.moment(ago, 17))
    if ago == 1:
        await close_for_who_left(here)


def _is_away(treatment: Treatment, ago: int) -> bool:
    missed = MISSED.get(treatment.tale, 0)
    return treatment.turning_point >= ago > treatment.turning_point - missed or (
        treatment.tale is Tale.AWAY_NOW and ago <= AWAY_FOR_DAYS
    )
