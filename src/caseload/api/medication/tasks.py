"""Whom to tell something about a client's medicine: the list of a programme, and who did it when."""

from datetime import datetime
from typing import Any
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.dosing.store import charts
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import medication as domain
from caseload.domain.access import Act
from caseload.domain.ids import ProgrammeId, TaskId
from caseload.domain.medication import Task, TaskKind
from caseload.request.idempotency import once


class TaskDoneIn(Wire, frozen=True, kw_only=True):
    """Whom you told, and what was said."""

    spoke_to: str
    """By name and function."""
    said: str


class TaskDoneOut(Wire, frozen=True, kw_only=True):
    """Who told whom, when, and what was said."""

    spoke_to: str
    said: str
    done_by: UUID
    done_at: datetime


class TaskOut(Wire, frozen=True, kw_only=True):
    """Somebody must be told something. It stands in no way."""

    id: UUID
    client_id: UUID
    kind: TaskKind
    says: str
    policy: str
    """By which rule of which version: the profile's where the profile decides, else the product's own."""
    facts: dict[str, Any]
    hold_id: UUID | None
    order_id: UUID | None
    dose_id: UUID | None
    raised_by: UUID
    raised_at: datetime
    done: TaskDoneOut | None

    @classmethod
    def of(cls, task: Task) -> "TaskOut":
        """From the domain."""
        return cls(
            id=task.id,
            client_id=task.client,
            kind=task.kind,
            says=task.says,
            policy=task.policy,
            facts=dict(task.facts),
            hold_id=task.hold,
            order_id=task.order,
            dose_id=task.dose,
            raised_by=task.raised_by,
            raised_at=task.raised_at,
            done=None
            if task.done is None
            else TaskDoneOut(
                spoke_to=task.done.spoke_to,
                said=task.done.said,
                done_by=task.done.done_by,
                done_at=task.done.done_at,
            ),
        )


@reading("/programmes/{programme_id:uuid}/medication-tasks", act=Act.RAISE_HOLD, name="list_medication_tasks")
async def list_medication_tasks(
    programme_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[TaskOut]:
    """Whom somebody must still telephone or tell in a programme, the oldest first."""
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.RAISE_HOLD, programme.id)
    found = await charts(work).open_tasks(programme.id, by=work.by, act=Act.RAISE_HOLD, after=after, limit=limit)
    items = [TaskOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/clients/{client_id:uuid}/medication-tasks", act=Act.SEE_MEDICATION, name="list_tasks_of_client")
async def list_tasks_of_client(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[TaskOut]:
    """Whom somebody was or is to tell something about a client's medicine, the last first, with what was said."""
    client = await client_within(work, client_id, Act.SEE_MEDICATION)
    found = await charts(work).tasks_of(client.id, by=work.by, act=Act.SEE_MEDICATION, after=after, limit=limit)
    items = [TaskOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing("/medication-tasks/{task_id:uuid}/completion", act=Act.RAISE_HOLD, name="finish_medication_task")
async def finish_medication_task(
    task_id: FromPath[UUID], data: JSONBody[TaskDoneIn], work: TheWork, key: TheKey
) -> TaskOut:
    """Say whom you told, and what was said."""
    wanted = TaskId(task_id)

    async def finish() -> Task:
        return await domain.finish_task(
            wanted, data.spoke_to, data.said, by=work.by, now=work.now, tasks=charts(work), journal=work.journal
        )

    async def again(_: Kept) -> Task:
        return await charts(work).task(wanted, by=work.by, act=Act.RAISE_HOLD)

    return TaskOut.of(await once(work, key, Kept(status=201, resource=wanted), do=finish, again=again))
