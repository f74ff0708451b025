"""Session notes on the wire."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from caseload.api.proving import ProvedIn
from caseload.api.wire import Wire
from caseload.domain.ids import ClientId
from caseload.domain.note import Note, NoteKind, NoteStanding, NoteVersion
from caseload.domain.people import Staff

Number = Annotated[int, msgspec.Meta(ge=1, le=32767)]


class NoteIn(Wire, frozen=True, kw_only=True):
    """A note to be begun."""

    text: str
    client_id: UUID | None = None
    """Whom of the session it is about; left out for what concerns everybody, which names nobody of the group."""
    kind: NoteKind = NoteKind.PROGRESS


class NoteChangeIn(Wire, frozen=True, kw_only=True):
    """The next version of a note."""

    text: str
    reason: str | None = None
    """Why it replaces what was signed; only where a version was."""


class NoteSignatureIn(ProvedIn, frozen=True, kw_only=True):
    """The version as it was displayed, and your password once more."""

    version: Number
    names_confirmed: bool = False
    """You have seen that it names somebody else of the group, and mean it."""


class NoteCoSignatureIn(ProvedIn, frozen=True, kw_only=True):
    """The version as it was displayed, and your password once more."""

    version: Number


class NoteRejectionIn(Wire, frozen=True, kw_only=True):
    """Why a version goes back to its author."""

    version: Number
    reason: str


class NoteVoidingIn(Wire, frozen=True, kw_only=True):
    """Why a note counts for nothing."""

    reason: str


class NoteVersionOut(Wire, frozen=True, kw_only=True):
    """One version of a note."""

    version: int
    text: str
    reason: str | None
    """Why it replaces what was signed before it."""
    written_at: datetime
    signed_at: datetime | None
    co_signed_by: UUID | None
    co_signed_at: datetime | None
    sent_back: str | None
    """Why a supervisor did not countersign it."""

    @classmethod
    def of(cls, version: NoteVersion) -> "NoteVersionOut":
        """From the domain."""
        return cls(
            version=version.number,
            text=version.text,
            reason=version.reason,
            written_at=version.written_at,
            signed_at=version.signed_at,
            co_signed_by=version.co_signed_by,
            co_signed_at=version.co_signed_at,
            sent_back=None if version.sent_back is None else version.sent_back.reason,
        )


class NoteOut(Wire, frozen=True, kw_only=True):
    """A note in the newest version that you may read: its author also the draft, everybody else what was signed."""

    id: UUID
    session_id: UUID
    client_id: UUID | None
    programme_id: UUID
    kind: NoteKind
    author_id: UUID
    standing: NoteStanding
    sign_by: datetime
    is_late: bool
    """It waits, and should have been signed by now."""
    voided: str | None
    """Why it counts for nothing any more."""
    newest: NoteVersionOut
    names: list[UUID]
    """Of your own draft: whom else of the group its text seems to name. Look before you sign."""

    @classmethod
    def of(cls, note: Note, *, reader: Staff, now: datetime, names: Collection[ClientId] = ()) -> "NoteOut":
        """From the domain."""
        waits = note.standing in {NoteStanding.DRAFT, NoteStanding.WAITS}
        return cls(
            id=note.id,
            session_id=note.session,
            client_id=note.client,
            programme_id=note.programme,
            kind=note.kind,
            author_id=note.author,
            standing=note.standing,
            sign_by=note.sign_by,
            is_late=waits and note.sign_by < now,
            voided=None if note.voided is None else note.voided.reason,
            newest=NoteVersionOut.of(note.shown_to(reader.id)[-1]),
            names=sorted(names),
        )


class NotesOut(Wire, frozen=True, kw_only=True):
    """Notes of a session that you may read, oldest first."""

    items: list[NoteOut]


class NoteVersionsOut(Wire, frozen=True, kw_only=True):
    """The versions of a note that you may read, oldest first."""

    items: list[NoteVersionOut]
