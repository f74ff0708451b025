"""The views of a bundle beside those written again from its entries."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from caseload.audit.bundle import View
from caseload.audit.verify.ledger import Ledger
from caseload.audit.verify.segment import Examined, Segment, rendered
from caseload.audit.verify.verdict import Finding, Findings, Kind
from caseload.audit.views import csv_header


class Compared:
    """Every view, read along with the entries. The line that differs is looked for only where one does."""

    def __init__(self, ledger: Ledger, views: Sequence[View], findings: Findings) -> None:
        """Open the files and check what stands above the first entry."""
        self._findings = findings
        self._files = {view: ledger.watch(view.value) for view in views}
        self._lines = dict.fromkeys(views, 0)
        self._lost: set[View] = set()
        header = csv_header()
        if View.CSV in self._files:
            self._lines[View.CSV] = 1
            if self._files[View.CSV].take(len(header)) != header:
                self._lose(View.CSV, "has another first line than it should")

    def follow(self, segment: Segment, examined: Examined) -> None:
        """Compare what comes next with what these entries say."""
        again: Mapping[View, bytes] = {}
        for view, file in self._files.items():
            if view in self._lost:
                continue
            expected = examined.rendered[view]
            piece = file.take(expected.octets)
            if sha256(piece).digest() != expected.sha256:
                again = again or rendered(segment)
                self._differs(view, piece, again[view])
            else:
                self._lines[view] += piece.count(b"\n")

    def close(self) -> None:
        """Say what is left over."""
        for view, file in self._files.items():
            if file.close() and view not in self._lost:
                line = self._lines[view] + 1
                said = f"{view.value} goes on at line {line}, although there are no more entries."
                self._findings.add(Finding(Kind.VIEW, said))

    def _differs(self, view: View, piece: bytes, expected: bytes) -> None:
        """Name the lines that differ, as far as the others still stand beside their entries."""
        found, wanted = piece.splitlines(keepends=True), expected.splitlines(keepends=True)
        for at, (line, should) in enumerate(zip(found, wanted, strict=False)):
            if line != should:
                number = self._lines[view] + at + 1
                said = f"Line {number} of {view.value} does not say what the entry in the log says."
                self._findings.add(Finding(Kind.VIEW, said))
                if len(line) != len(should):
                    break
        self._lines[view] += len(wanted)
        if len(found) != len(wanted) or not piece.endswith(b"\n"):
            self._lose(view, "has lines that were changed, put in or left out; what follows was not compared")

    def _lose(self, view: View, why: str) -> None:
        self._lost.add(view)
        self._findings.add(Finding(Kind.VIEW, f"{view.value} {why}."))
