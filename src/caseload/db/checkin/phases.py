"""The phases of plans after the first, and what a check-in goes by that belongs to one."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, any_, bindparam, case, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.checkin.rows import TERMS, terms_values
from caseload.db.tables.checkin import check_in
from caseload.db.tables.checkin_plan import check_in_plan_current, check_in_plan_phase
from caseload.domain.checkin import Plan, Terms
from caseload.domain.schedule import Recurrence, Unit, Weekday

PHASE = (
    check_in_plan_phase.c.plan_id,
    check_in_plan_phase.c.number,
    check_in_plan_phase.c.every,
    check_in_plan_phase.c.unit,
    check_in_plan_phase.c.weekday,
    check_in_plan_phase.c.month_day,
    check_in_plan_phase.c.starts_on,
    check_in_plan_phase.c.ends_on,
    check_in_plan_phase.c.grace_days,
    check_in_plan_phase.c.grace_rule,
    check_in_plan_phase.c.early_days,
)
"""How often in a later phase; the time, the mode and the zone are those of the version."""

_OF_PHASE = frozenset(column.name for column in PHASE) - {"plan_id", "number"}

TERMS_OF_CHECK_IN = tuple(
    case((check_in.c.later_phase.is_(None), column), else_=check_in_plan_phase.c[column.name]).label(column.name)
    if column.name in _OF_PHASE
    else column
    for column in TERMS
)
"""The same for the phase that a check-in belongs to."""

OF_ITS_PHASE = (
    (check_in_plan_phase.c.plan_id == check_in.c.plan_id)
    & (check_in_plan_phase.c.version == check_in.c.plan_version)
    & (check_in_plan_phase.c.number == check_in.c.later_phase)
)

_PHASES = (
    select(*PHASE)
    .join(
        check_in_plan_current,
        (check_in_plan_current.c.plan_id == check_in_plan_phase.c.plan_id)
        & (check_in_plan_current.c.version == check_in_plan_phase.c.version),
    )
    .where(check_in_plan_phase.c.plan_id == any_(bindparam("plans", type_=ARRAY(Uuid()))))
    .order_by(check_in_plan_phase.c.plan_id, check_in_plan_phase.c.number)
)


async def later_phases(
    connection: AsyncConnection, plans: Sequence[UUID]
) -> Mapping[UUID, Sequence[Row[*tuple[Any, ...]]]]:
    """The later phases of these plans as they stand, in their order."""
    found: dict[UUID, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in await connection.execute(_PHASES, {"plans": list(plans)}):
        found[row.plan_id].append(row)
    return found


async def add_phases(connection: AsyncConnection, plan: Plan) -> None:
    """Keep the later phases of the plan's version."""
    if plan.version.later:
        of = {"plan_id": plan.id, "version": plan.version.version}
        rows = [{**of, **_later_values(number, terms)} for number, terms in enumerate(plan.version.later, start=2)]
        await connection.execute(insert(check_in_plan_phase), rows)


def later_of(row: Row[*tuple[Any, ...]], first: Terms) -> Terms:
    """What a plan asks for in the later phase in this row."""
    return Terms(
        rule=Recurrence(
            every=row.every,
            unit=Unit(row.unit),
            weekday=None if row.weekday is None else Weekday(row.weekday),
            month_day=row.month_day,
            at=first.rule.at,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
        ),
        grace_days=row.grace_days,
        early_days=row.early_days,
        mode=first.mode,
        zone=first.zone,
        grace_rule=row.grace_rule,
    )


def _later_values(number: int, terms: Terms) -> dict[str, Any]:
    """The columns of a later phase."""
    return {"number": number, **{name: value for name, value in terms_values(terms).items() if name in _OF_PHASE}}
