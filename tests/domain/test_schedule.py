"""Wall-clock rules: months of every length, both clock changes, and zones that skip an hour or a day."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.errors import Invalid
from caseload.domain.schedule import (
    LATEST,
    MOST,
    Recurrence,
    Unit,
    Weekday,
    instant,
    local_day,
    local_days_later,
    occurrences,
    one_interval_later,
    start_of_day,
)

NEW_YORK = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
SYDNEY = ZoneInfo("Australia/Sydney")
ZONES = (NEW_YORK, LONDON, SYDNEY, ZoneInfo("Australia/Lord_Howe"), ZoneInfo("America/Sao_Paulo"), ZoneInfo("UTC"))


def daily(
    *, every: int = 1, starts_on: date = date(2026, 1, 1), at: time = time(9), ends_on: date | None = None
) -> Recurrence:
    return Recurrence(every=every, unit=Unit.DAYS, at=at, starts_on=starts_on, ends_on=ends_on)


def weekly(
    *, every: int = 1, weekday: Weekday = Weekday.MONDAY, starts_on: date = date(2026, 1, 1), at: time = time(9)
) -> Recurrence:
    return Recurrence(every=every, unit=Unit.WEEKS, weekday=weekday, at=at, starts_on=starts_on)


def monthly(
    *, every: int = 1, month_day: int = 31, starts_on: date = date(2026, 1, 1), at: time = time(9)
) -> Recurrence:
    return Recurrence(every=every, unit=Unit.MONTHS, month_day=month_day, at=at, starts_on=starts_on)


def days(rule: Recurrence, first: date, last: date, zone: ZoneInfo = NEW_YORK) -> list[date]:
    return [occurrence.on for occurrence in occurrences(rule, zone, first=first, last=last)]


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_a_weekly_rule_starts_on_the_first_such_weekday_and_counts_from_it() -> None:
    fortnightly = weekly(every=2, weekday=Weekday.TUESDAY, starts_on=date(2026, 6, 4))

    assert days(fortnightly, date(2026, 6, 1), date(2026, 7, 10)) == [
        date(2026, 6, 9),
        date(2026, 6, 23),
        date(2026, 7, 7),
    ]


def test_a_weekly_rule_that_starts_on_its_weekday_starts_that_day() -> None:
    assert days(weekly(starts_on=date(2026, 6, 1)), date(2026, 6, 1), date(2026, 6, 8)) == [
        date(2026, 6, 1),
        date(2026, 6, 8),
    ]


@pytest.mark.parametrize("weekday", Weekday)
def test_every_weekday_falls_on_itself(weekday: Weekday) -> None:
    (only,) = days(weekly(weekday=weekday, starts_on=date(2026, 6, 1)), date(2026, 6, 1), date(2026, 6, 7))

    assert only.weekday() == weekday.number


def test_the_31st_means_the_last_day_of_a_shorter_month() -> None:
    assert days(monthly(month_day=31), date(2026, 1, 1), date(2026, 6, 30)) == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
        date(2026, 5, 31),
        date(2026, 6, 30),
    ]


def test_the_30th_falls_on_the_29th_in_a_leap_february_and_stays_the_30th_in_march() -> None:
    assert days(monthly(month_day=30, starts_on=date(2028, 1, 1)), date(2028, 2, 1), date(2028, 3, 31)) == [
        date(2028, 2, 29),
        date(2028, 3, 30),
    ]


def test_a_rule_for_the_29th_of_february_every_year_survives_the_years_without_one() -> None:
    yearly = monthly(every=12, month_day=29, starts_on=date(2028, 2, 29))

    assert days(yearly, date(2028, 1, 1), date(2032, 12, 31)) == [
        date(2028, 2, 29),
        date(2029, 2, 28),
        date(2030, 2, 28),
        date(2031, 2, 28),
        date(2032, 2, 29),
    ]


def test_a_monthly_rule_whose_day_has_passed_starts_next_month_and_counts_from_there() -> None:
    quarterly = monthly(every=3, month_day=15, starts_on=date(2026, 1, 20))

    assert days(quarterly, date(2026, 1, 1), date(2026, 8, 31)) == [
        date(2026, 2, 15),
        date(2026, 5, 15),
        date(2026, 8, 15),
    ]


def test_a_monthly_rule_that_starts_on_a_clamped_last_day_starts_that_day() -> None:
    assert days(monthly(month_day=31, starts_on=date(2026, 2, 28)), date(2026, 2, 1), date(2026, 3, 31)) == [
        date(2026, 2, 28),
        date(2026, 3, 31),
    ]


def test_a_rule_ends_with_its_last_day() -> None:
    rule = daily(every=2, starts_on=date(2026, 1, 1), ends_on=date(2026, 1, 5))

    assert days(rule, date(2026, 1, 1), date(2026, 12, 31)) == [date(2026, 1, 1), date(2026, 1, 3), date(2026, 1, 5)]


def test_the_interval_is_counted_from_the_start_of_the_rule_and_not_of_the_window() -> None:
    assert days(daily(every=3, starts_on=date(2026, 1, 1)), date(2026, 1, 3), date(2026, 1, 9)) == [
        date(2026, 1, 4),
        date(2026, 1, 7),
    ]


def test_nine_in_the_morning_stays_nine_when_the_clocks_go_back() -> None:
    before, after = occurrences(daily(), NEW_YORK, first=date(2026, 10, 31), last=date(2026, 11, 1))

    assert (before.due_at, after.due_at) == (utc(2026, 10, 31, 13), utc(2026, 11, 1, 14))
    assert before.shifted == after.shifted == timedelta()


def test_half_past_two_on_the_day_it_does_not_exist_is_half_past_three_and_says_so() -> None:
    (only,) = occurrences(daily(at=time(2, 30)), NEW_YORK, first=date(2026, 3, 8), last=date(2026, 3, 8))

    assert only.on == date(2026, 3, 8)
    assert only.due_at == utc(2026, 3, 8, 7, 30)
    assert only.due_at.astimezone(NEW_YORK).time() == time(3, 30)
    assert only.shifted == timedelta(hours=1)


def test_half_past_one_on_the_day_it_comes_twice_is_the_first() -> None:
    (only,) = occurrences(daily(at=time(1, 30)), NEW_YORK, first=date(2026, 11, 1), last=date(2026, 11, 1))

    assert only.due_at == utc(2026, 11, 1, 5, 30)
    assert only.shifted == timedelta()


def test_a_day_that_a_zone_skipped_makes_no_second_occurrence_at_the_same_instant() -> None:
    found = list(
        occurrences(
            daily(starts_on=date(2011, 12, 1)),
            ZoneInfo("Pacific/Apia"),
            first=date(2011, 12, 29),
            last=date(2011, 12, 31),
        )
    )

    assert [occurrence.on for occurrence in found] == [date(2011, 12, 29), date(2011, 12, 30)]
    assert found[1].shifted == timedelta(days=1)


def test_days_later_keep_the_wall_clock_across_a_short_and_a_long_day() -> None:
    assert local_days_later(utc(2026, 3, 7, 14), 1, NEW_YORK) == utc(2026, 3, 8, 13)
    assert local_days_later(utc(2026, 10, 31, 13), 1, NEW_YORK) == utc(2026, 11, 1, 14)
    assert local_days_later(utc(2026, 11, 1, 14), -1, NEW_YORK) == utc(2026, 10, 31, 13)


def test_no_days_later_is_the_same_moment_also_in_the_second_of_two_equal_hours() -> None:
    second_half_past_one = utc(2026, 11, 1, 6, 30)

    assert local_days_later(second_half_past_one, 0, NEW_YORK) == second_half_past_one


def test_one_interval_after_the_31st_of_january_is_the_last_of_february() -> None:
    assert one_interval_later(monthly(), utc(2026, 1, 31, 14), NEW_YORK) == utc(2026, 2, 28, 14)
    assert one_interval_later(weekly(every=2), utc(2026, 3, 2, 14), NEW_YORK) == utc(2026, 3, 16, 13)
    assert one_interval_later(daily(every=3), utc(2026, 6, 1, 13), NEW_YORK) == utc(2026, 6, 4, 13)


def test_a_day_begins_at_the_first_moment_it_has() -> None:
    assert start_of_day(date(2026, 6, 1), NEW_YORK) == utc(2026, 6, 1, 4)
    # Sao Paulo put its clocks forward at midnight: 4 November 2018 began at one o'clock.
    assert start_of_day(date(2018, 11, 4), ZoneInfo("America/Sao_Paulo")) == utc(2018, 11, 4, 3)
    assert local_day(utc(2018, 11, 4, 3), ZoneInfo("America/Sao_Paulo")) == date(2018, 11, 4)


def test_every_fault_of_a_rule_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        Recurrence(
            every=0,
            unit=Unit.DAYS,
            at=time(9, 0, 30),
            starts_on=date(1025, 1, 1),
            weekday=Weekday.MONDAY,
            month_day=32,
            ends_on=date(1024, 1, 1),
        )

    assert [fault.field for fault in refused.value.faults] == [
        "every",
        "at",
        "starts_on",
        "ends_on",
        "weekday",
        "month_day",
        "month_day",
    ]


@pytest.mark.parametrize(
    ("unit", "weekday", "month_day", "field"),
    [
        (Unit.WEEKS, None, None, "weekday"),
        (Unit.WEEKS, Weekday.MONDAY, 1, "month_day"),
        (Unit.MONTHS, None, None, "month_day"),
        (Unit.MONTHS, None, 0, "month_day"),
        (Unit.MONTHS, Weekday.MONDAY, 1, "weekday"),
    ],
)
def test_weeks_need_a_weekday_and_months_a_day(
    unit: Unit, weekday: Weekday | None, month_day: int | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        Recurrence(every=1, unit=unit, at=time(9), starts_on=date(2026, 1, 1), weekday=weekday, month_day=month_day)

    assert [fault.field for fault in refused.value.faults] == [field]


@pytest.mark.parametrize("unit", Unit)
def test_an_interval_is_a_year_at_most(unit: Unit) -> None:
    weekday = Weekday.MONDAY if unit is Unit.WEEKS else None
    month_day = 1 if unit is Unit.MONTHS else None

    def rule(every: int) -> Recurrence:
        return Recurrence(
            every=every, unit=unit, at=time(9), starts_on=date(2026, 1, 1), weekday=weekday, month_day=month_day
        )

    assert rule(MOST[unit]).every == MOST[unit]
    with pytest.raises(Invalid, match="every"):
        rule(MOST[unit] + 1)


def test_a_local_time_has_no_zone_of_its_own() -> None:
    with pytest.raises(Invalid, match="at: must be a local time"):
        daily(at=time(9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (daily(), "every day at 09:00"),
        (daily(every=3, at=time(14, 30)), "every 3 days at 14:30"),
        (weekly(), "every week on Monday at 09:00"),
        (weekly(every=2, weekday=Weekday.TUESDAY), "every 2 weeks on Tuesday at 09:00"),
        (monthly(every=3, month_day=15), "every 3 months on day 15 at 09:00"),
    ],
)
def test_a_rule_can_be_said_in_words(rule: Recurrence, words: str) -> None:
    assert rule.words == words


@pytest.mark.parametrize(
    ("rule", "interval_days"), [(daily(every=3), 3), (weekly(every=2), 14), (monthly(), 28), (monthly(every=3), 84)]
)
def test_the_shortest_interval_of_a_rule_is_told_in_days(rule: Recurrence, interval_days: int) -> None:
    assert rule.interval_days == interval_days


def test_a_rule_on_the_last_day_there_is_still_ends() -> None:
    assert days(daily(starts_on=LATEST, ends_on=LATEST), LATEST, date.max) == [LATEST]


@st.composite
def rules(draw: st.DrawFn) -> Recurrence:
    unit = draw(st.sampled_from(Unit))
    return Recurrence(
        every=min(draw(st.integers(1, 40)), MOST[unit]),
        unit=unit,
        at=time(draw(st.integers(0, 23)), draw(st.sampled_from([0, 15, 30, 59]))),
        starts_on=date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 400))),
        weekday=draw(st.sampled_from(Weekday)) if unit is Unit.WEEKS else None,
        month_day=draw(st.integers(1, 31)) if unit is Unit.MONTHS else None,
    )


@given(rule=rules(), zone=st.sampled_from(ZONES), first=st.integers(0, 450), length=st.integers(0, 100))
def test_occurrences_are_in_order_on_their_day_and_at_their_wall_clock_time(
    rule: Recurrence, zone: ZoneInfo, first: int, length: int
) -> None:
    start = date(2026, 1, 1) + timedelta(days=first)
    found = list(occurrences(rule, zone, first=start, last=start + timedelta(days=length)))

    assert all(start <= one.on <= start + timedelta(days=length) for one in found)
    assert all(one.on >= rule.starts_on for one in found)
    assert all(earlier.due_at < later.due_at for earlier, later in pairwise(found))
    for one in found:
        wall = one.due_at.astimezone(zone).replace(tzinfo=None)
        assert wall - one.shifted == datetime.combine(one.on, rule.at)
        assert timedelta() <= one.shifted <= timedelta(hours=1)


@given(rule=rules(), zone=st.sampled_from(ZONES), split=st.integers(0, 100))
def test_two_windows_side_by_side_hold_what_one_holds(rule: Recurrence, zone: ZoneInfo, split: int) -> None:
    first, last = rule.starts_on, rule.starts_on + timedelta(days=100)
    middle = first + timedelta(days=split)

    whole = list(occurrences(rule, zone, first=first, last=last))
    parts = [
        *occurrences(rule, zone, first=first, last=middle),
        *occurrences(rule, zone, first=middle + timedelta(days=1), last=last),
    ]

    assert parts == whole


@given(
    wall=st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2030, 1, 1)),  # noqa: DTZ001 - a wall clock
    zone=st.sampled_from(ZONES),
    later=st.integers(1, 60),
)
def test_a_later_day_is_later_by_about_that_many_days(wall: datetime, zone: ZoneInfo, later: int) -> None:
    moment = instant(wall, zone)
    moved = local_days_later(moment, later, zone)

    assert abs(moved - moment - timedelta(days=later)) <= timedelta(hours=1)
