"""Phases of a plan: how often at first, how often later, each from a day to a day.

What a programme's profile suggests is a product convention (there is no external norm): every week for four weeks, every
two weeks to the end of the third month, every four to the end of the first year, then every quarter. It counts in weeks, so
that the client keeps their weekday.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from caseload.domain.checkin.terms import Terms, with_slack
from caseload.domain.errors import Faults
from caseload.domain.profiles import Profile
from caseload.domain.schedule import LATEST, Recurrence, Unit, Weekday, occurrences

MOST_PHASES = 8
_DAY = timedelta(days=1)


def check_phases(phases: Sequence[Terms]) -> None:
    """Raises `Invalid` unless each phase begins after the one before it has ended, and none but the last is without end."""
    faults = Faults()
    faults.check(when=len(phases) > MOST_PHASES, where="phases", problem=f"must be at most {MOST_PHASES - 1}")
    for number, (before, after) in enumerate(pairwise(phases)):
        ends_on = before.rule.ends_on
        faults.check(
            when=ends_on is None or ends_on >= after.rule.starts_on,
            where=f"phases.{number}.starts_on",
            problem="must be after the phase before it",
        )
    faults.raise_if_any()


def one_after_another(phases: Sequence[Terms]) -> tuple[Terms, ...]:
    """Each phase until the day before the next begins; the last as long as it says itself. Raises `Invalid`."""
    ended = [
        replace(terms, rule=replace(terms.rule, ends_on=following.rule.starts_on - _DAY))
        for terms, following in pairwise(phases)
        if terms.rule.starts_on < following.rule.starts_on
    ]
    found = (*ended, *phases[-1:])
    # One that would begin before the one before it has been left as it is, and is found here.
    check_phases(found if len(found) == len(phases) else phases)
    return found


def usual_phases(terms: Terms, profile: Profile) -> tuple[Terms, ...]:
    """These terms and what follows them as the profile suggests, counted from their first day.

    What would not be rarer than the terms themselves is left out, and so is what would begin after their last day. The
    days of the profile are counted by whoever plans: a client who is planned anew begins anew. Raises `Invalid`.
    """
    first, ends_on = terms.rule.starts_on, terms.rule.ends_on
    later = [
        with_slack(
            terms,
            weekly(terms.rule, step.every_weeks, on=first, first=first + timedelta(days=step.from_day), last=ends_on),
            profile,
        )
        for step in profile.check_ins.phases
        if step.from_day
        and step.every_weeks * 7 > terms.rule.interval_days
        and (ends_on is None or first + timedelta(days=step.from_day) <= ends_on)
    ]
    return one_after_another((terms, *later))


def weekly(rule: Recurrence, every: int, *, on: date, first: date, last: date | None) -> Recurrence:
    """Every so many weeks from a day to a day, on the rule's own weekday or, where it has none, on that of a day."""
    return Recurrence(
        every=every,
        unit=Unit.WEEKS,
        weekday=rule.weekday or tuple(Weekday)[on.weekday()],
        at=rule.at,
        starts_on=first,
        ends_on=last,
    )


def in_zone(phases: Sequence[Terms], zone: ZoneInfo) -> tuple[Terms, ...]:
    """The same phases by the clocks of another zone."""
    return tuple(replace(terms, zone=zone) for terms in phases)


def after(terms: Terms, day: date) -> Terms | None:
    """The same phase from the day after that on, in the same step; None where nothing of it is left."""
    rule = terms.rule
    if rule.starts_on > day:
        return terms
    if rule.ends_on is not None and rule.ends_on <= day:
        return None
    following = next(occurrences(rule, terms.zone, first=day + _DAY, last=rule.ends_on or LATEST), None)
    return None if following is None else replace(terms, rule=replace(rule, starts_on=following.on))
