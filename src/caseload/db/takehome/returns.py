"""What became of units, in PostgreSQL; what came back full is back in the books and gone from them as waste, at once."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.medication.record import KIND
from caseload.db.stock.waste import waste_row
from caseload.db.tables.caseload import client
from caseload.db.tables.stock_acts import stock_take_home, stock_waste
from caseload.db.tables.takehome import take_home_outcome, take_home_return
from caseload.db.takehome.units import TakeHomes
from caseload.domain.access import Act
from caseload.domain.dosing.past_beside import ToldOf
from caseload.domain.errors import NotFound
from caseload.domain.ids import ClientId, ContainerId, ProgrammeId, ReturnId, StaffId, UnitId, WasteId
from caseload.domain.people import Staff
from caseload.domain.takehome import CameBack, Destroyed, Outcome, OutcomeMoved, Report

TAKEN_FROM: Final = select(stock_take_home.c.unit_id, stock_take_home.c.container_id).where(
    stock_take_home.c.unit_id == any_(bindparam("units", type_=ARRAY(Uuid()))), stock_take_home.c.line == 1
)
_REPORT = (
    select(*take_home_return.c)
    .join(client, client.c.id == take_home_return.c.client_id)
    .where(take_home_return.c.id == bindparam("report"), within_reach())
)
_SAID = select(
    take_home_outcome.c.unit_id,
    take_home_outcome.c.version,
    take_home_outcome.c.state,
    take_home_outcome.c.taken,
    take_home_outcome.c.reason,
    stock_waste.c.id.label("waste_id"),
).select_from(take_home_outcome.outerjoin(stock_waste, stock_waste.c.unit_id == take_home_outcome.c.unit_id))
_OUTCOMES = _SAID.where(take_home_outcome.c.return_id == bindparam("report")).order_by(take_home_outcome.c.unit_id)
TOLD_OF: Final = (
    _SAID.add_columns(take_home_outcome.c.return_id, take_home_return.c.recorded_at)
    .join(take_home_return, take_home_return.c.id == take_home_outcome.c.return_id)
    .where(take_home_outcome.c.unit_id == any_(bindparam("units", type_=ARRAY(Uuid()))))
    .order_by(take_home_outcome.c.unit_id, take_home_outcome.c.version)
)
_ADD_REPORT = insert(take_home_return)
_ADD_OUTCOMES = insert(take_home_outcome)
_BACK = insert(stock_take_home)
_WASTE = insert(stock_waste)


class ReportUnknown(NotFound):
    """There is no such report within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the client's take-homes.")


class Returns(TakeHomes):
    """Satisfies `domain.takehome.returning.Returns`."""

    async def taken_from(self, units: Sequence[UnitId]) -> dict[UnitId, ContainerId]:
        """See `domain.takehome.returning.Returns.taken_from`."""
        rows = (await self._connection.execute(TAKEN_FROM, {"units": list(units)})).all()
        return {UnitId(row.unit_id): ContainerId(row.container_id) for row in rows}

    async def report(self, wanted: ReturnId, *, by: Staff, act: Act) -> Report:
        """One report; raises `ReportUnknown` outside the person's reach."""
        given = {"report": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(_REPORT, given)).first()
        if row is None:
            raise ReportUnknown
        said = (await self._connection.execute(_OUTCOMES, {"report": wanted})).all()
        self._journal.saw(ClientId(row.client_id), KIND)
        return Report(
            id=wanted,
            client=ClientId(row.client_id),
            programme=ProgrammeId(row.programme_id),
            informant=row.informant,
            note=row.note,
            recorded_by=StaffId(row.recorded_by),
            recorded_at=row.recorded_at,
            outcomes=tuple(_outcome(each, wanted) for each in said),
        )

    async def told_of(self, units: Sequence[UnitId]) -> Mapping[UnitId, Sequence[ToldOf]]:
        """Everything that was said of these units, each in its order. Whoever asks has been let through to the client."""
        found: dict[UnitId, list[ToldOf]] = defaultdict(list)
        for row in (await self._connection.execute(TOLD_OF, {"units": list(units)})).all():
            told = ToldOf(outcome=_outcome(row, ReturnId(row.return_id)), told_at=row.recorded_at)
            found[UnitId(row.unit_id)].append(told)
        return found

    async def add_report(self, report: Report, destroyed: Sequence[Destroyed]) -> None:
        """See `domain.takehome.returning.Returns.add_report`."""
        await self._connection.execute(
            _ADD_REPORT,
            {
                "id": report.id,
                "client_id": report.client,
                "programme_id": report.programme,
                "informant": report.informant,
                "note": report.note,
                "recorded_by": report.recorded_by,
                "recorded_at": report.recorded_at,
            },
        )
        said = [
            {
                "unit_id": each.unit,
                "version": each.version,
                "client_id": report.client,
                "return_id": report.id,
                "state": each.state,
                "taken": each.taken,
                "reason": each.reason,
            }
            for each in report.outcomes
        ]
        try:
            await self._connection.execute(_ADD_OUTCOMES, said)
        except IntegrityError as raced:
            raise OutcomeMoved("Read the client's take-homes again.") from raced
        if destroyed:
            await self._connection.execute(_BACK, [_back(each) for each in destroyed])
            await self._connection.execute(_WASTE, [waste_row(each.waste) for each in destroyed])


def _outcome(row: Row[*tuple[Any, ...]], report: ReturnId) -> Outcome:
    return Outcome(
        unit=UnitId(row.unit_id),
        version=row.version,
        report=report,
        state=CameBack(row.state),
        taken=row.taken,
        reason=row.reason,
        waste=None if row.waste_id is None or row.state != CameBack.FULL else WasteId(row.waste_id),
    )


def _back(destroyed: Destroyed) -> dict[str, object]:
    unit, waste = destroyed.unit, destroyed.waste
    return {
        "unit_id": unit.id,
        "line": 2,
        "programme_id": unit.programme,
        "medicine": unit.medicine,
        "form": unit.form,
        "container_id": waste.container,
        "station_id": None,
        "amount_mg": unit.amount_mg,
        "taken_at": waste.happened_at,
        "recorded_by": waste.handled_by,
        "recorded_at": waste.recorded_at,
    }
