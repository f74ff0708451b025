"""From rows to the domain's words and back, in one place for every statement about check-ins."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Uuid, any_, bindparam, delete, insert
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Named
from caseload.db.instants import instant_of
from caseload.db.tables.checkin import check_in, check_in_waiting
from caseload.db.tables.checkin_plan import check_in_plan_version
from caseload.domain.checkin import (
    CheckIn,
    LastFact,
    Mode,
    Move,
    Overdue,
    Terms,
    Waiting,
    cleared_by,
    days_late,
    why_overdue,
)
from caseload.domain.ids import CheckInId, ClientId, PlanId, ProgrammeId
from caseload.domain.schedule import Recurrence, Unit, Weekday

TERMS = (
    check_in_plan_version.c.every,
    check_in_plan_version.c.unit,
    check_in_plan_version.c.weekday,
    check_in_plan_version.c.month_day,
    check_in_plan_version.c.local_time,
    check_in_plan_version.c.starts_on,
    check_in_plan_version.c.ends_on,
    check_in_plan_version.c.grace_days,
    check_in_plan_version.c.grace_rule,
    check_in_plan_version.c.early_days,
    check_in_plan_version.c.mode,
    check_in_plan_version.c.time_zone,
)
"""The columns that say what a version of a plan asks for in its first phase."""

CHECK_IN = (
    check_in.c.id,
    check_in.c.plan_id,
    check_in.c.plan_version,
    check_in.c.client_id,
    check_in.c.programme_id,
    check_in.c.scheduled_on,
    check_in.c.due_at,
    check_in.c.grace_ends_at,
    check_in.c.made_at,
    check_in.c.later_phase,
)

WAITING = (
    check_in_waiting.c.check_in_id,
    check_in_waiting.c.plan_id,
    check_in_waiting.c.plan_version,
    check_in_waiting.c.client_id,
    check_in_waiting.c.programme_id,
    check_in_waiting.c.due_at,
    check_in_waiting.c.grace_ends_at,
    check_in_waiting.c.counts_from,
    check_in_waiting.c.movable_until,
    check_in_waiting.c.attempts,
    check_in_waiting.c.last_fact,
    check_in_waiting.c.last_fact_at,
    check_in_waiting.c.last_fact_by,
    check_in_waiting.c.rule,
    check_in_waiting.c.mode,
    check_in_waiting.c.grace_days,
    check_in_waiting.c.grace_rule,
    check_in_waiting.c.time_zone,
)

CHECK_IN_COLUMNS = tuple(column.name for column in CHECK_IN)
WAITING_COLUMNS = tuple(column.name for column in WAITING)
"""The same as `check_in_values` and `waiting_values` give them, in their order."""

LATE = tuple(column for column in WAITING if column is not check_in_waiting.c.plan_version)
"""What `overdue_of` reads of them."""

_FACTS = {fact.value: fact for fact in LastFact}
_MODES = {mode.value: mode for mode in Mode}

_INSERT_WAITING = insert(check_in_waiting)
_DELETE_WAITING = delete(check_in_waiting).where(
    check_in_waiting.c.check_in_id == any_(bindparam("settled", type_=ARRAY(Uuid())))
)


def terms_of(row: Row[*tuple[Any, ...]]) -> Terms:
    """What the version of a plan in this row asks for."""
    return Terms(
        rule=Recurrence(
            every=row.every,
            unit=Unit(row.unit),
            weekday=None if row.weekday is None else Weekday(row.weekday),
            month_day=row.month_day,
            at=row.local_time,
            starts_on=row.starts_on,
            ends_on=row.ends_on,
        ),
        grace_days=row.grace_days,
        early_days=row.early_days,
        mode=Mode(row.mode),
        zone=ZoneInfo(row.time_zone),
        grace_rule=row.grace_rule,
    )


def terms_values(terms: Terms | None) -> dict[str, Any]:
    """The columns of a version that asks for these terms; all empty where the plan is stopped."""
    if terms is None:
        return {column.name: None for column in TERMS}
    return {
        "every": terms.rule.every,
        "unit": terms.rule.unit,
        "weekday": terms.rule.weekday,
        "month_day": terms.rule.month_day,
        "local_time": terms.rule.at,
        "starts_on": terms.rule.starts_on,
        "ends_on": terms.rule.ends_on,
        "grace_days": terms.grace_days,
        "grace_rule": terms.grace_rule,
        "early_days": terms.early_days,
        "mode": terms.mode,
        "time_zone": terms.zone.key,
    }


def check_in_of(row: Row[*tuple[Any, ...]]) -> CheckIn:
    """The check-in of this row."""
    return CheckIn(
        id=CheckInId(row.id),
        plan=PlanId(row.plan_id),
        plan_version=row.plan_version,
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        scheduled_on=row.scheduled_on,
        due_at=row.due_at,
        grace_ends_at=row.grace_ends_at,
        made_at=row.made_at,
        phase=row.later_phase or 1,
    )


def check_in_values(one: CheckIn) -> dict[str, Any]:
    """The columns of a check-in."""
    return {
        "id": one.id,
        "plan_id": one.plan,
        "plan_version": one.plan_version,
        "client_id": one.client,
        "programme_id": one.programme,
        "scheduled_on": one.scheduled_on,
        "due_at": one.due_at,
        "grace_ends_at": one.grace_ends_at,
        "made_at": one.made_at,
        "later_phase": None if one.phase == 1 else one.phase,
    }


def move_values(move: Move) -> dict[str, Any]:
    """The columns of a move."""
    return {
        "check_in_id": move.check_in,
        "number": move.number,
        "due_at": move.due_at,
        "grace_ends_at": move.grace_ends_at,
        "asked_by": move.asked_by,
        "reason": move.reason,
        "recorded_by": move.recorded_by,
        "recorded_at": move.recorded_at,
    }


def overdue_of(row: Named, *, now: datetime) -> Overdue:
    """What the list says of an overdue check-in.

    The row begins with the columns of `LATE`, read by their places, instants as the server sends them.
    """
    (
        check_in_id,
        plan_id,
        client_id,
        programme_id,
        due_at,
        grace_ends_at,
        counts_from,
        movable_until,
        attempts,
        last_fact,
        last_fact_at,
        last_fact_by,
        rule,
        mode,
        grace_days,
        grace_rule,
        time_zone,
        *_,
    ) = row.values()
    due, movable = instant_of(due_at), instant_of(movable_until)
    return Overdue(
        check_in_id,
        client_id,
        programme_id,
        plan_id,
        _MODES[mode],
        why_overdue(rule, grace_days),
        rule,
        grace_days,
        grace_rule,
        due,
        instant_of(grace_ends_at),
        days_late(due, ZoneInfo(time_zone), now=now),
        attempts,
        _FACTS[last_fact],
        instant_of(last_fact_at),
        last_fact_by,
        instant_of(counts_from),
        movable,
        cleared_by(movable, now=now),
    )


def waiting_values(one: Waiting) -> dict[str, Any]:
    """The columns of what is kept of a check-in that waits."""
    return {
        "check_in_id": one.check_in,
        "plan_id": one.plan,
        "plan_version": one.plan_version,
        "client_id": one.client,
        "programme_id": one.programme,
        "due_at": one.due_at,
        "grace_ends_at": one.grace_ends_at,
        "counts_from": one.counts_from,
        "movable_until": one.movable_until,
        "attempts": one.attempts,
        "last_fact": one.last_fact,
        "last_fact_at": one.last_fact_at,
        "last_fact_by": one.last_fact_by,
        "rule": one.rule,
        "mode": one.mode,
        "grace_days": one.grace_days,
        "grace_rule": one.grace_rule,
        "time_zone": one.zone.key,
    }


async def begin_waiting(connection: AsyncConnection, check_ins: Sequence[Waiting]) -> None:
    """Keep that these wait, as they now stand."""
    if check_ins:
        await connection.execute(_INSERT_WAITING, [waiting_values(one) for one in check_ins])


async def end_waiting(connection: AsyncConnection, check_ins: Sequence[CheckInId]) -> None:
    """Keep that these wait no longer."""
    await connection.execute(_DELETE_WAITING, {"settled": list(check_ins)})
