"""Hours attended in each week of a programme, against what the level of care asks for.

Counted are the actual minutes of everybody who was there, by the register that counts. Not counted, and said apart: peer
support, whose attendance is what the client reports, and places that have no minutes. A week is judged only when it is
over and the client was at one level of care for all of it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from caseload.domain.attendance.register import WAS_THERE, Status
from caseload.domain.attendance.rules import HoursRule, usual
from caseload.domain.attendance.session import NEVER_BILLABLE, SessionKind
from caseload.domain.caseload import LevelOfCare
from caseload.domain.schedule import Weekday, local_day

A_WEEK = timedelta(days=7)
A_DAY = timedelta(days=1)
MINUTES = 60


class WeekStanding(StrEnum):
    """How a week's hours stand to what the level of care asks for."""

    MET = "met"
    SHORT = "short"
    OVER = "over"
    """More hours than the level of care is meant for: perhaps another level is right."""
    RUNNING = "running"
    """The week is not over and the hours are not reached yet."""
    NOT_A_WHOLE_WEEK = "not_a_whole_week"
    """Admitted, discharged or moved to another level in the week: shown, and not judged."""
    NO_RULE = "no_rule"
    """The level of care asks for no hours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One place in one session, by the register that counts."""

    kind: SessionKind
    status: Status
    started_at: datetime
    """When the session really began: it belongs to the week of that local day."""
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Days at one level of care."""

    level: LevelOfCare
    first: date
    last: date | None
    """None while it lasts."""

    def holds_on(self, day: date) -> bool:
        """Whether that day lies in it."""
        return self.first <= day and (self.last is None or day <= self.last)


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekOfHours:
    """What somebody attended in one week."""

    first: date
    last: date
    level: LevelOfCare | None
    """At the end of the week, or today while it runs; None where nobody was in care then."""
    sessions: int
    """Attended, of those whose minutes count."""
    minutes: int
    peer_support_minutes: int
    """As the client reports them: not among the minutes."""
    rule: HoursRule | None
    standing: WeekStanding


def first_of_week(day: date, starts_on: Weekday) -> date:
    """The day on which the week of a day began."""
    return day - timedelta(days=(day.weekday() - starts_on.number) % 7)


def weeks_of_hours(
    places: Iterable[Place],
    stretches: Sequence[Stretch],
    *,
    first: date,
    last: date,
    today: date,
    zone: ZoneInfo,
    starts_on: Weekday,
) -> Sequence[WeekOfHours]:
    """Every week from that of `first` to that of `last`, oldest first, whole weeks also where these days lie within one."""
    by_week: dict[date, list[Place]] = {}
    for place in places:
        by_week.setdefault(first_of_week(local_day(place.started_at, zone), starts_on), []).append(place)
    begin, found = first_of_week(first, starts_on), list[WeekOfHours]()
    while begin <= last:
        found.append(_week(begin, by_week.get(begin, ()), stretches, today=today))
        begin += A_WEEK
    return found


def _week(
    begin: date, places: Sequence[Place] | tuple[()], stretches: Sequence[Stretch], *, today: date
) -> WeekOfHours:
    end = begin + A_WEEK - A_DAY
    there = [place for place in places if place.status in WAS_THERE]
    counted = [place for place in there if place.kind not in NEVER_BILLABLE]
    minutes = sum(place.minutes for place in counted)
    judged_on = min(end, max(today, begin))
    stretch = next((each for each in stretches if each.holds_on(judged_on)), None)
    rule = None if stretch is None else usual().hours_of(stretch.level.edition, stretch.level.level)
    return WeekOfHours(
        first=begin,
        last=end,
        level=None if stretch is None else stretch.level,
        sessions=len(counted),
        minutes=minutes,
        peer_support_minutes=sum(place.minutes for place in there if place.kind in NEVER_BILLABLE),
        rule=rule,
        standing=standing_of(rule, minutes, whole=_is_whole(stretch, begin, judged_on), is_over=end < today),
    )


def _is_whole(stretch: Stretch | None, begin: date, judged_on: date) -> bool:
    return stretch is not None and stretch.holds_on(begin) and stretch.holds_on(judged_on)


def standing_of(rule: HoursRule | None, minutes: int, *, whole: bool, is_over: bool) -> WeekStanding:
    """How so many minutes of one week stand to the rule of its level of care."""
    if not whole:
        return WeekStanding.NOT_A_WHOLE_WEEK
    if rule is None:
        return WeekStanding.NO_RULE
    if rule.below_hours is not None and minutes >= rule.below_hours * MINUTES:
        return WeekStanding.OVER
    if minutes >= rule.at_least_hours * MINUTES:
        return WeekStanding.MET if is_over or rule.at_least_hours else WeekStanding.RUNNING
    return WeekStanding.SHORT if is_over else WeekStanding.RUNNING
