"""The stock of a programme at a glance, for whoever keeps it and for the inspector."""

from datetime import date
from uuid import UUID

from litestar.params import FromPath

from caseload.api.amounts import written
from caseload.api.route import reading
from caseload.api.stock.containers import acts
from caseload.api.stock.duties import LossOut
from caseload.api.stock.wire import ContainerOut, CountOut, StationOut, WasteOut, quantity
from caseload.api.wire import Wire
from caseload.api.work import TheWork
from caseload.db.programme import Programmes
from caseload.db.stock.duties import Duties
from caseload.db.stock.standing import standing_of
from caseload.domain.access import Act
from caseload.domain.ids import ProgrammeId
from caseload.domain.medicines import Form, Medicine
from caseload.domain.stock.container import rules_of
from caseload.domain.stock.duties import inventory_due
from caseload.domain.stock.standing import Discrepancy, Wrong


class TotalOut(Wire, frozen=True, kw_only=True):
    """What there is of one medicine, form and strength, over all containers."""

    medicine: Medicine
    form: Form
    strength_mg: str
    balance_mg: str
    quantity: str
    """In millilitres, tablets or films."""


class DiscrepancyOut(Wire, frozen=True, kw_only=True):
    """One thing that must be explained."""

    kind: Wrong
    amount_mg: str
    container_id: UUID | None
    dose_id: UUID | None

    @classmethod
    def of(cls, found: Discrepancy) -> "DiscrepancyOut":
        """From the domain."""
        return cls(
            kind=found.kind, amount_mg=written(found.amount_mg), container_id=found.container, dose_id=found.dose
        )


class StockOut(Wire, frozen=True, kw_only=True):
    """How the stock of a programme stands."""

    programme_id: UUID
    kept_from: date
    """The first dosing day whose doses take from it."""
    totals: list[TotalOut]
    stations: list[StationOut]
    containers: list[ContainerOut]
    """Those that are open, and closed ones that do not come to nothing."""
    waiting_for_a_witness: list[WasteOut]
    waiting_for_a_second_count: list[CountOut]
    discrepancies: list[DiscrepancyOut]
    inventory_due_on: date
    """By when everything must have been counted; the first time on the day on which the books begin."""
    last_inventory_on: date | None
    losses: list[LossOut]
    """Thefts and losses of which the authority has not been sent everything."""
    late_losses: list[UUID]
    """Those of which a deadline has passed."""


@reading("/programmes/{programme_id:uuid}/stock", act=Act.SEE_STOCK, name="read_stock", problems=(404, 409))
async def read_stock(programme_id: FromPath[UUID], work: TheWork) -> StockOut:
    """What there is by the books, where it is, what waits for a second person and what must be explained."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_STOCK, programme.id)
    stock = await standing_of(programme.id, acts=acts(work), journal=work.journal)
    duties, today = Duties(work.connection), programme.today(work.now)
    last = await duties.last_inventory(programme.id)
    losses = [loss for loss in await duties.losses_of(programme.id) if not loss.is_done]
    return StockOut(
        programme_id=programme.id,
        kept_from=stock.kept_from,
        totals=[
            TotalOut(
                medicine=made.medicine,
                form=made.form,
                strength_mg=written(made.strength_mg),
                balance_mg=written(balance),
                quantity=quantity(balance, made.strength_mg),
            )
            for made, balance in stock.totals().items()
        ],
        stations=[StationOut(id=station.id, name=station.name) for station in stock.stations],
        containers=[ContainerOut.of(container) for container in stock.containers],
        waiting_for_a_witness=[WasteOut.of(waste) for waste in stock.unwitnessed],
        waiting_for_a_second_count=[CountOut.of(count) for count in stock.unconfirmed],
        discrepancies=[DiscrepancyOut.of(found) for found in stock.discrepancies(day=today, now=work.now)],
        inventory_due_on=inventory_due(stock.kept_from, last, rules_of(programme, work.now)),
        last_inventory_on=last,
        losses=[LossOut.of(loss) for loss in losses],
        late_losses=[loss.id for loss in losses if loss.is_late(today)],
    )
