"""A bundle as segments of entries, in order, in constant memory whatever its size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from caseload.audit import bundle, disclosed
from caseload.audit.bundle import DISCLOSURES, PROOFS, Manifest, Scope, View
from caseload.audit.disclosed import BadDisclosure
from caseload.audit.record import LARGEST_RECORD
from caseload.audit.tlog.merkle import HASH_BYTES
from caseload.audit.tlog.tile import TILE_WIDTH, bundles_of, tiles_of
from caseload.audit.verify.ledger import Ledger, Watched
from caseload.audit.verify.segment import ENTRIES, Segment
from caseload.audit.verify.verdict import Finding, Findings, Kind, Stopped, Unusable

_LARGEST_BUNDLE: Final = TILE_WIDTH * (2 + LARGEST_RECORD)
_LONGEST_PROOF: Final = 128 * 48
_AT_ONCE: Final = 8 * 1024 * 1024
"""Of views and disclosures, in a segment."""


@dataclass(slots=True)
class Disclosures:
    """The lines of disclosures.jsonl, handed out with the entries they are about."""

    watched: Watched | None
    findings: Findings
    _next: tuple[int, bytes] | None = None
    _last: tuple[int, str] = (-1, "")
    _ended: bool = field(default=False)

    def up_to(self, index: int) -> list[bytes]:
        """The lines about entries up to this one that have not been handed out yet."""
        found: list[bytes] = []
        while (waiting := self._waiting()) is not None and waiting[0] <= index:
            found.append(waiting[1])
            self._next = None
        return found

    def close(self) -> None:
        """Say what is left over, and hold the file against the manifest."""
        if self._waiting() is not None:
            self.findings.add(Finding(Kind.DISCLOSURE, f"{DISCLOSURES} speaks of entries that are not here."))
        if self.watched is not None:
            self.watched.close()

    def _waiting(self) -> tuple[int, bytes] | None:
        while self._next is None and self.watched is not None and not self._ended:
            line = self.watched.next_line(disclosed.LONGEST_LINE)
            if not line:
                self._ended = True
                break
            try:
                place = disclosed.place_of(line)
            except BadDisclosure:
                self._complain("is not a line of an export")
            else:
                if place <= self._last:
                    self._complain("is not in the order of the log, or there twice")
                else:
                    self._last, self._next = place, (place[0], line)
        return self._next

    def _complain(self, what: str) -> None:
        line = self.watched.line if self.watched else 0
        self.findings.add(Finding(Kind.DISCLOSURE, f"Line {line} of {DISCLOSURES} {what}."))


def required(manifest: Manifest) -> Iterator[tuple[str, int | None]]:
    """The files without which nothing can be said, each with its length where that is given."""
    yield bundle.CHECKPOINT, None
    if manifest.scope is Scope.WHOLE:
        for tile in tiles_of(manifest.size):
            yield tile.path(), tile.width * HASH_BYTES
        for entries in bundles_of(manifest.size):
            yield entries.path(), None
    else:
        yield View.NDJSON.value, None
        yield (bundle.RANGE if manifest.scope is Scope.SPAN else PROOFS), None


def segments(ledger: Ledger, findings: Findings, *, size: int, root: bytes) -> Iterator[Segment]:
    """Every entry of the bundle. `size` and `root` are those of the signed head. Raises `Unusable`."""
    manifest = ledger.manifest
    views = [view for view in View if ledger.has(view.value)]
    told = Disclosures(ledger.watch(DISCLOSURES) if ledger.has(DISCLOSURES) else None, findings)
    if manifest.scope is Scope.WHOLE:
        yield from _whole(ledger, told, views)
    else:
        others = [view for view in views if view is not View.NDJSON]
        yield from _lines(ledger, told, others, findings, size, root)
    told.close()


def entries_at_once(ledger: Ledger) -> int:
    """How many entries make a segment: whole tiles, and the fewer the more is laid open of each."""
    beside = (*(view.value for view in View), DISCLOSURES)
    octets = sum(ledger.size(name) for name in beside if ledger.has(name))
    tiles = _AT_ONCE * ledger.manifest.entries // max(octets, 1) // TILE_WIDTH
    return TILE_WIDTH * min(max(tiles, 1), ENTRIES // TILE_WIDTH)


def _whole(ledger: Ledger, told: Disclosures, views: Sequence[View]) -> Iterator[Segment]:
    bundles = bundles_of(ledger.manifest.size)
    tiles_at_once = entries_at_once(ledger) // TILE_WIDTH
    while some := list(islice(bundles, tiles_at_once)):
        last = some[-1].number * TILE_WIDTH + some[-1].width - 1
        tiles = [each._replace(level=0).path() for each in some]
        yield Segment(
            first=some[0].number * TILE_WIDTH,
            bundles=[ledger.whole(each.path(), at_most=_LARGEST_BUNDLE) for each in some],
            tiles=[ledger.whole(each, at_most=TILE_WIDTH * HASH_BYTES) for each in tiles],
            disclosures=told.up_to(last),
            views=views,
        )


def _lines(
    ledger: Ledger, told: Disclosures, views: Sequence[View], findings: Findings, size: int, root: bytes
) -> Iterator[Segment]:
    manifest = ledger.manifest
    chosen = manifest.scope is Scope.CHOICE
    leaves = ledger.watch(View.NDJSON.value)
    proofs = ledger.watch(PROOFS) if chosen else None
    last = -1
    at_once = entries_at_once(ledger)
    for line in range(0, manifest.entries, at_once):
        count = min(at_once, manifest.entries - line)
        some = [_line(leaves, LARGEST_RECORD) for _ in range(count)]
        beside = [_line(proofs, _LONGEST_PROOF) for _ in range(count)] if proofs else []
        places = [_place(each) for each in beside]
        if any(later <= earlier for earlier, later in zip([last, *places], places, strict=False)):
            raise Unusable(f"{PROOFS} is not in the order of the log, or names an entry twice.")
        last = places[-1] if places else manifest.first + line + count - 1
        yield Segment(
            first=manifest.first + line,
            leaves=some,
            indices=places,
            proofs=beside,
            size=size,
            root=root,
            disclosures=told.up_to(last),
            views=views,
        )
    for watched in (leaves, proofs):
        if watched is not None and watched.close():
            findings.add(Finding(Kind.ADDED, f"{watched.name} has more lines than the manifest counts entries."))


def _line(watched: Watched, longest: int) -> bytes:
    line = watched.next_line(longest + 1)
    if not line.endswith(b"\n"):
        said = f"{watched.name} ends with line {watched.line - 1}; the manifest counts more entries."
        raise Stopped(Finding(Kind.MISSING, said))
    return line[:-1]


def _place(proof: bytes) -> int:
    try:
        return bundle.index_in(proof)
    except ValueError as problem:
        raise Unusable(f"{PROOFS} has a line in it that is no proof.") from problem
