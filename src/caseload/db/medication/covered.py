"""Days covered by something besides our own doses. Read only where the client's record says that there are any."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import Date, Uuid, any_, bindparam, exists, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.medication import medication_order
from caseload.db.tables.statement import (
    dose_statement,
    dose_statement_day,
    dose_statement_verification,
    dose_statement_withdrawal,
)
from caseload.domain.dosing import CoveredBy, CoveredDay, DayOutcome
from caseload.domain.ids import ClientId
from caseload.domain.medicines import DosePart, Form, Medicine

COVERED = (
    select(
        dose_statement_day.c.client_id,
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
        dose_statement_day.join(dose_statement, dose_statement.c.id == dose_statement_day.c.statement_id).outerjoin(
            medication_order, medication_order.c.id == dose_statement.c.order_id
        )
    )
    .where(
        dose_statement_day.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        dose_statement_day.c.day >= bindparam("since", type_=Date()),
        dose_statement_day.c.outcome == DayOutcome.TAKEN.value,
        exists().where(dose_statement_verification.c.statement_id == dose_statement.c.id),
        ~exists().where(dose_statement_withdrawal.c.statement_id == dose_statement.c.id),
    )
    .order_by(dose_statement_day.c.client_id, dose_statement_day.c.day, dose_statement.c.id)
)


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
