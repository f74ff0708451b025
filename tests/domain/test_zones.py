"""A zone that was another one before: each moment by the clocks of its time, and each day once."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from caseload.domain.schedule import instant, local_day, start_of_day
from caseload.domain.zones import (
    MovedZone,
    can_give_way,
    is_same_day,
    is_steady,
    possible_from,
    same_wall_clock,
    zone_by_zone,
    zone_of,
    zone_then,
)

NAMES = (
    "America/New_York",
    "America/Los_Angeles",
    "America/Phoenix",
    "Europe/London",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Niue",
)
NEW_YORK, LOS_ANGELES, LONDON = (
    ZoneInfo(name) for name in ("America/New_York", "America/Los_Angeles", "Europe/London")
)
NOON = datetime(2026, 6, 10, 16, tzinfo=UTC)
"""Wednesday 10 June 2026, 12:00 in New York and 09:00 in Los Angeles."""
HOUR, A_DAY = timedelta(hours=1), timedelta(days=1)


def west() -> MovedZone:
    return MovedZone.of([NEW_YORK, LOS_ANGELES], [NOON])


@st.composite
def moved(draw: st.DrawFn) -> MovedZone:
    """Up to three moves, each at a moment at which it can be; the year has both clock changes in it."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + draw(st.integers(0, 300 * 24 * 60)) * timedelta(minutes=1)
    zones, moments = [ZoneInfo(draw(st.sampled_from(NAMES)))], list[datetime]()
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)):
        to = ZoneInfo(name)
        here = MovedZone.of(zones, moments) if moments else zones[0]
        at = now if can_give_way(now, here, to) else possible_from(now, here, to)
        if at is None or name == here.key:
            continue
        zones, moments = [*zones, to], [*moments, at]
        now = at + draw(st.integers(0, 100)) * HOUR
    assume(moments)
    return MovedZone.of(zones, moments)


@st.composite
def around(draw: st.DrawFn, zone: MovedZone) -> datetime:
    moment = draw(st.sampled_from(list(zone.moments)))
    return moment.replace(tzinfo=UTC) + timedelta(minutes=draw(st.integers(-60 * 80, 60 * 80)))


@given(st.data())
def test_every_moment_has_the_clock_of_its_time_and_that_clock_means_the_moment(data: st.DataObject) -> None:
    zone = data.draw(moved())
    moment = data.draw(around(zone))
    local, then = moment.astimezone(zone), moment.astimezone(zone_then(zone, moment))
    assert local.replace(tzinfo=None, fold=0) == then.replace(tzinfo=None, fold=0)
    assert (local.utcoffset(), local.dst(), local.tzname()) == (then.utcoffset(), then.dst(), then.tzname())
    assert local.astimezone(UTC) == moment


@given(moved(), st.integers(-5, 5))
def test_every_day_begins_once_and_none_is_left_out(zone: MovedZone, away: int) -> None:
    day = local_day(zone.moments[0].replace(tzinfo=UTC), zone) + away * A_DAY
    begins = start_of_day(day, zone)
    assert local_day(begins, zone) == day
    assert local_day(begins - timedelta(microseconds=1), zone) == day - A_DAY
    assert begins < start_of_day(day + A_DAY, zone)


def test_what_was_before_the_move_keeps_its_day_and_what_is_after_has_that_of_the_new_zone() -> None:
    zone = west()
    late = datetime(2026, 6, 10, 3, 30, tzinfo=UTC)
    assert (local_day(late, zone), local_day(late, LOS_ANGELES)) == (date(2026, 6, 9), date(2026, 6, 9))
    night = datetime(2026, 6, 10, 5, tzinfo=UTC)
    assert (local_day(night, zone), local_day(night, LOS_ANGELES)) == (date(2026, 6, 10), date(2026, 6, 9))
    after = night + A_DAY
    assert (local_day(after, zone), local_day(after, NEW_YORK)) == (date(2026, 6, 10), date(2026, 6, 11))


def test_hours_that_come_twice_mean_the_first_time_and_hours_that_are_skipped_the_clock_before() -> None:
    ten = datetime(2026, 6, 10, 10, tzinfo=UTC).replace(tzinfo=None)
    assert instant(ten, west()) == NOON - 2 * HOUR
    assert ten.replace(fold=1, tzinfo=west()).astimezone(UTC) == NOON + HOUR
    assert (NOON + HOUR).astimezone(west()).fold == 1
    east = MovedZone.of([LOS_ANGELES, NEW_YORK], [NOON])
    assert instant(ten, east) == NOON + HOUR
    assert instant(ten, east).astimezone(east).hour == 13


def test_nothing_is_said_of_no_moment() -> None:
    assert [west().utcoffset(None), west().dst(None), west().tzname(None)] == [None, None, None]


def test_a_programmes_record_names_its_zones_and_one_that_never_moved_is_a_zone_like_any() -> None:
    zone = zone_of("America/New_York 2026-06-10T16:00:00.000000+00:00 America/Los_Angeles")
    assert isinstance(zone, MovedZone)
    assert (zone.key, [each.key for each, _, _ in zone_by_zone(zone)]) == (
        "America/Los_Angeles",
        ["America/New_York", "America/Los_Angeles"],
    )
    assert next(until for *_, until in zone_by_zone(zone)) == NOON
    assert zone_of("Europe/London") is LONDON
    assert [(each, since < NOON < until) for each, since, until in zone_by_zone(LONDON)] == [(LONDON, True)]
    assert (zone_then(zone, NOON - HOUR), zone_then(zone, NOON), zone_then(LONDON, NOON)) == (
        NEW_YORK,
        LOS_ANGELES,
        LONDON,
    )


def test_it_gives_way_when_both_have_the_same_day_and_no_clock_changes_near() -> None:
    assert can_give_way(NOON, NEW_YORK, LOS_ANGELES)
    night = datetime(2026, 6, 10, 5, tzinfo=UTC)
    assert not is_same_day(night, NEW_YORK, LOS_ANGELES)
    assert possible_from(night, NEW_YORK, LOS_ANGELES) == datetime(2026, 6, 10, 7, tzinfo=UTC)
    change = datetime(2026, 11, 1, 6, tzinfo=UTC)
    assert is_steady(change - 27 * HOUR, NEW_YORK)
    assert not is_steady(change - 26 * HOUR, NEW_YORK)
    assert not is_steady(change + 25 * HOUR, NEW_YORK)
    assert is_steady(change + 26 * HOUR, NEW_YORK)
    assert not can_give_way(change, NEW_YORK, LOS_ANGELES)
    assert not can_give_way(change, ZoneInfo("America/Bogota"), NEW_YORK)
    assert not can_give_way(NOON + HOUR, west(), NEW_YORK)
    assert can_give_way(NOON + 27 * HOUR, west(), NEW_YORK)


def test_zones_a_day_apart_never_give_way_to_each_other() -> None:
    assert possible_from(NOON, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Honolulu")) is None


def test_the_same_wall_clock_is_the_first_of_two() -> None:
    nine = datetime(2026, 6, 11, 13, tzinfo=UTC)
    assert same_wall_clock(nine, NEW_YORK, LOS_ANGELES) == datetime(2026, 6, 11, 16, tzinfo=UTC)
    twice = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert same_wall_clock(twice, ZoneInfo("America/Bogota"), NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
