"""Reads a whole folder into a `History`, and remembers of every file how it was read and what came of its rows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from caseload.domain.errors import Fault
from caseload.domain.history import SHEETS, History, Sheet
from caseload.imports.csvfile import OpenFile, Row, Unreadable, Unusable, opened


@dataclass(slots=True, kw_only=True)
class FileRead:
    """What came of one file."""

    file: str
    encoding: str = ""
    sha256: str = ""
    rows: int = 0
    accepted: int = 0
    problems: tuple[str, ...] = ()
    """Why no row of it can be read. One such file, and nothing of the folder is brought in."""
    notes: tuple[str, ...] = ()

    @property
    def refused(self) -> int:
        """Rows that are left out."""
        return self.rows - self.accepted


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRead:
    """A folder as it was read. Nothing has been written anywhere."""

    folder: Path
    files: tuple[FileRead, ...]
    history: History
    notes: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Whether every file that must be there could be read."""
        return not any(file.problems for file in self.files)


Progress = Callable[[str, int], None]
"""Told the file and how many of its rows were read since the last time."""

_ROWS_BETWEEN_PROGRESS = 1_000


def read(folder: Path, *, now: datetime, progress: Progress = lambda _file, _rows: None) -> FolderRead:
    """Read every file of the folder. `now` settles which days lie in the future."""
    history = History(now=now)
    files = tuple(
        _read_file(folder / sheet.file, sheet, history, progress)
        for sheet in SHEETS
        if sheet.required or (folder / sheet.file).exists()
    )
    return FolderRead(folder=folder, files=files, history=history, notes=_strangers(folder))


def _read_file(path: Path, sheet: Sheet, history: History, progress: Progress) -> FileRead:
    done = FileRead(file=sheet.file)
    try:
        with opened(path, sheet) as file:
            done.encoding, done.sha256, done.notes = file.encoding.said, file.sha256, file.notes
            _take_rows(file, sheet, history, done, progress)
    except Unusable as unusable:
        done.problems = unusable.problems
    except OSError as problem:
        done.problems = (f"cannot be read to its end: {problem.strerror}",)
    return done


def _take_rows(file: OpenFile, sheet: Sheet, history: History, done: FileRead, progress: Progress) -> None:
    for row in file.rows():
        done.rows += 1
        match row:
            case Row():
                done.accepted += history.take(sheet, row.line, row.cells)
            case Unreadable():
                history.refuse(sheet, row.line, Fault("", row.problem))
        if done.rows % _ROWS_BETWEEN_PROGRESS == 0:
            progress(sheet.file, _ROWS_BETWEEN_PROGRESS)
    progress(sheet.file, done.rows % _ROWS_BETWEEN_PROGRESS)


def _strangers(folder: Path) -> tuple[str, ...]:
    """CSV files that nobody reads: a name misspelt is a file forgotten."""
    known = {sheet.file for sheet in SHEETS}
    found = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return tuple(
        f"{name} is none of the files that are read, and is left out"
        for name in found
        if name.casefold().endswith(".csv") and name not in known
    )
