"""A client's medication at one look: what is due, what stands in the way, and the record behind it."""

from datetime import date, datetime, timedelta
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from caseload.api.dosing.due import DueOut
from caseload.api.dosing.store import charts, pasts
from caseload.api.dosing.wire import DoseOut
from caseload.api.flag.wire import ShownOut, shown
from caseload.api.medication.decisions import DecisionOut
from caseload.api.medication.holds import HoldOut
from caseload.api.medication.order_wire import OrderOut
from caseload.api.medication.past import PastChartOut
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.flag import KeptFlags
from caseload.domain.access import Act
from caseload.domain.dosing import Chart, Due
from caseload.domain.dosing.past import check_past
from caseload.domain.flag import NO_FLAGS
from caseload.domain.ids import ClientId
from caseload.domain.medicines import Medicine


class ChartOut(Wire, frozen=True, kw_only=True):
    """A client's medication: what is due today and what stands in the way, and the record behind it."""

    client_id: UUID
    today: date
    """The dosing day now, in the home programme's zone."""
    profile: str
    due: DueOut
    due_beside: list[DueOut]
    """What is due by the order that stands beside it, in a later part of the day."""
    flags: list[ShownOut]
    """What to see first: allergies, pregnancy, what else is taken, a high daily dose. They refuse nothing."""
    orders: list[OrderOut]
    holds: list[HoldOut]
    decisions: list[DecisionOut]
    doses: list[DoseOut]
    """The newest versions of the doses of the last days, newest first."""


DAYS_SHOWN = 35
AsOf = Annotated[
    datetime | None,
    QueryParameter(
        name="as_of",
        required=False,
        description="A past moment, with its offset: what was known then, and what had happened by then.",
    ),
]


@reading("/clients/{client_id:uuid}/medication", act=Act.SEE_MEDICATION, name="read_medication_chart")
async def read_medication_chart(
    client_id: FromPath[UUID], work: TheWork, as_of: AsOf = None
) -> ChartOut | PastChartOut:
    """What is due today, what stands in the way, and the orders, holds, decisions and doses behind it.

    With `as_of` the chart at that moment, as two answers. `known` is what had been recorded by then: every version of a
    dose, every order, hold and decision as it stood; it never changes later. `happened` is what had occurred by then, as
    is known now: what is entered late or put right changes it.
    """
    if as_of is not None:
        settled_after = timedelta(seconds=2 * work.service.settings.request_seconds)
        check_past(as_of, now=work.now, settled_after=settled_after)
        contents, day = await pasts(work).contents(ClientId(client_id), as_of, by=work.by, act=Act.SEE_MEDICATION)
        return PastChartOut.of(client_id, contents, as_of, day)
    chart = await charts(work).chart(ClientId(client_id), by=work.by, act=Act.SEE_MEDICATION, days=DAYS_SHOWN)
    profile = chart.record.rules_on(chart.due.day)
    flags = await KeptFlags(work.connection, work.journal).shown([chart.record.client], chart.due.day)
    return ChartOut(
        client_id=chart.record.client,
        today=chart.due.day,
        profile=profile.label,
        due=DueOut.of(chart.due),
        due_beside=[DueOut.of(each) for each in chart.beside],
        flags=shown(flags.get(chart.record.client, NO_FLAGS), _methadone(chart), profile),
        orders=[OrderOut.of(order, chart.due.day) for order in chart.orders],
        holds=[HoldOut.of(hold) for hold in chart.holds],
        decisions=[DecisionOut.of(decision) for decision in chart.decisions],
        doses=[DoseOut.of(each) for each in chart.doses],
    )


def _methadone(chart: Chart) -> Due:
    """What is due of methadone, whose daily dose may be high; else whatever is due."""
    due = (each for each in chart.beside if each.order is not None and each.order.medicine is Medicine.METHADONE)
    return next(due, chart.due)
