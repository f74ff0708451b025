"""How the stock of a programme stands, and what happened to it on a day, in PostgreSQL."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from caseload.db.stock.acts import Acts
from caseload.db.stock.books import Books
from caseload.db.tables.dosing import dose
from caseload.db.tables.stock_acts import stock_taking
from caseload.domain.ids import ClientId, DoseId, ProgrammeId
from caseload.domain.journal import Journal
from caseload.domain.medicines import Form, Medicine
from caseload.domain.stock.receiving import StockNotKept
from caseload.domain.stock.standing import Stock, Unassigned

MOST_UNASSIGNED = 500
"""As many as are told at once; putting these right shows the next ones."""

_UNASSIGNED = (
    select(
        stock_taking.c.dose_id,
        dose.c.client_id,
        stock_taking.c.medicine,
        stock_taking.c.form,
        (-func.sum(stock_taking.c.amount_mg)).label("amount_mg"),
        func.min(stock_taking.c.taken_at).label("taken_at"),
    )
    .join(dose, (dose.c.id == stock_taking.c.dose_id) & (dose.c.version == 1))
    .where(stock_taking.c.programme_id == bindparam("programme"), stock_taking.c.container_id.is_(None))
    .group_by(stock_taking.c.dose_id, dose.c.client_id, stock_taking.c.medicine, stock_taking.c.form)
    .having(func.sum(stock_taking.c.amount_mg) != 0)
    .order_by(stock_taking.c.dose_id)
    .limit(MOST_UNASSIGNED)
)


async def standing_of(programme: ProgrammeId, *, acts: Acts, journal: Journal) -> Stock:
    """The stock of a programme; raises `StockNotKept`. Whoever reads it may see it there."""
    books = Books(acts.connection)
    kept_from = await books.kept_from(programme)
    if kept_from is None:
        raise StockNotKept
    return Stock(
        kept_from=kept_from,
        stations=await books.stations_of(programme),
        containers=await acts.containers_in(programme),
        unwitnessed=await acts.unwitnessed(programme),
        unconfirmed=await acts.unconfirmed(programme),
        unassigned=await _unassigned(programme, acts, journal),
    )


async def _unassigned(programme: ProgrammeId, acts: Acts, journal: Journal) -> Sequence[Unassigned]:
    rows = (await acts.connection.execute(_UNASSIGNED, {"programme": programme})).all()
    for row in rows:
        journal.saw(ClientId(row.client_id), "dose")
    return [
        Unassigned(
            dose=DoseId(row.dose_id),
            client=ClientId(row.client_id),
            medicine=Medicine(row.medicine),
            form=Form(row.form),
            amount_mg=row.amount_mg,
            taken_at=row.taken_at,
        )
        for row in rows
    ]
