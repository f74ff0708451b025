"""What has been recorded lately for which a client is to be seen more often."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Date, Uuid, any_, bindparam, cast, exists, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.tables.caseload import discharge, episode
from caseload.db.tables.checkin_plan import (
    check_in_plan,
    check_in_plan_current,
    check_in_plan_version,
    check_in_step_up,
)
from caseload.db.tables.escalation import escalation
from caseload.db.tables.window import excusal, excusal_end
from caseload.domain.caseload import DischargeReason
from caseload.domain.checkin import Occurred, StepUpGround
from caseload.domain.escalation import Ground
from caseload.domain.ids import PlanId
from caseload.domain.window import ExcuseReason

LOOKS_BACK: Final = timedelta(days=14)
"""What is older has been looked at, or the plan has been made by somebody who knew."""

BASE: Final = check_in_plan_version.alias("base")
RUNNING: Final = (
    check_in_plan.join(check_in_plan_current, check_in_plan_current.c.plan_id == check_in_plan.c.id)
    .join(
        check_in_plan_version,
        (check_in_plan_version.c.plan_id == check_in_plan.c.id)
        & (check_in_plan_version.c.version == check_in_plan_current.c.version),
    )
    .outerjoin(
        check_in_step_up,
        (check_in_step_up.c.plan_id == check_in_plan.c.id)
        & (check_in_step_up.c.version == check_in_plan_current.c.version),
    )
    .join(
        BASE,
        (BASE.c.plan_id == check_in_plan.c.id)
        & (BASE.c.version == func.coalesce(check_in_step_up.c.base_version, check_in_plan_current.c.version)),
    )
)
GOES_ON: Final = check_in_plan_version.c.unit.is_not(None)
_led = check_in_step_up.alias("led")

ESCALATED: Final = (
    select(check_in_plan.c.id, escalation.c.ground, escalation.c.recorded_at, escalation.c.id.label("record"))
    .select_from(RUNNING.join(escalation, escalation.c.client_id == check_in_plan.c.client_id))
    .where(
        # Identifiers are in the order of time (UUIDv7), so that this walks the newest alone.
        escalation.c.id >= bindparam("first", type_=Uuid()),
        escalation.c.ground.in_([Ground.OVERDOSE.value, Ground.MISSED_DOSES.value]),
        escalation.c.recorded_at > BASE.c.decided_at,
        GOES_ON,
        ~exists().where(_led.c.plan_id == check_in_plan.c.id, _led.c.record_id == escalation.c.id),
    )
)
_another = excusal.alias("another")
_another_end = excusal_end.alias("another_end")
_LAST_ON = func.coalesce(excusal_end.c.last_on, excusal.c.last_on)
_YESTERDAY = bindparam("yesterday", type_=Date())
BACK: Final = (
    select(check_in_plan.c.id, excusal.c.reason, cast(_LAST_ON, Date()).label("last_on"), excusal.c.id.label("record"))
    .select_from(
        RUNNING.join(excusal, excusal.c.client_id == check_in_plan.c.client_id).outerjoin(
            excusal_end, excusal_end.c.excusal_id == excusal.c.id
        )
    )
    .where(
        excusal.c.id
        == any_(
            func.array(
                select(excusal.c.id)
                .where(excusal.c.last_on.between(bindparam("since", type_=Date()), _YESTERDAY))
                .union(
                    select(excusal_end.c.excusal_id).where(
                        excusal_end.c.last_on.between(bindparam("since", type_=Date()), _YESTERDAY)
                    )
                )
                .scalar_subquery()
            )
        ),
        excusal.c.reason.in_([ExcuseReason.PRISON.value, ExcuseReason.HOSPITAL.value]),
        _LAST_ON.between(bindparam("since", type_=Date()), _YESTERDAY),
        excusal.c.first_on <= _LAST_ON,
        cast(func.timezone("UTC", BASE.c.decided_at), Date()) <= _LAST_ON,
        GOES_ON,
        ~exists(
            select(literal(1))
            .select_from(_another.outerjoin(_another_end, _another_end.c.excusal_id == _another.c.id))
            .where(
                _another.c.client_id == excusal.c.client_id,
                _another.c.first_on <= _LAST_ON + 1,
                func.coalesce(_another_end.c.last_on, _another.c.last_on, date.max) > _LAST_ON,
            )
        ),
        ~exists().where(_led.c.plan_id == check_in_plan.c.id, _led.c.record_id == excusal.c.id),
    )
)
RETURNED: Final = (
    select(check_in_plan.c.id, episode.c.admitted_on, episode.c.id.label("record"))
    .select_from(
        RUNNING.join(episode, episode.c.client_id == check_in_plan.c.client_id).join(
            discharge, discharge.c.episode_id == episode.c.returns_from
        )
    )
    .where(
        # As with escalations: the newest alone.
        episode.c.id >= bindparam("first", type_=Uuid()),
        discharge.c.reason == DischargeReason.INCARCERATED.value,
        func.upper_inf(episode.c.period),
        GOES_ON,
        ~exists().where(_led.c.plan_id == check_in_plan.c.id, _led.c.record_id == episode.c.id),
    )
)
"""Whoever comes back after an episode that prison ended. Their plan is made after that, so that nobody asks when."""
HELD: Final = (
    select(check_in_plan_current.c.plan_id)
    .where(check_in_plan_current.c.plan_id == any_(bindparam("plans", type_=ARRAY(Uuid()))))
    .order_by(check_in_plan_current.c.plan_id)
    .with_for_update(skip_locked=True)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A plan, and something for which it asks for more contact."""

    plan: PlanId
    what: Occurred


async def due_to_step_up(connection: AsyncConnection, *, now: datetime) -> Sequence[Due]:
    """What was recorded after people decided a plan, and has led to nothing yet; by plan, and the plans held.

    A plan that another piece of work holds is left to the next look.
    """
    since = now - LOOKS_BACK
    found = [
        Due(
            plan=PlanId(row.id),
            what=Occurred(
                ground=StepUpGround(row.ground), on=row.recorded_at.astimezone(UTC).date(), record=row.record
            ),
        )
        for row in await connection.execute(ESCALATED, {"first": _first_after(since)})
    ]
    days = {"since": since.date(), "yesterday": now.date() - timedelta(days=1)}
    found += [
        Due(
            plan=PlanId(row.id),
            what=Occurred(ground=StepUpGround(row.reason), on=row.last_on + timedelta(days=1), record=row.record),
        )
        for row in await connection.execute(BACK, days)
    ]
    found += [
        Due(plan=PlanId(row.id), what=Occurred(ground=StepUpGround.PRISON, on=row.admitted_on, record=row.record))
        for row in await connection.execute(RETURNED, {"first": _first_after(since)})
    ]
    held = await hold_those_free(connection, {each.plan for each in found})
    return sorted((each for each in found if each.plan in held), key=lambda each: (each.plan, each.what.on))


async def hold_those_free(connection: AsyncConnection, plans: Iterable[PlanId]) -> frozenset[PlanId]:
    """Those of these plans that nobody else holds, held until this piece of work ends."""
    return frozenset((await connection.execute(HELD, {"plans": sorted(plans)})).scalars())


def _first_after(moment: datetime) -> UUID:
    """The smallest identifier that can have been made then (RFC 9562, section 5.7)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
