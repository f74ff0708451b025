"""Taking the steps of the ladder that are due: each becomes a task of one named person, or is skipped and says why.

Nothing goes to anybody outside. A step is taken once, whoever tries it how often: its key settles it. The ladder stops by
itself, because it is worked out from the check-ins that still wait: completed, corrected to that, moved, given up or
withdrawn at a discharge or a death, a check-in is not among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.care_task import CareTask, OfLadder
from caseload.domain.ids import CareTaskId, CheckInId, ClientId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.outreach.contact import Channel, Contact
from caseload.domain.outreach.ladder import SAYS, Calendar, Next, Skipped, Taken, next_step, way
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.programme import Programme
from caseload.domain.schedule import local_day

_SPOKEN: Final = {
    Channel.TELEPHONE: "telephone",
    Channel.VOICEMAIL: "a message on the machine",
    Channel.TEXT: "text",
    Channel.POST: "post",
    Channel.VISIT: "going there",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Climber:
    """A client whose ladder may have a step due: of the check-in that has been overdue longest."""

    client: ClientId
    programme: ProgrammeId
    check_in: CheckInId
    overdue_since: datetime
    named: StaffId
    """Who answers for the client now: whoever covers, else the responsible counsellor."""
    contact: Contact
    taken: tuple[Taken, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OutreachStepTaken(Event):
    """A step was taken, or skipped, to reach somebody who has not come."""

    name: ClassVar[str] = "outreach.step_taken"


class Ladders(Protocol):
    """The ladders of a programme."""

    async def take(self, climber: Climber, taken: Taken, task: CareTask | None, /) -> bool:
        """Keep a step with its task; False when somebody has taken it already."""
        ...

    async def stand(self, climber: Climber, next_one: Next | None, /) -> None:
        """Keep what comes next, so that nothing is looked at before it is due."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a programme's ladders stand on: its rules, and the days on which it is open."""

    rules: Profile
    calendar: Calendar

    @property
    def rule(self) -> str:
        """The rule of the profile, with its version."""
        return f"{self.rules.outreach.rule} of {self.rules.label}"

    def next_of(self, overdue_since: datetime, taken: Sequence[Taken]) -> Next | None:
        """Which step of a ladder comes next, and when."""
        return next_step(overdue_since, taken, self.rules.outreach, self.calendar)


def ground_of(programme: Programme, closed: frozenset[date], *, now: datetime) -> Ground:
    """What the ladders of a programme stand on today."""
    return Ground(
        rules=programme.rules_on(local_day(now, programme.zone)),
        calendar=Calendar(zone=programme.zone, closed=closed),
    )


async def climb(
    climber: Climber, ground: Ground, *, by: Staff, now: datetime, ladders: Ladders, journal: Journal
) -> Sequence[Taken]:
    """Take the steps of one client's ladder that are due, and keep when the next one is."""
    taken = list(climber.taken)
    told: list[OutreachStepTaken] = []
    coming = ground.next_of(climber.overdue_since, taken)
    while coming is not None and coming.due_at <= now:
        step = _taken(coming, climber, ground, now=now)
        task = _task(step, climber, by=by, now=now) if step.skipped is None else None
        if not await ladders.take(climber, step, task):
            return ()
        taken.append(step)
        told.append(_told(step, climber, task))
        coming = ground.next_of(climber.overdue_since, taken)
    await ladders.stand(climber, coming)
    for event in told:
        journal.tell(event)
    return taken[len(climber.taken) :]


def _told(taken: Taken, climber: Climber, task: CareTask | None) -> OutreachStepTaken:
    facts: dict[str, str | int] = {"step": taken.step.value}
    if taken.skipped is not None:
        facts["skipped"] = taken.skipped.value
    records = (climber.check_in,) if task is None else (climber.check_in, task.id)
    return OutreachStepTaken(client=climber.client, records=records, facts=facts)


def _taken(coming: Next, climber: Climber, ground: Ground, *, now: datetime) -> Taken:
    how = way(coming.step, climber.contact)
    skipped = how if isinstance(how, Skipped) else None
    return Taken(
        step=coming.step,
        due_at=coming.due_at,
        taken_at=now,
        rule=ground.rule,
        by_way_of=() if isinstance(how, Skipped) else how,
        skipped=skipped,
    )


def _task(taken: Taken, climber: Climber, *, by: Staff, now: datetime) -> CareTask:
    ways = " or ".join(_SPOKEN[each] for each in taken.by_way_of)
    says = f"{SAYS[taken.step]} Allowed: {ways}." if ways else SAYS[taken.step]
    return CareTask(
        id=CareTaskId(new_id()),
        client=climber.client,
        programme=climber.programme,
        says=says,
        for_staff=climber.named,
        due_at=taken.due_at,
        raised_by=by.id,
        raised_at=now,
        ladder=OfLadder(
            check_in=climber.check_in, overdue_since=climber.overdue_since, step=taken.step, rule=taken.rule
        ),
    )
