"""Care tasks: what one named person is to do about a client by a moment. A step of the ladder makes one, an alert, or a colleague.

A task stands in no way, and tells nobody outside: it is read by whoever may see the client. One of the ladder falls away
by itself once its check-in no longer waits as it did: the client came, or it was moved, given up or withdrawn. Whom somebody
must tell something about a client's medicine is a task of its own kind (`domain/medication/task.py`).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act, Reach
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import CareTaskId, CheckInId, ClientId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles.outreach import OutreachStep

LONGEST_TEXT: Final = 2000
FURTHEST: Final = timedelta(days=366)


class CareTaskKind(StrEnum):
    """Where a task comes from."""

    OUTREACH = "outreach"
    """A step of the ladder by which whoever has not come is looked for."""
    ASKED = "asked"
    """A colleague asks for it, or the service by an alert."""


class CareTaskUnknown(NotFound):
    """There is no such task within your reach."""


class CareTaskDone(Conflict):
    """Somebody has done this task already."""


class CareTaskFellAway(Conflict):
    """This task has fallen away: its check-in no longer waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """That it was done."""

    said: str
    """What came of it."""
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OfLadder:
    """Which step of which ladder a task is."""

    check_in: CheckInId
    overdue_since: datetime
    step: OutreachStep
    rule: str
    """The profile's rule and version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CareTask:
    """What somebody is to do about a client."""

    id: CareTaskId
    client: ClientId
    programme: ProgrammeId
    says: str
    for_staff: StaffId
    """Who was named; whoever answers for the client by now sees it, too."""
    due_at: datetime
    raised_by: StaffId
    raised_at: datetime
    ladder: OfLadder | None = None
    done: Done | None = None
    fell_away: bool = False
    """Of the ladder: its check-in no longer waits as it did."""

    @property
    def kind(self) -> CareTaskKind:
        """Where it comes from."""
        return CareTaskKind.ASKED if self.ladder is None else CareTaskKind.OUTREACH


@dataclass(frozen=True, slots=True, kw_only=True)
class CareTaskRaised(Event):
    """Somebody is to do something about a client."""

    name: ClassVar[str] = "care_task.raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class CareTaskFinished(Event):
    """Somebody did what was to be done about a client."""

    name: ClassVar[str] = "care_task.done"


class CareTasks(Protocol):
    """The tasks that are kept."""

    async def sees(self, staff: StaffId, client: ClientId, /) -> bool:
        """Whether somebody may see this client's tasks now."""
        ...

    async def add(self, task: CareTask, /) -> None:
        """Keep a task, open."""
        ...

    async def hold(self, wanted: CareTaskId, /, *, reach: Reach) -> CareTask:
        """One task, held so that nobody else does it meanwhile; or `CareTaskUnknown`."""
        ...

    async def add_done(self, task: CareTask, done: Done, /) -> None:
        """Keep that it was done; `CareTaskDone` when it was before."""
        ...


async def ask_for(
    client: ClientId,
    says: str,
    *,
    as_id: CareTaskId,
    programme: ProgrammeId,
    for_staff: StaffId,
    due_at: datetime,
    by: Staff,
    now: datetime,
    tasks: CareTasks,
    journal: Journal,
) -> CareTask:
    """Ask one colleague, or oneself, to do something about a client by a moment. Raises `Invalid`."""
    faults = Faults()
    _check_text(says, "says", "say what is to be done", faults)
    faults.check(when=due_at <= now, where="due_at", problem="must lie in the future")
    faults.check(when=due_at > now + FURTHEST, where="due_at", problem="must be within a year")
    if not await tasks.sees(for_staff, client):
        faults.add("for_staff", "must be somebody who may see this client's tasks now")
    faults.raise_if_any()
    task = CareTask(
        id=as_id,
        client=client,
        programme=programme,
        says=says,
        for_staff=for_staff,
        due_at=due_at,
        raised_by=by.id,
        raised_at=now,
    )
    await tasks.add(task)
    journal.tell(CareTaskRaised(client=client, records=(as_id,), facts={"kind": task.kind.value}))
    return task


async def finish(
    wanted: CareTaskId, said: str, *, by: Staff, now: datetime, tasks: CareTasks, journal: Journal
) -> CareTask:
    """Say that a task was done, and what came of it.

    Trying to reach somebody completes no check-in: an attempt is recorded there. Raises `CareTaskUnknown`,
    `CareTaskDone`, `CareTaskFellAway`, `Invalid`.
    """
    faults = Faults()
    _check_text(said, "said", "say what came of it", faults)
    faults.raise_if_any()
    task = await tasks.hold(wanted, reach=by.reach(Act.KEEP_CARE_TASKS))
    if task.done is not None:
        raise CareTaskDone("Read it for what came of it.", by=str(task.done.by), at=task.done.at.isoformat())
    if task.fell_away:
        raise CareTaskFellAway("There is nothing left to do: look at the check-in for what became of it.")
    done = Done(said=said, by=by.id, at=now)
    await tasks.add_done(task, done)
    journal.tell(CareTaskFinished(client=task.client, records=(wanted,), facts={"kind": task.kind.value}))
    return replace(task, done=done)


def _check_text(text: str, where: str, blank: str, faults: Faults) -> None:
    faults.check(when=not text.strip(), where=where, problem=blank)
    faults.check(when=len(text) > LONGEST_TEXT, where=where, problem=f"must have at most {LONGEST_TEXT} characters")
