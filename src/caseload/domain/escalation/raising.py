"""Escalations: raised by whoever learns of it or by an answer to a question, acknowledged by a named clinician.

An escalation never ends by itself, and correcting the check-in or the observation that raised it does not take it back:
a clinician looks, and says what is being done.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, NamedTuple, Protocol
from uuid import UUID

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import CheckInId, ClientId, EscalationId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

LONGEST_TEXT: Final = 4000


class Ground(StrEnum):
    """What does not wait (domain convention: immediate escalation)."""

    SUICIDAL_INTENT = "suicidal_intent"
    SUICIDAL_THOUGHTS = "suicidal_thoughts"
    OVERDOSE = "overdose"
    SAFEGUARDING = "safeguarding"
    """A child or an adult at risk."""
    MISSED_DOSES = "missed_doses"
    """Three doses or more."""
    INTOXICATED = "intoxicated"
    """Seen intoxicated at the window or elsewhere."""


class EscalationUnknown(NotFound):
    """No such escalation within your reach."""


class AlreadyAcknowledged(Conflict):
    """A clinician has acknowledged this escalation already."""


class OfObservation(NamedTuple):
    """The observation of which an answer raised it, and in which version that answer was given first."""

    id: UUID
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """That a named clinician has taken it on."""

    doing: str
    """What is being done."""
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """What a clinician must hear of at once."""

    id: EscalationId
    client: ClientId
    programme: ProgrammeId
    ground: Ground
    check_in: CheckInId | None
    """The check-in of which an answer raised it."""
    observation: OfObservation | None = None
    """The observation outside a check-in of which an answer raised it."""
    said: str | None
    """What was said or seen."""
    raised_by: StaffId
    raised_at: datetime
    acknowledged: Acknowledgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalated(Event):
    """Something was escalated to the clinicians."""

    name: ClassVar[str] = "escalation.raised"


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationAcknowledged(Event):
    """A clinician acknowledged an escalation."""

    name: ClassVar[str] = "escalation.acknowledged"


class Escalations(Protocol):
    """The escalations that are kept."""

    async def add(self, escalations: Sequence[Escalation], /) -> frozenset[EscalationId]:
        """Keep them, open, and say which; all but what the same check-in or observation has raised meanwhile."""
        ...

    async def of_check_in(self, check_in: UUID, /) -> Sequence[Escalation]:
        """What the answers of one check-in have raised."""
        ...

    async def of_observation(self, observation: UUID, /) -> Sequence[Escalation]:
        """What the answers of one observation outside a check-in have raised."""
        ...

    async def add_acknowledgement(self, escalation: Escalation, acknowledgement: Acknowledgement, /) -> None:
        """Keep it, and that the escalation is no longer open; `AlreadyAcknowledged` when there is one."""
        ...


async def escalate(
    client: ClientId,
    ground: Ground,
    said: str,
    *,
    as_id: EscalationId,
    programme: ProgrammeId,
    by: Staff,
    now: datetime,
    escalations: Escalations,
    journal: Journal,
) -> Escalation:
    """Tell the clinicians of a client what does not wait, with what was said or seen. Raises `Invalid`."""
    faults = Faults()
    _check_text(said, "said", "say what was said or seen", faults)
    faults.raise_if_any()
    raised = Escalation(
        id=as_id,
        client=client,
        programme=programme,
        ground=ground,
        check_in=None,
        said=said,
        raised_by=by.id,
        raised_at=now,
    )
    await escalations.add([raised])
    journal.tell(Escalated(client=client, records=(as_id,), facts={"ground": ground.value}))
    return raised


async def escalate_from(
    source: CheckInId | OfObservation,
    grounds: Iterable[Ground],
    *,
    client: ClientId,
    programme: ProgrammeId,
    by: Staff,
    now: datetime,
    escalations: Escalations,
    journal: Journal,
) -> Sequence[Escalation]:
    """Raise what answers say, each ground once for each check-in or observation; return all that it has raised.

    Of two who raise the same at once (the check-in is corrected while what was filled in during it is) one does, and
    both are told of it.
    """
    wanted = sorted(set(grounds))
    if not wanted:
        return ()
    check_in, observed = (None, source) if isinstance(source, OfObservation) else (source, None)
    before = await _raised_by(source, escalations)
    fresh = [
        Escalation(
            id=EscalationId(new_id()),
            client=client,
            programme=programme,
            ground=ground,
            check_in=check_in,
            observation=observed,
            said=None,
            raised_by=by.id,
            raised_at=now,
        )
        for ground in wanted
        if ground not in {each.ground for each in before}
    ]
    if not fresh:
        return before
    kept = await escalations.add(fresh)
    ours = [each for each in fresh if each.id in kept]
    for each in ours:
        records = (each.id, source.id if isinstance(source, OfObservation) else source)
        journal.tell(Escalated(client=client, records=records, facts={"ground": each.ground.value}))
    return (*before, *ours) if len(ours) == len(fresh) else await _raised_by(source, escalations)


async def _raised_by(source: CheckInId | OfObservation, escalations: Escalations) -> Sequence[Escalation]:
    if isinstance(source, OfObservation):
        return await escalations.of_observation(source.id)
    return await escalations.of_check_in(source)


async def acknowledge(
    escalation: Escalation, doing: str, *, by: Staff, now: datetime, escalations: Escalations, journal: Journal
) -> Escalation:
    """Take an escalation on, and say what is being done. It is held. Raises `Invalid`, `AlreadyAcknowledged`."""
    if (before := escalation.acknowledged) is not None:
        raise AlreadyAcknowledged("Read it for what is being done.", by=str(before.by), at=before.at.isoformat())
    faults = Faults()
    _check_text(doing, "doing", "say what is being done", faults)
    faults.raise_if_any()
    taken_on = Acknowledgement(doing=doing, by=by.id, at=now)
    await escalations.add_acknowledgement(escalation, taken_on)
    journal.tell(
        EscalationAcknowledged(
            client=escalation.client, records=(escalation.id,), facts={"ground": escalation.ground.value}
        )
    )
    return replace(escalation, acknowledged=taken_on)


def _check_text(text: str, where: str, blank: str, faults: Faults) -> None:
    faults.check(when=not text.strip(), where=where, problem=blank)
    faults.check(when=len(text) > LONGEST_TEXT, where=where, problem=f"must have at most {LONGEST_TEXT} characters")
