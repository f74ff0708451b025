"""How an export is laid out: the names of its files, and the manifest that lists them. Read by whoever verifies.

    manifest.json              what this is, and every other file with its length and SHA-256
    checkpoint                 the signed head of the log that everything here is proved against (C2SP tlog-checkpoint)
    checkpoints/<size>         older ones
    tile/...                   whole log: hash tiles and entry bundles in the layout of C2SP tlog-tiles, unmodified
    views/entries.ndjson       the leaves, one per line; a span or a choice of entries has its leaves here and no tiles
    views/entries.csv          the same for a spreadsheet
    views/auditevent.ndjson    the same as FHIR R4 AuditEvent
    proofs.jsonl               a choice of entries: an inclusion proof for each line
    range.json                 a span of entries: the compact ranges to its left and right, so that nothing is left out
    consistency.jsonl          a span or a choice: proofs towards older checkpoints that were named
    disclosures.jsonl          what entries say of clients and requests, as far as it is laid open
    README.txt                 for people; a verifier does not read it

The manifest is not signed and need not be: what it says is checked against the signed head. Only the standard library.
"""

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final, NamedTuple, cast

from caseload.audit import canonical
from caseload.audit.tlog.merkle import HASH_BYTES
from caseload.audit.tlog.spelling import base64, from_base64

FORMAT: Final = "caseload-audit-bundle/1"
MANIFEST: Final = "manifest.json"
CHECKPOINT: Final = "checkpoint"
DISCLOSURES: Final = "disclosures.jsonl"
PROOFS: Final = "proofs.jsonl"
RANGE: Final = "range.json"
CONSISTENCY: Final = "consistency.jsonl"

OLDER: Final = re.compile(r"checkpoints/(0|[1-9][0-9]{0,17})", re.ASCII)

_HASH: Final = rb'"[A-Za-z0-9+/]{43}="'
_PROOF: Final = re.compile(rb'\{"h":\[((?:%b(?:,%b){0,127})?)\],"i":(0|[1-9][0-9]{0,17})\}' % (_HASH, _HASH))
_SHA256: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


class Scope(StrEnum):
    """How much of the log an export holds."""

    WHOLE = "whole"
    """From the first entry to the checkpoint."""
    SPAN = "span"
    """Everything from one entry to another."""
    CHOICE = "choice"
    """Single entries; what was left out cannot be seen from them."""


class Opened(StrEnum):
    """How much of what entries commit to an export promises to lay open."""

    NOTHING = "nothing"
    FACTS = "facts"
    """What every entry says of its request."""
    CLIENTS = "clients"
    """That, and what every entry says of each of its clients, but for those who were erased."""


class View(StrEnum):
    """The same entries for different readers."""

    NDJSON = "views/entries.ndjson"
    CSV = "views/entries.csv"
    FHIR = "views/auditevent.ndjson"


class Laid(NamedTuple):
    """One file as the manifest lists it."""

    name: str
    octets: int
    sha256: str

    def encode(self) -> bytes:
        """As it stands in the manifest: `["<name>",<octets>,"<sha256>"]`."""
        return canonical.encode(list(self))


class Proved(NamedTuple):
    """Hashes that prove something about the entry or the tree of this number."""

    place: int
    hashes: Sequence[bytes]

    def encode(self) -> bytes:
        """One line: `{"h":["<hash>", ...],"i":17}`."""
        said = {"h": [base64(each) for each in self.hashes], "i": self.place}
        return canonical.encode(said) + b"\n"


class NoManifest(ValueError):
    """This is not the manifest of an export."""


class Manifest(NamedTuple):
    """What an export says of itself."""

    scope: Scope
    size: int
    """Of the tree at the checkpoint."""
    first: int
    """The place of the first entry of a span; 0 otherwise."""
    entries: int
    made: str
    opened: Opened
    asked: Mapping[str, str]
    """What the export was narrowed to."""
    gone: Sequence[int]
    """Places of which the database no longer has the entry. An empty one stands for each."""
    columns: Sequence[int]
    """Places at which the database's columns say something else than the entry."""
    files: Sequence[Laid]

    def encode(self) -> bytes:
        """As it is written."""
        return b"".join(self.written(each.encode() for each in self.files))

    def written(self, files: Iterable[bytes]) -> Iterator[bytes]:
        """The same piece by piece, with these files, as `Laid.encode` spells them, in the place of its own."""
        before = {"asked": dict(self.asked), "columns": list(self.columns), "entries": self.entries}
        yield canonical.encode(before)[:-1] + b',"files":['
        for number, each in enumerate(files):
            yield b"," + each if number else each
        after = {
            "first": self.first,
            "format": FORMAT,
            "gone": list(self.gone),
            "made": self.made,
            "opened": self.opened.value,
            "scope": self.scope.value,
            "size": self.size,
        }
        yield b"]," + canonical.encode(after)[1:]

    @classmethod
    def decode(cls, data: bytes) -> "Manifest":
        """Read it strictly. Raises `NoManifest`."""
        try:
            said = canonical.parse(data)
        except canonical.NotCanonical as problem:
            raise NoManifest(str(problem)) from problem
        if not isinstance(said, Mapping) or said.get("format") != FORMAT:
            raise NoManifest(f"It is not of the format {FORMAT}.")
        try:
            return cls(
                scope=Scope(_text(said["scope"])),
                size=_count(said["size"]),
                first=_count(said["first"]),
                entries=_count(said["entries"]),
                made=_text(said["made"]),
                opened=Opened(_text(said["opened"])),
                asked={name: _text(value) for name, value in cast("dict[str, object]", said["asked"]).items()},
                gone=[_count(each) for each in _listed(said["gone"])],
                columns=[_count(each) for each in _listed(said["columns"])],
                files=[_laid(each) for each in _listed(said["files"])],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as problem:
            raise NoManifest("A part of it is missing, or is not what it should be.") from problem


def index_in(proof: bytes) -> int:
    """The entry or tree that a line of proofs is about. Raises `ValueError`."""
    found = _PROOF.fullmatch(proof)
    if found is None:
        raise ValueError("no line of proofs")
    return int(found[2])


def path_in(proof: bytes) -> list[bytes]:
    """The hashes of a line of proofs. Raises `ValueError`."""
    found = _PROOF.fullmatch(proof)
    if found is None:
        raise ValueError("no line of proofs")
    return [b64decode(each) for each in found[1].replace(b'"', b"").split(b",")] if found[1] else []


def hashes_of(data: bytes, *names: str) -> list[list[bytes]]:
    """Lists of hashes under their names, `{"left":["<hash>", ...],"right":[]}`. Raises `ValueError`."""
    said = canonical.parse(data.removesuffix(b"\n"))
    if not isinstance(said, Mapping) or set(said) != set(names):
        raise ValueError("other parts than it should have")
    return [[from_base64(_text(each), length=HASH_BYTES) for each in _listed(said[name])] for name in names]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _listed(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError
    return cast("list[object]", value)


def _laid(value: object) -> Laid:
    name, octets, digest = _listed(value)
    if not _SHA256.fullmatch(_text(digest)):
        raise TypeError
    return Laid(_text(name), _count(octets), _text(digest))
