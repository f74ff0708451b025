"""Session notes in PostgreSQL."""

from caseload.db.note.notes import Notes
from caseload.db.note.reading import NoteList

__all__ = ["NoteList", "Notes"]
