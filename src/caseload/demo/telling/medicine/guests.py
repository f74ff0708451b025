"""Guest dosing: one client of the first programme who is dosed at the second from today, and one guest from outside."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from caseload.db.client import Clients
from caseload.db.guest import Guests
from caseload.db.programme import Programmes
from caseload.demo.cast import HARBOR, MILL_LANE, person
from caseload.demo.stories import Tale
from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.orders import order_so
from caseload.demo.telling.stage import Life
from caseload.domain.client import Identifier, IdentifierKind, Identity, register
from caseload.domain.dosing import HowVerified
from caseload.domain.guest import Arrangement, Confirmation, HomeDose, arrange_guest
from caseload.domain.ids import ClientId, GuestId, ProgrammeId, new_id
from caseload.domain.medication import Direction, Order, Wish
from caseload.domain.medicines import LONG_ACTING, DosePart, Form, Medicine

_VISITOR: Final = 15_999
"""A number that no story has."""
_DAYS: Final = 5
_AMOUNT_MG: Final = Decimal(70)
_TRAVELLERS: Final = (
    Tale.MISSED_2,
    Tale.MISSED_3,
    Tale.SPLIT,
    Tale.UNSIGNED,
    Tale.AMENDED,
    Tale.CORRECTED,
    Tale.REJECTED_AND_AMENDED,
)


async def tell_guests(here: Dispensary) -> None:
    """Yesterday afternoon both were arranged, from today on."""
    if here.stage.programme.code != HARBOR:
        return
    afternoon = here.stage.moment(1, 17, 40)
    traveller = next((life for life in reversed(here.stage.lives) if _can_travel(life)), None)
    if traveller is not None and traveller.client is not None and traveller.order is not None:
        host = next(each for each in await Programmes(here.work.connection).all() if each.code == MILL_LANE)
        await _arrange(here, traveller.client.id, _to(host.id, traveller.order, here), afternoon)
    await _visitor(here, afternoon)


def _can_travel(life: Life) -> bool:
    """Somebody whose story is over, and of whose order nothing else is told now."""
    treatment, order = life.story.treatment, life.order
    settled = life.rising_to is None and life.hold is None and life.story.in_care(0)
    told = treatment is not None and treatment.tale in _TRAVELLERS
    return told and settled and order is not None and order.form not in LONG_ACTING


def _to(host: ProgrammeId, order: Order, here: Dispensary) -> Arrangement:
    """What was agreed with a programme of ours."""
    today = here.stage.day(0)
    return Arrangement(
        direction=Direction.ELSEWHERE,
        first_on=today,
        last_on=today + timedelta(days=_DAYS - 1),
        medicine=order.medicine,
        form=order.form,
        amount_mg=order.total_on(today),
        why="Her brother's wedding in England; nothing can be taken through the airport.",
        confirmed=Confirmation(
            by="Bronwen Hollowdale, nurse", how=HowVerified.TELEPHONE, at=here.stage.moment(1, 17, 30)
        ),
        other_enrolments="Asked at both programmes and in the registry: none.",
        host=host,
    )


async def _arrange(here: Dispensary, client: ClientId, said: Arrangement, now: datetime) -> None:
    await here.doses(now).keep()
    await arrange_guest(
        client,
        said,
        as_id=GuestId(new_id()),
        by=here.nurse(1),
        now=now,
        guests=Guests(here.work.connection, here.work.journal, now=now),
        journal=here.work.journal,
    )


async def _visitor(here: Dispensary, now: datetime) -> None:
    """Somebody of an outside programme who works in town this week."""
    who, stage = person(_VISITOR), here.stage
    client = await register(
        Identity(given_name=who.given_name, family_name=who.family_name, birth_date=who.birth_date, sex=who.sex),
        [Identifier(kind=IdentifierKind.CHART, value=f"{stage.programme.code}-GUEST-1")],
        as_id=ClientId(new_id()),
        programme=stage.programme.id,
        by=here.nurse(1),
        now=now,
        today=stage.day(1),
        clients=Clients(here.work.connection, here.work.journal, now=now),
        journal=here.work.journal,
    )
    last_on = stage.day(0) + timedelta(days=_DAYS - 1)
    taken_at = stage.moment(1, 7, 15)
    said = Arrangement(
        direction=Direction.HERE,
        first_on=stage.day(0),
        last_on=last_on,
        medicine=Medicine.METHADONE,
        form=Form.ORAL_SOLUTION,
        amount_mg=_AMOUNT_MG,
        why="Works on the bridge here until the end of the week; the own programme is three hours away.",
        confirmed=Confirmation(by="Dana Whitlock, nurse", how=HowVerified.ELECTRONIC, at=stage.moment(1, 17, 35)),
        other_enrolments="Central registry: the home programme alone.",
        facility="Lakeside Treatment Center",
        home_dose=HomeDose(day=stage.day(1), amount_mg=_AMOUNT_MG, at=taken_at),
    )
    await _arrange(here, client.id, said, now)
    wish = Wish(
        medicine=said.medicine,
        form=said.form,
        strength_mg=Decimal(1),
        amounts_mg={DosePart.WHOLE: _AMOUNT_MG},
        every_days=1,
        starts_on=said.first_on,
        ends_on=last_on,
        supervised=True,
        note="Guest: as the home programme has confirmed.",
    )
    await order_so(here, client, wish, now)
