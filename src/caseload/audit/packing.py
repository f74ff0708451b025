"""Writes an export as a folder (see `bundle`): entries come in, in the order of the log, and nothing is kept of them.

The folder is written beside its final name and gets that name when it is complete. Only pure functions of the log are
used here, the same by which a verifier makes the views again.
"""

import os
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Final, NamedTuple, Self

from caseload.audit import canonical, disclosed
from caseload.audit.bundle import (
    CHECKPOINT,
    CONSISTENCY,
    DISCLOSURES,
    MANIFEST,
    PROOFS,
    RANGE,
    Laid,
    Manifest,
    Opened,
    Proved,
    Scope,
    View,
)
from caseload.audit.disclosed import Disclosed, Of
from caseload.audit.record import Record
from caseload.audit.tlog.merkle import leaf_hash
from caseload.audit.tlog.spelling import base64
from caseload.audit.tlog.tile import TILE_WIDTH, TileName, bundle_of
from caseload.audit.views import csv_header, lines, lines_of

_PIECE: Final = 1 << 18
_LISTED_IN_MEMORY: Final = 1 << 20
_MOST_NAMED: Final = 100_000
"""Of places that are gone or differ, in the manifest."""


class Exported(NamedTuple):
    """One entry on its way out."""

    place: int
    leaf: bytes
    """Empty where the database no longer has it."""
    shown: Sequence[Disclosed] = ()
    path: Sequence[bytes] = ()
    """Of a choice: its inclusion in the tree."""
    record: Record | None = None
    """The leaf's fields, where it has been read already."""


class Packed(NamedTuple):
    """An export that is complete."""

    entries: int
    octets: int
    sha256: str
    """Of the manifest, which has that of every other file."""


