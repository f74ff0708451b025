"""Some two thousand entries at once: everything that can be said of them without the others, in a process of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from caseload.audit import disclosed
from caseload.audit.bundle import View, path_in
from caseload.audit.disclosed import BadDisclosure, Disclosed, Of
from caseload.audit.record import NotARecord, Record, read
from caseload.audit.tlog.frontier import subtrees_of
from caseload.audit.tlog.merkle import HASH_BYTES, includes, leaf_hash, root_of
from caseload.audit.tlog.spelling import Malformed
from caseload.audit.tlog.tile import TILE_WIDTH, entries_in
from caseload.audit.verify.history import succession
from caseload.audit.verify.opened import Laid
from caseload.audit.verify.verdict import Finding, Kind
from caseload.audit.views import lines, lines_of

ENTRIES: Final = 2_048
"""Per segment, at most: whole tiles, and some eight megabytes of views at a time."""

ROTATION: Final = "key.rotate"
"""The event by which one signing key of the log hands over to the next."""
SUCCESSION: Final = "epoch.opened"
"""The event by which the log goes on under its next name."""


@dataclass(slots=True, kw_only=True)
class Segment:
    """Some entries in a row, as they lie in the bundle."""

    first: int
    """The place of the first one, or its line where places have gaps."""
    bundles: Sequence[bytes] = ()
    """Entry bundles, of a whole log."""
    tiles: Sequence[bytes] = ()
    """The hash tiles beside them."""
    leaves: Sequence[bytes] = ()
    """Lines, of a span or a choice."""
    indices: Sequence[int] = ()
    """The place of each line, of a choice."""
    proofs: Sequence[bytes] = ()
    """Of each line, of a choice: its inclusion in the tree."""
    size: int = 0
    """Of that tree."""
    root: bytes = b""
    disclosures: Sequence[bytes] = ()
    """The lines about these entries."""
    views: Sequence[View] = ()
    """What is to be written again."""


class Rendered(NamedTuple):
    """One view of a segment, by its digest."""

    octets: int
    sha256: bytes


class Differing(NamedTuple):
    """An entry that does not have the hash that stands at its place."""

    place: int
    found: bytes
    expected: bytes
    empty: bool


class Numbered(NamedTuple):
    """What entries say of their process's counting: numbers one after another, in places one after another."""

    boot: str
    number: int
    """The first of the run."""
    last: int
    place: int
    """Of the first entry."""
    at: str
    """When the first entry was made, and the last."""
    last_at: str
    void: Sequence[tuple[int, int]] = ()
    """What the first entry declares; only a run of one declares anything."""


@dataclass(slots=True)
class Examined:
    """What is to be said of a segment."""

    first: int
    entries: int = 0
    hashes: bytes = b""
    """Of the leaves, one after another."""
    authentic: bytes = b""
    """As they stand in the tiles, where there are tiles; otherwise the same."""
    above: list[bytes] = field(default_factory=list[bytes])
    """The roots of full tiles: the hashes of the next level."""
    compact: Sequence[bytes] = ()
    """These entries as a compact range, as they stand in the tiles."""
    otherwise: Sequence[bytes] = ()
    """The same from the entries themselves, where that differs."""
    differing: list[Differing] = field(default_factory=list[Differing])
    findings: list[Finding] = field(default_factory=list[Finding])
    numbered: list[Numbered] = field(default_factory=list[Numbered])
    runs: dict[str, int] = field(default_factory=dict[str, int])
    """Of each process, which of the runs is its newest."""
    rotations: list[tuple[int, str, str, str]] = field(default_factory=list[tuple[int, str, str, str]])
    """The place, the old key, the new one and the signature."""
    rendered: dict[View, Rendered] = field(default_factory=dict[View, Rendered])
    laid: Laid = field(default_factory=Laid)
    earliest: str = ""
    latest: str = ""


def examine(segment: Segment) -> Examined:
    """Look at every entry of a segment. Never raises for what is in it."""
    examined, views = _examined(segment)
    for view, data in views.items():
        examined.rendered[view] = Rendered(len(data), sha256(data).digest())
    return examined


def rendered(segment: Segment) -> Mapping[View, bytes]:
    """The views of a segment themselves, to find the line that differs."""
    return _examined(segment)[1]


def _examined(segment: Segment) -> tuple[Examined, Mapping[View, bytes]]:
    examined = Examined(segment.first)
    leaves = _leaves(segment, examined)
    examined.entries = len(leaves)
    hashes = [leaf_hash(leaf) for leaf in leaves]
    examined.hashes = b"".join(hashes)
    places = segment.indices or range(segment.first, segment.first + len(leaves))
    _compare(segment, examined, leaves, hashes)
    for index, digest, proof in zip(segment.indices, hashes, segment.proofs, strict=bool(segment.proofs)):
        if not _included(segment, index, digest, proof):
            said = f"Entry {index} is not what stands at its place in the log: its inclusion proof does not hold."
            examined.findings.append(Finding(Kind.CHANGED, said, index))
    shown = _by_entry(segment, examined)
    csv: list[str] = []
    ndjson: list[bytes] = []
    fhir: list[str] = []
    for index, leaf, digest in zip(places, leaves, hashes, strict=True):
        record = _read(index, leaf, examined)
        clients = _proved(shown.pop(index, ()), record, index, examined)
        if segment.views:
            line = lines(index, leaf, digest) if record is None else lines_of(record, index, leaf, digest, clients)
            ndjson.append(line.ndjson)
            csv.append(line.csv)
            fhir.append(line.fhir)
    for index in shown:
        examined.findings.append(
            Finding(Kind.DISCLOSURE, f"Something is laid open of entry {index}, which is not here.", index)
        )
    views = {View.NDJSON: b"".join(ndjson), View.CSV: "".join(csv).encode(), View.FHIR: "".join(fhir).encode()}
    return examined, {view: views[view] for view in segment.views}


