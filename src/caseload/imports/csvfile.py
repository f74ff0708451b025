"""Reads one CSV file line by line, whatever is in it (RFC 4180, with the untidiness of real exports).

Nothing raises for a bad line: it comes out as `Unreadable` with its number and a sentence, and reading goes on with
the next one. Only a file of which no line can be trusted raises `Unusable`. A line is held in memory at a time, and
never more of it than `LONGEST_LINE_BYTES`.
"""

import codecs
import csv
import hashlib
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import count
from pathlib import Path
from typing import BinaryIO

from caseload.domain.history import Sheet

LONGEST_LINE_BYTES = 65_536
"""No honest row comes near it; a longer one is refused without being kept."""

MOST_LINES_IN_A_ROW = 20
"""A quoted cell may hold line breaks. A quotation mark left open for longer is a slip, and only its line is lost."""

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unusable(Exception):
    """The file cannot be read at all."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row by column, and the line on which it begins."""

    line: int
    cells: dict[str, str]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that is no row of this file."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How the bytes of a file were understood."""

    codec: str
    said: str
    """For people: what was found, and what was assumed where nothing says it."""


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenFile:
    """A file whose header is in order, ready to be read row by row."""

    encoding: Encoding
    sha256: str
    header: tuple[str, ...]
    notes: tuple[str, ...]
    records: Iterator[_Record | Unreadable]

    def rows(self) -> Iterator[Row | Unreadable]:
        """Every row in turn, once; blank lines are passed over."""
        for record in self.records:
            if isinstance(record, Unreadable):
                yield record
            elif any(record.cells):
                yield self._row(record)

    def _row(self, record: _Record) -> Row | Unreadable:
        if len(record.cells) != len(self.header):
            return Unreadable(
                record.line, f"has {len(record.cells)} cells where the header has {len(self.header)} columns"
            )
        return Row(record.line, dict(zip(self.header, record.cells, strict=True)))


@contextmanager
def opened(path: Path, sheet: Sheet) -> Generator[OpenFile]:
    """Open a file of the folder and check its header. Raises `Unusable` when no row of it can be read."""
    if not path.is_file():
        raise Unusable("is not a file" if path.exists() else "is not there")
    try:
        stream = path.open("rb")
    except OSError as problem:
        raise Unusable(f"cannot be opened: {problem.strerror}") from problem
    with stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        encoding = _recognise(stream)
        stream.seek(0)
        records = _records(_lines(stream), encoding.codec)
        header, notes = _header(records, sheet)
        yield OpenFile(encoding=encoding, sha256=sha256, header=header, notes=notes, records=records)


@dataclass(frozen=True, slots=True)
class _Line:
    """A physical line without its end, or None where it was too long to keep."""

    number: int
    content: bytes | None


