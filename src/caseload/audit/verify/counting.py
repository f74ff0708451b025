"""Whether every process that wrote to the log counted without a gap.

Each process numbers its entries from 1 and declares the numbers of entries that did not come to be (`void`). A number
that never appears and was never declared belongs to an entry that was taken away before it had a place in the tree,
where no hash tells of it. Only what a process had under way when it was killed may be missing without a word, so a
gap counts as evidence when its process went on for more than a minute.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from caseload.audit.verify.segment import Numbered
from caseload.audit.verify.verdict import MOST_FINDINGS, Finding, Kind

UNDER_WAY: Final = timedelta(seconds=60)
"""No request and no transaction lasts longer: what was begun before is finished or undone."""


@dataclass(slots=True)
class _Gap:
    first: int
    last: int
    before: int
    """The place of the entry that showed the gap."""
    at: str


@dataclass(slots=True)
class _Process:
    top: int
    last_at: str = ""
    gaps: list[_Gap] = field(default_factory=list[_Gap])
    void: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])


class Counting:
    """The numbers of every process, as entries pass by in the order of the log."""

    def __init__(self, *, from_the_start: bool) -> None:
        """Unless the first entry of all is there, a process may have begun before what is seen of it."""
        self._from_the_start = from_the_start
        self._processes: dict[str, _Process] = {}
        self.findings: list[Finding] = []

    def add(self, entry: Numbered) -> None:
        """Take one entry's number, and what it declares."""
        process = self._processes.get(entry.boot)
        if process is None:
            process = _Process(0 if self._from_the_start else entry.number - 1)
            self._processes[entry.boot] = process
        process.last_at = max(process.last_at, entry.last_at)
        if entry.number > process.top:
            if entry.number > process.top + 1:
                process.gaps.append(_Gap(process.top + 1, entry.number - 1, entry.place, entry.at))
            process.top = entry.last
        else:
            self._behind(process, entry)
        for first, last in entry.void:
            process.void.append((first, last))
            if last > process.top:
                if first > process.top + 1:
                    process.gaps.append(_Gap(process.top + 1, first - 1, entry.place, entry.at))
                _fill(process.gaps, first, last)
                process.top = last
            else:
                _fill(process.gaps, first, last)

    def _behind(self, process: _Process, entry: Numbered) -> None:
        """Numbers that come after larger ones: they fill gaps, or were there before."""
        for number in range(entry.number, min(entry.last, process.top) + 1):
            if not _fill(process.gaps, number, number):
                self._again(process, entry._replace(number=number, place=entry.place + number - entry.number))
        process.top = max(process.top, entry.last)

    def _again(self, process: _Process, entry: Numbered) -> None:
        """A number a second time: fine where it was declared void (an entry of which the process did not know)."""
        if not self._from_the_start or len(self.findings) >= MOST_FINDINGS or _declared(process, entry.number):
            return
        said = f"Entry {entry.place} bears number {entry.number} of process {entry.boot}, which another entry has too."
        self.findings.append(Finding(Kind.ADDED, said, entry.place))

    def missing(self) -> Iterator[Finding]:
        """What has to be said of the numbers that never appeared."""
        for boot, process in self._processes.items():
            for gap in process.gaps:
                which = f"number {gap.first}" if gap.first == gap.last else f"numbers {gap.first} to {gap.last}"
                if _instant(process.last_at) - _instant(gap.at) > UNDER_WAY:
                    kind = Kind.LOST_BEFORE
                    said = f"{_entries(gap)} missing: {which} of process {boot} never got a place in the log."
                else:
                    kind = Kind.REMARK
                    said = f"{which} of process {boot} did not appear: under way when it ended, or not in the log yet."
                yield Finding(kind, f"Before entry {gap.before} {said}", gap.before)


def _fill(gaps: list[_Gap], first: int, last: int) -> bool:
    """Take numbers out of the gaps; whether any of them was in one."""
    place = bisect_left(gaps, first, key=lambda gap: gap.last)
    found = False
    while place < len(gaps) and gaps[place].first <= last:
        gap = gaps[place]
        found = True
        rest = [
            _Gap(start, end, gap.before, gap.at)
            for start, end in ((gap.first, first - 1), (last + 1, gap.last))
            if start <= end
        ]
        gaps[place : place + 1] = rest
        if rest and rest[-1].first > last:
            break
        place += len(rest)
    return found


def _declared(process: _Process, number: int) -> bool:
    return any(first <= number <= last for first, last in process.void)


def _entries(gap: _Gap) -> str:
    count = gap.last - gap.first + 1
    return "an entry is" if count == 1 else f"{count:,} entries are"


def _instant(at: str) -> datetime:
    return datetime.fromisoformat(at)
