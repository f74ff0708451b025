"""The dispensing log in PostgreSQL: doses at the window, and units on the day on which they were handed out."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Numeric,
    Row,
    Select,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.caseload import client_identifier
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.medication import medication_order
from caseload.db.tables.people import staff
from caseload.db.tables.takehome import take_home_dispense, take_home_unit
from caseload.domain.client import IdentifierKind
from caseload.domain.dispensing import Dispensed, Period
from caseload.domain.dosing import Entry, Kind
from caseload.domain.ids import ClientId, DoseId, ProgrammeId, UnitId
from caseload.domain.journal import Journal

_newer = dose.alias("newer")
_last, _last_unit = dose.alias("last"), take_home_unit.alias("last_unit")


_NONE_MG = cast(literal("0", Text()), Numeric(7, 3))


def _chart_number(client: ColumnElement[Any]) -> ColumnElement[Any]:
    return (
        select(client_identifier.c.value)
        .where(client_identifier.c.client_id == client, client_identifier.c.kind == IdentifierKind.CHART)
        .order_by(client_identifier.c.recorded_at)
        .limit(1)
        .scalar_subquery()
    )


_AFTER = bindparam("after", type_=Uuid())
_LAST_DAY = func.coalesce(
    select(_last.c.dosing_day).where(_last.c.id == _AFTER, _last.c.version == 1).scalar_subquery(),
    select(_last_unit.c.dispensed_on).where(_last_unit.c.id == _AFTER).scalar_subquery(),
)
_FIRST_DAY, _END_DAY = bindparam("first", type_=Date()), bindparam("last", type_=Date())

_DOSES = (
    select(
        dose.c.id,
        dose.c.version,
        dose.c.client_id,
        dose.c.dosing_day.label("day"),
        dose.c.given_at,
        dose.c.medicine,
        dose.c.form,
        medication_order.c.strength_mg,
        dose.c.amount_mg.label("consumed_mg"),
        _NONE_MG.label("taken_home_mg"),
        dose.c.given_by.label("by"),
        dose.c.entry,
        dose.c.rules,
        exists().where(dose_correction.c.dose_id == dose.c.id).label("not_given"),
        cast(null(), Text()).label("label"),
        cast(null(), Date()).label("for_on"),
    )
    .select_from(dose.outerjoin(medication_order, medication_order.c.id == dose.c.order_id))
    .where(
        dose.c.programme_id == bindparam("programme"),
        dose.c.dosing_day.between(_FIRST_DAY, _END_DAY),
        dose.c.kind != Kind.BROUGHT_IN,
        ~exists().where(_newer.c.id == dose.c.id, _newer.c.version > dose.c.version),
    )
)
_UNITS = (
    select(
        take_home_unit.c.id,
        literal(1, SmallInteger()),
        take_home_unit.c.client_id,
        take_home_unit.c.dispensed_on,
        take_home_dispense.c.dispensed_at,
        take_home_unit.c.medicine,
        take_home_unit.c.form,
        take_home_unit.c.strength_mg,
        _NONE_MG,
        take_home_unit.c.amount_mg,
        take_home_dispense.c.dispensed_by,
        case((take_home_dispense.c.late_reason.is_(None), Entry.WINDOW.value), else_=Entry.LATE.value),
        take_home_dispense.c.rules,
        literal(value=False),
        take_home_unit.c.label,
        take_home_unit.c.for_on,
    )
    .select_from(take_home_unit.join(take_home_dispense, take_home_dispense.c.id == take_home_unit.c.dispense_id))
    .where(
        take_home_unit.c.programme_id == bindparam("programme"),
        take_home_unit.c.dispensed_on.between(_FIRST_DAY, _END_DAY),
    )
)


def _lines(*arms: Any) -> Select[*tuple[Any, ...]]:
    """The lines of a period in their order, no more than were asked for."""
    lines = union_all(*arms).order_by("day", "id").limit(bindparam("limit")).subquery("line")
    return (
        select(*lines.c, staff.c.printed_name, _chart_number(lines.c.client_id).label("chart_number"))
        .select_from(lines.join(staff, staff.c.id == lines.c.by))
        .order_by(lines.c.day, lines.c.id)
    )


LINES = _lines(_DOSES, _UNITS)
NEXT_LINES = _lines(
    _DOSES.where(tuple_(dose.c.dosing_day, dose.c.id) > tuple_(_LAST_DAY, _AFTER)),
    _UNITS.where(tuple_(take_home_unit.c.dispensed_on, take_home_unit.c.id) > tuple_(_LAST_DAY, _AFTER)),
)


class DispensingLog:
    """Satisfies `domain.dispensing.DispensingLog`."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def lines(
        self, programme: ProgrammeId, period: Period, *, after: DoseId | UnitId | None, limit: int
    ) -> Sequence[Dispensed]:
        """See `domain.dispensing.DispensingLog.lines`."""
        given: dict[str, object] = {
            "programme": programme,
            "first": period.first,
            "last": period.last,
            "limit": limit,
        }
        statement = LINES
        if after is not None:
            statement, given["after"] = NEXT_LINES, after
        rows = (await self._connection.execute(statement, given)).all()
        for row in rows:
            self._journal.saw(ClientId(row.client_id), "dose")
        return [_line(row) for row in rows]


def _line(row: Row[*tuple[Any, ...]]) -> Dispensed:
    return Dispensed(
        dose=DoseId(row.id) if row.label is None else UnitId(row.id),
        version=row.version,
        client=ClientId(row.client_id),
        chart_number=row.chart_number,
        dosing_day=row.day,
        given_at=row.given_at,
        medicine=row.medicine,
        form=row.form,
        strength_mg=row.strength_mg,
        amount_consumed_mg=row.consumed_mg,
        dispensed_by=row.printed_name,
        entry=row.entry,
        rules_broken=tuple(row.rules or ()),
        not_given=row.not_given,
        taken_home_mg=row.taken_home_mg,
        label=row.label,
        for_on=row.for_on,
    )
