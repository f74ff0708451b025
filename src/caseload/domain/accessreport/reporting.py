"""A report of who looked at one client's record: prepared, looked through by a privacy officer, released.

It is as of one checkpoint of the log: everything that stood in the tree of that size, each line proved against it, so
that two people who ask for the same report get the same lines. Entries that tell of somebody else (`TELLS_OF_SOMEBODY_ELSE`) are
not among them: nobody looks through, withholds, counts or proves one. What a line proves is itself; that no line is missing
only a verification of the whole log shows, and the report says so.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.accessreport.lines import Line
from caseload.domain.accessreport.report import (
    Counted,
    LineUnknown,
    Release,
    Report,
    ReportUnknown,
    Shown,
    Tree,
    Withheld,
)
from caseload.domain.client import ClientUnknown
from caseload.domain.errors import Faults
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, ReportId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff

SAYS: Final = (
    "Each line is proved: it can be shown that this access was in the log when it was signed, and that the log says of "
    "it what is printed here. That no access is missing cannot be seen from this report; it is shown by verifying the "
    "whole log, which an auditor does. What would tell of somebody else's record is in nobody's report, and is not counted."
)
LONGEST_NOTE: Final = 2_000
MOST_WITHHELD: Final = 200
"""Lines that may be withheld in one call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPrepared(Event):
    """A report of who looked at a client's record was prepared."""

    name: ClassVar[str] = "access_report.prepared"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinesWithheld(Event):
    """Lines of a report were withheld."""

    name: ClassVar[str] = "access_report.withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportReleased(Event):
    """A report may leave."""

    name: ClassVar[str] = "access_report.released"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSent(Event):
    """A report left as a file, wholly or as far as it came."""

    name: ClassVar[str] = "access_report.sent"


class Accesses(Protocol):
    """The log, as far as it tells of one client, with proofs."""

    async def newest_tree(self) -> Tree:
        """The last checkpoint that the log has signed, or `NothingSigned`."""
        ...

    async def page(self, report: Report, *, after: EntryId | None, limit: int) -> Sequence[Line]:
        """Lines with their proofs, the newest first; `ClientNotInLog`."""
        ...

    async def marks(self, report: Report, entries: Collection[EntryId]) -> Mapping[EntryId, bytes]:
        """The marks of these lines, of those that are in the report."""
        ...

    async def all_marks(self, report: Report) -> Sequence[bytes]:
        """The mark of every line."""
        ...


class Reports(Protocol):
    """The reports that are kept: what was asked for, what is withheld, what was released."""

    async def programme_of(self, wanted: ClientId) -> ProgrammeId:
        """The client's home programme; `ClientUnknown`."""
        ...

    async def add(self, report: Report) -> None:
        """Keep it."""
        ...

    async def get(self, report: ReportId) -> Report:
        """The report, or `ReportUnknown`."""
        ...

    async def of(self, client: ClientId) -> Sequence[Report]:
        """Reports about this client, the newest first."""
        ...

    async def withhold(self, report: ReportId, marks: Collection[bytes], why: Withheld) -> None:
        """Withhold these lines; of one that is withheld already, the first reason stays."""
        ...

    async def withheld(self, report: ReportId) -> Mapping[bytes, Withheld]:
        """What is withheld, by the mark of the line."""
        ...

    async def release(self, report: Report, release: Release) -> None:
        """Keep that it may leave; `AlreadyReleased`."""
        ...


async def prepare_report(new: Report, *, by: Staff, reports: Reports, journal: Journal) -> None:
    """Prepare a report as of a checkpoint. Raises `ClientUnknown`, also for a client of another programme."""
    require_programme(new.programme, by=by)
    await reports.add(new)
    journal.tell(ReportPrepared(client=new.client, records=(new.id,), facts={"size": new.size}))


def require_programme(programme: ProgrammeId, *, by: Staff) -> None:
    """Raise `ClientUnknown` unless this person reports on clients of the programme."""
    if not by.may_in(Act.REPORT_ACCESS, programme):
        raise ClientUnknown


async def report_for(wanted: ReportId, *, by: Staff, reports: Reports) -> Report:
    """A report of one's own programmes. Raises `ReportUnknown`, also for another programme's."""
    report = await reports.get(wanted)
    if not by.may_in(Act.REPORT_ACCESS, report.programme):
        raise ReportUnknown
    return report


async def look_through(
    report: Report, *, after: EntryId | None, limit: int, accesses: Accesses, reports: Reports, journal: Journal
) -> Sequence[Shown]:
    """A page of a report with everything in it, withheld lines and their reasons too. Raises `ClientNotInLog`."""
    lines = await accesses.page(report, after=after, limit=limit)
    withheld = await reports.withheld(report.id)
    journal.saw(report.client, "access_log")
    return [Shown(line=line, withheld=withheld.get(line.mark)) for line in lines]


async def withhold_lines(
    report: Report,
    entries: Collection[EntryId],
    why: Withheld,
    *,
    accesses: Accesses,
    reports: Reports,
    journal: Journal,
) -> None:
    """Withhold lines, with the reason on record. Raises `AlreadyReleased`, `Invalid`, `LineUnknown`."""
    report.require_open()
    faults = Faults()
    faults.check(
        when=not why.note.strip() or len(why.note) > LONGEST_NOTE,
        where="note",
        problem=f"must say in 1 to {LONGEST_NOTE} characters what the reason rests on",
    )
    faults.check(
        when=not 1 <= len(entries) <= MOST_WITHHELD,
        where="entries",
        problem=f"must name 1 to {MOST_WITHHELD} lines",
    )
    faults.raise_if_any()
    marks = await accesses.marks(report, entries)
    if len(marks) != len(set(entries)):
        raise LineUnknown
    await reports.withhold(report.id, list(marks.values()), why)
    facts: dict[str, str | int] = {"reason": why.reason.value, "lines": len(marks)}
    journal.tell(LinesWithheld(client=report.client, records=(report.id,), facts=facts))


async def release_report(
    report: Report, *, by: Staff, now: datetime, accesses: Accesses, reports: Reports, journal: Journal
) -> Release:
    """Say, having looked through it, that the report may leave as it is. Raises `AlreadyReleased`."""
    report.require_open()
    withheld = await reports.withheld(report.id)
    marks = await accesses.all_marks(report)
    release = Release(
        released_by=by.id, released_at=now, lines=len(marks), withheld=sum(mark in withheld for mark in marks)
    )
    await reports.release(report, release)
    facts: dict[str, str | int] = {"lines": release.lines, "withheld": release.withheld}
    journal.tell(ReportReleased(client=report.client, records=(report.id,), facts=facts))
    return release


def leave_out(lines: Sequence[Line], withheld: Mapping[bytes, Withheld], counted: Counted) -> list[Line]:
    """The lines that leave; the others are counted by reason."""
    counted.lines += len(lines)
    left: list[Line] = []
    for line in lines:
        why = withheld.get(line.mark)
        if why is None:
            left.append(line)
        else:
            counted.by_reason[why.reason] = counted.by_reason.get(why.reason, 0) + 1
    return left
