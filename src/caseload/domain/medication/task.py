"""What somebody must be told: the pharmacy of a hold, the prescriber of a dose missed in titration.

A task stands in no way. It is raised with the hold or the dose it is about, stays on the programme's list until somebody
says whom they spoke to and what was said, and is never changed. Whoever tells the prescriber of a missed dose before the next
one is given raises it and does it in one act (`dosing.contacting`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ClientId, DoseId, HoldId, OrderId, ProgrammeId, StaffId, TaskId
from caseload.domain.journal import Event, Journal
from caseload.domain.medication.record import MedicationRecords, check_reason
from caseload.domain.medicines import Medicine
from caseload.domain.people import Staff

Told = Mapping[tuple[Medicine, date], TaskId]
"""The tasks that tell of missed days, each of one medicine."""


class TaskKind(StrEnum):
    """What is to be done."""

    TELEPHONE_PHARMACY = "telephone_pharmacy"
    CONTACT_PRESCRIBER = "contact_prescriber"


class TaskUnknown(NotFound):
    """There is no such task within your reach."""


class TaskDone(Conflict):
    """Somebody has done this task already."""


class TaskRaised(Event):
    """Somebody must be told something about a client's medicine."""

    name: ClassVar[str] = "task.raised"


class TaskFinished(Event):
    """Somebody was told."""

    name: ClassVar[str] = "task.done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Who told whom, when, and what was said."""

    spoke_to: str
    said: str
    done_by: StaffId
    done_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Somebody must be told something."""

    id: TaskId
    client: ClientId
    programme: ProgrammeId
    kind: TaskKind
    says: str
    policy: str
    """By which rule of which version: the profile's where the profile decides, else the product's own."""
    facts: Mapping[str, object]
    raised_by: StaffId
    raised_at: datetime
    hold: HoldId | None = None
    order: OrderId | None = None
    dose: DoseId | None = None
    done: Done | None = None


class Tasks(MedicationRecords, Protocol):
    """The tasks of programmes."""

    async def add_task(self, task: Task, /) -> None:
        """Keep a task."""
        ...

    async def task(self, wanted: TaskId, /, *, by: Staff, act: Act) -> Task:
        """One task; raises `TaskUnknown` outside the person's reach."""
        ...

    async def told_days(self, clients: Sequence[ClientId], /) -> Mapping[ClientId, Told]:
        """The missed days of clients of which a prescriber was told, or that stand on the list, each with its task."""
        ...

    async def add_done(self, task: Task, done: Done, /) -> None:
        """Keep that it was done; raises `TaskDone` when it was before."""
        ...


async def raise_task(task: Task, *, tasks: Tasks, journal: Journal) -> None:
    """Put a task on the list."""
    await tasks.add_task(task)
    journal.tell(TaskRaised(client=task.client, records=(task.id,), facts={"kind": task.kind}))


async def finish_task(
    wanted: TaskId, spoke_to: str, said: str, *, by: Staff, now: datetime, tasks: Tasks, journal: Journal
) -> Task:
    """Say whom you told, and what was said. Raises `TaskUnknown`, `TaskDone`, `NotPermitted`, `Invalid`."""
    faults = Faults()
    check_reason(spoke_to, faults, "spoke_to")
    check_reason(said, faults, "said")
    faults.raise_if_any()
    seen = await tasks.task(wanted, by=by, act=Act.RAISE_HOLD)
    record = await tasks.lock(seen.client, by=by, act=Act.RAISE_HOLD)
    record.place(by, Act.RAISE_HOLD)
    done = Done(spoke_to=spoke_to, said=said, done_by=by.id, done_at=now)
    await tasks.add_done(seen, done)
    journal.tell(TaskFinished(client=seen.client, records=(wanted,), facts={"kind": seen.kind}))
    return replace(seen, done=done)
