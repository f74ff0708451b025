"""Session notes: a draft that only its author sees, versions that are signed, and nothing that is ever deleted."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, NotFound, NotPermitted
from caseload.domain.ids import ClientId, NoteId, ProgrammeId, StaffId, TherapySessionId
from caseload.domain.journal import Event
from caseload.domain.note.naming import Around
from caseload.domain.people import Staff
from caseload.domain.signature import Signature, Signatures, Subject, Version

LONGEST_TEXT = 20_000
LONGEST_REASON = 1_000
KIND = "note"
"""What the log says was seen."""


class NoteKind(StrEnum):
    """What a note is. The two are kept apart in the record (42 CFR 2.11)."""

    PROGRESS = "progress"
    """What was done and how the client is: part of the record that everybody who treats the client reads."""
    COUNSELLING = "counselling"
    """An SUD counselling note: a counsellor's own analysis of a conversation, apart from the rest of the record. Its author
    reads it, and whoever countersigns it; a disclosure asks for a consent of its own (42 CFR 2.31(b))."""


class NoteStanding(StrEnum):
    """Where a note stands."""

    DRAFT = "draft"
    """Its newest version waits for its author; nobody else sees that version."""
    WAITS = "waits_for_co_signature"
    SIGNED = "signed"
    VOIDED = "voided"


class SignedAs(StrEnum):
    """Who signs a version of a note."""

    AUTHOR = "author"
    CO_SIGNER = "co_signer"


class NoteUnknown(NotFound):
    """No such note within your reach."""

    def __init__(self) -> None:
        super().__init__("Check the identifier. A draft is seen by its author only.")


class NotYourNote(NotPermitted):
    """Somebody else wrote this note."""

    def __init__(self) -> None:
        super().__init__("Write a note of your own beside it.")


class OwnNote(NotPermitted):
    """You wrote this note yourself."""

    def __init__(self) -> None:
        super().__init__("Leave it for another supervisor.")


class NoteMoved(Conflict):
    """The note has moved on since you read it."""

    def __init__(self, **facts: object) -> None:
        super().__init__("Read it again, and decide whether your change still holds.", **facts)


class NoteVoided(Conflict):
    """This note was voided."""

    def __init__(self) -> None:
        super().__init__("Write another one.")


class NoteNamesOthers(Conflict):
    """This note names somebody else of the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWritten(Event):
    """Somebody began a note about a session."""

    name: ClassVar[str] = "note.written"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteChanged(Event):
    """The author of a note wrote its next version."""

    name: ClassVar[str] = "note.changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSigned(Event):
    """The author signed a version of a note."""

    name: ClassVar[str] = "note.signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteCoSigned(Event):
    """A supervisor signed a version of a note after its author."""

    name: ClassVar[str] = "note.co_signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSentBack(Event):
    """A supervisor sent a note back to its author."""

    name: ClassVar[str] = "note.sent_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteWasVoided(Event):
    """A note was voided; it stays readable."""

    name: ClassVar[str] = "note.voided"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentBack:
    """A version that a supervisor did not countersign, and why."""

    reason: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Voided:
    """The end of a note: it counts for nothing and stays readable."""

    reason: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteVersion:
    """One version of a note, kept for ever."""

    number: int
    text: str
    reason: str | None
    """Why it replaces a version that was signed."""
    written_at: datetime
    signed_at: datetime | None = None
    co_signed_by: StaffId | None = None
    co_signed_at: datetime | None = None
    sent_back: SentBack | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note about a session: about one client of it, or about what concerned everybody."""

    id: NoteId
    session: TherapySessionId
    client: ClientId | None
    """None for the common note of a group, which names nobody of it."""
    programme: ProgrammeId
    kind: NoteKind
    author: StaffId
    standing: NoteStanding
    sign_by: datetime
    """By when it is to be signed."""
    versions: tuple[NoteVersion, ...]
    """Oldest first."""
    voided: Voided | None = None

    @property
    def newest(self) -> NoteVersion:
        """The newest version, a draft or signed."""
        return self.versions[-1]

    @property
    def signed(self) -> tuple[NoteVersion, ...]:
        """The versions that its author has signed, oldest first."""
        return tuple(version for version in self.versions if version.signed_at is not None)

    def shown_to(self, reader: StaffId) -> tuple[NoteVersion, ...]:
        """The versions that this person reads of it, oldest first: its author all of them."""
        return self.versions if reader == self.author else self.signed

    def as_signed(self, version: NoteVersion) -> Version:
        """One version as it is signed."""
        return Version(
            subject=Subject.SESSION_NOTE,
            id=self.id,
            number=version.number,
            content={
                "session": self.session,
                "client": self.client,
                "kind": self.kind,
                "author": self.author,
                "text": version.text,
                "reason": version.reason,
                "written_at": version.written_at,
            },
        )


class Notes(Signatures, Protocol):
    """The notes that are kept."""

    async def hold(self, wanted: NoteId, /, *, by: Staff, act: Act) -> Note:
        """The note, held so that nothing of it changes until this piece of work ends; or `NoteUnknown`."""
        ...

    async def names_around(self, note: Note, /) -> Around:
        """Every name of everybody on the roster and the register of its session, but of whom the note is about."""
        ...

    async def add_note(self, note: Note, /) -> None:
        """Keep a new note with its first version."""
        ...

    async def add_version(self, changed: Note, /) -> None:
        """Keep the newest version of a note that was changed: a draft; `NoteMoved` when that version exists."""
        ...

    async def add_signature(
        self, note: Note, signature: Signature, /, *, signed_as: SignedAs, names_others: bool, standing: NoteStanding
    ) -> None:
        """Keep a signature under its newest version, and where the note stands by it."""
        ...

    async def add_sent_back(self, note: Note, sent_back: SentBack, /) -> None:
        """Keep that its newest version was sent back: it is a draft again."""
        ...

    async def add_voided(self, note: Note, voided: Voided, /) -> None:
        """Keep that it was voided."""
        ...
