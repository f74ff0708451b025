"""Overdue: the one definition, and why each check-in is on the list.

A check-in is overdue when it waits to be settled and now is after the end of its grace. The end of the grace is worked
out when the check-in is made or moved, and kept; lists, counts and alerts read what is kept, and `overdue` says the
same from the facts alone.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from caseload.domain.checkin.record import LastFact, Record, Waiting, waiting
from caseload.domain.checkin.terms import Mode
from caseload.domain.errors import NotFound
from caseload.domain.ids import CheckInId, ClientId, PlanId, ProgrammeId, StaffId
from caseload.domain.schedule import local_day


class CheckInNotOverdue(NotFound):
    """This check-in is not overdue."""


class ClearedBy(StrEnum):
    """What takes a check-in off the list."""

    COMPLETE = "complete"
    """A contact from when it counts on, of this check-in or of a later one of the plan."""
    RESCHEDULE_FOR_CLIENT = "reschedule_for_client"
    """Another time at the client's wish, up to `movable_until`."""
    RESCHEDULE_FOR_PROVIDER = "reschedule_for_provider"
    """Another time at the clinic's wish."""
    MISS = "miss"
    """Giving it up as missed, with the reason."""


_EVERY_WAY = tuple(ClearedBy)
_WITHOUT_THE_CLIENT = tuple(way for way in ClearedBy if way is not ClearedBy.RESCHEDULE_FOR_CLIENT)


class Overdue(NamedTuple):
    """One line of the overdue list, which explains itself.

    A flat tuple: lists make fifty at once.
    """

    check_in: CheckInId
    client: ClientId
    programme: ProgrammeId
    plan: PlanId
    mode: Mode
    why: str
    """Why it is on the list, in a sentence."""
    rule: str
    """The rule of the plan in words."""
    grace_days: int
    grace_rule: str | None
    """Profile, version and rule that the grace follows; None where the plan says it itself."""
    due_at: datetime
    since: datetime
    """Since when it has been overdue."""
    days_late: int
    """Local days from the day it was due to today."""
    attempts: int
    last_fact: LastFact
    last_fact_at: datetime
    last_fact_by: StaffId | None
    counts_from: datetime
    """From when a contact counts as this check-in."""
    movable_until: datetime
    """Until when it may be moved at the client's wish."""
    cleared_by: tuple[ClearedBy, ...]


def is_overdue(one: Waiting, *, now: datetime) -> bool:
    """The definition. At the last instant of its grace a check-in is not overdue yet."""
    return now > one.grace_ends_at


def explain(one: Waiting, *, now: datetime) -> Overdue:
    """Why a check-in is overdue, how late it is, and what would clear it."""
    return Overdue(
        one.check_in,
        one.client,
        one.programme,
        one.plan,
        one.mode,
        why_overdue(one.rule, one.grace_days),
        one.rule,
        one.grace_days,
        one.grace_rule,
        one.due_at,
        one.grace_ends_at,
        days_late(one.due_at, one.zone, now=now),
        one.attempts,
        one.last_fact,
        one.last_fact_at,
        one.last_fact_by,
        one.counts_from,
        one.movable_until,
        cleared_by(one.movable_until, now=now),
    )


@lru_cache(maxsize=1024)
def why_overdue(rule: str, grace_days: int) -> str:
    """Why a check-in planned by this rule is on the list."""
    days = f"{grace_days} day{'' if grace_days == 1 else 's'}"
    grace = f"its grace of {days} is over" if grace_days else "it has no grace"
    return f"It is planned {rule}, {grace}, and no check-in has been completed since."


def days_late(due_at: datetime, zone: ZoneInfo, *, now: datetime) -> int:
    """Local days from the day it was due to today."""
    return (_today(now, zone) - _due_on(due_at, zone)).days


def cleared_by(movable_until: datetime, *, now: datetime) -> tuple[ClearedBy, ...]:
    """What would take it off the list."""
    return _EVERY_WAY if movable_until > now else _WITHOUT_THE_CLIENT


@lru_cache(maxsize=4096)
def _due_on(due_at: datetime, zone: ZoneInfo) -> date:
    """The local day of a check-in, which the lists of a clinic ask for again and again."""
    return local_day(due_at, zone)


@lru_cache(maxsize=64)
def _today(now: datetime, zone: ZoneInfo) -> date:
    """The local day that it is for every line of a list."""
    return local_day(now, zone)


def overdue(records: Iterable[Record], *, now: datetime) -> Sequence[Overdue]:
    """Everything overdue among these records, longest overdue first: the oracle of the lists and counts."""
    late = [
        explain(one, now=now) for record in records if (one := waiting(record)) is not None and is_overdue(one, now=now)
    ]
    return sorted(late, key=lambda line: (line.since, line.check_in))
