"""A verification from beginning to end. Nothing is believed that does not lead to the signed head."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from caseload.audit import bundle
from caseload.audit.bundle import CHECKPOINT, OLDER, Scope, View
from caseload.audit.tlog.frontier import CompactRange
from caseload.audit.tlog.merkle import HASH_BYTES
from caseload.audit.tlog.note import LARGEST_NOTE
from caseload.audit.tlog.policy import Judged, Policy
from caseload.audit.tlog.tile import TILE_WIDTH
from caseload.audit.verify.abreast import examined_abreast
from caseload.audit.verify.compare import Compared
from caseload.audit.verify.counting import Counting
from caseload.audit.verify.differing import explained
from caseload.audit.verify.folder import Files
from caseload.audit.verify.growing import GrowingTree
from caseload.audit.verify.history import Head, Rotations, compare, instant, judge, weigh
from caseload.audit.verify.ledger import Ledger, in_lines
from caseload.audit.verify.opened import Laid
from caseload.audit.verify.receipts import Receipts
from caseload.audit.verify.segment import Differing, Examined
from caseload.audit.verify.source import required, segments
from caseload.audit.verify.verdict import Finding, Findings, Kind, Stopped, Unusable

CLOCKS_APART: Final = timedelta(minutes=2)
"""How far an entry may lie after the time at which a witness saw it."""
_MOST_DIFFERING: Final = 100_000
_LONGEST_CONSISTENCY: Final = 128 * 48
_LARGEST_RANGE: Final = 16_384

Progress = Callable[[int, int], None]
"""Called with how many entries have been looked at, and of how many."""


@dataclass(slots=True)
class Report:
    """What was verified, and what was found."""

    findings: Findings = field(default_factory=Findings)
    scope: str = ""
    origin: str = ""
    size: int = 0
    root: str = ""
    entries: int = 0
    first: int = 0
    laid: Laid = field(default_factory=Laid)
    views: Sequence[str] = ()
    witnesses: Sequence[str] = ()
    compared: int = 0
    """With how many older or kept heads the history was compared."""
    earliest: str = ""
    latest: str = ""
    evidence: list[Head] = field(default_factory=list[Head])
    """Notes that contradict each other."""


def verify(
    files: Files, policy: Policy, known: Sequence[Head], receipts: Receipts, *, jobs: int, progress: Progress
) -> Report:
    """Verify a bundle. Raises `Unusable` for what is no bundle."""
    report = Report()
    verification = _Verification(files, policy, known, receipts, report)
    try:
        verification.run(jobs, progress)
    except Stopped as stop:
        report.findings.add(stop.found)
    finally:
        verification.close()
    return report


class _Verification:
    def __init__(self, files: Files, policy: Policy, known: Sequence[Head], receipts: Receipts, report: Report) -> None:
        self._policy = policy
        self._known = known
        self._report = report
        self._findings = report.findings
        self._ledger = Ledger(files, report.findings)
        self._differing: list[Differing] = []
        self._rotations = Rotations(policy)
        self._receipts = receipts
        self._numbered = Counting(from_the_start=self._ledger.manifest.scope is Scope.WHOLE)

    def run(self, jobs: int, progress: Progress) -> None:
        manifest = self._ledger.manifest
        self._require()
        note = self._ledger.whole(CHECKPOINT, at_most=LARGEST_NOTE)
        judged = judge(note, CHECKPOINT, self._policy)
        own = Head(CHECKPOINT, note, judged.checkpoint)
        self._introduce(judged)
        if judged.checkpoint.size != manifest.size:
            said = (
                f"The manifest speaks of {manifest.size:,} entries, and the checkpoint of {judged.checkpoint.size:,}."
            )
            raise Stopped(Finding(Kind.FILE, said))
        older = list(self._older())
        heads = [*older, *self._known]
        past = GrowingTree(own, [head.checkpoint.size for head in heads])
        views = [view for view in View if self._ledger.has(view.value)]
        if manifest.scope is not Scope.WHOLE:
            views.remove(View.NDJSON)
        compared = Compared(self._ledger, views, self._findings)
        self._report.views = [view.value for view in views]
        for segment, examined in examined_abreast(
            segments(self._ledger, self._findings, size=manifest.size, root=judged.checkpoint.root), jobs
        ):
            self._take(examined)
            compared.follow(segment, examined)
            past.follow(examined)
            progress(self._report.entries, manifest.entries)
        compared.close()
        self._conclude(past, judged)
        self._compare(heads, own, past)
        self._ledger.rest()

    def close(self) -> None:
        """Leave nothing open."""
        self._ledger.close()

    def _require(self) -> None:
        """Every file without which nothing can be said is there, and has the length that it must have."""
        manifest, ledger = self._ledger.manifest, self._ledger
        if manifest.scope is Scope.WHOLE and manifest.size > TILE_WIDTH * len(ledger.names):
            raise Unusable(f"The manifest speaks of {manifest.size:,} entries, and lists {len(ledger.names):,} files.")
        missing = 0
        for name, octets in required(manifest):
            if not ledger.has(name):
                missing += 1
                self._findings.add(Finding(Kind.FILE, f"{name} belongs to such an export and is not there."))
            elif octets is not None and ledger.size(name) != octets:
                missing += 1
                self._findings.add(Finding(Kind.FILE, f"{name} has {ledger.size(name):,} bytes instead of {octets:,}."))
        if missing:
            said = (
                f"Without {'this file' if missing == 1 else f'these {missing:,} files'} nothing more can be verified."
            )
            raise Stopped(Finding(Kind.FILE, said))

    def _introduce(self, judged: Judged) -> None:
        report, manifest = self._report, self._ledger.manifest
        report.scope, report.first = manifest.scope.value, manifest.first
        report.origin, report.size = judged.checkpoint.origin, judged.checkpoint.size
        report.root = judged.checkpoint.root.hex()
        report.witnesses = [
            f"{name} at {instant(each.at or 0):%Y-%m-%d %H:%M:%S} UTC" for name, each in judged.witnesses
        ]
        weigh(judged, self._policy, self._findings)
        for place in manifest.columns:
            said = f"The database's columns for entry {place} say something else than the entry: searches went wrong there."
            self._findings.add(Finding(Kind.COLUMN, said, place))

    def _older(self) -> Iterator[Head]:
        """The older heads beside the bundle's own: signed, and as large as their name says."""
        for name in sorted(name for name in self._ledger.names if OLDER.fullmatch(name) and self._ledger.has(name)):
            note = self._ledger.whole(name, at_most=LARGEST_NOTE)
            try:
                judged = judge(note, name, self._policy)
            except Stopped as stop:
                self._findings.add(stop.found)
                continue
            if f"checkpoints/{judged.checkpoint.size}" != name:
                self._findings.add(Finding(Kind.FILE, f"{name} is a checkpoint of {judged.checkpoint.size:,} entries."))
            yield Head(name, note, judged.checkpoint)

    def _take(self, examined: Examined) -> None:
        report = self._report
        report.entries += examined.entries
        report.laid.follow(examined.laid)
        if examined.earliest:
            report.earliest = min(report.earliest or examined.earliest, examined.earliest)
            report.latest = max(report.latest, examined.latest)
        self._findings.extend(examined.findings)
        self._receipts.take(examined)
        self._findings.extend([self._rotations.take(*each) for each in examined.rotations])
        if len(self._differing) < _MOST_DIFFERING:
            self._differing += examined.differing
        if self._ledger.manifest.scope is not Scope.CHOICE:
            for each in examined.numbered:
                self._numbered.add(each)

    def _conclude(self, past: GrowingTree, judged: Judged) -> None:
        """What can be said only after the last entry."""
        manifest, findings = self._ledger.manifest, self._findings
        if manifest.scope is Scope.WHOLE:
            self._tree(past, judged)
        elif manifest.scope is Scope.SPAN:
            self._span(past, judged)
        findings.extend((*self._numbered.findings, *self._numbered.missing()))
        findings.extend(self._report.laid.findings(manifest.opened, manifest.scope))
        findings.extend(self._rotations.of_head(judged, whole=manifest.scope is Scope.WHOLE))
        findings.extend(self._receipts.missing(latest=self._report.latest, complete=manifest.scope is Scope.WHOLE))
        for _, witness in judged.witnesses:
            if self._report.latest and instant(witness.at or 0) + CLOCKS_APART < _time(self._report.latest):
                said = f"An entry is dated {self._report.latest}, after {witness.key.name} saw it: a clock was wrong."
                findings.add(Finding(Kind.REMARK, said))

    def _tree(self, past: GrowingTree, judged: Judged) -> None:
        """The tiles lead to the signed root, and the entries to the tiles."""
        findings, root = self._findings, judged.checkpoint.root
        if past.tiles.root() == root:
            findings.extend(list(explained(self._differing)))
            self._upper(past)
        elif self._differing and past.leaves.root() == root:
            findings.add(
                Finding(Kind.FILE, "The hash tiles were changed; the entries themselves lead to the signed root.")
            )
        else:
            said = (
                f"These {judged.checkpoint.size:,} entries are not the ones that the log's key signed: they lead to the root"
                f" {past.leaves.root().hex()[:16]}, and the checkpoint says {root.hex()[:16]}."
            )
            findings.add(Finding(Kind.CHANGED, said))
            findings.extend(list(explained(self._differing)))

    def _upper(self, past: GrowingTree) -> None:
        """The tiles of the upper levels, made again from those of the lowest."""
        for tile, data in past.upper():
            found = self._ledger.whole(tile.path(), at_most=TILE_WIDTH * HASH_BYTES)
            if found != data:
                said = f"{tile.path()} does not hold the hashes of the tiles below it."
                self._findings.add(Finding(Kind.FILE, said))

    def _span(self, past: GrowingTree, judged: Judged) -> None:
        """The span, with what lies to its left and right, is the whole signed tree."""
        manifest = self._ledger.manifest
        end = manifest.first + manifest.entries
        try:
            left, right = bundle.hashes_of(self._ledger.whole(bundle.RANGE, at_most=_LARGEST_RANGE), "left", "right")
            whole = CompactRange(0, manifest.first, left)
            whole.merge(past.tiles)
            whole.merge(CompactRange(end, manifest.size, right))
            proved = whole.root() == judged.checkpoint.root
        except (ValueError, TypeError):
            proved = False
        if not proved:
            said = (
                f"These are not the entries {manifest.first} to {end - 1} of the log: one was changed, left out or put in."
                " A span proves itself only as a whole; the whole log, or a choice of entries, shows which."
            )
            self._findings.add(Finding(Kind.CHANGED, said))

    def _compare(self, heads: Sequence[Head], own: Head, past: GrowingTree) -> None:
        if self._ledger.has(bundle.CONSISTENCY):
            past.prove(self._consistency())
        self._report.compared = len(heads)
        for head in heads:
            if compare(head, own, past, self._findings):
                self._report.evidence += [head, own]

    def _consistency(self) -> Iterator[tuple[int, Sequence[bytes]]]:
        watched = self._ledger.watch(bundle.CONSISTENCY)
        for line in in_lines(watched, _LONGEST_CONSISTENCY):
            try:
                yield bundle.index_in(line), bundle.path_in(line)
            except ValueError:
                self._findings.add(Finding(Kind.FILE, f"{bundle.CONSISTENCY} has a line in it that is no proof."))
        watched.close()


def _time(at: str) -> datetime:
    return datetime.fromisoformat(at)
