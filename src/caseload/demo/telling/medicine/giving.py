"""Doses at the window: given, left out, and begun anew after too many were missed."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from caseload.demo.stories import Tale, Treatment
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.orders import FIRST_DOSE_MG, INJECTION_DAYS, STEP_MG, sign_one
from caseload.demo.telling.stage import Life
from caseload.domain.client import Client
from caseload.domain.dosing import (
    Dose,
    DoseRefused,
    Giving,
    Injecting,
    Missing,
    NotGivenReason,
    Site,
    Wanted,
    allow_dose,
    give,
    record_not_given,
)
from caseload.domain.ids import DecisionId, DoseId, new_id
from caseload.domain.medicines import LONG_ACTING, DosePart
from caseload.domain.profiles.around import IdentifiedBy

AWAY_FOR_DAYS = 4
SITES = (Site.ABDOMEN_LEFT, Site.ABDOMEN_RIGHT)
LOOKED_AT = (IdentifiedBy.PHOTOGRAPH, IdentifiedBy.KNOWN, IdentifiedBy.QUESTIONS)
"""How a nurse made sure yesterday who it was."""
LEFT_WAITING = range(2, 6)
"""Days ago whose doses nobody has signed yet, where that is the tale."""


async def give_todays(here: Dispensary, life: Life, client: Client, treatment: Treatment, ago: int) -> Dose | None:
    """What is due on the day, part by part; the last dose that was given."""
    order = life.order
    if order is None or not order.is_scheduled(here.stage.day(ago)):
        return None
    dose = None
    for part, amount in order.amounts_mg.items():
        hour, minute = (18, 0) if part is DosePart.EVENING else divmod(7 * 60 + life.story.number * 7 % 150, 60)
        now = here.stage.moment(ago, hour, minute)
        less = treatment.tale is Tale.LESS and ago == treatment.turning_point
        giving = Giving(
            client=client.id,
            order=order.id,
            medicine=order.medicine,
            form=order.form,
            amount_mg=amount - STEP_MG if less else amount,
            part=part,
            given_at=now,
            supervised=True,
            injecting=Injecting(site=SITES[ago // INJECTION_DAYS % 2]) if order.form in LONG_ACTING else None,
            less_reason="Asked for less before a long journey; prescriber told." if less else None,
            identified_by=LOOKED_AT[life.story.number % len(LOOKED_AT)] if ago == 1 else None,
        )
        dose = await _give(here, life, client, treatment, giving, ago)
    return dose


async def _give(here: Dispensary, life: Life, client: Client, treatment: Treatment, giving: Giving, ago: int) -> Dose:
    """Give a dose; where too many were missed, the prescriber decides, and the dose is built up anew."""
    now = giving.given_at
    try:
        dose = await _give_once(here, giving, now, ago)
    except DoseRefused:
        dose = await _start_again(here, life, client, treatment, giving, ago)
    if not _is_left_waiting(treatment, ago):
        here.to_sign.append(dose)
    return dose


async def _start_again(
    here: Dispensary, life: Life, client: Client, treatment: Treatment, giving: Giving, ago: int
) -> Dose:
    """After too many missed doses the prescriber sees the client, decides on a lower one, and orders it."""
    prescriber, now = here.stage.team.prescriber, giving.given_at + timedelta(minutes=20)
    low = max((giving.amount_mg / 2).quantize(Decimal(1), ROUND_HALF_UP), min(FIRST_DOSE_MG, giving.amount_mg))
    await allow_dose(
        Wanted(days=(here.stage.day(ago),), reason="Seen: alert, no sign of other opioids.", at_most_mg=low),
        client.id,
        as_id=DecisionId(new_id()),
        by=prescriber,
        proof=here.stage.proof(prescriber, now),
        now=now,
        histories=here.doses(now),
        journal=here.work.journal,
    )
    life.order = await sign_one(here, life, client, treatment, low, now)
    life.rising_to, life.risen_on = treatment.dose_mg, ago
    again = now + timedelta(minutes=10)
    return await _give_once(here, replace(giving, order=life.order.id, amount_mg=low, given_at=again), again, ago)


async def _give_once(here: Dispensary, giving: Giving, now: datetime, ago: int) -> Dose:
    return await give(
        giving,
        as_id=DoseId(new_id()),
        by=here.nurse(ago),
        now=now,
        doses=here.doses(now),
        journal=here.work.journal,
    )


async def leave_out(
    here: Dispensary, life: Life, client: Client, reason: NotGivenReason, note: str, now: datetime, ago: int
) -> None:
    """Record that the dose of the day is not given."""
    order = life.order
    if order is None:
        return
    await record_not_given(
        Missing(client=client.id, order=order.id, part=next(iter(order.amounts_mg)), reason=reason, note=note),
        as_id=DoseId(new_id()),
        by=here.nurse(ago),
        now=now,
        doses=here.doses(now),
        journal=here.work.journal,
    )


def _is_left_waiting(treatment: Treatment, ago: int) -> bool:
    return treatment.tale is Tale.UNSIGNED and ago in LEFT_WAITING
