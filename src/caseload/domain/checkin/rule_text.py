"""Rules as RFC 5545 writes them (`FREQ=WEEKLY;INTERVAL=2;BYDAY=TU`): read into ours, and written from them.

Read is what a check-in can mean: by the day, the week on one weekday, or the month on one day of it. Everything else is
refused with what to write instead, never read as something near it. RFC 5545 leaves out a month that is too short
(section 3.3.10); a client would then be forgotten for that month, so a rule on the 29th to 31st has to say what it means:
`BYMONTHDAY=-1` for the last day, or `RSCALE=GREGORIAN;SKIP=BACKWARD` (RFC 7529, section 4) for the last day where it is
earlier.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.schedule import (
    LATEST,
    LONGEST_MONTH_DAYS,
    SHORTEST_MONTH_DAYS,
    Recurrence,
    Unit,
    Weekday,
    instant,
    occurrences,
)

FIELD: Final = "rrule"
LONGEST: Final = 200
MOST_TIMES: Final = 732
"""Of `COUNT`: two years of every day."""

_UNITS: Final = {"DAILY": Unit.DAYS, "WEEKLY": Unit.WEEKS, "MONTHLY": Unit.MONTHS}
_DAYS: Final = {day.value[:2].upper(): day for day in Weekday}
_PART: Final = re.compile(r"(?P<name>[A-Z]+)=(?P<value>[A-Z0-9,+-]+)")
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,4}")
_UNTIL: Final = re.compile(r"(?P<day>[0-9]{8})(T(?P<time>[0-9]{6})(?P<utc>Z?))?")
_KNOWN: Final = frozenset({
    "FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "COUNT", "UNTIL", "WKST", "RSCALE", "SKIP",
})  # fmt: skip
_NO_UNTIL: Final = "UNTIL must be a day (20271231), a local time (20271231T090000) or one in UTC (20271231T090000Z)"
_INSTEAD: Final = {
    "SECONDLY": "a check-in is at most once a day: write FREQ=DAILY, WEEKLY or MONTHLY",
    "MINUTELY": "a check-in is at most once a day: write FREQ=DAILY, WEEKLY or MONTHLY",
    "HOURLY": "a check-in is at most once a day: write FREQ=DAILY, WEEKLY or MONTHLY",
    "YEARLY": "write FREQ=MONTHLY;INTERVAL=12",
}


def read_rule(text: str, *, starts_on: date, at: time, zone: ZoneInfo) -> Recurrence:
    """The rule that a text says, from a day on at a local time. Raises `Invalid` with everything that is wrong in it.

    Without `BYDAY` or `BYMONTHDAY` the first day says which it is, as the standard has it.
    """
    parts = _parts(text)
    faults = Faults()
    unit = _unit(parts, faults)
    every = _number(parts, "INTERVAL", faults, otherwise=1)
    weekday = _weekday(parts, unit, starts_on, faults)
    month_day = _month_day(parts, unit, starts_on, faults)
    count = _number(parts, "COUNT", faults, otherwise=0)
    faults.check(when="COUNT" in parts and "UNTIL" in parts, where=FIELD, problem="COUNT and UNTIL exclude each other")
    faults.check(
        when="COUNT" in parts and not 1 <= count <= MOST_TIMES,
        where=FIELD,
        problem=f"COUNT must be from 1 to {MOST_TIMES}; leave it out for a rule that goes on until it is stopped",
    )
    ends_on = _until(parts, at, zone, faults)
    faults.raise_if_any()
    try:
        rule = Recurrence(
            every=every, unit=unit, weekday=weekday, month_day=month_day, at=at, starts_on=starts_on, ends_on=ends_on
        )
    except Invalid as error:
        raise Invalid([_in_text(fault) for fault in error.faults]) from error
    return rule if not count else _so_often(rule, count, zone)


def rule_text(rule: Recurrence, zone: ZoneInfo) -> str:
    """The rule as RFC 5545 writes it, for a `DTSTART` on its first day at its local time in that zone."""
    parts = [f"FREQ={next(name for name, unit in _UNITS.items() if unit is rule.unit)}"]
    if rule.every > 1:
        parts.append(f"INTERVAL={rule.every}")
    if rule.weekday is not None:
        parts.append(f"BYDAY={rule.weekday.value[:2].upper()}")
    if rule.month_day is not None:
        parts.append(f"BYMONTHDAY={-1 if rule.month_day == LONGEST_MONTH_DAYS else rule.month_day}")
        if SHORTEST_MONTH_DAYS < rule.month_day < LONGEST_MONTH_DAYS:
            parts = ["RSCALE=GREGORIAN", *parts, "SKIP=BACKWARD"]
    if rule.ends_on is not None:
        # Where DTSTART has a zone, UNTIL is in UTC (section 3.3.10).
        parts.append(f"UNTIL={instant(datetime.combine(rule.ends_on, rule.at), zone):%Y%m%dT%H%M%SZ}")
    return ";".join(parts)


def _parts(text: str) -> Mapping[str, str]:
    """Names and values, each name once."""
    written = text.strip().upper().removeprefix("RRULE:")
    if not written or len(written) > LONGEST:
        raise Invalid(Fault(FIELD, f"must have from 1 to {LONGEST} characters, such as FREQ=WEEKLY;BYDAY=TU"))
    found: dict[str, str] = {}
    faults = Faults()
    for part in written.split(";"):
        match = _PART.fullmatch(part)
        if match is None:
            faults.add(FIELD, "must be parts such as FREQ=WEEKLY with semicolons between them")
        elif match["name"] not in _KNOWN:
            known = "FREQ, INTERVAL, BYDAY, BYMONTHDAY, COUNT and UNTIL"
            faults.add(FIELD, f"{match['name']} cannot be read here; a check-in is said with {known}")
        elif match["name"] in found:
            faults.add(FIELD, f"{match['name']} stands in it twice")
        else:
            found[match["name"]] = match["value"]
    faults.raise_if_any()
    return found


def _unit(parts: Mapping[str, str], faults: Faults) -> Unit:
    frequency = parts.get("FREQ", "")
    if frequency not in _UNITS:
        faults.add(FIELD, f"FREQ: {_INSTEAD.get(frequency, 'must be DAILY, WEEKLY or MONTHLY')}")
    if parts.get("RSCALE", "GREGORIAN") != "GREGORIAN":
        faults.add(FIELD, "RSCALE must be GREGORIAN")
    if parts.get("SKIP", "BACKWARD") != "BACKWARD" or ("SKIP" in parts and "RSCALE" not in parts):
        faults.add(FIELD, "SKIP must be BACKWARD and stand with RSCALE=GREGORIAN, so that no month is left out")
    return _UNITS.get(frequency, Unit.DAYS)


def _number(parts: Mapping[str, str], name: str, faults: Faults, *, otherwise: int) -> int:
    value = parts.get(name)
    if value is None:
        return otherwise
    if _NUMBER.fullmatch(value) is None:
        faults.add(FIELD, f"{name} must be one number of at most four digits")
        return otherwise
    return int(value)


def _weekday(parts: Mapping[str, str], unit: Unit, starts_on: date, faults: Faults) -> Weekday | None:
    value = parts.get("BYDAY")
    if unit is not Unit.WEEKS:
        faults.check(
            when=value is not None,
            where=FIELD,
            problem="BYDAY is for FREQ=WEEKLY; make one weekly plan for each weekday that you mean",
        )
        return None
    if value is None:
        return tuple(Weekday)[starts_on.weekday()]
    if value not in _DAYS:
        faults.add(FIELD, f"BYDAY must be one of {', '.join(_DAYS)}; make one plan for each weekday that you mean")
    return _DAYS.get(value, Weekday.MONDAY)


def _month_day(parts: Mapping[str, str], unit: Unit, starts_on: date, faults: Faults) -> int | None:
    if unit is not Unit.MONTHS:
        faults.check(when="BYMONTHDAY" in parts, where=FIELD, problem="BYMONTHDAY is for FREQ=MONTHLY")
        return None
    day = _number(parts, "BYMONTHDAY", faults, otherwise=starts_on.day)
    if day == -1:
        return LONGEST_MONTH_DAYS
    if day > SHORTEST_MONTH_DAYS and "SKIP" not in parts:
        faults.add(
            FIELD,
            f"not every month has a day {day}, and RFC 5545 leaves out those that do not: write BYMONTHDAY=-1 for the "
            "last day of the month, or add RSCALE=GREGORIAN;SKIP=BACKWARD for the last day where it comes earlier",
        )
    if not 1 <= day <= LONGEST_MONTH_DAYS:
        faults.add(FIELD, f"BYMONTHDAY must be -1 or from 1 to {LONGEST_MONTH_DAYS}")
        return 1
    return day


def _until(parts: Mapping[str, str], at: time, zone: ZoneInfo, faults: Faults) -> date | None:
    """The last local day that `UNTIL` allows: a day, a local time, or an instant in UTC."""
    value = parts.get("UNTIL")
    if value is None:
        return None
    match = _UNTIL.fullmatch(value)
    if match is None:
        faults.add(FIELD, _NO_UNTIL)
        return None
    try:
        moment = datetime.strptime(match["day"] + (match["time"] or "235959"), "%Y%m%d%H%M%S")  # noqa: DTZ007  local, or made aware below
    except ValueError:
        faults.add(FIELD, _NO_UNTIL)
        return None
    if match["utc"]:
        moment = moment.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)
    return moment.date() if moment.time() >= at else moment.date() - timedelta(days=1)


def _so_often(rule: Recurrence, count: int, zone: ZoneInfo) -> Recurrence:
    """The same rule, ending with its `count`-th day."""
    days = [one.on for one in islice(occurrences(rule, zone, first=rule.starts_on, last=LATEST), count)]
    return Recurrence(
        every=rule.every,
        unit=rule.unit,
        weekday=rule.weekday,
        month_day=rule.month_day,
        at=rule.at,
        starts_on=rule.starts_on,
        ends_on=days[-1],
    )


def _in_text(fault: Fault) -> Fault:
    """A fault of what the text said, named where it was said."""
    named = {"every": "INTERVAL", "ends_on": "UNTIL"}.get(fault.field)
    return fault if named is None else Fault(FIELD, f"{named} {fault.problem}")
