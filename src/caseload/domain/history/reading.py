"""What is read of histories once they are in: of one client as it was recorded, of many as counts."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from types import MappingProxyType

from caseload.domain.attendance.register import Status
from caseload.domain.attendance.totals import Attendance, Totals, totals
from caseload.domain.history.rows import Outcome
from caseload.domain.ids import ClientId, StaffId
from caseload.domain.medicines import Medicine


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """The days between two days with a dose of daily medicine, by the calendar."""

    after: date
    before: date
    missed: int
    """Days of which the record says that there was no dose."""
    not_known: int
    """Days after a brought-in history ended and before the next dose: neither missed nor taken."""


def gaps(dose_days: Iterable[date], history_until: date | None) -> Iterator[Gap]:
    """Every gap, in order of time. The SQL in `db/history/reading.py` counts the same and is tested against this."""
    for after, before in pairwise(sorted(set(dose_days))):
        between = (before - after).days - 1
        if between:
            ends_here = history_until is not None and after <= history_until < before
            missed = min(between, (history_until - after).days) if history_until and ends_here else between
            yield Gap(after=after, before=before, missed=missed, not_known=between - missed)


_STATUS: Mapping[Outcome, Status | None] = MappingProxyType({
    Outcome.ATTENDED: Status.ATTENDED,
    Outcome.DID_NOT_ATTEND: Status.DID_NOT_ATTEND,
    Outcome.UNKNOWN: None,
})  # fmt: skip


def attendance(visits: Counter[Outcome]) -> Totals:
    """What brought-in visits add up to, by the definition that counts our own registers too.

    How long somebody stayed is not in the record that comes in, so nobody stayed too short.
    """
    one_by_one = (Attendance(status=_STATUS[outcome], minutes=None) for outcome in visits.elements())
    return totals(one_by_one, minimum_minutes=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """One time that something of a client was brought in: from where, by whom, and how far it reaches."""

    source: str
    external_id: str
    brought_in_at: datetime
    brought_in_by: StaffId
    last_day_covered: date
    recorded: Mapping[str, str]
    """Housing, employment and education in the words of the source."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedVisit:
    """A visit as its source recorded it."""

    scheduled_on: date | None
    label: str
    status: Outcome
    reason: str
    source: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedScreen:
    """One substance of a drug screen as its source recorded it."""

    collected_on: date
    substance: str
    result: str
    source: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientHistory:
    """Everything that was brought in of one client, but for the doses, which stand among the doses."""

    client: ClientId
    provenance: Sequence[Provenance]
    visits: Sequence[RecordedVisit]
    screens: Sequence[RecordedScreen]
    gaps: Sequence[Gap]
    """Between all doses of daily medicine, brought in or our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgrammeHistory:
    """What the brought-in history of a programme shows, counted over whom the reader may see."""

    people: int
    people_with_daily_doses: int
    missed_runs: Counter[int]
    """Runs of missed days by length; `LONG_RUN` stands for itself and everything longer."""
    after_missed: Counter[tuple[Medicine, int]]
    """Doses that came after missed days, by their medicine and how many days were missed; those of a day are one."""
    visits: Counter[Outcome]
    visits_without_day: int
    screens: int
