"""The dosing queue of a local day: who is still to attend, who has attended, who is held, and who is not expected.

It is worked out from the same answer about what is due as the chart and the dispensing list, and each client stands in
exactly one group:

1. attended: for each part that is due, it has been given, or it was recorded why not although the client was here
   (refused, intoxicated, out of stock); whoever was recorded as absent was not here;
2. not expected: excused on this day, the window is closed, what is due was handed out to be taken at home, or the client
   is a guest elsewhere, or was one here and is no longer;
3. held: something stands in the way of the dose that only a prescriber's decision, signature or order takes away: a hold,
   missed doses, a verbal order that nobody signed, another medicine that still acts;
4. still to attend: everybody else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from caseload.domain.dosing import Due, DueTo, NotGivenReason, Rule
from caseload.domain.flag import NO_FLAGS, SeeFirst
from caseload.domain.ids import ClientId, ExcusalId, ProgrammeId
from caseload.domain.medication import Direction
from caseload.domain.medicines import DosePart
from caseload.domain.profiles import Profile
from caseload.domain.window.excusal import ExcuseReason
from caseload.domain.window.likeness import Named, namesakes
from caseload.domain.window.message import Message


class Group(StrEnum):
    """Where a client stands in the queue of a day."""

    TO_ATTEND = "to_attend"
    ATTENDED = "attended"
    HELD = "held"
    NOT_EXPECTED = "not_expected"


class Flag(StrEnum):
    """What whoever gives the dose should see at once."""

    FIRST_DOSE = "first_dose"
    """The record has no dose of this kind yet."""
    WITHDRAWAL = "withdrawal"
    """The profile asks for withdrawal to be measured (COWS) before this first dose."""
    GUEST = "guest"
    """At home in another programme, of ours or outside."""
    GUEST_ELSEWHERE = "guest_elsewhere"
    """On this day a guest of another programme."""
    DECISION = "decision"
    """The dose rests on a prescriber's decision for this day."""
    STEP_WAITS = "step_waits"
    """A step up has come and not taken effect."""
    VERBAL_ORDER = "verbal_order"
    """The order was given by word of mouth and is not countersigned yet."""
    UNSUPERVISED = "unsupervised"
    """The order does not ask for the dose to be watched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Excused:
    """Why a client is not expected."""

    excusal: ExcusalId
    reason: ExcuseReason
    first_on: date
    last_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotGivenToday:
    """A part of the day that was not given, and why."""

    part: DosePart
    reason: NotGivenReason
    recorded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the window is told of a client, beside what is due."""

    chart_number: str | None = None
    photograph_on: date | None = None
    excused: Excused | None = None
    messages: Sequence[Message] = ()
    not_given: Sequence[NotGivenToday] = ()
    see_first: SeeFirst = NO_FLAGS
    """Allergies and what else whoever gives a medicine should see."""


NOTHING = Told()
_SUPPLIED_ELSEWHERE: Final = frozenset({Rule.TAKE_HOME_COVERS, Rule.GUEST_ELSEWHERE, Rule.GUEST_OVER})
"""What says that a client takes the dose of the day somewhere else, or is a guest no longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowDay:
    """A local day of a programme."""

    programme: ProgrammeId
    day: date
    rules: Profile
    closed: str | None = None
    """Why the window is closed on it; None where it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A client in the queue."""

    waiting: DueTo
    group: Group
    told: Told
    flags: tuple[Flag, ...] = ()
    alike: frozenset[ClientId] = field(default_factory=frozenset[ClientId])
    """Clients of the same day whose names sound or read alike."""


Seen = tuple[WindowDay, DueTo, Told, frozenset[ClientId]]
"""The day, to whom something is due on it, what the window is told of them, and their namesakes."""
NOBODY = frozenset[ClientId]()


def queue_of(
    at: WindowDay,
    waiting: Sequence[DueTo],
    told: Mapping[ClientId, Told],
    line: Callable[[Seen], Line] | None = None,
) -> Mapping[Group, Sequence[Line]]:
    """Everybody of the day in their group, in the order in which they came.

    `line` is `line_of`, or remembers what it said of the same facts.
    """
    named = {each.client: Named(each.client, each.given_name, each.family_name, each.birth_date) for each in waiting}
    alike = namesakes(named.values())
    found: dict[Group, list[Line]] = {group: [] for group in Group}
    for each in waiting:
        seen = (at, each, told.get(each.client, NOTHING), alike.get(each.client, NOBODY))
        made = line_of(seen) if line is None else line(seen)
        found[made.group].append(made)
    return found


def line_of(seen: Seen) -> Line:
    """Where a client stands, and what is to be seen of them. It follows from these facts and from nothing else."""
    at, waiting, told, alike = seen
    return Line(
        waiting=waiting,
        group=_group_of(waiting.due, told, closed=at.closed is not None),
        told=told,
        flags=_flags_of(waiting, at),
        alike=alike,
    )


def _group_of(due: Due, told: Told, *, closed: bool) -> Group:
    here = [each.part for each in told.not_given if each.reason is not NotGivenReason.ABSENT]
    if all(part.given is not None or any(each.meets(part.part) for each in here) for part in due.parts):
        return Group.ATTENDED
    elsewhere = any(each.rule in _SUPPLIED_ELSEWHERE for each in due.in_the_way)
    if closed or elsewhere or told.excused is not None:
        return Group.NOT_EXPECTED
    return Group.HELD if due.in_the_way else Group.TO_ATTEND


def _flags_of(waiting: DueTo, at: WindowDay) -> tuple[Flag, ...]:
    due, order = waiting.due, waiting.due.order
    flags: list[Flag] = []
    if due.without.last is None:
        flags.append(Flag.FIRST_DOSE)
        if order is not None and order.medicine in at.rules.around_the_dose.withdrawal.medicines:
            flags.append(Flag.WITHDRAWAL)
    flags += _guest_of(waiting, at)
    if due.allowed is not None:
        flags.append(Flag.DECISION)
    if due.waits is not None:
        flags.append(Flag.STEP_WAITS)
    if order is not None and order.verbal_by is not None and order.signed_at is None:
        flags.append(Flag.VERBAL_ORDER)
    if order is not None and not order.supervised:
        flags.append(Flag.UNSUPERVISED)
    return tuple(flags)


def _guest_of(waiting: DueTo, at: WindowDay) -> list[Flag]:
    guest = waiting.due.guest
    if waiting.home != at.programme or (guest is not None and guest.direction is Direction.HERE):
        return [Flag.GUEST]
    return [Flag.GUEST_ELSEWHERE] if guest is not None else []
