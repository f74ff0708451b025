"""Whose daily dose may have changed lately, with their orders: what `domain.medication.large_changes` judges."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Date, Uuid, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.checkin.stepping import BASE, GOES_ON, RUNNING
from caseload.db.medication.rows import ORDER_COLUMNS, WITH_WHAT_HAPPENED, order_of
from caseload.db.tables.checkin_plan import check_in_plan, check_in_step_up
from caseload.db.tables.medication import medication_order
from caseload.db.tables.programme import programme
from caseload.domain.ids import ClientId, PlanId, ProgrammeId
from caseload.domain.medication import Order

_BEGINS = medication_order.alias("begins")
_STEPS = medication_order.alias("steps")
_DAYS = bindparam("days", type_=ARRAY(Date()))
_TURNED = (
    select(medication_order.c.client_id)
    .where(
        medication_order.c.id
        == any_(
            func.array(
                select(_BEGINS.c.id)
                .where(
                    _BEGINS.c.programme_id == any_(func.array(select(programme.c.id).scalar_subquery())),
                    _BEGINS.c.starts_on.between(bindparam("since", type_=Date()), bindparam("until", type_=Date())),
                )
                .union(select(_STEPS.c.id).where(_STEPS.c.step_from.overlap(_DAYS)))
                .scalar_subquery()
            )
        )
    )
    .distinct()
    .cte("turned")
)
TURNED: Final = (
    select(
        check_in_plan.c.id,
        check_in_plan.c.client_id,
        check_in_plan.c.programme_id,
        BASE.c.decided_at,
    )
    .select_from(RUNNING.join(_TURNED, _TURNED.c.client_id == check_in_plan.c.client_id))
    .where(GOES_ON)
    .order_by(check_in_plan.c.id)
)
ORDERS: Final = (
    select(*ORDER_COLUMNS)
    .select_from(WITH_WHAT_HAPPENED)
    .where(medication_order.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))))
    .order_by(medication_order.c.client_id, medication_order.c.id)
)
LED: Final = select(check_in_step_up.c.plan_id, check_in_step_up.c.record_id, check_in_step_up.c.occurred_on).where(
    check_in_step_up.c.plan_id == any_(bindparam("plans", type_=ARRAY(Uuid())))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turned:
    """A running plan of a client whose orders say something else since a day not long ago."""

    plan: PlanId
    programme: ProgrammeId
    decided_at: datetime
    """When people decided how often."""
    orders: Sequence[Order]
    led: frozenset[tuple[UUID, date]]
    """Which order has led to more contact already, by which of its days."""


async def turned_lately(connection: AsyncConnection, *, since: date, until: date) -> Sequence[Turned]:
    """The running plans of clients of whom an order begins or takes a step from a day to a day, with all their orders."""
    days = [since + timedelta(days=number) for number in range((until - since).days + 1)]
    rows = (await connection.execute(TURNED, {"since": since, "until": until, "days": days})).all()
    if not rows:
        return []
    orders: dict[ClientId, list[Order]] = defaultdict(list)
    clients = sorted({row.client_id for row in rows})
    for row in (await connection.execute(ORDERS, {"clients": clients})).mappings():
        order = order_of(row)
        orders[order.client].append(order)
    led: dict[UUID, set[tuple[UUID, date]]] = defaultdict(set)
    for row in await connection.execute(LED, {"plans": [row.id for row in rows]}):
        led[row.plan_id].add((row.record_id, row.occurred_on))
    return [
        Turned(
            plan=PlanId(row.id),
            programme=ProgrammeId(row.programme_id),
            decided_at=row.decided_at,
            orders=orders[ClientId(row.client_id)],
            led=frozenset(led[row.id]),
        )
        for row in rows
    ]
