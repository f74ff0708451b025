"""Who missed a dose while it is built up, and that the prescriber was told before the next one."""

from typing import Any
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.dosing.store import charts
from caseload.api.medication.tasks import TaskDoneIn, TaskOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import dosing as domain
from caseload.domain.access import Act
from caseload.domain.dosing import MissedInTitration
from caseload.domain.ids import ClientId, ProgrammeId, TaskId, new_id
from caseload.domain.medication import Task
from caseload.request.idempotency import once


class MissedInTitrationOut(Wire, frozen=True, kw_only=True):
    """A client who missed a dose while it is built up. The next one may be given; the prescriber is told."""

    client_id: UUID
    order_id: UUID
    says: str
    policy: str
    """By which rule of which version: the profile's, or the product's own."""
    facts: dict[str, Any]
    """How many were missed, and on which days."""
    task_id: UUID | None
    """The task by which it was told, or stands on the list; null while nobody has done anything about it."""

    @classmethod
    def of(cls, missed: MissedInTitration) -> "MissedInTitrationOut":
        """From the domain."""
        return cls(
            client_id=missed.client,
            order_id=missed.order,
            says=missed.refusal.says,
            policy=missed.refusal.policy,
            facts=missed.refusal.facts,
            task_id=missed.told,
        )


class MissedInTitrationsOut(Wire, frozen=True, kw_only=True):
    """Everybody who missed a dose while it is built up, and has had none since."""

    items: list[MissedInTitrationOut]


@reading("/programmes/{programme_id:uuid}/missed-in-titration", act=Act.RAISE_HOLD, name="list_missed_in_titration")
async def list_missed_in_titration(programme_id: FromPath[UUID], work: TheWork) -> MissedInTitrationsOut:
    """Of whom the prescriber is told: from the midnight after a day on which a dose was missed in titration.

    Those of whom nobody has told it yet come first.
    """
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.RAISE_HOLD, programme.id)
    found = await charts(work).missed_in_titration(
        programme.id, programme.today(work.now), by=work.by, act=Act.RAISE_HOLD
    )
    return MissedInTitrationsOut(items=[MissedInTitrationOut.of(each) for each in found])


@writing("/clients/{client_id:uuid}/prescriber-contacts", act=Act.RAISE_HOLD, name="tell_prescriber")
async def tell_prescriber(client_id: FromPath[UUID], data: JSONBody[TaskDoneIn], work: TheWork, key: TheKey) -> TaskOut:
    """Say that you have told the prescriber of what a client has missed in titration, before the next dose is given."""
    new = TaskId(new_id())

    async def tell() -> Task:
        return await domain.tell_of_missed(
            ClientId(client_id),
            data.spoke_to,
            data.said,
            as_id=new,
            by=work.by,
            now=work.now,
            contacts=charts(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Task:
        return await charts(work).task(TaskId(kept.resource), by=work.by, act=Act.RAISE_HOLD)

    return TaskOut.of(await once(work, key, Kept(status=201, resource=new), do=tell, again=again))
