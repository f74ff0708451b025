"""A counsellor's day: everything that waits for them, what matters first, and why each line stands where it does.

Nothing is decided here anew. What is overdue is on the overdue list, what is escalated is among the open escalations:
the day puts them below one another and says of each line why it is there. The order is a product convention: what must
be heard of at once, then what is late (the longest first), then the hours of today, what is due this week, what waits without
an hour, and what is deferred until later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from caseload.domain.attendance import SessionKind
from caseload.domain.ids import ClientId


class Matter(StrEnum):
    """What a line is about; its record is of this kind."""

    ESCALATION = "escalation"
    OVERDUE_CHECK_IN = "overdue_check_in"
    REGISTER = "register"
    """Of a session that is over."""
    CHECK_IN = "check_in"
    """Due today, or earlier with a grace that still runs."""
    SESSION = "session"
    NOTE = "note"
    """Begun and not signed."""
    OFFER = "offer"
    """A client whom one is asked to take over."""
    MESSAGE = "message"
    """For whoever counsels the client, and nobody has seen to it."""
    CARE_TASK = "care_task"
    """To be done about a client: a step of the ladder, or what a colleague asks for."""


class Band(StrEnum):
    """How soon a line wants somebody, the most urgent first."""

    AT_ONCE = "at_once"
    LATE = "late"
    TODAY = "today"
    THIS_WEEK = "this_week"
    """By the same day of next week, that day left out."""
    WAITS = "waits"
    """Without an hour of its own."""
    DEFERRED = "deferred"
    """Later than this week."""


_BANDS = {band: place for place, band in enumerate(Band)}


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom a line concerns."""

    client: ClientId
    given_name: str
    family_name: str
    covering: bool
    """On the caseload because one stands in for the responsible counsellor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Somebody who is expected at a session."""

    client: ClientId
    given_name: str
    family_name: str
    arrived_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the day."""

    matter: Matter
    band: Band
    why: str
    """Why it stands here, in a sentence."""
    record: UUID
    at: datetime
    """Since when it is late or waits; of today's lines when it is due or begins."""
    about: About | None = None
    title: str | None = None
    kind: SessionKind | None = None
    leads: bool = False
    """A session that one leads oneself; at another one a client is expected."""
    expected: tuple[Expected, ...] = ()


def escalated(record: UUID, ground: str, *, at: datetime, about: About) -> Line:
    """What a clinician must hear of, and none has taken on."""
    why = f"Escalated because of {ground.replace('_', ' ')}, and no clinician has taken it on yet."
    return Line(matter=Matter.ESCALATION, band=Band.AT_ONCE, why=why, record=record, at=at, about=about)


def late(record: UUID, why: str, *, since: datetime, about: About) -> Line:
    """A line of the overdue list, with its own reason."""
    return Line(matter=Matter.OVERDUE_CHECK_IN, band=Band.LATE, why=why, record=record, at=since, about=about)


def due(record: UUID, rule: str, *, at: datetime, today_began: datetime, about: About) -> Line:
    """A check-in that is due today, or that was due before and is not overdue yet."""
    why = f"Due today: it is planned {rule}."
    if at < today_began:
        why = f"It was due before today, and its grace still runs: it is planned {rule}."
    return Line(matter=Matter.CHECK_IN, band=Band.TODAY, why=why, record=record, at=at, about=about)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A session whose register has not been taken, as far as the day asks about it."""

    record: UUID
    kind: SessionKind
    title: str
    starts_at: datetime
    ends_at: datetime
    leads: bool
    expected: tuple[Expected, ...] = ()


def meeting(one: Meeting, *, now: datetime) -> Line | None:
    """A session without a register: of today, or over where one leads it; None where somebody else is to take it."""
    if one.ends_at <= now and not one.leads:
        return None
    is_over = one.ends_at <= now
    return Line(
        matter=Matter.REGISTER if is_over else Matter.SESSION,
        band=Band.LATE if is_over else Band.TODAY,
        why=_why(one, now=now),
        record=one.record,
        at=one.ends_at if is_over else one.starts_at,
        title=one.title,
        kind=one.kind,
        leads=one.leads,
        expected=one.expected,
    )


def _why(one: Meeting, *, now: datetime) -> str:
    if one.ends_at <= now:
        return "You lead it, it is over, and its register has not been taken."
    arrived = sum(each.arrived_at is not None for each in one.expected)
    began = "it has begun" if one.starts_at <= now else "it is to come"
    who = "You lead it" if one.leads else "A client of yours is expected"
    return f"{who}, {began}: {arrived} of {len(one.expected)} have arrived."


def unsigned(record: UUID, title: str, *, sign_by: datetime, now: datetime) -> Line:
    """A note that one has begun and not signed."""
    is_late = sign_by < now
    return Line(
        matter=Matter.NOTE,
        band=Band.LATE if is_late else Band.WAITS,
        why="You began this note, and it should have been signed by now."
        if is_late
        else "You began this note and have not signed it.",
        record=record,
        at=sign_by,
        title=title,
    )


def offered(record: UUID, *, at: datetime, about: About) -> Line:
    """A client whom one is asked to take over."""
    why = "You are asked to answer for this client; until you accept, whoever is responsible stays so."
    return Line(matter=Matter.OFFER, band=Band.WAITS, why=why, record=record, at=at, about=about)


def band_of(due_at: datetime, *, today_began: datetime, today_ends: datetime, week_ends: datetime) -> Band:
    """How soon something wants somebody that is due at a moment: by local days, of which `week_ends` ends the seventh."""
    if due_at < today_began:
        return Band.LATE
    if due_at < today_ends:
        return Band.TODAY
    return Band.THIS_WEEK if due_at < week_ends else Band.DEFERRED


_DUE_SAYS: Mapping[Band, str] = MappingProxyType({
    Band.LATE: "it should have been done before today",
    Band.TODAY: "it is due today",
    Band.THIS_WEEK: "it is due this week",
    Band.DEFERRED: "it is due later than this week",
})  # fmt: skip


def to_do(record: UUID, says: str, *, of_ladder: bool, at: datetime, band: Band, about: About) -> Line:
    """A care task that nobody has done."""
    whose = "The client has not come, and a step is due" if of_ladder else "A colleague asks for it"
    why = f"{whose}: {_DUE_SAYS[band]}."
    return Line(matter=Matter.CARE_TASK, band=band, why=why, record=record, at=at, about=about, title=says)


def told(record: UUID, text: str, left_by: str, *, at: datetime, about: About) -> Line:
    """A message for whoever counsels the client."""
    why = f"{left_by} left it for whoever counsels this client, and nobody has seen to it."
    return Line(matter=Matter.MESSAGE, band=Band.TODAY, why=why, record=record, at=at, about=about, title=text)


def in_order(lines: Iterable[Line]) -> Sequence[Line]:
    """What matters first: by band, and within one by its moment; the identifier settles what comes at one moment."""
    return sorted(lines, key=lambda line: (_BANDS[line.band], line.at, line.record))
