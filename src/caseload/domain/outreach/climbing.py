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
from caseload.domain.consent import Category, Consent
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import CareTaskId, CheckInId, ClientId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.outreach.around import MayBeAsked, may_be_asked
from caseload.domain.outreach.channel import Channel
from caseload.domain.outreach.contact import Contact, ways_to
from caseload.domain.outreach.ladder import SAYS, Allowed, Calendar, Next, Skipped, Taken, next_step, way
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.profiles.outreach import OutreachStep
from caseload.domain.programme import Programme
from caseload.domain.schedule import local_day

_SPOKEN: Final = {
    Channel.TELEPHONE: "telephone",
    Channel.VOICEMAIL: "a message on the machine",
    Channel.TEXT: "text",
    Channel.POST: "post",
    Channel.VISIT: "going there",
}


_TOLD: Final = {
    Category.PRESENCE: "that the client comes here",
    Category.ATTENDANCE: "that they have not come",
}
AS_AGREED: Final = "It was agreed with the client where: use the number or address that is shown for use, and no other that is on file."
BEWARE: Final = "A safety warning stands about somebody who may be there: read it first, and speak with the client alone, or not at all."
MOST_NAMED: Final = 5
"""So many people stand in the words of a task; all of them stand beside the line of the overdue list."""


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

    async def around(self, client: ClientId, /) -> tuple[Sequence[RelatedPerson], Sequence[Consent]]:
        """Everybody around a client, and every consent that the client ever gave."""
        ...

    async def take(self, climber: Climber, taken: Taken, task: CareTask | None, /) -> bool:
        """Keep a step with its task; False when somebody has taken it already."""
        ...

    async def stand(self, climber: Climber, next_one: Next | None, /) -> None:
        """Keep what comes next, so that nothing is looked at before it is due."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a programme's ladders stand on: its rules, and the days on which it is open."""

    programme: Programme
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
        programme=programme,
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
        asks = await who_may_be_asked(coming.step, climber.client, ground.programme, now=now, ladders=ladders)
        step = _taken(coming, climber, ground, asks, now=now)
        task = _task(step, climber, asks, by=by, now=now) if step.skipped is None else None
        if not await ladders.take(climber, step, task):
            return ()
        taken.append(step)
        told.append(_told(step, climber, task))
        coming = ground.next_of(climber.overdue_since, taken)
    await ladders.stand(climber, coming)
    for event in told:
        journal.tell(event)
    return taken[len(climber.taken) :]


async def who_may_be_asked(
    step: OutreachStep, client: ClientId, programme: Programme, *, now: datetime, ladders: Ladders
) -> Sequence[MayBeAsked]:
    """Whom a step would ask around the client, as the consents stand now; nobody for a step that asks the client alone."""
    if step is not OutreachStep.CONSENTED_CONTACT:
        return ()
    around, consents = await ladders.around(client)
    return may_be_asked(around, consents, programme=programme, at=now)


def _told(taken: Taken, climber: Climber, task: CareTask | None) -> OutreachStepTaken:
    facts: dict[str, str | int] = {"step": taken.step.value}
    if taken.skipped is not None:
        facts["skipped"] = taken.skipped.value
    rests_on = [record for each in taken.asked for record in (each.person, each.consent)]
    records = (climber.check_in, *(() if task is None else (task.id,)), *rests_on)
    return OutreachStepTaken(client=climber.client, records=records, facts=facts)


def _taken(coming: Next, climber: Climber, ground: Ground, asks: Sequence[MayBeAsked], *, now: datetime) -> Taken:
    how = way(coming.step, climber.contact, asks)
    skipped = how if isinstance(how, Skipped) else None
    return Taken(
        step=coming.step,
        due_at=coming.due_at,
        taken_at=now,
        rule=ground.rule,
        by_way_of=() if isinstance(how, Skipped) else how,
        asked=tuple(Allowed(person=each.person, consent=each.consent) for each in asks),
        skipped=skipped,
    )


def _words(taken: Taken, contact: Contact, asks: Sequence[MayBeAsked]) -> str:
    """What is to be done, by which ways, or whom to ask and what may be said to them."""
    if asks:
        whom = " ".join(
            f"{each.name} ({each.relationship.value.replace('_', ' ')}) may be told"
            f" {' and '.join(_TOLD[category] for category in each.tells)}, and nothing else."
            for each in asks[:MOST_NAMED]
        )
        return f"{SAYS[taken.step]} {whom} Look again before you ring: a consent can be revoked."
    if not taken.by_way_of:
        return SAYS[taken.step]
    ways = " or ".join(_SPOKEN[each] for each in taken.by_way_of)
    to = ways_to(contact)
    more = ((AS_AGREED, to.is_agreed), (BEWARE, to.beware is not None))
    return " ".join((f"{SAYS[taken.step]} Allowed: {ways}.", *(says for says, does in more if does)))


def _task(taken: Taken, climber: Climber, asks: Sequence[MayBeAsked], *, by: Staff, now: datetime) -> CareTask:
    return CareTask(
        id=CareTaskId(new_id()),
        client=climber.client,
        programme=climber.programme,
        says=_words(taken, climber.contact, asks),
        for_staff=climber.named,
        due_at=taken.due_at,
        raised_by=by.id,
        raised_at=now,
        ladder=OfLadder(
            check_in=climber.check_in, overdue_since=climber.overdue_since, step=taken.step, rule=taken.rule
        ),
    )
