"""The dispensing log in PostgreSQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Date, Row, Uuid, bindparam, exists, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.caseload import client_identifier
from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.medication import medication_order
from caseload.db.tables.people import staff
from caseload.domain.client import IdentifierKind
from caseload.domain.dispensing import Dispensed, Period
from caseload.domain.dosing import Kind
from caseload.domain.ids import ClientId, DoseId, ProgrammeId
from caseload.domain.journal import Journal

_newer = dose.alias("newer")
_last = dose.alias("last")

_CHART_NUMBER = (
    select(client_identifier.c.value)
    .where(client_identifier.c.client_id == dose.c.client_id, client_identifier.c.kind == IdentifierKind.CHART)
    .order_by(client_identifier.c.recorded_at)
    .limit(1)
    .scalar_subquery()
)
_LAST_DAY = select(_last.c.dosing_day).where(_last.c.id == bindparam("after"), _last.c.version == 1).scalar_subquery()

_LINES = (
    select(
        dose.c.id,
        dose.c.version,
        dose.c.client_id,
        dose.c.dosing_day,
        dose.c.given_at,
        dose.c.medicine,
        dose.c.form,
        dose.c.amount_mg,
        dose.c.entry,
        dose.c.rules,
        staff.c.printed_name,
        medication_order.c.strength_mg,
        _CHART_NUMBER.label("chart_number"),
        exists().where(dose_correction.c.dose_id == dose.c.id).label("not_given"),
    )
    .select_from(
        dose.join(staff, staff.c.id == dose.c.given_by).outerjoin(
            medication_order, medication_order.c.id == dose.c.order_id
        )
    )
    .where(
        dose.c.programme_id == bindparam("programme"),
        dose.c.dosing_day.between(bindparam("first", type_=Date()), bindparam("last", type_=Date())),
        dose.c.kind != Kind.BROUGHT_IN,
        ~exists().where(_newer.c.id == dose.c.id, _newer.c.version > dose.c.version),
    )
    .order_by(dose.c.dosing_day, dose.c.id)
    .limit(bindparam("limit"))
)
_NEXT_LINES = _LINES.where(tuple_(dose.c.dosing_day, dose.c.id) > tuple_(_LAST_DAY, bindparam("after", type_=Uuid())))


class DispensingLog:
    """Satisfies `domain.dispensing.DispensingLog`."""

    def __init__(self, connection: AsyncConnection, journal: Journal) -> None:
        self._connection = connection
        self._journal = journal

    async def lines(
        self, programme: ProgrammeId, period: Period, *, after: DoseId | None, limit: int
    ) -> Sequence[Dispensed]:
        """See `domain.dispensing.DispensingLog.lines`."""
        given: dict[str, object] = {
            "programme": programme,
            "first": period.first,
            "last": period.last,
            "limit": limit,
        }
        statement = _LINES
        if after is not None:
            statement, given["after"] = _NEXT_LINES, after
        rows = (await self._connection.execute(statement, given)).all()
        for row in rows:
            self._journal.saw(ClientId(row.client_id), "dose")
        return [_line(row) for row in rows]


def _line(row: Row[*tuple[Any, ...]]) -> Dispensed:
    return Dispensed(
        dose=DoseId(row.id),
        version=row.version,
        client=ClientId(row.client_id),
        chart_number=row.chart_number,
        dosing_day=row.dosing_day,
        given_at=row.given_at,
        medicine=row.medicine,
        form=row.form,
        strength_mg=row.strength_mg,
        amount_consumed_mg=row.amount_mg,
        dispensed_by=row.printed_name,
        entry=row.entry,
        rules_broken=tuple(row.rules or ()),
        not_given=row.not_given,
    )
