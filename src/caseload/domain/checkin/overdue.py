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

from caseload.domain.checkin.record import Record, Waiting, waiting
from caseload.domain.schedule import local_day


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
    """One line of the overdue list, which explains itself."""

    waiting: Waiting
    days_late: int
    """Local days from the day it was due to today."""
    cleared_by: tuple[ClearedBy, ...]

    @property
    def since(self) -> datetime:
        """Since when it has been overdue."""
        return self.waiting.grace_ends_at

    @property
    def why(self) -> str:
        """Why it is on the list, in a sentence."""
        return _why(self.waiting.rule, self.waiting.grace_days)


def is_overdue(one: Waiting, *, now: datetime) -> bool:
    """The definition. At the last instant of its grace a check-in is not overdue yet."""
    return now > one.grace_ends_at


def explain(one: Waiting, *, now: datetime) -> Overdue:
    """Why a check-in is overdue, how late it is, and what would clear it."""
    days_late = (_today(now, one.zone) - local_day(one.due_at, one.zone)).days
    return Overdue(one, days_late, _EVERY_WAY if one.movable_until > now else _WITHOUT_THE_CLIENT)


@lru_cache(maxsize=1024)
def _why(rule: str, days: int) -> str:
    grace = f"its grace of {days} day{'' if days == 1 else 's'} is over" if days else "it has no grace"
    return f"It is planned {rule}, {grace}, and no check-in has been completed since."


@lru_cache(maxsize=64)
def _today(now: datetime, zone: ZoneInfo) -> date:
    """The local day that it is for every line of a list."""
    return local_day(now, zone)


def overdue(records: Iterable[Record], *, now: datetime) -> Sequence[Overdue]:
    """Everything overdue among these records, longest overdue first: the oracle of the lists and counts."""
    late = [
        explain(one, now=now) for record in records if (one := waiting(record)) is not None and is_overdue(one, now=now)
    ]
    return sorted(late, key=lambda line: (line.since, line.waiting.check_in))
