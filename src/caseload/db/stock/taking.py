"""What doses take from stock, in PostgreSQL: by the statement that keeps the dose, or as further lines (decision 0306)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    FromClause,
    Insert,
    SmallInteger,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.base import INSTANT
from caseload.db.tables.dosing import dose
from caseload.db.tables.medication import medication_order
from caseload.db.tables.stock import stock_keeping, stock_use
from caseload.db.tables.stock_acts import stock_take_home, stock_taking
from caseload.db.tables.takehome import take_home_unit
from caseload.domain.dosing import Correction, Dose, Entry
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ContainerId, DoseId, ProgrammeId, StaffId
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.stock.taking import Line, put_back, taken_anew

KEPT_COLUMNS = (
    dose.c.programme_id,
    dose.c.order_id,
    dose.c.dosing_day,
    dose.c.medicine,
    dose.c.form,
    dose.c.amount_mg,
    dose.c.given_at,
    dose.c.recorded_at,
    dose.c.entry,
)
"""What the statement that keeps a dose must return for its taking, beside its key and who recorded it."""

_STATION = bindparam("station", type_=Uuid())
_DELIVERED = bindparam("delivered", type_=Boolean())


def _fits(kept: FromClause, station: ColumnElement[Any], at: ColumnElement[Any]) -> FromClause:
    """The containers that were in use for a dose, or a unit, at a time, those of the ordered strength first.

    `alike` says how many there are of one kind: with more than one it is nobody's to say which.
    """
    exact = stock_use.c.strength_mg == medication_order.c.strength_mg
    return (
        select(stock_use.c.container_id, func.count().over(partition_by=exact).label("alike"))
        .select_from(stock_use.outerjoin(medication_order, medication_order.c.id == kept.c.order_id))
        .where(
            stock_use.c.programme_id == kept.c.programme_id,
            stock_use.c.medicine == kept.c.medicine,
            stock_use.c.form == kept.c.form,
            stock_use.c.period.op("@>")(at),
            or_(station.is_(None), stock_use.c.station_id == station),
        )
        .order_by(exact.desc().nulls_last())
        .limit(1)
        .lateral("fits")
    )


def taken_by(kept: CTE) -> Insert:
    """What a dose takes that another part of the same statement keeps: one row, where the programme keeps its stock.

    Nothing where it was delivered for the client by name: that never was in the stock.
    """
    fits = _fits(kept, _STATION, kept.c.given_at)
    return insert(stock_taking).from_select(
        [
            stock_taking.c.dose_id,
            stock_taking.c.line,
            stock_taking.c.dose_version,
            stock_taking.c.programme_id,
            stock_taking.c.medicine,
            stock_taking.c.form,
            stock_taking.c.container_id,
            stock_taking.c.station_id,
            stock_taking.c.amount_mg,
            stock_taking.c.taken_at,
            stock_taking.c.recorded_by,
            stock_taking.c.recorded_at,
        ],
        select(
            kept.c.id,
            kept.c.version,
            kept.c.version,
            kept.c.programme_id,
            kept.c.medicine,
            kept.c.form,
            case((fits.c.alike == 1, fits.c.container_id)),
            _STATION,
            -kept.c.amount_mg,
            kept.c.given_at,
            kept.c.recorded_by,
            kept.c.recorded_at,
        )
        .select_from(
            kept.join(
                stock_keeping,
                and_(stock_keeping.c.programme_id == kept.c.programme_id, stock_keeping.c.from_on <= kept.c.dosing_day),
            ).outerjoin(fits, true())
        )
        .where(
            kept.c.version == 1,
            or_(kept.c.entry == Entry.WINDOW.value, kept.c.entry == Entry.LATE.value),
            ~_DELIVERED,
        ),
    )


UNIT_COLUMNS = (
    take_home_unit.c.id,
    take_home_unit.c.programme_id,
    take_home_unit.c.order_id,
    take_home_unit.c.dispensed_on,
    take_home_unit.c.medicine,
    take_home_unit.c.form,
    take_home_unit.c.amount_mg,
)
"""What the statement that keeps a take-home unit must return for its taking."""


def taken_home(kept: CTE) -> Insert:
    """What a unit takes that another part of the same statement keeps, where the programme keeps its stock.

    A unit is filled beforehand from one container, so one must fit: without, there is none to put into the row.
    """
    at = bindparam("taken_at", type_=INSTANT)
    fits = _fits(kept, _STATION, at)
    return insert(stock_take_home).from_select(
        list(stock_take_home.c),
        select(
            kept.c.id,
            literal(1, SmallInteger()),
            kept.c.programme_id,
            kept.c.medicine,
            kept.c.form,
            func.coalesce(bindparam("container", type_=Uuid()), case((fits.c.alike == 1, fits.c.container_id))),
            _STATION,
            -kept.c.amount_mg,
            at,
            bindparam("recorded_by", type_=Uuid()),
            bindparam("recorded_at", type_=INSTANT),
        ).select_from(
            kept.join(
                stock_keeping,
                and_(
                    stock_keeping.c.programme_id == kept.c.programme_id,
                    stock_keeping.c.from_on <= kept.c.dispensed_on,
                ),
            ).outerjoin(fits, true())
        ),
    )


_LINES = (
    select(
        stock_taking.c.line,
        stock_taking.c.container_id,
        stock_taking.c.medicine,
        stock_taking.c.form,
        stock_taking.c.amount_mg,
    )
    .where(stock_taking.c.dose_id == bindparam("dose"))
    .order_by(stock_taking.c.line)
)
_first = stock_taking.alias("first")
_at_first = (
    select(_first.c.station_id)
    .where(_first.c.dose_id == dose.c.id, _first.c.line == 1)
    .correlate(dose)
    .scalar_subquery()
)
_fits_amended = _fits(dose, _at_first, dose.c.given_at)
_FITS = (
    select(_fits_amended.c.container_id)
    .select_from(dose.join(_fits_amended, true()))
    .where(dose.c.id == bindparam("dose"), dose.c.version == bindparam("version"), _fits_amended.c.alike == 1)
)
_WHERE = select(dose.c.programme_id).where(dose.c.id == bindparam("dose"), dose.c.version == 1)
_ADD = insert(stock_taking)


class Takings:
    """Satisfies `domain.stock.taking.Takings`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def lines_of(self, wanted: DoseId) -> Sequence[Line]:
        """See `domain.stock.taking.Takings.lines_of`."""
        rows = (await self._connection.execute(_LINES, {"dose": wanted})).all()
        return [
            Line(
                container=None if row.container_id is None else ContainerId(row.container_id),
                medicine=Medicine(row.medicine),
                form=Form(row.form),
                amount_mg=row.amount_mg,
            )
            for row in rows
        ]

    async def add_lines(self, of: Dose, lines: Sequence[Line], *, by: Staff, at: datetime, reason: str) -> None:
        """See `domain.stock.taking.Takings.add_lines`."""
        try:
            await self._add(of.id, of.version, of.programme, lines, by=by.id, at=at, reason=reason)
        except IntegrityError as refused:
            raise Invalid(
                Fault("sources", "must be containers of this programme that hold what was given")
            ) from refused

    async def take_anew(self, amended: Dose) -> None:
        """What an amendment changes: everything back, and the new amount. Nothing where nothing had been taken."""
        lines = await self.lines_of(amended.id)
        if not lines or amended.amended_by is None or amended.amended_at is None:
            return
        found = await self._connection.execute(_FITS, {"dose": amended.id, "version": amended.version})
        anew = taken_anew(lines, amended.medicine, amended.form, amended.amount_mg, found.scalar_one_or_none())
        await self._add(
            amended.id,
            amended.version,
            amended.programme,
            anew,
            by=amended.amended_by,
            at=amended.amended_at,
            reason=amended.amendment_reason,
        )

    async def put_back(self, corrected: Correction) -> None:
        """Put back what a dose had taken that was in fact not given."""
        back = put_back(await self.lines_of(corrected.dose))
        if back:
            place = (await self._connection.execute(_WHERE, {"dose": corrected.dose})).scalar_one()
            await self._add(
                corrected.dose,
                corrected.dose_version,
                place,
                back,
                by=corrected.signed_by,
                at=corrected.signed_at,
                reason=corrected.reason,
            )

    async def _add(
        self,
        of: DoseId,
        version: int,
        programme: ProgrammeId,
        lines: Sequence[Line],
        *,
        by: StaffId,
        at: datetime,
        reason: str | None,
    ) -> None:
        begun = len(await self.lines_of(of))
        await self._connection.execute(
            _ADD,
            [
                {
                    "dose_id": of,
                    "line": begun + place,
                    "dose_version": version,
                    "programme_id": programme,
                    "medicine": line.medicine,
                    "form": line.form,
                    "container_id": line.container,
                    "amount_mg": line.amount_mg,
                    "taken_at": at,
                    "recorded_by": by,
                    "recorded_at": at,
                    "reason": reason,
                }
                for place, line in enumerate(lines, start=1)
            ],
        )