class _File:
    """One file while it is written."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._digest = sha256()
        self._octets = 0
        self._waiting: list[bytes] = []
        self._held = 0
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")

    def write(self, data: bytes) -> None:
        """Lines come one by one, and go to the disk in pieces: however much an entry lays open, little is held."""
        self._waiting.append(data)
        self._held += len(data)
        if self._held >= _PIECE:
            self._pass_on()

    def close(self) -> Laid:
        self._pass_on()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return Laid(self.name, self._octets, self._digest.hexdigest())

    def drop(self) -> None:
        self._file.close()

    def _pass_on(self) -> None:
        data = b"".join(self._waiting)
        self._digest.update(data)
        self._octets += self._held
        self._file.write(data)
        self._waiting, self._held = [], 0


class Packer:
    """Writes one export. Used as a context: left by an error, it leaves nothing behind."""

    def __init__(self, out: Path, *, scope: Scope, size: int, first: int = 0) -> None:
        """Raises `FileExistsError` when there is something of that name."""
        if out.exists():
            raise FileExistsError(out)
        self._out = out
        self._draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
        self._scope = scope
        self._size = size
        self._first = first
        self._listing = SpooledTemporaryFile(_LISTED_IN_MEMORY, dir=str(out.parent))  # noqa: SIM115  we are the context
        """The manifest's line of each file: a log of a hundred million entries has nearly a million files."""
        self._packed = 0
        self._streams: dict[str, _File] = {}
        self._waiting: list[bytes] = []
        self._bundles = 0
        self._entries = 0
        self._octets = 0
        self.gone: list[int] = []
        self.columns: list[int] = []
        """Places at which the database's columns say something else than the entry."""

    def __enter__(self) -> Self:
        self._draft.mkdir(mode=0o700, parents=True)
        self._stream(View.CSV.value).write(csv_header())
        for name in (View.NDJSON.value, View.FHIR.value, DISCLOSURES):
            self._stream(name)
        if self._scope is Scope.CHOICE:
            self._stream(PROOFS)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams.values():
            stream.drop()
        self._listing.close()
        if self._draft.exists():
            shutil.rmtree(self._draft)

    @property
    def octets(self) -> int:
        """How much has been written so far, in whole files and in entries."""
        return self._octets

    def head(self, note: bytes, older: Mapping[int, bytes]) -> None:
        """Lay down the signed head that everything leads to, and older ones by their size."""
        self.file(CHECKPOINT, note)
        for size, earlier in older.items():
            self.file(f"checkpoints/{size}", earlier)

    def tile(self, tile: TileName, data: bytes) -> None:
        """Lay down a hash tile."""
        self.file(tile.path(), data)

    def span(self, left: Iterable[bytes], right: Iterable[bytes]) -> None:
        """Lay down what lies to the left and to the right of a span."""
        said = {"left": [base64(each) for each in left], "right": [base64(each) for each in right]}
        self.file(RANGE, canonical.encode(said) + b"\n")

    def consistency(self, proofs: Iterable[Proved]) -> None:
        """Lay down proofs that the tree began with older ones."""
        data = b"".join(each.encode() for each in proofs)
        if data:
            self.file(CONSISTENCY, data)

    def file(self, name: str, data: bytes) -> None:
        """Lay down a small file."""
        file = _File(self._draft / name, name)
        try:
            file.write(data)
        finally:
            self._list(file.close())
        self._octets += len(data)

    def add(self, entries: Iterable[Exported]) -> int:
        """Write entries into every view, and what is laid open of them; return how many they were."""
        before = self._entries
        for entry in entries:
            digest = leaf_hash(entry.leaf)
            clients = _clients(entry.shown)
            line = (
                lines(entry.place, entry.leaf, digest, clients)
                if entry.record is None
                else lines_of(entry.record, entry.place, entry.leaf, digest, clients)
            )
            self._write(View.NDJSON.value, line.ndjson)
            self._write(View.CSV.value, line.csv.encode())
            self._write(View.FHIR.value, line.fhir.encode())
            for each in entry.shown:
                self._write(DISCLOSURES, disclosed.write(each))
            if self._scope is Scope.CHOICE:
                self._write(PROOFS, Proved(entry.place, entry.path).encode())
            elif self._scope is Scope.WHOLE:
                self._bundle(entry)
            if not entry.leaf and len(self.gone) < _MOST_NAMED:
                self.gone.append(entry.place)
            self._entries += 1
        return self._entries - before

    def close(self, *, made: str, opened: Opened, asked: Mapping[str, str]) -> Packed:
        """Write the manifest; all that is missing then is the folder's name."""
        if self._waiting:
            self._lay_bundle()
        for stream in self._streams.values():
            self._list(stream.close())
        manifest = Manifest(
            scope=self._scope,
            size=self._size,
            first=self._first,
            entries=self._entries,
            made=made,
            opened=opened,
            asked=asked,
            gone=self.gone,
            columns=self.columns[:_MOST_NAMED],
            files=(),
        )
        file = _File(self._draft / MANIFEST, MANIFEST)
        try:
            for piece in manifest.written(self._listed()):
                file.write(piece)
        finally:
            laid = file.close()
        return Packed(self._entries, self._packed + laid.octets, laid.sha256)

    def publish(self) -> None:
        """Give the folder its name. Raises `OSError` when something of that name has appeared meanwhile."""
        self._draft.rename(self._out)

    def _list(self, laid: Laid) -> None:
        self._packed += laid.octets
        self._listing.write(laid.encode() + b"\n")

    def _listed(self) -> Iterator[bytes]:
        """The files that were listed, in the order in which they were written."""
        self._listing.seek(0)
        return (line[:-1] for line in self._listing)

    def _stream(self, name: str) -> _File:
        made = self._streams[name] = _File(self._draft / name, name)
        return made

    def _write(self, name: str, data: bytes) -> None:
        self._streams[name].write(data)
        self._octets += len(data)

    def _bundle(self, entry: Exported) -> None:
        self._waiting.append(entry.leaf)
        if len(self._waiting) == TILE_WIDTH:
            self._lay_bundle()

    def _lay_bundle(self) -> None:
        name = TileName(None, self._bundles, len(self._waiting))
        self.file(name.path(), bundle_of(self._waiting))
        self._bundles += 1
        self._waiting = []


def _clients(shown: Sequence[Disclosed]) -> list[tuple[int, str]]:
    """Whom an entry is about, as far as that is laid open."""
    return [
        (each.position, disclosed.client_in(each.item))
        for line in shown
        if line.of is Of.CLIENTS
        for each in line.shown
    ]
