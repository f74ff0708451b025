"""What somebody is to do about a client, in PostgreSQL.

A task of the ladder is open while its check-in waits as it did when the step was taken; that is asked here, whenever one is
read, and kept nowhere.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Uuid,
    and_,
    bindparam,
    delete,
    exists,
    insert,
    or_,
    select,
    true,
    tuple_,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.access import is_restricted, names, reach_of, within_reach
from caseload.db.people.grants import constants, in_force, works_here
from caseload.db.periods import running
from caseload.db.tables.base import INSTANT
from caseload.db.tables.care_task import care_task, care_task_done, care_task_open
from caseload.db.tables.caseload import client, client_identity, cover, responsibility
from caseload.db.tables.checkin import check_in_outcome, check_in_waiting
from caseload.db.tables.people import role_grant
from caseload.domain.access import EXTENT, MAY, Act, Extent, Reach
from caseload.domain.care_task import CareTask, CareTaskDone, CareTaskUnknown, Done, OfLadder
from caseload.domain.ids import CareTaskId, CheckInId, ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Journal
from caseload.domain.profiles.outreach import OutreachStep

KIND: Final = "care_task"
"""What the journal calls it."""
FORGOTTEN_AFTER: Final = timedelta(days=7)
"""So long after its check-in was settled a task of the ladder leaves the list for good; opened again before, it is back."""

_AT: Final[ColumnElement[datetime]] = bindparam("reach_at", type_=INSTANT)
_STAFF: Final[ColumnElement[UUID]] = bindparam("of", type_=Uuid())
_still = and_(
    check_in_waiting.c.check_in_id == care_task.c.check_in_id,
    check_in_waiting.c.grace_ends_at == care_task.c.overdue_since,
)
_FELL_AWAY = and_(care_task.c.check_in_id.is_not(None), check_in_waiting.c.check_in_id.is_(None))
_EVERY = (
    select(
        *care_task.c,
        care_task_done.c.said,
        care_task_done.c.done_by,
        care_task_done.c.done_at,
        _FELL_AWAY.label("fell_away"),
    )
    .select_from(
        care_task.join(client, client.c.id == care_task.c.client_id)
        .outerjoin(care_task_done, care_task_done.c.task_id == care_task.c.id)
        .outerjoin(check_in_waiting, _still)
    )
    .where(within_reach())
)
_ONE: Final = _EVERY.where(care_task.c.id == bindparam("task"))
_HOLD = select(care_task_open.c.task_id).where(care_task_open.c.task_id == bindparam("task")).with_for_update()
OF_CLIENT: Final = (
    _EVERY.where(care_task.c.client_id == bindparam("client"), care_task.c.id < bindparam("after"))
    .order_by(care_task.c.id.desc())
    .limit(bindparam("limit"))
)
_picked_for_staff = (
    select(care_task_open.c.task_id)
    .where(care_task_open.c.for_staff == _STAFF)
    .union(
        select(care_task_open.c.task_id).join(
            _clients := select(responsibility.c.client_id)
            .where(responsibility.c.counsellor_id == _STAFF, running(responsibility.c.period, _AT))
            .union(select(cover.c.client_id).where(cover.c.counsellor_id == _STAFF, cover.c.period.op("@>")(_AT)))
            .subquery("on_caseload"),
            _clients.c.client_id == care_task_open.c.client_id,
        )
    )
    .cte("picked")
)
_place = care_task.alias("place")
_AFTER = tuple_(care_task.c.due_at, care_task.c.id) > tuple_(
    select(_place.c.due_at).where(_place.c.id == bindparam("after")).scalar_subquery(), bindparam("after")
)
_name = (
    select(client_identity.c.given_name, client_identity.c.family_name)
    .where(client_identity.c.client_id == care_task.c.client_id)
    .order_by(client_identity.c.version.desc())
    .limit(1)
    .lateral("name")
)


def _listed(statement: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        statement.add_columns(*_name.c)
        .join(_name, true())
        .where(~_FELL_AWAY)
        .order_by(care_task.c.due_at, care_task.c.id)
        .limit(bindparam("limit"))
    )


_of_staff = _EVERY.join(_picked_for_staff, _picked_for_staff.c.task_id == care_task.c.id)
_of_programme = _EVERY.join(care_task_open, care_task_open.c.task_id == care_task.c.id).where(
    care_task_open.c.programme_id == bindparam("programme")
)
OF_STAFF: Final = _listed(_of_staff)
OF_STAFF_NEXT: Final = _listed(_of_staff.where(_AFTER))
OF_PROGRAMME: Final = _listed(_of_programme)
OF_PROGRAMME_NEXT: Final = _listed(_of_programme.where(_AFTER))
OF_STEPS: Final = _EVERY.where(
    care_task.c.check_in_id == bindparam("check_in"),
    care_task.c.overdue_since == bindparam("overdue_since", type_=INSTANT),
)
_ALWAYS = [each for each in MAY[Act.KEEP_CARE_TASKS] if EXTENT[each] is Extent.PROGRAMME]
_BY_CASELOAD = [each for each in MAY[Act.KEEP_CARE_TASKS] if EXTENT[each] is Extent.CASELOAD]
_looked_after = or_(
    exists().where(
        responsibility.c.client_id == client.c.id,
        responsibility.c.counsellor_id == role_grant.c.staff_id,
        running(responsibility.c.period, _AT),
    ),
    exists().where(
        cover.c.client_id == client.c.id,
        cover.c.counsellor_id == role_grant.c.staff_id,
        cover.c.period.op("@>")(_AT),
    ),
)
_names_them = names(client.c.id, role_grant.c.staff_id, _AT)
SEES: Final = select(
    exists(
        select(role_grant.c.id)
        .join(client, client.c.programme_id == role_grant.c.programme_id)
        .where(
            client.c.id == bindparam("client"),
            role_grant.c.staff_id == _STAFF,
            in_force(_AT),
            works_here(_AT),
            or_(
                role_grant.c.role.in_(constants(_ALWAYS)),
                and_(role_grant.c.role.in_(constants(_BY_CASELOAD)), or_(_looked_after, _names_them)),
            ),
            or_(~is_restricted(client.c.id, _AT), _names_them),
        )
    )
)
_ADD, _OPENED, _DONE = insert(care_task), insert(care_task_open), insert(care_task_done)
_CLOSE = delete(care_task_open).where(care_task_open.c.task_id == bindparam("task"))
_still_waits = exists().where(_still)
_settled = exists().where(
    check_in_outcome.c.check_in_id == care_task.c.check_in_id,
    check_in_outcome.c.recorded_at > bindparam("since", type_=INSTANT),
)
FORGET: Final = delete(care_task_open).where(
    care_task_open.c.programme_id == bindparam("programme"),
    care_task_open.c.due_at < bindparam("since", type_=INSTANT),
    care_task_open.c.task_id.in_(
        select(care_task.c.id).where(
            care_task.c.id == care_task_open.c.task_id, care_task.c.check_in_id.is_not(None), ~_still_waits, ~_settled
        )
    ),
)


class Line(NamedTuple):
    """One open task with the name of whom it concerns."""

    task: CareTask
    given_name: str
    family_name: str


class KeptCareTasks:
    """Satisfies `domain.care_task.CareTasks`."""

    def __init__(self, connection: AsyncConnection, journal: Journal, *, now: datetime) -> None:
        self._connection = connection
        self._journal = journal
        self._now = now

    async def sees(self, staff: StaffId, of: ClientId) -> bool:
        """See `domain.care_task.CareTasks.sees`."""
        given = {"of": staff, "client": of, "reach_at": self._now}
        return bool((await self._connection.execute(SEES, given)).scalar_one())

    async def get(self, wanted: CareTaskId, *, reach: Reach) -> CareTask:
        """One task; or `CareTaskUnknown`."""
        given = {"task": wanted, **reach_of(reach, at=self._now, by_identifier=True)}
        row = (await self._connection.execute(_ONE, given)).first()
        if row is None:
            raise CareTaskUnknown("Read the list of tasks for those there are.")
        return self._seen(row)

    async def hold(self, wanted: CareTaskId, *, reach: Reach) -> CareTask:
        """See `domain.care_task.CareTasks.hold`."""
        await self._connection.execute(_HOLD, {"task": wanted})
        return await self.get(wanted, reach=reach)

    async def of_client(self, of: ClientId, *, reach: Reach, after: UUID, limit: int) -> Sequence[CareTask]:
        """Every task about a client, the newest first. Whoever asks may see them."""
        self._journal.saw(of, KIND)
        given = {"client": of, "after": after, "limit": limit, **reach_of(reach, at=self._now, by_identifier=True)}
        return [self._seen(row) for row in await self._connection.execute(OF_CLIENT, given)]

    async def open_of_staff(self, of: StaffId, *, reach: Reach, after: UUID | None, limit: int) -> Sequence[Line]:
        """What somebody is to do: named themselves, or about a client whom they answer for or cover now."""
        return await self._page(OF_STAFF, OF_STAFF_NEXT, {"of": of}, reach, after, limit)

    async def open_of_programme(
        self, of: ProgrammeId, *, reach: Reach, after: UUID | None, limit: int
    ) -> Sequence[Line]:
        """What is to be done in a programme, as far as the reach goes, the longest due first."""
        return await self._page(OF_PROGRAMME, OF_PROGRAMME_NEXT, {"programme": of}, reach, after, limit)

    async def of_steps(self, check_in: CheckInId, since: datetime, *, reach: Reach) -> Sequence[CareTask]:
        """The tasks of the ladder of one check-in that became overdue then."""
        given = {"check_in": check_in, "overdue_since": since, **reach_of(reach, at=self._now, by_identifier=True)}
        return [self._seen(row) for row in await self._connection.execute(OF_STEPS, given)]

    async def _page(
        self,
        first: Select[*tuple[Any, ...]],
        onwards: Select[*tuple[Any, ...]],
        of: dict[str, Any],
        reach: Reach,
        after: UUID | None,
        limit: int,
    ) -> Sequence[Line]:
        given = {**of, "limit": limit, **reach_of(reach, at=self._now)}
        rows = (
            await self._connection.execute(first, given)
            if after is None
            else await self._connection.execute(onwards, {**given, "after": after})
        )
        return [Line(self._seen(row), row.given_name, row.family_name) for row in rows]

    async def add(self, task: CareTask) -> None:
        """See `domain.care_task.CareTasks.add`."""
        ladder = task.ladder
        common = {
            "client_id": task.client,
            "programme_id": task.programme,
            "for_staff": task.for_staff,
            "due_at": task.due_at,
        }
        await self._connection.execute(
            _ADD,
            {
                "id": task.id,
                **common,
                "kind": task.kind,
                "says": task.says,
                "rule": None if ladder is None else ladder.rule,
                "check_in_id": None if ladder is None else ladder.check_in,
                "overdue_since": None if ladder is None else ladder.overdue_since,
                "step": None if ladder is None else ladder.step,
                "raised_by": task.raised_by,
                "raised_at": task.raised_at,
            },
        )
        await self._connection.execute(_OPENED, {"task_id": task.id, **common})

    async def add_done(self, task: CareTask, done: Done) -> None:
        """See `domain.care_task.CareTasks.add_done`."""
        try:
            await self._connection.execute(
                _DONE, {"task_id": task.id, "said": done.said, "done_by": done.by, "done_at": done.at}
            )
        except IntegrityError as raced:
            raise CareTaskDone("Read it for what came of it.") from raced
        await self._connection.execute(_CLOSE, {"task": task.id})

    async def forget(self, programme: ProgrammeId) -> None:
        """Take tasks of the ladder off the list for good whose check-in was settled long ago."""
        await self._connection.execute(FORGET, {"programme": programme, "since": self._now - FORGOTTEN_AFTER})

    def _seen(self, row: Row[*tuple[Any, ...]]) -> CareTask:
        self._journal.saw(ClientId(row.client_id), KIND)
        return _task(row)


def _task(row: Row[*tuple[Any, ...]]) -> CareTask:
    return CareTask(
        id=CareTaskId(row.id),
        client=ClientId(row.client_id),
        programme=ProgrammeId(row.programme_id),
        says=row.says,
        for_staff=StaffId(row.for_staff),
        due_at=row.due_at,
        raised_by=StaffId(row.raised_by),
        raised_at=row.raised_at,
        ladder=None
        if row.check_in_id is None
        else OfLadder(
            check_in=CheckInId(row.check_in_id),
            overdue_since=row.overdue_since,
            step=OutreachStep(row.step),
            rule=row.rule,
        ),
        done=None if row.done_at is None else Done(said=row.said, by=StaffId(row.done_by), at=row.done_at),
        fell_away=row.fell_away,
    )
