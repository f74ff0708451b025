"""Hours of a week against the level of care, and who stays: to the minute, over both clock changes, totals that agree."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.attendance import SessionKind, Status
from caseload.domain.attendance.hours import (
    A_WEEK,
    Place,
    Stretch,
    WeekOfHours,
    WeekStanding,
    first_of_week,
    weeks_of_hours,
)
from caseload.domain.attendance.register import WAS_THERE
from caseload.domain.attendance.retention import Retention, Stay, retention
from caseload.domain.attendance.session import NEVER_BILLABLE
from caseload.domain.caseload import DischargeReason, Edition, LevelOfCare
from caseload.domain.schedule import Weekday

NEW_YORK = ZoneInfo("America/New_York")
MONDAY = date(2026, 6, 1)
SUNDAY = date(2026, 6, 7)
AFTER = date(2026, 6, 8)
NOON = datetime(2026, 6, 1, 16, tzinfo=UTC)


def level(name: str, edition: Edition = Edition.ASAM_4) -> LevelOfCare:
    return LevelOfCare(edition=edition, level=name)


def at(name: str, first: date = date(2026, 1, 1), last: date | None = None) -> Stretch:
    return Stretch(level=level(name), first=first, last=last)


def place(
    minutes: int,
    *,
    kind: SessionKind = SessionKind.GROUP,
    status: Status = Status.ATTENDED,
    started_at: datetime = NOON,
) -> Place:
    return Place(kind=kind, status=status, started_at=started_at, minutes=minutes)


def week(
    places: Sequence[Place], *stretches: Stretch, today: date = AFTER, starts_on: Weekday = Weekday.MONDAY
) -> WeekOfHours:
    [found] = weeks_of_hours(
        places, stretches, first=MONDAY, last=MONDAY, today=today, zone=NEW_YORK, starts_on=starts_on
    )
    return found


@pytest.mark.parametrize(
    ("name", "minutes", "standing"),
    [
        ("2.1", 9 * 60 - 1, WeekStanding.SHORT),
        ("2.1", 9 * 60, WeekStanding.MET),
        ("2.1", 20 * 60 - 1, WeekStanding.MET),
        ("2.1", 20 * 60, WeekStanding.OVER),
        ("2.5", 20 * 60 - 1, WeekStanding.SHORT),
        ("2.5", 20 * 60, WeekStanding.MET),
        ("2.5", 60 * 60, WeekStanding.MET),
        ("1.5", 0, WeekStanding.MET),
        ("1.5", 9 * 60 - 1, WeekStanding.MET),
        ("1.5", 9 * 60, WeekStanding.OVER),
        ("1.7", 0, WeekStanding.NO_RULE),
    ],
)
def test_a_week_that_is_over_is_judged_to_the_minute(name: str, minutes: int, standing: WeekStanding) -> None:
    found = week([place(minutes // 2), place(minutes - minutes // 2)], at(name))
    assert (found.minutes, found.standing) == (minutes, standing)


@pytest.mark.parametrize(
    ("name", "minutes", "standing"),
    [
        ("2.1", 9 * 60 - 1, WeekStanding.RUNNING),
        ("2.1", 9 * 60, WeekStanding.MET),
        ("1.5", 60, WeekStanding.RUNNING),
        ("1.5", 9 * 60, WeekStanding.OVER),
    ],
)
def test_a_week_that_runs_is_never_short(name: str, minutes: int, standing: WeekStanding) -> None:
    assert week([place(minutes)], at(name), today=SUNDAY).standing is standing


def test_the_same_level_in_another_edition_asks_for_nothing() -> None:
    stretch = Stretch(level=level("2.1", Edition.LOCAL), first=MONDAY, last=None)
    assert week([], stretch).standing is WeekStanding.NO_RULE


def test_a_week_of_admission_discharge_or_a_move_is_shown_and_not_judged() -> None:
    tuesday = MONDAY + timedelta(days=1)
    admitted = week([], at("2.1", tuesday))
    assert (admitted.standing, admitted.level) == (WeekStanding.NOT_A_WHOLE_WEEK, level("2.1"))
    left = week([], at("2.1", last=SUNDAY - timedelta(days=1)))
    assert (left.standing, left.level) == (WeekStanding.NOT_A_WHOLE_WEEK, None)
    moved = week([], at("2.1", last=MONDAY), at("2.5", tuesday))
    assert (moved.standing, moved.level) == (WeekStanding.NOT_A_WHOLE_WEEK, level("2.5"))
    whole = week([], at("2.1", MONDAY, SUNDAY))
    assert whole.standing is WeekStanding.SHORT
    to_come = week([], at("2.1"), today=MONDAY - timedelta(days=3))
    assert to_come.standing is WeekStanding.RUNNING


def test_peer_support_and_who_was_not_there_have_no_minutes_in_it() -> None:
    found = week(
        [
            place(60),
            place(45, kind=SessionKind.PEER_SUPPORT),
            place(0, status=Status.DID_NOT_ATTEND),
            place(0, status=Status.CANCELLED_BY_PROVIDER),
        ],
        at("2.1"),
    )
    assert (found.sessions, found.minutes, found.peer_support_minutes) == (1, 60, 45)


@pytest.mark.parametrize("starts_on", list(Weekday))
def test_the_week_begins_where_the_programme_says(starts_on: Weekday) -> None:
    for days in range(14):
        day = MONDAY + timedelta(days=days)
        begin = first_of_week(day, starts_on)
        assert begin.weekday() == starts_on.number
        assert begin <= day < begin + A_WEEK


@pytest.mark.parametrize("sunday", [date(2026, 3, 8), date(2026, 11, 1)])
def test_a_session_belongs_to_the_week_of_its_local_day_also_when_the_clocks_change(sunday: date) -> None:
    """Half past eleven on the Sunday evening, and half past midnight: the week ends between them."""
    monday = sunday + timedelta(days=1)
    before = datetime(sunday.year, sunday.month, sunday.day, 23, 30, tzinfo=NEW_YORK).astimezone(UTC)
    behind = before + timedelta(hours=1)
    found = weeks_of_hours(
        [place(50, started_at=before), place(7, started_at=behind)],
        [at("2.1")],
        first=sunday,
        last=monday,
        today=AFTER,
        zone=NEW_YORK,
        starts_on=Weekday.MONDAY,
    )
    assert [(each.last, each.minutes) for each in found] == [(sunday, 50), (monday + timedelta(days=6), 7)]


PLACES = st.lists(
    st.builds(
        Place,
        kind=st.sampled_from(SessionKind),
        status=st.sampled_from(Status),
        started_at=st.datetimes(datetime(2026, 2, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001  hypothesis adds the zone
        minutes=st.integers(0, 720),
    ),
    max_size=40,
)


@given(places=PLACES, starts_on=st.sampled_from(Weekday))
def test_the_weeks_add_up_to_the_registers(places: list[Place], starts_on: Weekday) -> None:
    found = weeks_of_hours(
        places,
        [at("2.1")],
        first=date(2026, 1, 25),
        last=date(2026, 12, 8),
        today=AFTER,
        zone=NEW_YORK,
        starts_on=starts_on,
    )
    there = [each for each in places if each.status in WAS_THERE]
    counted = [each for each in there if each.kind not in NEVER_BILLABLE]
    assert sum(each.minutes for each in found) == sum(each.minutes for each in counted)
    assert sum(each.sessions for each in found) == len(counted)
    assert sum(each.minutes + each.peer_support_minutes for each in found) == sum(each.minutes for each in there)
    assert all(later.first - earlier.first == A_WEEK for earlier, later in pairwise(found))


DAY = date(2026, 1, 1)
NINETY = DAY + timedelta(days=90)


@pytest.mark.parametrize(
    ("left_on", "reason", "counted_as"),
    [
        (None, None, "retained"),
        (NINETY, DischargeReason.DROPPED_OUT, "retained"),
        (NINETY - timedelta(days=1), DischargeReason.DROPPED_OUT, "left"),
        (NINETY - timedelta(days=1), DischargeReason.COMPLETED, "completed"),
        (NINETY - timedelta(days=1), DischargeReason.DIED, "died_or_transferred"),
        (DAY, DischargeReason.TRANSFERRED, "died_or_transferred"),
        (DAY, DischargeReason.INCARCERATED, "left"),
    ],
)
def test_retention_counts_to_the_day(left_on: date | None, reason: DischargeReason | None, counted_as: str) -> None:
    stay = Stay(admitted_on=DAY, left_on=left_on, reason=reason)
    assert getattr(retention([stay], days=90, today=NINETY), counted_as) == 1
    early = retention([stay], days=90, today=NINETY - timedelta(days=1))
    expected = "died_or_transferred" if counted_as == "died_or_transferred" else "not_yet"
    assert getattr(early, expected) == 1


def test_the_rate_says_what_it_is_of() -> None:
    told = Retention(retained=1, completed=1, left=1, died_or_transferred=5, not_yet=9)
    assert (told.counted, told.rate_percent) == (3, 66)
    assert retention([], days=90, today=DAY).rate_percent is None


STAYS = st.builds(
    Stay,
    admitted_on=st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    left_on=st.none() | st.dates(date(2025, 1, 1), date(2026, 12, 31)),
    reason=st.sampled_from(DischargeReason),
)


@given(stays=st.lists(STAYS, max_size=30), days=st.integers(1, 731))
def test_every_episode_stands_in_exactly_one_count(stays: list[Stay], days: int) -> None:
    told = retention(stays, days=days, today=date(2026, 6, 1))
    assert told.counted + told.died_or_transferred + told.not_yet + told.registered_twice == len(stays)
