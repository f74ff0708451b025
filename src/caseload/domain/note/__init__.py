"""Session notes: drafts, signatures, countersignatures, and amendments that lose no word."""

from caseload.domain.note.naming import Around, named_in
from caseload.domain.note.note import (
    KIND,
    Note,
    NoteKind,
    NoteMoved,
    NoteNamesOthers,
    Notes,
    NoteStanding,
    NoteUnknown,
    NoteVersion,
    NoteVoided,
    NotYourNote,
    OwnNote,
    SentBack,
    SignedAs,
    Voided,
)
from caseload.domain.note.signing import co_sign_note, send_back, sign_note
from caseload.domain.note.writing import change_note, void_note, write_note

__all__ = [
    "KIND",
    "Around",
    "NotYourNote",
    "Note",
    "NoteKind",
    "NoteMoved",
    "NoteNamesOthers",
    "NoteStanding",
    "NoteUnknown",
    "NoteVersion",
    "NoteVoided",
    "Notes",
    "OwnNote",
    "SentBack",
    "SignedAs",
    "Voided",
    "change_note",
    "co_sign_note",
    "named_in",
    "send_back",
    "sign_note",
    "void_note",
    "write_note",
]
