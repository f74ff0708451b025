"""Two orders beside each other: buprenorphine begun in the evening while methadone goes on in the morning."""

from datetime import datetime
from decimal import Decimal
from typing import Final

from caseload.demo.telling.medicine.dispensary import Dispensary
from caseload.demo.telling.medicine.orders import order_so
from caseload.domain.client import Client
from caseload.domain.medication import Order, Wish
from caseload.domain.medicines import DosePart, Form, Medicine

WHY: Final = "Goes over to buprenorphine by low doses while methadone goes on; seen today, both explained."
_FIRST_MG: Final = Decimal(2)


async def tell_pair(here: Dispensary, client: Client, methadone: Order, now: datetime) -> Order:
    """The methadone of today moves to the morning, and buprenorphine stands beside it in the evening, by override."""
    today = here.stage.day(0)
    in_the_morning = await order_so(
        here,
        client,
        Wish(
            medicine=methadone.medicine,
            form=methadone.form,
            strength_mg=methadone.strength_mg,
            amounts_mg={DosePart.MORNING: methadone.total_on(today)},
            every_days=1,
            starts_on=today,
            ends_on=None,
            supervised=True,
            note="In the morning alone, while buprenorphine is begun.",
            replaces=methadone.id,
        ),
        now,
        reason=WHY,
    )
    await order_so(
        here,
        client,
        Wish(
            medicine=Medicine.BUPRENORPHINE,
            form=Form.SUBLINGUAL_TABLET,
            strength_mg=_FIRST_MG,
            amounts_mg={DosePart.EVENING: _FIRST_MG},
            every_days=1,
            starts_on=today,
            ends_on=None,
            supervised=True,
            note="",
            beside=in_the_morning.id,
        ),
        now,
        reason=WHY,
    )
    return in_the_morning
