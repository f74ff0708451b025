"""Days covered by something besides our own doses: what others state, and what was taken under a merged registration.

Read only where the client's record says that there are any.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    exists,
    literal,
    literal_column,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.dosing import dose, dose_correction
from caseload.db.tables.medication import medication_order
from caseload.db.tables.merge import client_merge_side
from caseload.db.tables.statement import (
    dose_statement,
    dose_statement_day,
    dose_statement_verification,
    dose_statement_withdrawal,
)
from caseload.db.tables.takehome import take_home_unit
from caseload.db.takehome.covering import NO_HOUR, counts
from caseload.domain.dosing import CoveredBy, CoveredDay, DayOutcome
from caseload.domain.ids import ClientId
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.merge import Side, Standing

_THESE = any_(bindparam("clients", type_=ARRAY(Uuid())))
_SINCE = bindparam("since", type_=Date())
_merged = client_merge_side
_IS_MERGED = and_(
    _merged.c.survivor_id == _THESE, _merged.c.side == Side.DUPLICATE.value, _merged.c.standing == Standing.MERGED.value
)
"""The registrations that were merged into these: what was taken under them was taken by the same people."""
_ELSEWHERE = literal("Another registration of this client")
_newest, _newer = dose.alias("newest_version"), dose.alias("newer_version")


def _stated(client: ColumnElement[UUID], days: FromClause, condition: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """What statements say that somebody here has verified and nobody withdrawn."""
    return (
        select(
            client.label("client_id"),
            dose_statement_day.c.day,
            dose_statement_day.c.part,
            dose_statement_day.c.taken_at,
            dose_statement.c.medicine,
            dose_statement.c.form,
            dose_statement_day.c.amount_mg,
            medication_order.c.product,
            literal(CoveredBy.STATEMENT.value).label("covered_by"),
            dose_statement.c.id.label("record_id"),
            dose_statement.c.source_name.label("source"),
        )
        .select_from(
            days.join(dose_statement, dose_statement.c.id == dose_statement_day.c.statement_id).outerjoin(
                medication_order, medication_order.c.id == dose_statement.c.order_id
            )
        )
        .where(
            condition,
            dose_statement_day.c.day >= _SINCE,
            dose_statement_day.c.outcome == DayOutcome.TAKEN.value,
            exists().where(dose_statement_verification.c.statement_id == dose_statement.c.id),
            ~exists().where(dose_statement_withdrawal.c.statement_id == dose_statement.c.id),
        )
    )


_OWN = _stated(dose_statement_day.c.client_id, dose_statement_day, dose_statement_day.c.client_id == _THESE)
_STATED_OF_MERGED = _stated(
    _merged.c.survivor_id,
    _merged.join(dose_statement_day, dose_statement_day.c.client_id == _merged.c.client_id),
    _IS_MERGED,
)
_GIVEN_TO_MERGED = (
    select(
        _merged.c.survivor_id,
        dose.c.dosing_day,
        dose.c.part,
        _newest.c.given_at,
        _newest.c.medicine,
        _newest.c.form,
        _newest.c.amount_mg,
        medication_order.c.product,
        literal(CoveredBy.REGISTRATION.value),
        _merged.c.merge_id,
        _ELSEWHERE,
    )
    .select_from(
        _merged.join(dose, dose.c.client_id == _merged.c.client_id)
        .join(_newest, _newest.c.id == dose.c.id)
        .outerjoin(medication_order, medication_order.c.id == _newest.c.order_id)
    )
    .where(
        _IS_MERGED,
        dose.c.dosing_day >= _SINCE,
        dose.c.version == literal_column("1", Integer()),
        ~exists().where(dose_correction.c.dose_id == dose.c.id),
        ~exists().where(_newer.c.id == _newest.c.id, _newer.c.version > _newest.c.version),
    )
)
_AT_HOME_OF_MERGED = (
    select(
        _merged.c.survivor_id,
        take_home_unit.c.for_on,
        take_home_unit.c.part,
        NO_HOUR,
        take_home_unit.c.medicine,
        take_home_unit.c.form,
        take_home_unit.c.amount_mg,
        medication_order.c.product,
        literal(CoveredBy.REGISTRATION.value),
        _merged.c.merge_id,
        _ELSEWHERE,
    )
    .select_from(
        _merged.join(take_home_unit, take_home_unit.c.client_id == _merged.c.client_id).join(
            medication_order, medication_order.c.id == take_home_unit.c.order_id
        )
    )
    .where(_IS_MERGED, take_home_unit.c.for_on >= _SINCE, counts(take_home_unit))
)
_every = union_all(_OWN, _STATED_OF_MERGED, _GIVEN_TO_MERGED, _AT_HOME_OF_MERGED).subquery("covered")
COVERED = select(_every).order_by(_every.c.client_id, _every.c.day, _every.c.record_id)


async def covered_since(
    connection: AsyncConnection, clients: Sequence[UUID], since: date
) -> Mapping[ClientId, Sequence[CoveredDay]]:
    """The covered days of clients from a day on, the oldest first."""
    found: dict[ClientId, list[CoveredDay]] = defaultdict(list)
    if not clients:
        return found
    for row in (await connection.execute(COVERED, {"clients": list(clients), "since": since})).all():
        found[ClientId(row.client_id)].append(
            CoveredDay(
                day=row.day,
                part=DosePart(row.part),
                at=row.taken_at,
                medicine=Medicine(row.medicine),
                form=Form(row.form),
                amount_mg=row.amount_mg,
                product=row.product,
                by=CoveredBy(row.covered_by),
                record=row.record_id,
                source=row.source,
            )
        )
    return found
