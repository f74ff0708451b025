"""What was decided yesterday afternoon: steps, two orders beside each other, a pharmacy, a telephone, a discharge that waits."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from caseload.db.attendance import Sessions
from caseload.db.caseload import Caseloads
from caseload.db.checkin import Plans
from caseload.db.departure import Departures
from caseload.demo.stories import Tale
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.lost import tell_lost
from caseload.demo.telling.medicine.orders import order_so
from caseload.demo.telling.medicine.pair import tell_pair
from caseload.demo.telling.stage import Life
from caseload.domain.caseload import DischargeReason
from caseload.domain.client import Client
from caseload.domain.departure import Leaving, Places, ask_to_discharge
from caseload.domain.ids import DepartureId, OrderId, new_id
from caseload.domain.medication import Order, Spoken, Step, Supply, Wish, take_order
from caseload.domain.medicines import DosePart, Form, Medicine

_QUIET: Final = (Tale.STEADY, Tale.YEAR, Tale.LESS, Tale.NOT_GIVEN, Tale.LATE_ENTRY, Tale.MISSED_1)
"""Tales in whose last days nothing happens to the order."""
_STEP_MG: Final = Decimal(5)
_STEP_DAYS: Final = 4


async def tell_newest(here: Dispensary) -> None:
    """Each of them once, where somebody is there for it, and what the programme's profile knows."""
    await tell_lost(here)
    treated, others = _treated(here), _untreated(here)
    afternoon = here.stage.moment(1, 17, 20)
    if (life := next(treated, None)) is not None and life.client is not None and life.order is not None:
        life.order = await _in_steps(here, life.client, life.order, afternoon)
    if (life := next(treated, None)) is not None:
        await _ask_to_discharge(here, life, afternoon)
    both = next((life for life in treated if _is_on_methadone(life)), None)
    if both is not None and both.client is not None and both.order is not None:
        both.order = await tell_pair(here, both.client, both.order, afternoon)
    rules = here.stage.rules(0).ordering
    if Medicine.BUPRENORPHINE_NALOXONE in rules.pharmacy.medicines and (life := next(others, None)) is not None:
        await _at_a_pharmacy(here, life, afternoon)
    if rules.verbal.countersign_hours is not None and (life := next(others, None)) is not None:
        await _by_telephone(here, life, afternoon)


def _treated(here: Dispensary) -> Iterator[Life]:
    """Those of whose order nothing else is told now."""
    for life in here.stage.lives:
        treatment = life.story.treatment
        quiet = treatment is not None and treatment.tale in _QUIET and life.hold is None and life.rising_to is None
        if quiet and life.order is not None and life.story.in_care(0):
            yield life


def _is_on_methadone(life: Life) -> bool:
    return life.order is not None and life.order.medicine is Medicine.METHADONE


def _untreated(here: Dispensary) -> Iterator[Life]:
    """Those in care who are on no medicine."""
    for life in here.stage.lives:
        if life.story.treatment is None and life.client is not None and life.story.in_care(0):
            yield life


async def _in_steps(here: Dispensary, client: Client, former: Order, now: datetime) -> Order:
    """The same medicine, rising by itself: each step waits until all before was taken and the client was seen well."""
    today = here.stage.day(0)
    steps = tuple(
        Step(
            from_on=today + timedelta(days=number * _STEP_DAYS),
            amounts_mg={part: amount + number * _STEP_MG for part, amount in former.amounts_mg.items()},
        )
        for number in (1, 2)
    )
    wish = Wish(
        medicine=former.medicine,
        form=former.form,
        strength_mg=former.strength_mg,
        amounts_mg=former.amounts_mg,
        every_days=1,
        starts_on=today,
        ends_on=None,
        supervised=True,
        note="Still feels it in the mornings: up in two steps.",
        replaces=former.id,
        steps=steps,
    )
    return await order_so(here, client, wish, now)


async def _ask_to_discharge(here: Dispensary, life: Life, now: datetime) -> None:
    """The supervisor discharges somebody who moves away; a prescriber has still to say what becomes of the medicine."""
    if life.episode is None:
        return
    work = here.work
    places = Places(
        departures=Departures(work.connection, work.journal, now=now),
        caseloads=Caseloads(work.connection, work.journal, now=now),
        plans=Plans(work.connection, work.journal, now=now),
        sessions=Sessions(work.connection, work.journal, now=now),
        orders=here.doses(now),
    )
    await ask_to_discharge(
        life.episode,
        Leaving(at=now, reason=DischargeReason.TRANSFERRED, note="Moves to her sister's; a clinic there has a place."),
        as_id=DepartureId(new_id()),
        by=here.stage.team.supervisor,
        now=now,
        places=places,
        journal=work.journal,
    )


async def _at_a_pharmacy(here: Dispensary, life: Life, now: datetime) -> None:
    if life.client is not None:
        life.order = await order_so(here, life.client, _film(here, Supply.PHARMACY), now)


async def _by_telephone(here: Dispensary, life: Life, now: datetime) -> None:
    """The nurse takes down what the prescriber says, and reads it back; the signature is still to come."""
    if life.client is not None:
        life.order = await take_order(
            Spoken(wish=_film(here, Supply.WINDOW), prescriber=here.stage.team.prescriber.id, read_back=True),
            life.client.id,
            as_id=OrderId(new_id()),
            by=here.nurse(1),
            now=now,
            orders=here.doses(now),
            journal=here.work.journal,
        )


def _film(here: Dispensary, supply: Supply) -> Wish:
    return Wish(
        medicine=Medicine.BUPRENORPHINE_NALOXONE,
        form=Form.SUBLINGUAL_FILM,
        strength_mg=Decimal(8),
        amounts_mg={DosePart.WHOLE: Decimal(8)},
        every_days=1,
        starts_on=here.stage.day(0),
        ends_on=None,
        supervised=supply is Supply.WINDOW,
        note="",
        supply=supply,
    )
