"""What attendance adds up to: one definition, whether a line comes from a register or from a clinic's former system."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from caseload.domain.attendance.register import WAS_THERE, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """One place in one session, as far as it counts."""

    status: Status | None
    """None where nobody wrote down what became of it: neither attended nor missed."""
    minutes: int | None
    """How long; None where only that they came is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Counts of places. What is excluded from the rate is counted too, so that the rate can be checked."""

    attended: int
    too_short: int
    """There, but for fewer minutes than the profile asks for."""
    did_not_attend: int
    cancelled_by_client: int
    cancelled_by_provider: int
    """Excluded: never counts against the client."""
    recorded_in_error: int
    """Excluded."""
    not_known: int
    """Excluded."""
    minutes: int
    """Actual minutes of all who were there, also of those who stayed too short."""

    @property
    def counted(self) -> int:
        """The denominator of the rate: places that the client could have used."""
        return self.attended + self.too_short + self.did_not_attend + self.cancelled_by_client

    @property
    def rate_percent(self) -> int | None:
        """Attended places of a hundred counted ones, rounded down; None where none counts."""
        return 100 * self.attended // self.counted if self.counted else None


def totals(attendances: Iterable[Attendance], *, minimum_minutes: int) -> Totals:
    """Add up; whoever was there for fewer than `minimum_minutes` did not attend, but did not stay away either."""
    counts: Counter[Status | None] = Counter()
    attended = too_short = minutes = 0
    for one in attendances:
        if one.status not in WAS_THERE:
            counts[one.status] += 1
            continue
        minutes += one.minutes or 0
        if one.minutes is None or one.minutes >= minimum_minutes:
            attended += 1
        else:
            too_short += 1
    return Totals(
        attended=attended,
        too_short=too_short,
        did_not_attend=counts[Status.DID_NOT_ATTEND],
        cancelled_by_client=counts[Status.CANCELLED_BY_CLIENT],
        cancelled_by_provider=counts[Status.CANCELLED_BY_PROVIDER],
        recorded_in_error=counts[Status.RECORDED_IN_ERROR],
        not_known=counts[None],
        minutes=minutes,
    )
