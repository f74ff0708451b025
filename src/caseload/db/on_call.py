"""Who is on call, and to whom escalations were passed on, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, Uuid, any_, bindparam, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as insert_or
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.people.grants import constants, in_force, works_here
from caseload.db.tables.base import INSTANT
from caseload.db.tables.escalation import (
    escalation,
    escalation_open,
    escalation_passing,
    escalation_recipient,
    on_call,
)
from caseload.db.tables.people import role_grant, staff
from caseload.domain.access import MAY, Act, Role
from caseload.domain.escalation import (
    Escalation,
    Ground,
    OnCall,
    OnCallTaken,
    OnCallUnknown,
    PassedTo,
    Passing,
)
from caseload.domain.ids import EscalationId, OnCallId, ProgrammeId, StaffId

_AT: Final = bindparam("at", type_=INSTANT)
_ROTA = select(
    on_call.c.id,
    on_call.c.programme_id,
    on_call.c.staff_id,
    on_call.c.starts_at,
    on_call.c.ends_at,
    on_call.c.recorded_by,
    on_call.c.recorded_at,
    on_call.c.ended_at,
    staff.c.printed_name,
).select_from(on_call.join(staff, staff.c.id == on_call.c.staff_id))
_ONE: Final = _ROTA.where(on_call.c.id == bindparam("on_call"))
_HOLD: Final = _ONE.with_for_update(of=on_call)
RUNNING: Final = _ROTA.where(on_call.c.programme_id == bindparam("programme"), on_call.c.period.op("@>")(_AT))
BETWEEN: Final = _ROTA.where(
    on_call.c.programme_id == bindparam("programme"),
    on_call.c.period.op("&&")(func.tstzrange(bindparam("since", type_=INSTANT), bindparam("until", type_=INSTANT))),
).order_by(on_call.c.starts_at, on_call.c.id)


_MAY_ACKNOWLEDGE = select(
    exists(
        select(role_grant.c.id).where(
            role_grant.c.staff_id == bindparam("staff"),
            role_grant.c.programme_id == bindparam("programme"),
            role_grant.c.role.in_(constants(MAY[Act.ACKNOWLEDGE_ESCALATION])),
            in_force(_AT),
            works_here(_AT),
        )
    )
)
SUPERVISORS: Final = (
    select(role_grant.c.staff_id)
    .where(
        role_grant.c.programme_id == bindparam("programme"),
        role_grant.c.role.in_(constants({Role.SUPERVISOR})),
        in_force(_AT),
        works_here(_AT),
    )
    .distinct()
    .order_by(role_grant.c.staff_id)
)
_ADD = insert(on_call)
_END = (
    update(on_call)
    .where(on_call.c.id == bindparam("wanted"), on_call.c.ended_at.is_(None))
    .values(ended_at=bindparam("at"), ended_by=bindparam("by"))
)
OPEN: Final = (
    select(
        escalation.c.id,
        escalation.c.client_id,
        escalation.c.programme_id,
        escalation.c.ground,
        escalation.c.recorded_by,
        escalation.c.recorded_at,
    )
    .select_from(escalation_open.join(escalation, escalation.c.id == escalation_open.c.escalation_id))
    .where(escalation_open.c.programme_id == bindparam("programme"))
    .order_by(escalation.c.id)
    .with_for_update(of=escalation_open, skip_locked=True)
)
"""What nobody has acknowledged, held: whoever acknowledges one meanwhile goes first, and it is not passed on."""
PASSINGS: Final = (
    select(
        escalation_passing.c.escalation_id,
        escalation_passing.c.passed_to,
        escalation_passing.c.rule,
        escalation_passing.c.passed_at,
        func.array_remove(func.array_agg(escalation_recipient.c.staff_id), None).label("staff"),
    )
    .select_from(
        escalation_passing.outerjoin(
            escalation_recipient,
            (escalation_recipient.c.escalation_id == escalation_passing.c.escalation_id)
            & (escalation_recipient.c.passed_to == escalation_passing.c.passed_to),
        )
    )
    .where(escalation_passing.c.escalation_id == any_(bindparam("escalations", type_=ARRAY(Uuid()))))
    .group_by(*escalation_passing.c)
    .order_by(escalation_passing.c.escalation_id, escalation_passing.c.passed_to)
)
_PASS = insert_or(escalation_passing).on_conflict_do_nothing().returning(escalation_passing.c.passed_to)
_RECEIVE = insert(escalation_recipient)


class KeptRotas:
    """Satisfies `domain.escalation.Rotas` and `domain.escalation.passing.Recipients`."""

    def __init__(self, connection: AsyncConnection, *, now: datetime) -> None:
        self._connection = connection
        self._now = now

    async def may_acknowledge(self, wanted: StaffId, programme: ProgrammeId, *, at: datetime) -> bool:
        """See `domain.escalation.Rotas.may_acknowledge`."""
        given = {"staff": wanted, "programme": programme, "at": at}
        return bool((await self._connection.execute(_MAY_ACKNOWLEDGE, given)).scalar_one())

    async def add(self, new: OnCall) -> None:
        """See `domain.escalation.Rotas.add`."""
        try:
            await self._connection.execute(
                _ADD,
                {
                    "id": new.id,
                    "programme_id": new.programme,
                    "staff_id": new.staff,
                    "starts_at": new.starts_at,
                    "ends_at": new.ends_at,
                    "recorded_by": new.recorded_by,
                    "recorded_at": new.recorded_at,
                },
            )
        except IntegrityError as overlapping:
            raise OnCallTaken("Read the rota, and end the other time on call first.") from overlapping

    async def get(self, wanted: OnCallId) -> OnCall:
        """One of them; or `OnCallUnknown`."""
        return await self._one(_ONE, wanted)

    async def hold(self, wanted: OnCallId) -> OnCall:
        """See `domain.escalation.Rotas.hold`."""
        return await self._one(_HOLD, wanted)

    async def _one(self, statement: Select[*tuple[Any, ...]], wanted: OnCallId) -> OnCall:
        row = (await self._connection.execute(statement, {"on_call": wanted})).first()
        if row is None:
            raise OnCallUnknown("Read the rota of the programme for those there are.")
        return _on_call(row)

    async def end(self, ending: OnCall, *, by: StaffId, at: datetime) -> None:
        """See `domain.escalation.Rotas.end`."""
        await self._connection.execute(_END, {"wanted": ending.id, "by": by, "at": at})

    async def running(self, programme: ProgrammeId, *, at: datetime) -> OnCall | None:
        """See `domain.escalation.Rotas.running`."""
        row = (await self._connection.execute(RUNNING, {"programme": programme, "at": at})).first()
        return None if row is None else _on_call(row)

    async def between(self, programme: ProgrammeId, *, since: datetime, until: datetime) -> Sequence[OnCall]:
        """The rota of a programme from one moment to another, in its order."""
        given = {"programme": programme, "since": since, "until": until}
        return [_on_call(row) for row in await self._connection.execute(BETWEEN, given)]

    async def held_open(self, programme: ProgrammeId) -> Sequence[Escalation]:
        """What nobody has acknowledged in a programme, held; what somebody is at just now is left out."""
        rows = await self._connection.execute(OPEN, {"programme": programme})
        return [
            Escalation(
                id=EscalationId(row.id),
                client=row.client_id,
                programme=programme,
                ground=Ground(row.ground),
                check_in=None,
                said=None,
                raised_by=StaffId(row.recorded_by),
                raised_at=row.recorded_at,
            )
            for row in rows
        ]

    async def passings(self, of: Sequence[EscalationId]) -> Mapping[EscalationId, Sequence[Passing]]:
        """Where each of these escalations went on to, the first in turn first."""
        found: dict[EscalationId, list[Passing]] = defaultdict(list)
        if of:
            for row in await self._connection.execute(PASSINGS, {"escalations": list(of)}):
                one = Passing(
                    escalation=EscalationId(row.escalation_id),
                    to=PassedTo(row.passed_to),
                    staff=tuple(sorted(StaffId(each) for each in row.staff)),
                    rule=row.rule,
                    passed_at=row.passed_at,
                )
                found[one.escalation].append(one)
        return found

    async def on_call(self, raised: Escalation) -> Sequence[StaffId]:
        """See `domain.escalation.passing.Recipients.on_call`."""
        running = await self.running(raised.programme, at=self._now)
        return () if running is None else (running.staff,)

    async def supervisors(self, raised: Escalation) -> Sequence[StaffId]:
        """See `domain.escalation.passing.Recipients.supervisors`."""
        given = {"programme": raised.programme, "at": self._now}
        return [StaffId(each) for each in (await self._connection.execute(SUPERVISORS, given)).scalars()]

    async def add_passing(self, passing: Passing) -> bool:
        """See `domain.escalation.passing.Recipients.add_passing`."""
        values = {
            "escalation_id": passing.escalation,
            "passed_to": passing.to,
            "rule": passing.rule,
            "passed_at": passing.passed_at,
        }
        if (await self._connection.execute(_PASS, values)).first() is None:
            return False
        if passing.staff:
            await self._connection.execute(
                _RECEIVE,
                [
                    {"escalation_id": passing.escalation, "passed_to": passing.to, "staff_id": each}
                    for each in passing.staff
                ],
            )
        return True


def _on_call(row: Row[*tuple[Any, ...]]) -> OnCall:
    return OnCall(
        id=OnCallId(row.id),
        programme=ProgrammeId(row.programme_id),
        staff=StaffId(row.staff_id),
        printed_name=row.printed_name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        recorded_by=StaffId(row.recorded_by),
        recorded_at=row.recorded_at,
        ended_at=row.ended_at,
    )
