"""When something that repeats is due: wall-clock rules in a programme's own time zone.

A rule is local (every two weeks, on Tuesday, at 09:00) and stays at 09:00 when the clocks change. Instants are
worked out over a window and kept as UTC. Two hours of the year need a rule of their own, and RFC 5545 (section
3.3.5) has it: a local time that does not exist is read with the offset from before the change (02:30 becomes 03:30),
one that happens twice means the first time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from dateutil.rrule import DAILY, MONTHLY, WEEKLY, rrule

from caseload.domain.errors import Faults

EARLIEST = date(2000, 1, 1)
LATEST = date(2199, 12, 31)
"""Days outside these are slips of the keyboard, and would make a window of a rule endless."""

SHORTEST_MONTH_DAYS = 28
LONGEST_MONTH_DAYS = 31


class Unit(StrEnum):
    """What a rule counts in. Nothing shorter than a day: a rule by the second would run for ever."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"


MOST: dict[Unit, int] = {Unit.DAYS: 366, Unit.WEEKS: 52, Unit.MONTHS: 12}
"""The longest interval of each unit: about a year."""


class Weekday(StrEnum):
    """A day of the week, in the order of ISO 8601 (Monday first)."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"
    SATURDAY = "saturday"
    SUNDAY = "sunday"

    @property
    def number(self) -> int:
        """0 for Monday to 6 for Sunday, as `date.weekday` counts."""
        return tuple(Weekday).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """Every so many days, weeks or months, at a local time, from one day on.

    Weeks name a weekday; months name a day of the month, where 29, 30 and 31 mean the last day of a month that is
    shorter (RFC 7529, SKIP=BACKWARD), so that nobody drops out of February. The first occurrence is the first
    matching day on or after `starts_on`, and the interval is counted from it.
    Raises `Invalid` with every fault at once.
    """

    every: int
    unit: Unit
    at: time
    starts_on: date
    weekday: Weekday | None = None
    month_day: int | None = None
    ends_on: date | None = None
    """The last local day on which it may fall; None where nobody knows yet."""
    words: str = field(init=False, repr=False, compare=False)
    """The rule as people say it: `every 2 weeks on Tuesday at 09:00`."""

    def __post_init__(self) -> None:
        """Refuse what cannot be, and find the words for it once: lists say them on every line."""
        faults = Faults()
        most = MOST[self.unit]
        faults.check(
            when=not 1 <= self.every <= most, where="every", problem=f"must be from 1 to {most} {self.unit.value}"
        )
        faults.check(
            when=self.at.tzinfo is not None or bool(self.at.second or self.at.microsecond),
            where="at",
            problem="must be a local time in hours and minutes",
        )
        faults.check(
            when=not EARLIEST <= self.starts_on <= LATEST,
            where="starts_on",
            problem=f"must be from {EARLIEST} to {LATEST}",
        )
        faults.check(
            when=self.ends_on is not None and not self.starts_on <= self.ends_on <= LATEST,
            where="ends_on",
            problem=f"must be from starts_on to {LATEST}",
        )
        faults.check(
            when=(self.weekday is None) == (self.unit is Unit.WEEKS),
            where="weekday",
            problem="must be given for weeks, and only for weeks",
        )
        faults.check(
            when=(self.month_day is None) == (self.unit is Unit.MONTHS),
            where="month_day",
            problem="must be given for months, and only for months",
        )
        faults.check(
            when=self.month_day is not None and not 1 <= self.month_day <= LONGEST_MONTH_DAYS,
            where="month_day",
            problem=f"must be from 1 to {LONGEST_MONTH_DAYS}",
        )
        faults.raise_if_any()
        object.__setattr__(self, "words", _words(self))

    @property
    def interval(self) -> relativedelta:
        """One interval on the local calendar."""
        every = self.every
        return {
            Unit.DAYS: relativedelta(days=every),
            Unit.WEEKS: relativedelta(weeks=every),
            Unit.MONTHS: relativedelta(months=every),
        }[self.unit]

    @property
    def interval_days(self) -> int:
        """The fewest days from one occurrence to the next; the rules of a profile go by it."""
        return self.every * {Unit.DAYS: 1, Unit.WEEKS: 7, Unit.MONTHS: SHORTEST_MONTH_DAYS}[self.unit]


def _words(rule: Recurrence) -> str:
    how_often = f"every {rule.unit.value[:-1]}" if rule.every == 1 else f"every {rule.every} {rule.unit.value}"
    on = ""
    if rule.weekday is not None:
        on = f" on {rule.weekday.value.capitalize()}"
    elif rule.month_day is not None:
        on = f" on day {rule.month_day}"
    return f"{how_often}{on} at {rule.at:%H:%M}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """One time a rule falls due."""

    on: date
    """The local day the rule names."""
    due_at: datetime
    """The instant, in UTC."""
    shifted: timedelta
    """How far the clock change moved it from the wall-clock time of the rule; nearly always nothing."""


def occurrences(rule: Recurrence, zone: ZoneInfo, *, first: date, last: date) -> Iterator[Occurrence]:
    """Every occurrence whose local day lies from `first` to `last`, both included, in order.

    Where a zone skipped a whole day (Samoa, 30 December 2011), two days name one instant; it occurs once.
    """
    before: datetime | None = None
    for wall in _days(rule, first=first, until=min(last, rule.ends_on or last)):
        if wall.date() < first:
            continue
        due_at = instant(wall, zone)
        if due_at != before:
            yield Occurrence(
                on=wall.date(),
                due_at=due_at,
                shifted=due_at.astimezone(zone).replace(tzinfo=None) - wall,
            )
        before = due_at


def instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The UTC instant of a naive local time: with the offset before a gap, and the first of two."""
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def local_days_later(moment: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The same wall-clock time so many local days later (or earlier), in UTC.

    A local day is 23 or 25 hours long when the clocks change. No days is the moment itself, also in the second
    of two equal hours.
    """
    return _moved(moment, timedelta(days=days), zone)


def one_interval_later(rule: Recurrence, moment: datetime, zone: ZoneInfo) -> datetime:
    """The same wall-clock time one interval of the rule later, in UTC. Months clamp to their last day."""
    return _moved(moment, rule.interval, zone)


def local_day(moment: datetime, zone: ZoneInfo) -> date:
    """The day it is at that instant on the wall calendar of a zone."""
    return moment.astimezone(zone).date()


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The instant a local day begins, in UTC; where midnight does not exist, the first moment after it."""
    return instant(datetime.combine(day, time.min), zone)


def _moved(moment: datetime, by: timedelta | relativedelta, zone: ZoneInfo) -> datetime:
    before = moment.astimezone(zone).replace(tzinfo=None)
    after = before + by
    return moment if after == before else instant(after, zone)


def _days(rule: Recurrence, *, first: date, until: date) -> Iterator[datetime]:
    """The naive local times of a rule up to a day, from one interval before `first` at the earliest."""
    begin, end = datetime.combine(_interval_of(rule, first), rule.at), datetime.combine(until, time.max)
    if rule.month_day is not None:
        up_to = range(min(rule.month_day, SHORTEST_MONTH_DAYS), rule.month_day + 1)
        return iter(rrule(MONTHLY, dtstart=begin, interval=rule.every, until=end, bymonthday=up_to, bysetpos=-1))
    return iter(rrule(WEEKLY if rule.unit is Unit.WEEKS else DAILY, dtstart=begin, interval=rule.every, until=end))


def _interval_of(rule: Recurrence, day: date) -> date:
    """The beginning of the interval in which a day lies, so that nobody counts from years ago; the first one before it."""
    origin = _first_day(rule)
    if day <= origin:
        return origin
    if rule.unit is Unit.MONTHS:
        passed = (day.year - origin.year) * 12 + day.month - origin.month
        whole = passed - passed % rule.every
        return origin + relativedelta(months=whole, day=1) if whole else origin
    passed = (day - origin).days
    return day - timedelta(days=passed % (rule.every * (7 if rule.unit is Unit.WEEKS else 1)))


def _first_day(rule: Recurrence) -> date:
    """The first day on or after the start that the rule names."""
    if rule.weekday is not None:
        return rule.starts_on + timedelta(days=(rule.weekday.number - rule.starts_on.weekday()) % 7)
    if rule.month_day is not None:
        this_month = rule.starts_on + relativedelta(day=rule.month_day)
        next_month = rule.starts_on + relativedelta(months=1, day=rule.month_day)
        return this_month if this_month >= rule.starts_on else next_month
    return rule.starts_on
