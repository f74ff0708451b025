"""Reading what somebody else packed, without trusting them: a folder or a zip archive of files with plain names.

Links, devices, names that lead elsewhere, names in two spellings, archives that unpack to many times their size: all
of it is refused before a byte is read, with a sentence. A file is read in pieces and never beyond the size it has.
"""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from caseload.audit.verify.verdict import Unusable

MOST_FILES: Final = 4_000_000
DEEPEST: Final = 8
LARGEST_FACTOR: Final = 200
"""How many times its size an archive may unpack to. Ours comes to about ten."""

UNREADABLE: Final = (zipfile.BadZipFile, NotImplementedError)
"""What `zipfile` raises for a file that is no archive, and for one that is packed in a way it does not know."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE: Final = 1 << 20


class Files(Protocol):
    """Files by their names, `views/entries.csv`, as they are packed."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """Every file that is there, with its length."""
        ...

    def open(self, name: str) -> BinaryIO:
        """A file for reading. Raises `Unusable`."""
        ...


@contextmanager
def opened(path: Path) -> Generator[Files]:
    """Open a folder or an archive. Raises `Unusable`."""
    try:
        mode = path.stat().st_mode
    except OSError as problem:
        raise Unusable(f"{path} cannot be read: {problem.strerror}.") from problem
    if stat.S_ISDIR(mode):
        yield Folder(path)
    elif stat.S_ISREG(mode):
        try:
            archive = zipfile.ZipFile(path)
        except UNREADABLE as problem:
            raise Unusable(f"{path} is neither a folder nor a zip archive that can be read.") from problem
        with archive:
            yield Archive(path, archive)
    else:
        raise Unusable(f"{path} is neither a folder nor a file.")


class Folder:
    """Files below a folder."""

    def __init__(self, path: Path) -> None:
        """Find everything that is there. Raises `Unusable`."""
        self._path = path
        self.sizes: dict[str, int] = {}
        try:
            self._find(path, ())
        except OSError as problem:
            raise Unusable(f"{problem.filename} cannot be read: {problem.strerror}.") from problem

    def _find(self, folder: Path, above: tuple[str, ...]) -> None:
        with os.scandir(folder) as found:
            for each in found:
                parts = (*above, each.name)
                name = _checked("/".join(parts))
                if each.is_symlink():
                    raise Unusable(f"{name} is a link. A bundle has files in it and nothing else.")
                if each.is_dir(follow_symlinks=False):
                    self._find(folder / each.name, parts)
                elif each.is_file(follow_symlinks=False):
                    _keep(self.sizes, name, each.stat(follow_symlinks=False).st_size)
                else:
                    raise Unusable(f"{name} is neither a file nor a folder.")

    def open(self, name: str) -> BinaryIO:
        """A file for reading; what became a link or a device meanwhile is refused. Raises `Unusable`."""
        try:
            handle = os.open(
                self._path / name, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            )
        except OSError as problem:
            raise Unusable(f"{name} cannot be read: {problem.strerror}.") from problem
        file = os.fdopen(handle, "rb", buffering=_PIECE)
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            file.close()
            raise Unusable(f"{name} is no file.")
        return file


class Archive:
    """Files in a zip archive, which is never unpacked to disk."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Look at everything that it says is in it. Raises `Unusable`."""
        self._archive = archive
        self.sizes: dict[str, int] = {}
        packed = 0
        for each in archive.infolist():
            if each.is_dir():
                continue
            name = _checked(each.orig_filename)
            kind = stat.S_IFMT(each.external_attr >> 16)
            if kind not in {0, stat.S_IFREG}:
                raise Unusable(f"{name} is a link or a device. A bundle has files in it and nothing else.")
            if each.flag_bits & 1 or each.compress_type not in _METHODS:
                raise Unusable(f"{name} is encrypted, or packed in a way that this verifier does not read.")
            _keep(self.sizes, name, each.file_size)
            packed += each.compress_size
        size = path.stat().st_size
        if packed > size or sum(self.sizes.values()) > LARGEST_FACTOR * size:
            raise Unusable(f"{path} would unpack to more than {LARGEST_FACTOR} times its size. No export does.")

    def open(self, name: str) -> BinaryIO:
        """A file for reading. Raises `Unusable`."""
        try:
            return cast("BinaryIO", self._archive.open(name))
        except (OSError, RuntimeError, *UNREADABLE) as problem:
            raise Unusable(f"{name} cannot be read from the archive.") from problem


def read(file: BinaryIO, octets: int, *, line: bool = False) -> bytes:
    """So many bytes, or fewer at the end or after a line. Raises `Unusable` when the disk or archive is damaged."""
    try:
        return file.readline(octets) if line else file.read(octets)
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as problem:
        raise Unusable(f"{getattr(file, 'name', 'A file')} is damaged and cannot be read to its end.") from problem


def read_whole(files: Files, name: str, *, at_most: int) -> bytes:
    """A small file. Raises `Unusable` when it is not there, or larger than anything of the kind."""
    size = files.sizes.get(name)
    if size is None:
        raise Unusable(f"There is no {name} in it.")
    if size > at_most:
        raise Unusable(f"{name} has {size:,} bytes; nothing of the kind has more than {at_most:,}.")
    with files.open(name) as file:
        return read(file, at_most)


def _checked(name: str) -> str:
    parts = name.split("/")
    if len(parts) > DEEPEST or not all(_NAME.fullmatch(part) for part in parts):
        raise Unusable(f"{name[:200]!r} is no name that a file of a bundle has.")
    return name


def _keep(sizes: dict[str, int], name: str, size: int) -> None:
    if name in sizes:
        raise Unusable(f"{name} is there twice.")
    if len(sizes) >= MOST_FILES:
        raise Unusable(f"There are more than {MOST_FILES:,} files in it.")
    sizes[name] = size
