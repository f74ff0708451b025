"""Plans of check-ins in PostgreSQL."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Row, Select, Uuid, any_, bindparam, column, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import reach_of, within_reach
from caseload.db.checkin.closing import closed_days
from caseload.db.checkin.phases import add_phases, later_phases
from caseload.db.checkin.replaced import open_from, settled_days, withdraw
from caseload.db.checkin.rows import (
    CHECK_IN_COLUMNS,
    TERMS,
    WAITING_COLUMNS,
    check_in_values,
    terms_values,
    waiting_values,
)
from caseload.db.checkin.versions import OF_ITS_VERSION, STEP_UP, add_step_up, version_numbered, version_of
from caseload.db.direct import bring_in
from caseload.db.tables.caseload import client
from caseload.db.tables.checkin import check_in, check_in_waiting
from caseload.db.tables.checkin_plan import (
    check_in_plan,
    check_in_plan_current,
    check_in_plan_version,
    check_in_step_up,
)
from caseload.domain.access import Reach
from caseload.domain.checkin import (
    Plan,
    PlanChanged,
    PlanUnknown,
    PlanVersion,
    Record,
    Replaced,
    Scheduled,
    Waiting,
    waiting,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.ids import ClientId, PlanId, ProgrammeId, StaffId
from caseload.domain.journal import Journal

_WITHIN = within_reach()
_PLAN = (
    select(
        check_in_plan.c.id,
        check_in_plan.c.client_id,
        check_in_plan.c.programme_id,
        check_in_plan_current.c.scheduled_through,
        check_in_plan_version.c.version,
        check_in_plan_version.c.replaces_from,
        check_in_plan_version.c.reason,
        check_in_plan_version.c.decided_by,
        check_in_plan_version.c.decided_at,
        *TERMS,
        *STEP_UP,
    )
    .join(check_in_plan_current, check_in_plan_current.c.plan_id == check_in_plan.c.id)
    .join(
        check_in_plan_version,
        (check_in_plan_version.c.plan_id == check_in_plan.c.id)
        & (check_in_plan_version.c.version == check_in_plan_current.c.version),
    )
    .outerjoin(check_in_step_up, OF_ITS_VERSION)
)
_PLANS = _PLAN.where(check_in_plan.c.id == any_(bindparam("plans", type_=ARRAY(Uuid())))).order_by(check_in_plan.c.id)
_OF_CLIENT = _PLAN.where(check_in_plan.c.client_id == bindparam("client")).order_by(check_in_plan.c.id)

_HOLD = (
    select(check_in_plan_current.c.plan_id)
    .join(check_in_plan, check_in_plan.c.id == check_in_plan_current.c.plan_id)
    .join(client, client.c.id == check_in_plan.c.client_id)
    .where(check_in_plan_current.c.plan_id == bindparam("plan"), _WITHIN)
    .with_for_update(of=check_in_plan_current)
)
_SEEN = (
    select(check_in_plan.c.id)
    .join(client, client.c.id == check_in_plan.c.client_id)
    .where(check_in_plan.c.id == bindparam("plan"), _WITHIN)
)
_SEEN_CLIENT = select(client.c.id).where(client.c.id == bindparam("client"), _WITHIN)
_BEHIND = (
    select(check_in_plan_current.c.plan_id)
    .where(check_in_plan_current.c.scheduled_through < bindparam("day", type_=Date()))
    .order_by(check_in_plan_current.c.scheduled_through)
    .limit(bindparam("at_most"))
    .with_for_update(skip_locked=True)
)
_HOLD_ALL = (
    select(check_in_plan_current.c.plan_id)
    .join(check_in_plan, check_in_plan.c.id == check_in_plan_current.c.plan_id)
    .where(check_in_plan.c.client_id == bindparam("client"))
    .order_by(check_in_plan_current.c.plan_id)
    .with_for_update(of=check_in_plan_current)
)
_NOW_AT = (
    update(check_in_plan_current)
    .where(check_in_plan_current.c.plan_id == bindparam("plan"))
    .values(version=bindparam("to_version"), scheduled_through=bindparam("through"))
)

_reached = (
    func.unnest(bindparam("plans", type_=ARRAY(Uuid())), bindparam("days", type_=ARRAY(Date())))
    .table_valued(column("plan_id", Uuid()), column("through", Date()))
    .render_derived(name="reached")
)
_SCHEDULED_THROUGH = (
    update(check_in_plan_current)
    .where(check_in_plan_current.c.plan_id == _reached.c.plan_id)
    .values(scheduled_through=_reached.c.through)
)


class Plans:
    """Satisfies `domain.checkin.Plans`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def hold(self, plan: PlanId, *, reach: Reach) -> Plan:
        """The plan, held until this piece of work ends so that nothing of it changes meanwhile; or `PlanUnknown`."""
        return await self._found(_HOLD, plan, reach)

    async def get(self, plan: PlanId, *, reach: Reach) -> Plan:
        """The plan as it stands, without holding it; or `PlanUnknown`."""
        return await self._found(_SEEN, plan, reach)

    async def _found(self, statement: Select[*tuple[Any, ...]], plan: PlanId, reach: Reach) -> Plan:
        given = {"plan": plan, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(statement, given)).first() is None:
            raise PlanUnknown("Look at the client's plans for the one you mean.")
        return await self._one(plan)

    async def _one(self, plan: PlanId) -> Plan:
        [found] = await self._these([plan])
        self._journal.saw(found.client, "check_in_plan")
        return found

    async def of_client(self, of: ClientId, *, reach: Reach) -> Sequence[Plan]:
        """A client's plans, also those that were stopped; `ClientUnknown` outside the reach."""
        given = {"client": of, **reach_of(reach, at=self._now, by_identifier=True)}
        if (await self._connection.execute(_SEEN_CLIENT, given)).first() is None:
            raise ClientUnknown
        self._journal.saw(of, "check_in_plan")
        return await self._with_phases((await self._connection.execute(_OF_CLIENT, {"client": of})).all())

    async def add(self, plan: Plan) -> None:
        """See `domain.checkin.Plans.add`."""
        await self._connection.execute(
            insert(check_in_plan).values(id=plan.id, client_id=plan.client, programme_id=plan.programme)
        )
        await self._add_version(plan)
        await self._connection.execute(
            insert(check_in_plan_current).values(
                plan_id=plan.id, version=plan.version.version, scheduled_through=plan.scheduled_through
            )
        )

    async def add_version(self, plan: Plan) -> None:
        """See `domain.checkin.Plans.add_version`."""
        try:
            await self._add_version(plan)
        except IntegrityError as raced:
            raise PlanChanged("Read the plan again and decide anew.") from raced
        await self._stands(plan, through=plan.scheduled_through)

    async def _add_version(self, plan: Plan) -> None:
        version = plan.version
        await self._connection.execute(
            insert(check_in_plan_version).values(
                plan_id=plan.id,
                version=version.version,
                replaces_from=version.replaces_from,
                reason=version.reason,
                decided_by=version.decided_by,
                decided_at=version.decided_at,
                **terms_values(version.terms),
            )
        )
        await add_phases(self._connection, plan)
        await add_step_up(self._connection, plan)

    async def version(self, plan: PlanId, number: int, /) -> PlanVersion:
        """See `domain.checkin.Versions.version`."""
        return await version_numbered(self._connection, plan, number)

    async def _stands(self, plan: Plan, *, through: date) -> None:
        given = {"plan": plan.id, "to_version": plan.version.version, "through": through}
        await self._connection.execute(_NOW_AT, given)

    async def open_from(self, plan: PlanId, moment: datetime) -> Sequence[Replaced]:
        """See `domain.checkin.Plans.open_from`."""
        return await open_from(self._connection, plan, moment)

    async def withdraw(self, check_ins: Sequence[Replaced], *, reason: str, by: StaffId, now: datetime) -> None:
        """See `domain.checkin.Plans.withdraw`."""
        await withdraw(self._connection, check_ins, reason=reason, by=by, now=now)

    async def settled_days(self, plan: PlanId, *, since: date) -> frozenset[date]:
        """See `domain.checkin.Plans.settled_days`."""
        return await settled_days(self._connection, plan, since=since)

    async def closed_days(self, programme: ProgrammeId, *, since: date) -> frozenset[date]:
        """See `domain.checkin.Plans.closed_days`."""
        return await closed_days(self._connection, programme, since=since)

    async def schedule(self, scheduled: Sequence[Scheduled]) -> None:
        """See `domain.checkin.Plans.schedule`. Of however many plans, it is three statements."""
        made = [tuple(check_in_values(each).values()) for one in scheduled for each in one.check_ins]
        await bring_in(self._connection, check_in, CHECK_IN_COLUMNS, made)
        waits = [tuple(waiting_values(each).values()) for one in scheduled for each in _fresh(one)]
        await bring_in(self._connection, check_in_waiting, WAITING_COLUMNS, waits)
        given = {"plans": [one.plan.id for one in scheduled], "days": [one.through for one in scheduled]}
        await self._connection.execute(_SCHEDULED_THROUGH, given)

    async def standing(self, plans: Sequence[PlanId]) -> Sequence[Plan]:
        """These plans as they stand; whoever asks holds them."""
        return await self._these(plans)

    async def held_of(self, of: ClientId, /) -> Sequence[Plan]:
        """See `domain.checkin.Plans.held_of`."""
        return await self._these((await self._connection.execute(_HOLD_ALL, {"client": of})).scalars().all())

    async def behind(self, day: date, *, at_most: int) -> Sequence[Plan]:
        """See `domain.checkin.Plans.behind`."""
        return await self._these(
            (await self._connection.execute(_BEHIND, {"day": day, "at_most": at_most})).scalars().all()
        )

    async def _these(self, held: Sequence[UUID]) -> Sequence[Plan]:
        if not held:
            return []
        return await self._with_phases((await self._connection.execute(_PLANS, {"plans": list(held)})).all())

    async def _with_phases(self, rows: Sequence[Row[*tuple[Any, ...]]]) -> Sequence[Plan]:
        later = await later_phases(self._connection, [row.id for row in rows])
        return [_plan(row, later.get(row.id, ())) for row in rows]


def _fresh(one: Scheduled) -> Sequence[Waiting]:
    """The check-ins that were just made, as they wait."""
    phases = one.plan.version.phases
    records = [Record(check_in=each, terms=phases[each.phase - 1]) for each in one.check_ins]
    return [waits for waits in map(waiting, records) if waits is not None]


def _plan(row: Row[*tuple[Any, ...]], later: Sequence[Row[*tuple[Any, ...]]]) -> Plan:
    return Plan(
        id=PlanId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        version=version_of(row, later),
        scheduled_through=row.scheduled_through,
    )
