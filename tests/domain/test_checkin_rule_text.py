"""RFC 5545 in and out: what is read means the same to everybody, and what is not is refused with what to write."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given
from hypothesis import strategies as st

from caseload.domain.checkin.rule_text import MOST_TIMES, read_rule, rule_text
from caseload.domain.errors import Invalid
from caseload.domain.schedule import MOST, Recurrence, Unit, Weekday, occurrences

LONDON, NEW_YORK, KIRITIMATI = ZoneInfo("Europe/London"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Kiritimati")
TUESDAY = date(2026, 12, 1)


def read(text: str, *, starts_on: date = TUESDAY, at: time = time(9), zone: ZoneInfo = LONDON) -> Recurrence:
    return read_rule(text, starts_on=starts_on, at=at, zone=zone)


def days(rule: Recurrence, number: int) -> list[date]:
    last = rule.starts_on + timedelta(days=5000)
    return [one.on for one in occurrences(rule, LONDON, first=rule.starts_on, last=last)][:number]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=DAILY", "every day at 09:00"),
        ("RRULE:FREQ=DAILY;INTERVAL=3", "every 3 days at 09:00"),
        ("freq=weekly", "every week on Tuesday at 09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TH;WKST=SU", "every 2 weeks on Thursday at 09:00"),
        ("FREQ=MONTHLY", "every month on day 1 at 09:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=28", "every month on day 28 at 09:00"),
        ("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1", "every 3 months on day 31 at 09:00"),
        ("RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=30;SKIP=BACKWARD", "every month on day 30 at 09:00"),
    ],
)
def test_what_a_check_in_can_mean_is_read(text: str, words: str) -> None:
    assert read(text).words == words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FREQ=SECONDLY", "a check-in is at most once a day: write FREQ=DAILY, WEEKLY or MONTHLY"),
        ("FREQ=HOURLY;COUNT=3", "a check-in is at most once a day"),
        ("FREQ=MINUTELY", "a check-in is at most once a day"),
        ("FREQ=YEARLY", "write FREQ=MONTHLY;INTERVAL=12"),
        ("INTERVAL=2", "must be DAILY, WEEKLY or MONTHLY"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be from 1 to 366 days"),
        ("FREQ=DAILY;INTERVAL=367", "INTERVAL must be from 1 to 366 days"),
        ("FREQ=DAILY;INTERVAL=many", "INTERVAL must be one number"),
        (f"FREQ=DAILY;COUNT={MOST_TIMES + 1}", f"COUNT must be from 1 to {MOST_TIMES}; leave it out"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be from 1"),
        ("FREQ=DAILY;COUNT=99999", "COUNT must be one number of at most four digits"),
        ("FREQ=DAILY;COUNT=2;UNTIL=20270101", "COUNT and UNTIL exclude each other"),
        ("FREQ=DAILY;UNTIL=20261130", "UNTIL must be from starts_on"),
        ("FREQ=DAILY;UNTIL=20270230", "UNTIL must be a day"),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL must be a day"),
        ("FREQ=WEEKLY;BYDAY=MO,TU", "make one plan for each weekday"),
        ("FREQ=WEEKLY;BYDAY=1TU", "BYDAY must be one of MO"),
        ("FREQ=DAILY;BYDAY=MO", "BYDAY is for FREQ=WEEKLY; make one weekly plan"),
        ("FREQ=DAILY;BYMONTHDAY=1", "BYMONTHDAY is for FREQ=MONTHLY"),
        ("FREQ=MONTHLY;BYMONTHDAY=31", "RFC 5545 leaves out those that do not: write BYMONTHDAY=-1"),
        ("FREQ=MONTHLY;BYMONTHDAY=29", "not every month has a day 29"),
        ("RSCALE=GREGORIAN;SKIP=BACKWARD;FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY must be -1 or from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be -1"),
        ("FREQ=MONTHLY;BYMONTHDAY=-2", "BYMONTHDAY must be -1"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS cannot be read here"),
        ("FREQ=DAILY;BYHOUR=9", "BYHOUR cannot be read here"),
        ("RSCALE=HEBREW;FREQ=MONTHLY", "RSCALE must be GREGORIAN"),
        ("RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=FORWARD", "SKIP must be BACKWARD"),
        ("FREQ=MONTHLY;SKIP=BACKWARD", "stand with RSCALE=GREGORIAN"),
        ("FREQ=DAILY;FREQ=WEEKLY", "FREQ stands in it twice"),
        ("FREQ", "semicolons between them"),
        ("", "must have from 1 to 200 characters"),
        ("FREQ=DAILY;" + "X" * 200, "must have from 1 to 200 characters"),
    ],
)
def test_everything_else_is_refused_with_what_to_write(text: str, said: str) -> None:
    with pytest.raises(Invalid) as refused:
        read(text)
    assert {fault.field for fault in refused.value.faults} == {"rrule"}
    assert said in refused.value.detail or said in str(refused.value)


def test_a_fault_that_the_text_did_not_make_keeps_its_place() -> None:
    with pytest.raises(Invalid) as refused:
        read("FREQ=DAILY", starts_on=date(1999, 12, 31))
    assert [fault.field for fault in refused.value.faults] == ["starts_on"]


def test_a_month_that_starts_on_the_31st_has_to_say_what_a_shorter_one_means() -> None:
    last_of_january = date(2027, 1, 31)
    with pytest.raises(Invalid, match="not every month has a day 31"):
        read("FREQ=MONTHLY", starts_on=last_of_january)
    for text in ("FREQ=MONTHLY;BYMONTHDAY=-1", "RSCALE=GREGORIAN;FREQ=MONTHLY;SKIP=BACKWARD"):
        rule = read(text, starts_on=last_of_january)
        assert days(rule, 4) == [last_of_january, date(2027, 2, 28), date(2027, 3, 31), date(2027, 4, 30)]
    thirtieth = read("RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=30;SKIP=BACKWARD", starts_on=last_of_january)
    assert days(thirtieth, 3) == [date(2027, 2, 28), date(2027, 3, 30), date(2027, 4, 30)]
    assert rule_text(thirtieth, LONDON) == "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=30;SKIP=BACKWARD"


@pytest.mark.parametrize(("count", "last"), [(1, TUESDAY), (2, date(2026, 12, 15)), (3, date(2026, 12, 29))])
def test_a_count_ends_with_that_many(count: int, last: date) -> None:
    rule = read(f"FREQ=WEEKLY;INTERVAL=2;COUNT={count}")
    assert rule.ends_on == last
    assert len(days(rule, 99)) == count


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20261231", date(2026, 12, 31)),
        ("20261231T085959", date(2026, 12, 30)),
        ("20261231T090000", date(2026, 12, 31)),
        ("20261231T090000Z", date(2026, 12, 31)),
        ("20261231T085959Z", date(2026, 12, 30)),
    ],
)
def test_until_is_the_last_local_time_that_may_be(until: str, last: date) -> None:
    assert read(f"FREQ=DAILY;UNTIL={until}").ends_on == last


def test_until_in_utc_is_read_in_the_zone_of_the_programme() -> None:
    assert read("FREQ=DAILY;UNTIL=20261231T010000Z", zone=NEW_YORK).ends_on == date(2026, 12, 30)
    assert read("FREQ=DAILY;UNTIL=20261231T230000Z", zone=KIRITIMATI).ends_on == date(2027, 1, 1)


@st.composite
def rules(draw: st.DrawFn) -> Recurrence:
    unit = draw(st.sampled_from(Unit))
    starts_on = draw(st.dates(date(2024, 1, 1), date(2030, 1, 1)))
    return Recurrence(
        every=draw(st.integers(1, MOST[unit])),
        unit=unit,
        at=draw(st.times().map(lambda at: at.replace(second=0, microsecond=0))),
        starts_on=starts_on,
        weekday=draw(st.sampled_from(Weekday)) if unit is Unit.WEEKS else None,
        month_day=draw(st.integers(1, 31)) if unit is Unit.MONTHS else None,
        ends_on=draw(st.none() | st.integers(0, 900).map(lambda days: starts_on + timedelta(days=days))),
    )


@given(rule=rules(), zone=st.sampled_from([LONDON, NEW_YORK, KIRITIMATI]))
def test_what_is_written_is_read_as_the_same_rule(rule: Recurrence, zone: ZoneInfo) -> None:
    text = rule_text(rule, zone)
    # Where the clocks go forward at that very time, the last local time does not exist and is read an hour later.
    again = read_rule(text, starts_on=rule.starts_on, at=rule.at, zone=zone)
    assert again == rule


@given(rule=rules())
def test_what_is_written_means_the_same_to_another_reader(rule: Recurrence) -> None:
    """dateutil reads RFC 5545 and not RFC 7529, so without days that shorter months do not have."""
    text = rule_text(rule, ZoneInfo("UTC"))
    found = [one.on for one in occurrences(rule, ZoneInfo("UTC"), first=rule.starts_on, last=date(2031, 1, 1))]
    if "SKIP" in text or not found:
        return
    begin = datetime.combine(found[0], rule.at, UTC)
    theirs = rrulestr(text, dtstart=begin).between(begin, datetime(2031, 1, 1, 23, 59, tzinfo=UTC), inc=True)
    assert [each.date() for each in theirs] == found
