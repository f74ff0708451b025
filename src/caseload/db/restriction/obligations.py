"""What waits about restricted clients of a programme, and whether anybody named is there to see it.

A handful of clients, each looked up by index; nothing here is kept, so that nothing can be left standing.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Uuid, and_, bindparam, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.grants import constants, in_force, on_duty, works_here
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.care_task import care_task_open
from caseload.db.tables.caseload import client, cover, responsibility
from caseload.db.tables.caseload_acts import absence
from caseload.db.tables.checkin import check_in_waiting
from caseload.db.tables.escalation import escalation, escalation_open, on_call
from caseload.db.tables.people import role_grant
from caseload.db.tables.restriction import restriction, restriction_naming
from caseload.domain.access import MAY, Act
from caseload.domain.ids import ClientId, ProgrammeId, RestrictionId, StaffId
from caseload.domain.restriction import Unattended

_AT: Final[ColumnElement[datetime]] = bindparam("at", type_=INSTANT)

_naming_counts = (restriction_naming.c.restriction_id == restriction.c.id, running(restriction_naming.c.period, _AT))


def _named_holds(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Somebody named holds a role of care in the client's programme, and these hold of that role."""
    return (
        exists()
        .where(
            *_naming_counts,
            role_grant.c.staff_id == restriction_naming.c.staff_id,
            role_grant.c.programme_id == client.c.programme_id,
            role_grant.c.role.in_(constants(MAY[Act.SEE_CLIENT])),
            in_force(_AT),
            works_here(_AT),
            *conditions,
        )
        .correlate(restriction, client)
    )


_is_away = exists().where(
    absence.c.programme_id == role_grant.c.programme_id,
    absence.c.counsellor_id == role_grant.c.staff_id,
    absence.c.period.op("@>")(_AT),
)
_is_on_call = exists().where(
    on_call.c.programme_id == role_grant.c.programme_id,
    on_call.c.staff_id == role_grant.c.staff_id,
    on_call.c.period.op("@>")(_AT),
)
_is_responsible = (responsibility.c.client_id == restriction.c.client_id, running(responsibility.c.period, _AT))
_covers = (cover.c.client_id == restriction.c.client_id, running(cover.c.period, _AT))
_is_answering_named = or_(
    and_(
        ~exists(select(responsibility.c.id).where(*_is_responsible).correlate(restriction)),
        ~exists(select(cover.c.id).where(*_covers).correlate(restriction)),
    ),
    exists(
        select(responsibility.c.id)
        .join(restriction_naming, restriction_naming.c.staff_id == responsibility.c.counsellor_id)
        .where(*_is_responsible, *_naming_counts)
        .correlate(restriction)
    ),
    exists(
        select(cover.c.id)
        .join(restriction_naming, restriction_naming.c.staff_id == cover.c.counsellor_id)
        .where(*_covers, *_naming_counts)
        .correlate(restriction)
    ),
)
UNATTENDED: Final = (
    select(
        restriction.c.id,
        restriction.c.client_id,
        restriction.c.starts_at,
        func.array(
            select(restriction_naming.c.staff_id)
            .where(*_naming_counts)
            .order_by(restriction_naming.c.staff_id)
            .correlate(restriction)
            .scalar_subquery()
        ).label("named"),
        _named_holds(~_is_away).label("is_anybody_there"),
        _named_holds(or_(on_duty(_AT), _is_on_call)).label("is_anybody_on_duty"),
        _is_answering_named.label("is_answering_named"),
        select(func.min(escalation.c.recorded_at))
        .join(escalation_open, escalation_open.c.escalation_id == escalation.c.id)
        .where(escalation.c.client_id == restriction.c.client_id)
        .scalar_subquery()
        .label("escalated_at"),
        select(func.min(check_in_waiting.c.grace_ends_at))
        .where(check_in_waiting.c.client_id == restriction.c.client_id, check_in_waiting.c.grace_ends_at < _AT)
        .scalar_subquery()
        .label("check_in_overdue_since"),
        select(func.min(care_task_open.c.due_at))
        .where(care_task_open.c.client_id == restriction.c.client_id, care_task_open.c.due_at <= _AT)
        .scalar_subquery()
        .label("care_task_due_at"),
    )
    .join(client, client.c.id == restriction.c.client_id)
    .where(client.c.programme_id == bindparam("programme", type_=Uuid()), running(restriction.c.period, _AT))
    .order_by(restriction.c.id)
)


async def obligations_in(connection: AsyncConnection, programme: ProgrammeId, *, at: datetime) -> Sequence[Unattended]:
    """Every restricted client of a programme at that moment, with what waits and who is there."""
    rows: Any = await connection.execute(UNATTENDED, {"programme": programme, "at": at})
    return [
        Unattended(
            restriction=RestrictionId(row.id),
            client=ClientId(row.client_id),
            since=row.starts_at,
            named=tuple(StaffId(each) for each in row.named),
            is_anybody_there=row.is_anybody_there,
            is_anybody_on_duty=row.is_anybody_on_duty,
            is_answering_named=row.is_answering_named,
            escalated_at=row.escalated_at,
            check_in_overdue_since=row.check_in_overdue_since,
            care_task_due_at=row.care_task_due_at,
        )
        for row in rows
    ]
