"""A programme at one glance: counts only, each the number of lines of a list that somebody can open.

No client is named or listed, so that whoever answers for the programme may look as often as they like. Nothing is
defined here: who waits, what is overdue and what is short of hours say the modules of those subjects.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from caseload.domain.attendance.hours import WeekStanding, standing_of
from caseload.domain.attendance.rules import usual
from caseload.domain.caseload.episode import LevelOfCare
from caseload.domain.caseload.load import Load
from caseload.domain.caseload.phase import Phase
from caseload.domain.caseload.waiting import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class AtLevel:
    """How many clients in care are at one level of care today."""

    level: LevelOfCare
    clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPhase:
    """How many clients in care are in one phase of treatment today."""

    phase: Phase | None
    """None: nobody has said."""
    clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """Clients in care who were at one level of care in a week and attended equally long in it."""

    level: LevelOfCare | None
    """None for those who were admitted since."""
    whole: bool
    """At this level for all of the week."""
    minutes: int
    clients: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursOfWeek:
    """How the clients in care stood to the hours of their level of care in the last week that is over."""

    first: date
    last: date
    met: int
    short: int
    over: int
    no_rule: int
    not_a_whole_week: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingAs:
    """How many wait for admission with one priority, and since when the longest does."""

    priority: Priority | None
    """None: nobody has looked."""
    clients: int
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsigned:
    """What waits for a signature, and how much of it should have been signed by now."""

    notes: int
    """Begun and not signed by their author."""
    notes_late: int
    notes_to_co_sign: int
    doses: int
    doses_late: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Today:
    """What the programme's local day holds."""

    check_ins: int
    """Due today and neither settled nor overdue."""
    sessions: int
    expected: int
    """Places in them that have not been called off."""
    arrived: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dashboard:
    """Everything at one glance."""

    in_care: int
    waiting: int
    left: int
    """Known here, and neither in care nor waiting: discharged, or said not to wait any more."""
    levels: Sequence[AtLevel]
    phases: Sequence[AtPhase]
    overdue: int
    today: Today
    hours: HoursOfWeek
    loads: Sequence[Load]
    waiting_list: Sequence[WaitingAs]
    unsigned: Unsigned
    open_escalations: int
    handovers_waiting: int
    discharges_waiting: int


def hours_of_week(found: Iterable[Attended], *, first: date, last: date) -> HoursOfWeek:
    """Judge a week that is over, by the rule that judges each client's own week."""
    counts = dict.fromkeys(WeekStanding, 0)
    for each in found:
        rule = None if each.level is None else usual().hours_of(each.level.edition, each.level.level)
        counts[standing_of(rule, each.minutes, whole=each.whole, is_over=True)] += each.clients
    return HoursOfWeek(
        first=first,
        last=last,
        met=counts[WeekStanding.MET],
        short=counts[WeekStanding.SHORT],
        over=counts[WeekStanding.OVER],
        no_rule=counts[WeekStanding.NO_RULE],
        not_a_whole_week=counts[WeekStanding.NOT_A_WHOLE_WEEK],
    )
