"""Whom to tell something about a client's medicine, in PostgreSQL."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from sqlalchemy import RowMapping, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError

from caseload.db.access import reach_of, within_reach
from caseload.db.medication.record import KIND, MedicationRecords
from caseload.db.tables.base import INSTANT
from caseload.db.tables.caseload import client
from caseload.db.tables.medication import medication_order
from caseload.db.tables.task import medication_task, medication_task_done
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, ProgrammeId, StaffId, TaskId
from caseload.domain.medication import Done, Task, TaskDone, TaskKind, TaskUnknown
from caseload.domain.medication.task import Told
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff

_NOT_YET: Final = UUID(int=0)
"""Sorts before every identifier that was ever made."""

_AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made."""

_EVERY = (
    select(
        medication_task.c.id,
        medication_task.c.client_id,
        medication_task.c.programme_id,
        medication_task.c.kind,
        medication_task.c.says,
        medication_task.c.policy,
        medication_task.c.facts,
        medication_task.c.hold_id,
        medication_task.c.order_id,
        medication_task.c.dose_id,
        medication_task.c.raised_by,
        medication_task.c.raised_at,
        medication_task_done.c.spoke_to,
        medication_task_done.c.said,
        medication_task_done.c.done_by,
        medication_task_done.c.done_at,
    )
    .select_from(
        medication_task.join(client, client.c.id == medication_task.c.client_id).outerjoin(
            medication_task_done, medication_task_done.c.task_id == medication_task.c.id
        )
    )
    .where(within_reach())
)
ONE_TASK: Final = _EVERY.where(medication_task.c.id == bindparam("task"))
OPEN_TASKS: Final = (
    _EVERY.where(
        medication_task.c.programme_id == bindparam("programme"),
        medication_task.c.id > bindparam("after"),
        medication_task_done.c.task_id.is_(None),
    )
    .order_by(medication_task.c.id)
    .limit(bindparam("limit"))
)
TASKS_OF: Final = (
    _EVERY.where(medication_task.c.client_id == bindparam("client"), medication_task.c.id < bindparam("after"))
    .order_by(medication_task.c.id.desc())
    .limit(bindparam("limit"))
)
TASKS_SINCE: Final = _EVERY.where(
    medication_task.c.client_id == bindparam("client"),
    medication_task.c.raised_at >= bindparam("raised_since", type_=INSTANT),
).order_by(medication_task.c.id.desc())
TOLD_DAYS: Final = (
    select(
        medication_task.c.client_id,
        medication_task.c.id,
        medication_task.c.facts["missed_days"].label("days"),
        medication_order.c.medicine,
    )
    .select_from(medication_task.join(medication_order, medication_order.c.id == medication_task.c.order_id))
    .where(
        medication_task.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        medication_task.c.kind == TaskKind.CONTACT_PRESCRIBER.value,
    )
    .order_by(medication_task.c.id)
)
_ADD = insert(medication_task)
_FINISH = insert(medication_task_done)


class Tasks(MedicationRecords):
    """Satisfies `domain.medication.Tasks`."""

    async def add_task(self, task: Task) -> None:
        """See `domain.medication.Tasks.add_task`."""
        await self._connection.execute(
            _ADD,
            {
                "id": task.id,
                "client_id": task.client,
                "programme_id": task.programme,
                "kind": task.kind,
                "says": task.says,
                "policy": task.policy,
                "facts": dict(task.facts),
                "hold_id": task.hold,
                "order_id": task.order,
                "dose_id": task.dose,
                "raised_by": task.raised_by,
                "raised_at": task.raised_at,
            },
        )

    async def task(self, wanted: TaskId, *, by: Staff, act: Act) -> Task:
        """See `domain.medication.Tasks.task`."""
        given = {"task": wanted, **reach_of(by.reach(act), at=self._now)}
        row = (await self._connection.execute(ONE_TASK, given)).mappings().first()
        if row is None:
            raise TaskUnknown("Read the programme's list of tasks for those there are.")
        return self._seen(row)

    async def open_tasks(
        self, programme: ProgrammeId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Task]:
        """What nobody has done yet in a programme, the oldest first."""
        given = {
            "programme": programme,
            "after": after or _NOT_YET,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now),
        }
        return [self._seen(row) for row in (await self._connection.execute(OPEN_TASKS, given)).mappings()]

    async def tasks_of(
        self, wanted: ClientId, *, by: Staff, act: Act, after: UUID | None, limit: int
    ) -> Sequence[Task]:
        """The tasks of a client, done or not, the newest first."""
        given = {
            "client": wanted,
            "after": after or _AFTER_ALL,
            "limit": limit,
            **reach_of(by.reach(act), at=self._now, by_identifier=True),
        }
        return [self._seen(row) for row in (await self._connection.execute(TASKS_OF, given)).mappings()]

    async def tasks_since(self, wanted: ClientId, since: datetime, *, by: Staff, act: Act) -> Sequence[Task]:
        """The tasks of a client that were raised since a moment, done or not, the newest first."""
        given = {"client": wanted, "raised_since": since, **reach_of(by.reach(act), at=self._now, by_identifier=True)}
        return [self._seen(row) for row in (await self._connection.execute(TASKS_SINCE, given)).mappings()]

    async def told_days(self, clients: Sequence[ClientId]) -> Mapping[ClientId, Told]:
        """See `domain.medication.Tasks.told_days`."""
        found: dict[ClientId, dict[tuple[Medicine, date], TaskId]] = defaultdict(dict)
        if clients:
            for row in (await self._connection.execute(TOLD_DAYS, {"clients": list(clients)})).all():
                for day in row.days or ():
                    found[ClientId(row.client_id)][Medicine(row.medicine), date.fromisoformat(day)] = TaskId(row.id)
        return found

    async def add_done(self, task: Task, done: Done) -> None:
        """See `domain.medication.Tasks.add_done`."""
        try:
            await self._connection.execute(
                _FINISH,
                {
                    "task_id": task.id,
                    "raised_at": task.raised_at,
                    "spoke_to": done.spoke_to,
                    "said": done.said,
                    "done_by": done.done_by,
                    "done_at": done.done_at,
                },
            )
        except IntegrityError as raced:
            raise TaskDone("Read the programme's list of tasks again.") from raced

    def _seen(self, row: RowMapping) -> Task:
        self._journal.saw(ClientId(row["client_id"]), KIND)
        return _task_of(row)


def _task_of(row: RowMapping) -> Task:
    return Task(
        id=TaskId(row["id"]),
        client=ClientId(row["client_id"]),
        programme=ProgrammeId(row["programme_id"]),
        kind=TaskKind(row["kind"]),
        says=row["says"],
        policy=row["policy"],
        facts=row["facts"],
        hold=row["hold_id"],
        order=row["order_id"],
        dose=row["dose_id"],
        raised_by=StaffId(row["raised_by"]),
        raised_at=row["raised_at"],
        done=None
        if row["done_at"] is None
        else Done(spoke_to=row["spoke_to"], said=row["said"], done_by=StaffId(row["done_by"]), done_at=row["done_at"]),
    )
