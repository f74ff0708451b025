"""How somebody around a client takes part, from which day to which: dated facts, several per person.

The authority of a legal representative is one of them: with its evidence, and with its last day where it has one. What a
representative signed while they had it stays as it was given; what they want to do afterwards is refused (42 CFR 2.14, 2.15).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final, Protocol

from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.family.texts import LONGEST_TEXT, text_fault
from caseload.domain.family.words import InvolvementKind
from caseload.domain.ids import ClientId, InvolvementId, RelatedPersonId, StaffId, new_id
from caseload.domain.journal import Event
from caseload.domain.programme import Programme
from caseload.domain.schedule import start_of_day

FURTHEST: Final = timedelta(days=25 * 366)
"""Not a rule of anybody's: a day further away than this is a slip of the pen."""


class InvolvementUnknown(NotFound):
    """No such involvement of this person."""

    def __init__(self) -> None:
        super().__init__("Read the person again; this is not among the ways in which they take part.")


class AlreadyInvolved(Conflict):
    """They take part in this way already on some of these days."""

    def __init__(self) -> None:
        super().__init__("Read the person for the days; end what runs, or begin the day after it.")


class InvolvementOver(Conflict):
    """They do not take part in this way any more."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done. Read the person for when it ended.")


class NotInvolved(Conflict):
    """They do not take part in any way."""

    def __init__(self) -> None:
        super().__init__("Nothing needs to be done. Read the person for what ended when.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A way of taking part that is to begin."""

    kind: InvolvementKind
    first_day: date | None = None
    """The first day in the programme's own calendar; today when left out."""
    last_day: date | None = None
    """The last day on which it holds, where that is known; the authority of a representative often has one."""
    evidence: str | None = None
    """The document that shows the authority of a legal representative, and where it is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Involvement:
    """A way in which somebody takes part, from when to when."""

    id: InvolvementId
    client: ClientId
    person: RelatedPersonId
    kind: InvolvementKind
    starts_at: datetime
    last_day: date | None
    until_at: datetime | None
    """The first instant at which it has ended by itself: the midnight after its last day, by the programme's calendar."""
    evidence: str | None
    recorded_by: StaffId
    recorded_at: datetime
    ended_at: datetime | None = None
    """From when on it was over before that."""
    ended_by: StaffId | None = None
    ended_because: str | None = None

    @property
    def over_at(self) -> datetime | None:
        """The first instant at which it holds no more, if there is one."""
        ends = [each for each in (self.until_at, self.ended_at) if each is not None]
        return min(ends, default=None)

    def counts(self, at: datetime) -> bool:
        """Whether it holds at that moment: from its first instant, and not at its last."""
        return self.starts_at <= at and (self.over_at is None or at < self.over_at)


class Held(StrEnum):
    """Whether somebody had the authority to act for the client at a moment, and if not, why not."""

    YES = "yes"
    NEVER = "never"
    NOT_YET = "not_yet"
    ENDED = "ended"


WHY_NOT: Final = {
    Held.NEVER: "must be a legal representative of this client whose evidence is on file (42 CFR 2.14, 2.15)",
    Held.NOT_YET: "had no authority yet when this was done: it begins later. Ask the client, or whoever had it then",
    Held.ENDED: "had no authority any more when this was done: it had ended. Ask the client, or whoever has it now",
}


def authority(involvements: Sequence[Involvement], at: datetime) -> Held:
    """Whether somebody who takes part in these ways could act for the client at that moment."""
    theirs = [each for each in involvements if each.kind is InvolvementKind.LEGAL_REPRESENTATIVE]
    if any(each.counts(at) for each in theirs):
        return Held.YES
    if any(each.over_at is not None and each.over_at <= at for each in theirs):
        return Held.ENDED
    return Held.NOT_YET if theirs else Held.NEVER


@dataclass(frozen=True, slots=True, kw_only=True)
class InvolvementBegun(Event):
    """Somebody around a client begins to take part in a way."""

    name: ClassVar[str] = "family.involvement_begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvolvementEnded(Event):
    """Somebody around a client takes part in a way no more."""

    name: ClassVar[str] = "family.involvement_ended"


class Involvements(Protocol):
    """The ways in which people around clients take part."""

    async def begin(self, involvement: Involvement, /) -> None:
        """Keep it; `AlreadyInvolved` when they take part in this way on some of these days."""
        ...

    async def end(self, ended: Involvement, /) -> None:
        """Keep when and why it ended; `InvolvementOver` when somebody else was faster."""
        ...


def begun(
    beginning: Beginning, *, client: ClientId, person: RelatedPersonId, programme: Programme, by: StaffId, now: datetime
) -> Involvement:
    """A way of taking part as it is to be kept. Days are those of the programme's own calendar."""
    zone, last_day = programme.zone, beginning.last_day
    return Involvement(
        id=InvolvementId(new_id()),
        client=client,
        person=person,
        kind=beginning.kind,
        starts_at=start_of_day(beginning.first_day or programme.today(now), zone),
        last_day=last_day,
        until_at=None if last_day is None else start_of_day(last_day + timedelta(days=1), zone),
        evidence=beginning.evidence,
        recorded_by=by,
        recorded_at=now,
    )


def check_beginning(beginning: Beginning, *, today: date, faults: Faults, within: str = "") -> None:
    """Add every fault of a way of taking part that is to begin."""
    first, last = beginning.first_day or today, beginning.last_day
    if problem := text_fault(beginning.evidence, longest=LONGEST_TEXT):
        faults.add(f"{within}evidence", problem)
    needs = beginning.kind is InvolvementKind.LEGAL_REPRESENTATIVE
    faults.check(
        when=needs is (beginning.evidence is None),
        where=f"{within}evidence",
        problem="name the document that shows the authority of a legal representative, and where it is kept"
        if needs
        else "is for the authority of a legal representative alone",
    )
    faults.check(
        when=abs(first - today) > FURTHEST, where=f"{within}first_day", problem="must lie within 25 years of today"
    )
    faults.check(
        when=last is not None and not first <= last <= first + FURTHEST,
        where=f"{within}last_day",
        problem="must not be before the first day, nor 25 years after it",
    )


def check_ending(reason: str, ended_at: datetime, *, now: datetime, faults: Faults) -> None:
    """Add every fault of how something ended."""
    if problem := text_fault(reason, longest=LONGEST_TEXT):
        faults.add("reason", problem)
    faults.check(when=ended_at > now, where="ended_at", problem="must not lie in the future")


def ended(running: Involvement, *, reason: str, ended_at: datetime, by: StaffId) -> Involvement:
    """The same, over from that moment on; one that had not begun by then never holds."""
    return replace(running, ended_at=max(ended_at, running.starts_at), ended_by=by, ended_because=reason)
