"""Care tasks over HTTP: what somebody is to do about a client, asked for, listed and done."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.care_task import KeptCareTasks, Line
from caseload.db.idempotency import Kept
from caseload.db.versions import AFTER_ALL
from caseload.domain import care_task as domain
from caseload.domain.access import Act
from caseload.domain.care_task import CareTask, CareTaskKind
from caseload.domain.ids import CareTaskId, ProgrammeId, StaffId, new_id
from caseload.domain.profiles.outreach import OutreachStep
from caseload.request.idempotency import once
from caseload.request.work import Work

OfProgramme = Annotated[
    UUID | None,
    QueryParameter(name="programme", required=False, description="Of everybody in a programme; yours when left out."),
]


class CareTaskIn(Wire, frozen=True, kw_only=True):
    """What is to be done."""

    says: str
    for_staff: UUID
    """Who is to do it; you yourself, or a colleague who may see the client."""
    due_at: Instant


class CareTaskDoneIn(Wire, frozen=True, kw_only=True):
    """That it was done."""

    said: str
    """What came of it."""


class CareTaskDoneOut(Wire, frozen=True, kw_only=True):
    """Who did it, when, and what came of it."""

    said: str
    done_by: UUID
    done_at: datetime


class CareTaskOut(Wire, frozen=True, kw_only=True):
    """What somebody is to do about a client."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    kind: CareTaskKind
    says: str
    for_staff: UUID
    """Who was named. Whoever answers for the client by now sees it, too."""
    due_at: datetime
    rule: str | None
    """The profile's rule and version, where a step of the ladder makes it."""
    check_in_id: UUID | None
    step: OutreachStep | None
    raised_by: UUID
    raised_at: datetime
    done: CareTaskDoneOut | None
    fell_away: bool
    """Its check-in no longer waits as it did: there is nothing left to do."""

    @classmethod
    def of(cls, task: CareTask) -> "CareTaskOut":
        """From the domain."""
        ladder, done = task.ladder, task.done
        return cls(
            id=task.id,
            client_id=task.client,
            programme_id=task.programme,
            kind=task.kind,
            says=task.says,
            for_staff=task.for_staff,
            due_at=task.due_at,
            rule=None if ladder is None else ladder.rule,
            check_in_id=None if ladder is None else ladder.check_in,
            step=None if ladder is None else ladder.step,
            raised_by=task.raised_by,
            raised_at=task.raised_at,
            done=None if done is None else CareTaskDoneOut(said=done.said, done_by=done.by, done_at=done.at),
            fell_away=task.fell_away,
        )


class CareTaskLineOut(Wire, frozen=True, kw_only=True):
    """One line of the list: a task that waits, and whom it concerns."""

    task: CareTaskOut
    given_name: str
    family_name: str

    @classmethod
    def of(cls, line: Line) -> "CareTaskLineOut":
        """From the domain."""
        return cls(task=CareTaskOut.of(line.task), given_name=line.given_name, family_name=line.family_name)


@reading("/care-tasks", act=Act.KEEP_CARE_TASKS, name="list_care_tasks", problems=())
async def list_care_tasks(
    work: TheWork, programme: OfProgramme = None, after: After = None, limit: Limit = USUAL
) -> Page[CareTaskLineOut]:
    """What waits to be done, what is due first: named to you or about a client of yours; or of a programme."""
    tasks, reach = _tasks(work), work.by.reach(Act.KEEP_CARE_TASKS)
    if programme is None:
        found = await tasks.open_of_staff(work.by.id, reach=reach, after=after, limit=limit)
    else:
        work.by.require(Act.KEEP_CARE_TASKS, ProgrammeId(programme))
        found = await tasks.open_of_programme(ProgrammeId(programme), reach=reach, after=after, limit=limit)
    items = [CareTaskLineOut.of(each) for each in found]
    return Page(items=items, next=items[-1].task.id if len(items) == limit else None)


@reading("/clients/{client_id:uuid}/care-tasks", act=Act.KEEP_CARE_TASKS, name="list_care_tasks_of_client")
async def list_care_tasks_of_client(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[CareTaskOut]:
    """Everything that was or is to be done about a client, the newest first, with what came of it."""
    client = await client_within(work, client_id, Act.KEEP_CARE_TASKS)
    reach = work.by.reach(Act.KEEP_CARE_TASKS)
    found = await _tasks(work).of_client(client.id, reach=reach, after=after or AFTER_ALL, limit=limit)
    items = [CareTaskOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@writing("/clients/{client_id:uuid}/care-tasks", act=Act.KEEP_CARE_TASKS, name="ask_for_care_task")
async def ask_for_care_task(
    client_id: FromPath[UUID], data: JSONBody[CareTaskIn], work: TheWork, key: TheKey
) -> CareTaskOut:
    """Ask a colleague, or yourself, to do something about a client by a moment."""
    client = await client_within(work, client_id, Act.KEEP_CARE_TASKS)
    new = CareTaskId(new_id())

    async def ask() -> CareTask:
        return await domain.ask_for(
            client.id,
            data.says,
            as_id=new,
            programme=client.programme,
            for_staff=StaffId(data.for_staff),
            due_at=data.due_at,
            by=work.by,
            now=work.now,
            tasks=_tasks(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> CareTask:
        return await _tasks(work).get(CareTaskId(kept.resource), reach=work.by.reach(Act.KEEP_CARE_TASKS))

    return CareTaskOut.of(await once(work, key, Kept(status=201, resource=new), do=ask, again=again))


@writing("/care-tasks/{task_id:uuid}/completion", act=Act.KEEP_CARE_TASKS, name="finish_care_task")
async def finish_care_task(
    task_id: FromPath[UUID], data: JSONBody[CareTaskDoneIn], work: TheWork, key: TheKey
) -> CareTaskOut:
    """Say that you did it, and what came of it. A check-in is not completed by it; an attempt is recorded there."""
    wanted = CareTaskId(task_id)

    async def finish() -> CareTask:
        return await domain.finish(
            wanted, data.said, by=work.by, now=work.now, tasks=_tasks(work), journal=work.journal
        )

    async def again(_: Kept) -> CareTask:
        return await _tasks(work).get(wanted, reach=work.by.reach(Act.KEEP_CARE_TASKS))

    return CareTaskOut.of(await once(work, key, Kept(status=201, resource=wanted), do=finish, again=again))


def _tasks(work: Work) -> KeptCareTasks:
    return KeptCareTasks(work.connection, work.journal, now=work.now)


router = Router(
    "/",
    route_handlers=[list_care_tasks, list_care_tasks_of_client, ask_for_care_task, finish_care_task],
    tags=["Check-ins"],
)
