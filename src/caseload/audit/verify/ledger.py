"""The files of a bundle, each read once from its beginning to its end, and held against the manifest on the way."""

from collections.abc import Iterator
from hashlib import sha256
from typing import Final

from caseload.audit.bundle import MANIFEST, Laid, Manifest, NoManifest
from caseload.audit.verify.folder import Files, read, read_whole
from caseload.audit.verify.verdict import Finding, Findings, Kind, Unusable

LARGEST_MANIFEST: Final = 512 * 1024 * 1024
_PIECE: Final = 1 << 20


class Watched:
    """One file."""

    def __init__(self, files: Files, laid: Laid, findings: Findings) -> None:
        """Raises `Unusable` when it cannot be opened."""
        self.name = laid.name
        self.line = 0
        """How many lines have been read."""
        self._file = files.open(laid.name)
        self._laid = laid
        self._findings = findings
        self._digest = sha256()
        self._octets = 0

    def take(self, octets: int) -> bytes:
        """So many bytes, or what is left."""
        data = read(self._file, octets)
        self._digest.update(data)
        self._octets += len(data)
        return data

    def next_line(self, longest: int) -> bytes:
        """The next line with its line break; empty at the end. Raises `Unusable` for one that is too long."""
        line = read(self._file, longest + 1, line=True)
        self._digest.update(line)
        self._octets += len(line)
        self.line += 1
        if len(line) > longest:
            raise Unusable(f"Line {self.line} of {self.name} is longer than {longest:,} bytes; no export writes one.")
        return line

    def drop(self) -> None:
        """Read no further."""
        self._file.close()

    def close(self) -> int:
        """Read the rest; say when this is not the file that the manifest lists; return how many bytes were left."""
        left = 0
        while piece := self.take(_PIECE):
            left += len(piece)
        self._file.close()
        if (self._octets, self._digest.hexdigest()) != (self._laid.octets, self._laid.sha256):
            said = f"{self.name} is not the file that was exported: its SHA-256 is another than the manifest's."
            self._findings.add(Finding(Kind.FILE, said))
        return left


class Ledger:
    """All files, and which of them have been read."""

    def __init__(self, files: Files, findings: Findings) -> None:
        """Read the manifest. Raises `Unusable`."""
        self._files = files
        self._findings = findings
        self._open: list[Watched] = []
        try:
            self.manifest = Manifest.decode(read_whole(files, MANIFEST, at_most=LARGEST_MANIFEST))
        except NoManifest as problem:
            raise Unusable(f"{MANIFEST} is not that of an export: {problem}") from problem
        self._unread = {laid.name: laid for laid in self.manifest.files}
        if len(self._unread) != len(self.manifest.files):
            raise Unusable(f"{MANIFEST} lists a file twice.")
        self.names = frozenset(self._unread)
        self._compare()

    def has(self, name: str) -> bool:
        """Whether the file is listed and there."""
        return name in self.names and name in self._files.sizes

    def size(self, name: str) -> int:
        """Its length."""
        return self._files.sizes[name]

    def watch(self, name: str) -> Watched:
        """Read a file piece by piece."""
        watched = Watched(self._files, self._unread.pop(name), self._findings)
        self._open.append(watched)
        return watched

    def whole(self, name: str, *, at_most: int) -> bytes:
        """Read a file at once. Raises `Unusable` when it is larger."""
        if self._files.sizes[name] > at_most:
            raise Unusable(
                f"{name} has {self._files.sizes[name]:,} bytes; nothing of the kind has more than {at_most:,}."
            )
        return self._read(name, at_most)

    def rest(self) -> None:
        """Hold what nobody has asked for against the manifest too."""
        for name in [name for name in self._unread if name in self._files.sizes]:
            self._read(name, 0)

    def close(self) -> None:
        """Leave no file open, however it ended."""
        for watched in self._open:
            watched.drop()

    def _read(self, name: str, octets: int) -> bytes:
        watched = Watched(self._files, self._unread.pop(name), self._findings)
        try:
            data = watched.take(octets)
            watched.close()
        finally:
            watched.drop()
        return data

    def _compare(self) -> None:
        for name in sorted(self.names - self._files.sizes.keys()):
            self._findings.add(Finding(Kind.FILE, f"{name} is missing: the manifest lists it."))
        for name in sorted(self._files.sizes.keys() - self.names - {MANIFEST}):
            self._findings.add(Finding(Kind.FILE, f"{name} was put in: the manifest does not list it."))


def in_lines(watched: Watched, longest: int) -> Iterator[bytes]:
    """Every line, without its line break."""
    while line := watched.next_line(longest):
        yield line.removesuffix(b"\n")