def _lines(stream: BinaryIO) -> Iterator[_Line]:
    """The physical lines of a file, never more than the longest line in memory."""
    for number in count(1):
        content = stream.readline(LONGEST_LINE_BYTES + 2)
        if not content:
            return
        if content.endswith(b"\n"):
            yield _Line(number, content[: -2 if content.endswith(b"\r\n") else -1])
        elif len(content) < LONGEST_LINE_BYTES + 2:
            yield _Line(number, content)
        else:
            while (rest := stream.readline(LONGEST_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield _Line(number, None)


def _recognise(stream: BinaryIO) -> Encoding:
    """Read the file once to see what its bytes are. Raises `Unusable` where they are no CSV."""
    stream.seek(0)
    start = stream.read(LONGEST_LINE_BYTES)
    if not start:
        raise Unusable("is empty: not even the header is there")
    if start.startswith(_UTF16):
        raise Unusable("is UTF-16 (Excel's Unicode Text); save it as CSV UTF-8")
    if b"\n" not in start and b"\r" in start.rstrip(b"\r"):
        raise Unusable("has old Macintosh line ends; save it with Windows or Unix line ends")
    stream.seek(0)
    if start.startswith(codecs.BOM_UTF8):
        return Encoding(codec="utf-8", said="UTF-8 with a byte order mark")
    return _encoding_of(line for line in _lines(stream) if line.content and not line.content.isascii())


def _encoding_of(lines: Iterable[_Line]) -> Encoding:
    """What the lines beyond ASCII are written in.

    One line of UTF-8 among them says that the file is UTF-8, and that any other is damaged. Where there is none,
    bytes from 0x80 to 0x9F are letters in Windows-1252 and invisible controls in Latin-1 (ISO 8859-1).
    """
    first, windows = 0, False
    for line in lines:
        content = line.content or b""
        if _is_utf8(content):
            return Encoding(codec="utf-8", said="UTF-8")
        first = first or line.number
        windows = windows or any(0x80 <= byte <= 0x9F for byte in content)
    if not first:
        return Encoding(codec="utf-8", said="UTF-8")
    codec, named = ("cp1252", "Windows-1252") if windows else ("latin-1", "Latin-1")
    return Encoding(codec=codec, said=f"{named} assumed: line {first} is not UTF-8")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _records(lines: Iterator[_Line], codec: str) -> Iterator[_Record | Unreadable]:
    """Put physical lines together to rows: a quoted cell may go on over several of them."""
    waiting: list[_Line] = []
    while True:
        line = waiting.pop(0) if waiting else next(lines, None)
        if line is None:
            return
        text = _text(line, codec)
        if isinstance(text, Unreadable):
            yield text
            continue
        cells = _cells(text)
        if cells is None:
            cells = _continued(text, waiting, lines, codec)
        if isinstance(cells, str):
            yield Unreadable(line.number, cells)
        else:
            yield _Record(line.number, [cell.strip() for cell in cells])


def _text(line: _Line, codec: str) -> str | Unreadable:
    if line.content is None:
        return Unreadable(line.number, f"is longer than {LONGEST_LINE_BYTES:,} bytes; no cell can be that long")
    content = line.content.removeprefix(codecs.BOM_UTF8) if line.number == 1 else line.content
    if b"\0" in content:
        return Unreadable(line.number, "holds NUL bytes; the export was damaged")
    try:
        return content.decode(codec)
    except UnicodeDecodeError:
        named = {"cp1252": "Windows-1252", "utf-8": "UTF-8"}.get(codec, codec)
        return Unreadable(line.number, f"is not {named} as the rest of the file is")


def _cells(text: str) -> list[str] | str | None:
    """The cells of a text; a sentence when it is no CSV; None when a quoted cell is still open at its end."""
    if '"' not in text:
        return text.split(",") if "\r" not in text else "holds a line end in the middle"
    try:
        return next(csv.reader([text], strict=True), [""])
    except csv.Error as problem:
        if "unexpected end of data" in str(problem):
            return None
        if "new-line" in str(problem):
            return "holds a line end in the middle"
        return "has quotation marks that do not pair up; inside a quoted cell write each one twice"


def _continued(text: str, waiting: list[_Line], lines: Iterator[_Line], codec: str) -> list[str] | str:
    """Read on until the quoted cell that is open at the end of `text` closes.

    Where it does not, only the line in which it was opened is lost: the others go back to wait their turn.
    """
    taken: list[_Line] = []
    pieces = [text]
    while len(taken) < MOST_LINES_IN_A_ROW - 1 and sum(map(len, pieces)) < LONGEST_LINE_BYTES:
        line = waiting.pop(0) if waiting else next(lines, None)
        if line is None:
            break
        taken.append(line)
        more = _text(line, codec)
        if isinstance(more, Unreadable):
            break
        pieces.append(more)
        # Only a line with a quotation mark can close the cell, and reading it alone (with the mark that is open)
        # says so without going over everything before it again.
        if '"' not in more or _cells(f'"{more}') is None:
            continue
        cells = _cells("\n".join(pieces))
        if isinstance(cells, list):
            return cells
        break
    waiting[:0] = taken
    return f"opens a quotation mark that is not closed within {MOST_LINES_IN_A_ROW} lines"


def _header(records: Iterator[_Record | Unreadable], sheet: Sheet) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns in the order of the file, and notes about them. Raises `Unusable`."""
    record = next(records, None)
    while isinstance(record, _Record) and not any(record.cells):
        record = next(records, None)
    if record is None:
        raise Unusable("is empty: not even the header is there")
    if isinstance(record, Unreadable):
        raise Unusable(f"has no header that can be read: line {record.line} {record.problem}")
    header = tuple(cell.casefold() for cell in record.cells)
    known = [column.name for column in sheet.columns]
    _refuse_other_separators(header, known)
    problems = [f"has the column {name} more than once" for name in dict.fromkeys(header) if header.count(name) > 1]
    extra = [name for name in dict.fromkeys(header) if name not in known]
    for column in sheet.columns:
        if column.required and column.name not in header:
            near = get_close_matches(column.name, extra, n=1)
            problems.append(f"lacks the column {column.name}" + (f" (is it {_shown(near[0])}?)" if near else ""))
    if problems:
        raise Unusable(*problems)
    notes = tuple(
        f"has the column {_shown(name)}, which is not known and is not brought in" if name else "has a nameless column"
        for name in extra
    )
    return header, notes


def _refuse_other_separators(header: tuple[str, ...], known: list[str]) -> None:
    for separator, named in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        if len(header) == 1 and set(header[0].split(separator)) & set(known) and separator in header[0]:
            raise Unusable(f"separates its columns with {named}; save it with commas")


def _shown(name: str) -> str:
    """A header cell fit for a sentence: short, and on one line."""
    plain = "".join(character if character.isprintable() else "?" for character in name)
    return plain if len(plain) <= 40 else f"{plain[:40]}..."
