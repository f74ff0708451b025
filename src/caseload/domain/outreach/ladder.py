"""The ladder by which whoever has not come is looked for: which step is due when, and whether it may be taken.

A client has one ladder: that of the check-in that has been overdue longest. A step is due so many days after the check-in
became overdue, at the same local time, on a day on which the programme is open and never before the step before it. Where
a step was taken days late, those after it are as many days later: nobody is rung, written to and discussed on one morning
because a server stood still. Steps and delays are the profile's.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from caseload.domain.ids import ConsentId, RelatedPersonId
from caseload.domain.outreach.around import MayBeAsked
from caseload.domain.outreach.channel import Channel
from caseload.domain.outreach.contact import Contact, WaysTo, ways_to
from caseload.domain.profiles.outreach import CountedIn, Delay, Outreach, OutreachStep
from caseload.domain.schedule import local_day, local_days_later

_DAY: Final = timedelta(days=1)

REACHES_BY: Final[Mapping[OutreachStep, tuple[Channel, ...]]] = MappingProxyType({
    OutreachStep.SAME_DAY: (Channel.TEXT, Channel.TELEPHONE),
    OutreachStep.NEXT_DAY: (Channel.TELEPHONE,),
    OutreachStep.CONSENTED_CONTACT: (),
    OutreachStep.LETTER: (Channel.POST, Channel.VISIT),
    OutreachStep.TEAM_REVIEW: (),
    OutreachStep.CASE_CONFERENCE: (),
})  # fmt: skip
"""By which ways each step would reach the client. Voicemail is no way of its own: it is what a call may leave behind."""

SAYS: Final[Mapping[OutreachStep, str]] = MappingProxyType({
    OutreachStep.SAME_DAY: "Reach the client today.",
    OutreachStep.NEXT_DAY: "Ring the client a second time.",
    OutreachStep.CONSENTED_CONTACT: "Ask whom the client lets us ask.",
    OutreachStep.LETTER: "Write to the client, or go there.",
    OutreachStep.TEAM_REVIEW: "Bring it before the team, and look at the risk of the medicine after so long.",
    OutreachStep.CASE_CONFERENCE: "Hold a case conference. A discharge is a decision there, never a timer.",
})  # fmt: skip


class Skipped(StrEnum):
    """Why a step was not taken."""

    NOT_ASKED = "not_asked"
    """Nobody has asked the client how they may be reached."""
    NO_ALLOWED_CHANNEL = "no_allowed_channel"
    """The client allows none of the ways of this step."""
    NO_CONSENT = "no_consent"
    """Nobody around the client may be told that they are here, or have not come."""
    WARNED_OF = "warned_of"
    """What the client allows would reach somebody of whom a safety warning stands."""


SKIPPED_SAYS: Final[Mapping[Skipped, str]] = MappingProxyType({
    Skipped.NOT_ASKED: "Nobody has asked the client how they may be reached, so no way is allowed.",
    Skipped.NO_ALLOWED_CHANNEL: "The client allows none of the ways by which this step would reach them.",
    Skipped.NO_CONSENT: "Nobody around the client may be told that they are here, or have not come.",
    Skipped.WARNED_OF: "A safety warning stands about somebody at the client's number or in their home: read it, and do not go, write or ring there.",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """That somebody around the client may be asked, and on which consent it rested."""

    person: RelatedPersonId
    consent: ConsentId


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A step that has been taken, or skipped for a reason."""

    step: OutreachStep
    due_at: datetime
    taken_at: datetime
    rule: str
    """Profile, version and rule by which it was due."""
    by_way_of: tuple[Channel, ...] = ()
    asked: tuple[Allowed, ...] = ()
    """Whom around the client it would ask, and on which consent that rested when it was taken."""
    skipped: Skipped | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """The step that comes next, and when."""

    step: OutreachStep
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """The days of a programme."""

    zone: ZoneInfo
    closed: frozenset[date] = frozenset()


def next_step(since: datetime, taken: Sequence[Taken], ladder: Outreach, calendar: Calendar) -> Next | None:
    """The first step of the ladder after the last one taken, and when it is due; None at its end.

    `since` is the end of the grace: from then on the check-in has been overdue. `taken` is in the order in which it was.
    """
    due_at, late = since, 0
    last = taken[-1] if taken else None
    passed = last is None
    for delay in ladder.steps:
        due_at = max(due_at, _planned(since, delay, calendar))
        if passed:
            return Next(step=delay.step, due_at=_later(due_at, late, calendar))
        if last is not None and delay.step is last.step:
            passed = True
            late = max(0, (local_day(last.taken_at, calendar.zone) - local_day(due_at, calendar.zone)).days)
    return None if passed or last is None else _after(last, since, ladder, calendar)


def _after(last: Taken, since: datetime, ladder: Outreach, calendar: Calendar) -> Next | None:
    """What comes after a step that the ladder no longer has: the first that stands behind its place."""
    order = list(OutreachStep)
    behind = [each for each in ladder.steps if order.index(each.step) > order.index(last.step)]
    if not behind:
        return None
    return Next(step=behind[0].step, due_at=max(last.taken_at, _planned(since, behind[0], calendar)))


def _later(due_at: datetime, days: int, calendar: Calendar) -> datetime:
    """So many days later at the same local time, on an open day."""
    day = local_day(due_at, calendar.zone)
    return local_days_later(due_at, (_open(day + days * _DAY, calendar.closed) - day).days, calendar.zone)


def _planned(since: datetime, delay: Delay, calendar: Calendar) -> datetime:
    """When a step is due by its delay alone, on an open day."""
    begun = local_day(since, calendar.zone)
    day = begun
    if delay.counted_in is CountedIn.OPEN_DAYS:
        for _ in range(delay.after_days):
            day = _open(day + _DAY, calendar.closed)
    else:
        day += delay.after_days * _DAY
    day = _open(day, calendar.closed)
    return local_days_later(since, (day - begun).days, calendar.zone)


def _open(day: date, closed: Collection[date]) -> date:
    while day in closed:
        day += _DAY
    return day


def way(step: OutreachStep, contact: Contact, asks: Sequence[MayBeAsked] = ()) -> tuple[Channel, ...] | Skipped:
    """By which ways a step may reach the client, as the client has said; or why it may not be taken.

    A step that would contact somebody around the client is taken only where consents let somebody be asked (`asks`).
    """
    if step is OutreachStep.CONSENTED_CONTACT and not asks:
        return Skipped.NO_CONSENT
    wanted = REACHES_BY[step]
    if not wanted:
        return ()
    ways = ways_to(contact)
    allowed = tuple(channel for channel in wanted if channel in ways.by)
    if allowed:
        return (*allowed, Channel.VOICEMAIL) if _may_leave_message(allowed, ways) else allowed
    if any(channel in ways.closed for channel in wanted):
        return Skipped.WARNED_OF
    return Skipped.NO_ALLOWED_CHANNEL if contact.version else Skipped.NOT_ASKED


def _may_leave_message(allowed: Collection[Channel], ways: WaysTo) -> bool:
    return Channel.TELEPHONE in allowed and Channel.VOICEMAIL in ways.by
