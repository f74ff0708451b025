"""Versions of plans: one by its number, and whether it is more contact for a while."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.checkin.phases import PHASE, later_of
from caseload.db.checkin.rows import TERMS, terms_of
from caseload.db.tables.checkin_plan import check_in_plan_phase, check_in_plan_version, check_in_step_up
from caseload.domain.checkin import Plan, PlanVersion, StepUp, StepUpGround
from caseload.domain.ids import PlanId, StaffId

STEP_UP = (
    check_in_step_up.c.base_version,
    check_in_step_up.c.ground,
    check_in_step_up.c.occurred_on,
    check_in_step_up.c.last_on,
    check_in_step_up.c.record_id,
    check_in_step_up.c.rule,
)
OF_ITS_VERSION = (check_in_step_up.c.plan_id == check_in_plan_version.c.plan_id) & (
    check_in_step_up.c.version == check_in_plan_version.c.version
)

_VERSION = (
    select(
        check_in_plan_version.c.version,
        check_in_plan_version.c.replaces_from,
        check_in_plan_version.c.reason,
        check_in_plan_version.c.decided_by,
        check_in_plan_version.c.decided_at,
        *TERMS,
        *STEP_UP,
    )
    .outerjoin(check_in_step_up, OF_ITS_VERSION)
    .where(check_in_plan_version.c.plan_id == bindparam("plan"), check_in_plan_version.c.version == bindparam("number"))
)
_ITS_PHASES = (
    select(*PHASE)
    .where(check_in_plan_phase.c.plan_id == bindparam("plan"), check_in_plan_phase.c.version == bindparam("number"))
    .order_by(check_in_plan_phase.c.number)
)


async def version_numbered(connection: AsyncConnection, plan: PlanId, number: int) -> PlanVersion:
    """One version of a plan, with its phases."""
    given = {"plan": plan, "number": number}
    row = (await connection.execute(_VERSION, given)).one()
    return version_of(row, (await connection.execute(_ITS_PHASES, given)).all())


async def add_step_up(connection: AsyncConnection, plan: Plan) -> None:
    """Keep of the plan's version that it is more contact for a while, where it is."""
    found = plan.version.step_up
    if found is None:
        return
    await connection.execute(
        insert(check_in_step_up).values(
            plan_id=plan.id,
            version=plan.version.version,
            base_version=found.base_version,
            ground=found.ground,
            occurred_on=found.occurred_on,
            last_on=found.last_on,
            record_id=found.record,
            rule=found.rule,
        )
    )


def version_of(row: Row[*tuple[Any, ...]], later: Sequence[Row[*tuple[Any, ...]]]) -> PlanVersion:
    """The version in this row, with its later phases in those."""
    terms = None if row.unit is None else terms_of(row)
    return PlanVersion(
        version=row.version,
        terms=terms,
        later=() if terms is None else tuple(later_of(each, terms) for each in later),
        step_up=_step_up_of(row),
        replaces_from=row.replaces_from,
        reason=row.reason,
        decided_by=StaffId(row.decided_by),
        decided_at=row.decided_at,
    )


def _step_up_of(row: Row[*tuple[Any, ...]]) -> StepUp | None:
    if row.ground is None:
        return None
    return StepUp(
        ground=StepUpGround(row.ground),
        occurred_on=row.occurred_on,
        last_on=row.last_on,
        base_version=row.base_version,
        record=row.record_id,
        rule=row.rule,
    )
