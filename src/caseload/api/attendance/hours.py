"""Hours, rates and retention over HTTP."""

from datetime import date, timedelta
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, QueryParameter

from caseload.api.attendance.clients import AttendanceOut, FirstDay, LastDay, check_days
from caseload.api.caseload.episodes import LevelOfCareWire
from caseload.api.route import reading
from caseload.api.wire import Wire
from caseload.api.work import TheWork, client_within
from caseload.db.attendance.hours import Hours
from caseload.db.attendance.rules import RulesOfSessions
from caseload.db.programme import Programmes
from caseload.domain.access import Act
from caseload.domain.attendance.hours import A_WEEK, WeekOfHours, WeekStanding, first_of_week, weeks_of_hours
from caseload.domain.attendance.retention import LONGEST_DAYS, retention
from caseload.domain.attendance.rules import usual
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ProgrammeId
from caseload.domain.programme import Programme
from caseload.domain.schedule import start_of_day
from caseload.request.work import Work

LONGEST_PERIOD = timedelta(days=731)
USUAL_WEEKS = 7
"""Besides the one of the last day."""
FOUR_WEEKS = timedelta(days=27)
A_YEAR = timedelta(days=365)
Days = Annotated[
    int | None, QueryParameter(name="days", required=False, description="Days after the admission; 90 if left out.")
]


class WeekOut(Wire, frozen=True, kw_only=True):
    """What a client attended in one week."""

    first: date
    last: date
    level_of_care: LevelOfCareWire | None
    """At the end of the week, or today while it runs."""
    sessions: int
    minutes: int
    """Actual minutes by the registers that count."""
    peer_support_minutes: int
    """As the client reports them: not among the minutes."""
    at_least_minutes: int | None
    below_minutes: int | None
    standing: WeekStanding
    rule: str | None
    """The rule with its version and where it comes from."""

    @classmethod
    def of(cls, week: WeekOfHours) -> "WeekOut":
        """From the domain."""
        rule, level = week.rule, week.level
        return cls(
            first=week.first,
            last=week.last,
            level_of_care=None if level is None else LevelOfCareWire(edition=level.edition, level=level.level),
            sessions=week.sessions,
            minutes=week.minutes,
            peer_support_minutes=week.peer_support_minutes,
            at_least_minutes=None if rule is None else rule.at_least_hours * 60,
            below_minutes=None if rule is None or rule.below_hours is None else rule.below_hours * 60,
            standing=week.standing,
            rule=None if rule is None else f"hours-{usual().version}/{rule.edition}/{rule.level}: {rule.source}",
        )


class WeeksOut(Wire, frozen=True, kw_only=True):
    """A client's weeks, oldest first."""

    items: list[WeekOut]


class RetentionOut(Wire, frozen=True, kw_only=True):
    """Of those admitted in a period, how many were in care so many days later."""

    days: int
    retained: int
    completed: int
    """Left before because treatment was completed: counted as staying."""
    left: int
    counted: int
    """What the rate is of: all above."""
    rate_percent: int | None
    """Rounded down; null where none counts."""
    died_or_transferred: int
    """Not counted: they could not have stayed."""
    not_yet: int
    """Not counted: that day has not come."""
    registered_twice: int
    """Not counted: nobody left, their episode is the one under the other registration."""


@reading("/clients/{client_id:uuid}/hours", act=Act.SEE_SESSIONS, name="read_hours")
async def read_hours(
    client_id: FromPath[UUID], work: TheWork, first: FirstDay = None, last: LastDay = None
) -> WeeksOut:
    """A client's attended hours in each week of the programme, against what the level of care asks for.

    The last eight weeks when no day is given.
    """
    client = await client_within(work, client_id, Act.SEE_SESSIONS)
    programme = await Programmes(work.connection).get(client.programme)
    rules, _ = await RulesOfSessions(work.connection).rules_of(programme.id)
    today = programme.today(work.now)
    since, until = _period(first, last, today=today, usual_length=USUAL_WEEKS * A_WEEK)
    since = first_of_week(since, rules.week_starts_on)
    ends = first_of_week(until, rules.week_starts_on) + A_WEEK
    hours = Hours(work.connection, work.journal)
    found = weeks_of_hours(
        await hours.places(
            client.id, first=start_of_day(since, programme.zone), last=start_of_day(ends, programme.zone)
        ),
        await hours.stretches(client.id, zone=programme.zone),
        first=since,
        last=until,
        today=today,
        zone=programme.zone,
        starts_on=rules.week_starts_on,
    )
    return WeeksOut(items=[WeekOut.of(each) for each in found])


@reading("/programmes/{programme_id:uuid}/attendance", act=Act.SEE_CASELOAD, name="read_programme_attendance")
async def read_programme_attendance(
    programme_id: FromPath[UUID], work: TheWork, first: FirstDay = None, last: LastDay = None
) -> AttendanceOut:
    """What the registers of a programme's sessions add up to over a period of local days, the last 28 if none is given."""
    programme = await _programme(work, programme_id)
    since, until = _period(first, last, today=programme.today(work.now), usual_length=FOUR_WEEKS)
    profile = programme.rules_on(programme.today(work.now))
    told = await Hours(work.connection, work.journal).totals(
        programme.id,
        first=start_of_day(since, programme.zone),
        last=start_of_day(until + timedelta(days=1), programme.zone),
        minimum_minutes=profile.attendance.minimum_minutes,
    )
    return AttendanceOut.of(told, profile)


@reading("/programmes/{programme_id:uuid}/retention", act=Act.SEE_CASELOAD, name="read_retention")
async def read_retention(
    programme_id: FromPath[UUID], work: TheWork, first: FirstDay = None, last: LastDay = None, days: Days = None
) -> RetentionOut:
    """Of those admitted in a period, the last year if none is given, how many were in care so many days later."""
    programme = await _programme(work, programme_id)
    today, after = programme.today(work.now), 90 if days is None else days
    since, until = _period(first, last, today=today, usual_length=A_YEAR)
    if not 1 <= after <= LONGEST_DAYS:
        raise Invalid(Fault("days", f"must be from 1 to {LONGEST_DAYS}"))
    stays = await Hours(work.connection, work.journal).stays(programme.id, first=since, last=until, zone=programme.zone)
    told = retention(stays, days=after, today=today)
    return RetentionOut(
        days=after,
        retained=told.retained,
        completed=told.completed,
        left=told.left,
        counted=told.counted,
        rate_percent=told.rate_percent,
        died_or_transferred=told.died_or_transferred,
        registered_twice=told.registered_twice,
        not_yet=told.not_yet,
    )


async def _programme(work: Work, programme_id: UUID) -> Programme:
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_CASELOAD, programme.id)
    return programme


def _period(first: date | None, last: date | None, *, today: date, usual_length: timedelta) -> tuple[date, date]:
    """The days that are asked for, two years of them at most; raises `Invalid`."""
    check_days(first, last)
    until = today if last is None else last
    since = until - usual_length if first is None else first
    if not timedelta() <= until - since <= LONGEST_PERIOD:
        raise Invalid(Fault("until", "must be from the day of `from` to two years later"))
    return since, until
