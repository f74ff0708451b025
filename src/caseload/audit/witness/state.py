"""What a witness remembers: of each log the largest checkpoint it has cosigned, in a SQLite file.

Whether a checkpoint may follow and that it does is one transaction that nobody else can be inside of: else of two
requests that race, the slower one could take the witness back. It is on disk before anything is answered.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from caseload.audit.tlog.checkpoint import Checkpoint
from caseload.audit.tlog.note import Note
from caseload.audit.witness.judging import Wanted

BUSY_SECONDS: Final = 10.0

_MAKE: Final = """
    create table if not exists seen (origin text primary key, size integer not null, note blob not null) strict
"""
_FIND: Final = "select note from seen where origin = ?"
_KEEP: Final = """
    insert into seen (origin, size, note) values (?, ?, ?)
    on conflict (origin) do update set size = excluded.size, note = excluded.note where excluded.size >= seen.size
"""


class State:
    """The file of one witness. Several threads, and by mistake several processes, may use it at once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with closing(self._opened()) as connection:
            connection.execute(_MAKE)
        file.chmod(0o600)

    def advance(self, wanted: Wanted, cosigned: Callable[[], bytes]) -> bytes:
        """Remember this checkpoint if it may follow what was seen, and return the note that `cosigned` makes of it.

        Raises `Refused`, and then nothing is changed. When it returns, what it returns is on disk.
        """
        with closing(self._opened()) as connection:
            connection.execute("begin immediate")
            wanted.follows(_seen(connection, wanted.checkpoint.origin))
            note = cosigned()
            connection.execute(_KEEP, (wanted.checkpoint.origin, wanted.checkpoint.size, note))
            connection.execute("commit")
        return note

    def newest(self, origin: str) -> bytes | None:
        """The largest checkpoint that was cosigned of this log, with the cosignature."""
        with closing(self._opened()) as connection:
            row = connection.execute(_FIND, (origin,)).fetchone()
        return None if row is None else row[0]

    def _opened(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=BUSY_SECONDS, isolation_level=None)
        # Also the folder is flushed when the journal goes, so that a power cut cannot bring an older state back.
        connection.execute("pragma synchronous = extra")
        return connection


def _seen(connection: sqlite3.Connection, origin: str) -> Checkpoint | None:
    row = connection.execute(_FIND, (origin,)).fetchone()
    return None if row is None else Checkpoint.parse(Note.parse(row[0]).text)
