"""Who stays: of those admitted in a period, how many were still in care so many days later.

Said with everything that is left out of the rate: whoever died or was transferred before that day could not have stayed,
and of whoever was admitted too lately nobody can know yet. Who completed treatment before it has not dropped out. An episode
that ended because its client was registered twice is none of its own.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from caseload.domain.caseload import DischargeReason

COULD_NOT_STAY = frozenset({DischargeReason.DIED, DischargeReason.TRANSFERRED})
LONGEST_DAYS = 731


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One episode of care, as far as retention asks."""

    admitted_on: date
    left_on: date | None
    reason: DischargeReason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Counts of episodes; what is left out of the rate is counted, too, so that the rate can be checked."""

    retained: int
    """In care on that day of their treatment, day 0 being the admission."""
    completed: int
    """Left before it because treatment was completed: counted as staying."""
    left: int
    died_or_transferred: int
    """Left out of the rate."""
    not_yet: int
    """Left out of the rate: that day has not come."""
    registered_twice: int = 0
    """Left out of the rate: nobody left, the client's episode is the one under the other registration."""

    @property
    def counted(self) -> int:
        """The denominator of the rate."""
        return self.retained + self.completed + self.left

    @property
    def rate_percent(self) -> int | None:
        """Of a hundred counted, rounded down; None where none counts."""
        return 100 * (self.retained + self.completed) // self.counted if self.counted else None


def retention(stays: Iterable[Stay], *, days: int, today: date) -> Retention:
    """Add up who was in care so many days after the admission."""
    retained = completed = left = died_or_transferred = not_yet = registered_twice = 0
    for stay in stays:
        day = stay.admitted_on + timedelta(days=days)
        if stay.reason is DischargeReason.REGISTERED_TWICE:
            registered_twice += 1
        elif stay.left_on is not None and stay.left_on < day:
            if stay.reason in COULD_NOT_STAY:
                died_or_transferred += 1
            elif day > today:
                not_yet += 1
            elif stay.reason is DischargeReason.COMPLETED:
                completed += 1
            else:
                left += 1
        elif day > today:
            not_yet += 1
        else:
            retained += 1
    return Retention(
        retained=retained,
        completed=completed,
        left=left,
        died_or_transferred=died_or_transferred,
        not_yet=not_yet,
        registered_twice=registered_twice,
    )