def _leaves(segment: Segment, examined: Examined) -> Sequence[bytes]:
    if not segment.tiles:
        return segment.leaves
    leaves: list[bytes] = []
    for bundle, tile in zip(segment.bundles, segment.tiles, strict=True):
        width = len(tile) // HASH_BYTES
        try:
            leaves += entries_in(bundle, width=width)
        except Malformed:
            place = segment.first + len(leaves)
            said = (
                f"The bundle with entries {place} to {place + width - 1} is damaged: it does not hold {width} entries."
            )
            examined.findings.append(Finding(Kind.MALFORMED, said, place))
            leaves += [b""] * width
    return leaves


def _compare(segment: Segment, examined: Examined, leaves: Sequence[bytes], hashes: Sequence[bytes]) -> None:
    """Hold the leaves against the tiles, and make of either a compact range."""
    examined.authentic = b"".join(segment.tiles) or examined.hashes
    standing = [examined.authentic[at : at + HASH_BYTES] for at in range(0, len(examined.authentic), HASH_BYTES)]
    if not segment.indices:
        examined.compact = _compact(segment.first, standing)
    if segment.tiles:
        examined.above = [
            root_of(standing[at : at + TILE_WIDTH]) for at in range(0, len(standing) - TILE_WIDTH + 1, TILE_WIDTH)
        ]
    if examined.authentic != examined.hashes:
        examined.otherwise = _compact(segment.first, hashes)
        examined.differing = [
            Differing(segment.first + at, hashes[at], expected, not leaves[at])
            for at, expected in enumerate(standing)
            if hashes[at] != expected
        ]


def _compact(first: int, hashes: Sequence[bytes]) -> Sequence[bytes]:
    spans = subtrees_of(first, first + len(hashes))
    return [root_of(hashes[each.begin - first : each.end - first]) for each in spans]


def _included(segment: Segment, index: int, digest: bytes, proof: bytes) -> bool:
    try:
        path = path_in(proof)
    except ValueError:
        return False
    return includes(root=segment.root, size=segment.size, index=index, leaf=digest, path=path)


def _read(index: int, leaf: bytes, examined: Examined) -> Record | None:
    try:
        record = read(leaf)
    except NotARecord as problem:
        if leaf:
            examined.findings.append(
                Finding(Kind.MALFORMED, f"Entry {index} is not what an entry is: {problem}.", index)
            )
        return None
    _count(record, index, examined)
    if record.event == ROTATION or record.new_key:
        examined.rotations.append((index, record.old_key, record.new_key, record.key_signature))
    if record.event == SUCCESSION:
        examined.findings.append(succession(index, record.route))
    examined.earliest = min(examined.earliest or record.at, record.at)
    examined.latest = max(examined.latest, record.at)
    return record


def _count(record: Record, index: int, examined: Examined) -> None:
    """Lengthen its process's run, or begin one."""
    number, runs = int(record.number), examined.runs
    place = runs.get(record.boot)
    if place is not None and not record.void:
        run = examined.numbered[place]
        if run.last + 1 == number and index - run.place == number - run.number and not run.void:
            examined.numbered[place] = run._replace(last=number, last_at=max(run.last_at, record.at))
            return
    runs[record.boot] = len(examined.numbered)
    void = record.voided() if record.void else ()
    examined.numbered.append(Numbered(record.boot, number, number, index, record.at, record.at, void))


def _by_entry(segment: Segment, examined: Examined) -> dict[int, list[Disclosed]]:
    found: dict[int, list[Disclosed]] = {}
    for line in segment.disclosures:
        try:
            read_line = disclosed.read(line)
        except BadDisclosure as problem:
            examined.findings.append(
                Finding(Kind.DISCLOSURE, f"A line of disclosures.jsonl cannot be read: {problem}.")
            )
        else:
            found.setdefault(read_line.place, []).append(read_line)
    return found


def _proved(
    shown: Sequence[Disclosed], record: Record | None, index: int, examined: Examined
) -> Sequence[tuple[int, str]]:
    """The clients whom an entry is proved to concern, with their positions."""
    proved: dict[Of, Sequence[tuple[int, str]]] = {}
    for each in shown:
        try:
            about = disclosed.prove(each, record)
        except BadDisclosure as problem:
            said = f"What is laid open of the {each.of.value} of entry {index} does not hold: {problem}."
            examined.findings.append(Finding(Kind.DISCLOSURE, said, index))
        else:
            proved[each.of] = list(zip([one.position for one in each.shown], about, strict=True))
    clients = proved.get(Of.CLIENTS, ())
    if record is not None:
        examined.laid.take(index, record, clients=len(clients), facts=len(proved.get(Of.FACTS, ())))
    return clients
