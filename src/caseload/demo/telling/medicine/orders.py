"""Orders in the stories: the first one, those that raise the dose, and the last day."""

from datetime import datetime
from decimal import Decimal

from caseload.demo.stories import Tale, Treatment
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.stage import Life
from caseload.domain.client import Client
from caseload.domain.ids import OrderId, new_id
from caseload.domain.medication import Order, OrderNeedsConfirmation, Supply, Wish, sign_order, stop_order, write_order
from caseload.domain.medicines import LONG_ACTING, DosePart

FIRST_DOSE_MG = Decimal(30)
STEP_MG = Decimal(10)
STEP_DAYS = 3
INJECTION_DAYS = 28
TRANSFER = "Comes from another programme: dose verified by telephone with its nurse."


async def begin(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
    """The first order: the full dose of somebody who comes from elsewhere, or a low one that is raised."""
    comes_back = life.story.returned is not None and ago <= life.story.returned
    low = treatment.tale is Tale.TITRATED or comes_back
    first = FIRST_DOSE_MG if low else treatment.dose_mg
    life.order = await sign_one(here, life, client, treatment, first, here.stage.moment(ago, 6, 45))
    if low:
        life.rising_to, life.risen_on = treatment.dose_mg, ago


async def raise_dose(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> None:
    """The next step up, towards what is wanted."""
    if life.order is None or life.rising_to is None:
        return
    wanted = min(sum(life.order.amounts_mg.values(), Decimal()) + STEP_MG, life.rising_to)
    life.order = await sign_one(here, life, client, treatment, wanted, here.stage.moment(ago, 6, 45))
    life.risen_on = ago
    if wanted == life.rising_to:
        life.rising_to = None


async def order_so(here: Dispensary, client: Client, wish: Wish, now: datetime, *, reason: str = TRANSFER) -> Order:
    """An order as the prescriber wishes it, written and signed, with the reason for whatever the profile asks."""
    written = await write_order(
        wish,
        client.id,
        as_id=OrderId(new_id()),
        by=here.stage.team.prescriber,
        now=now,
        orders=here.doses(now),
        journal=here.work.journal,
    )
    try:
        return await _sign(here, written, now)
    except OrderNeedsConfirmation as asked:
        return await _sign(here, written, now, confirmed=dict.fromkeys(asked.rules, reason))


async def sign_one(
    here: Dispensary, life: Life, client: Client, treatment: Treatment, dose_mg: Decimal, now: datetime
) -> Order:
    """An order, written and signed, in the place of the one before."""
    wish = Wish(
        medicine=treatment.medicine,
        form=treatment.form,
        strength_mg=treatment.strength_mg,
        amounts_mg=_parts(treatment, dose_mg),
        every_days=INJECTION_DAYS if treatment.form in LONG_ACTING else 1,
        starts_on=here.stage.programme.today(now),
        ends_on=None,
        supervised=True,
        note="",
        replaces=life.order.id if life.order is not None else None,
        supply=Supply.PHARMACY if treatment.tale is Tale.PHARMACY else Supply.WINDOW,
    )
    return await order_so(here, client, wish, now)


async def _sign(here: Dispensary, written: Order, now: datetime, confirmed: dict[str, str] | None = None) -> Order:
    prescriber = here.stage.team.prescriber
    return await sign_order(
        written.id,
        by=prescriber,
        proof=here.stage.proof(prescriber, now),
        now=now,
        orders=here.doses(now),
        journal=here.work.journal,
        confirmed=confirmed,
    )


async def stop_treatment(here: Dispensary, life: Life, ago: int) -> None:
    """End the order of a client who leaves."""
    if life.order is not None:
        now = here.stage.moment(ago, 15, 30)
        await stop_order(
            life.order.id,
            "Discharged.",
            by=here.stage.team.prescriber,
            proof=here.stage.proof(here.stage.team.prescriber, now),
            now=now,
            orders=here.doses(now),
            journal=here.work.journal,
        )
        life.order = None


def _parts(treatment: Treatment, dose_mg: Decimal) -> dict[DosePart, Decimal]:
    if treatment.tale is Tale.SPLIT:
        return {DosePart.MORNING: dose_mg / 2, DosePart.EVENING: dose_mg / 2}
    return {DosePart.WHOLE: dose_mg}
