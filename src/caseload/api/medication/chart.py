"""A client's medication at one look: what is due, what stands in the way, and the record behind it."""

from datetime import date
from uuid import UUID

from litestar.params import FromPath

from caseload.api.dosing.due import DueOut
from caseload.api.dosing.store import charts
from caseload.api.dosing.wire import DoseOut
from caseload.api.flag.wire import ShownOut, shown
from caseload.api.medication.decisions import DecisionOut
from caseload.api.medication.holds import HoldOut
from caseload.api.medication.order_wire import OrderOut
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.flag import KeptFlags
from caseload.domain.access import Act
from caseload.domain.ids import ClientId


class ChartOut(Wire, frozen=True, kw_only=True):
    """A client's medication: what is due today and what stands in the way, and the record behind it."""

    client_id: UUID
    today: date
    """The dosing day now, in the home programme's zone."""
    profile: str
    due: DueOut
    flags: list[ShownOut]
    """What to see first: allergies, pregnancy, what else is taken, a high daily dose. They refuse nothing."""
    orders: list[OrderOut]
    holds: list[HoldOut]
    decisions: list[DecisionOut]
    doses: list[DoseOut]
    """The newest versions of the doses of the last days, newest first."""


DAYS_SHOWN = 35


@reading("/clients/{client_id:uuid}/medication", act=Act.SEE_MEDICATION, name="read_medication_chart")
async def read_medication_chart(client_id: FromPath[UUID], work: TheWork) -> ChartOut:
    """What is due today, what stands in the way, and the orders, holds, decisions and doses behind it."""
    chart = await charts(work).chart(ClientId(client_id), by=work.by, act=Act.SEE_MEDICATION, days=DAYS_SHOWN)
    profile = chart.record.rules_on(chart.due.day)
    flags = await KeptFlags(work.connection, work.journal).shown([chart.record.client], chart.due.day)
    return ChartOut(
        client_id=chart.record.client,
        today=chart.due.day,
        profile=profile.label,
        due=DueOut.of(chart.due),
        flags=shown(flags.get(chart.record.client, ()), chart.due, profile.profile),
        orders=[OrderOut.of(order, chart.due.day) for order in chart.orders],
        holds=[HoldOut.of(hold) for hold in chart.holds],
        decisions=[DecisionOut.of(decision) for decision in chart.decisions],
        doses=[DoseOut.of(each) for each in chart.doses],
    )
