"""One copy of a client's record: what it holds entry by entry, what is withheld of it, and whether it has left."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, CopyEntryId, ProgrammeId, RecordCopyId, RightsRequestId, StaffId
from caseload.domain.profiles.rights import WithholdingReason
from caseload.domain.recordcopy.labels import Labels


class CopyUnknown(NotFound):
    """There is no such copy within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the request for the copies that were prepared for it.")


class EntryUnknown(NotFound):
    """There is no such entry in this copy."""

    def __init__(self) -> None:
        super().__init__("Use the identifiers of entries that the copy shows.")


class NotForACopy(Conflict):
    """This request asks for something else than a copy of the record."""

    def __init__(self) -> None:
        super().__init__("Take a request of the kind record_copy.")


class CopyReleased(Conflict):
    """A copy has been released for this request."""

    def __init__(self) -> None:
        super().__init__("What has left cannot be changed. If the client asks again, take another request.")


class CopyNotReleased(Conflict):
    """This copy has not been released."""

    def __init__(self) -> None:
        super().__init__("Look through its entries, decide those that are held back, and release it.")


class EntryDecided(Conflict):
    """One of these entries has been decided already."""

    def __init__(self) -> None:
        super().__init__("Read the entries for who decided and why. To decide otherwise, prepare another copy.")


class LiesApart(Conflict):
    """A counselling note lies apart from the record and is in no copy."""

    def __init__(self) -> None:
        super().__init__("Its author can give it to the client.")


class EntriesUndecided(Conflict):
    """Entries of this copy are held back, and nobody has decided about them."""


class AuthorityEnded(Conflict):
    """Whoever asked for the client may not ask for them any more."""

    def __init__(self) -> None:
        super().__init__("Give the copy to the client, or have the authority put on file again.")


class NotThatWay(Conflict):
    """The client is not reached in this way."""

    def __init__(self) -> None:
        super().__init__("Read the copy for how and where they are reached, or hand it over in person.")


class Section(StrEnum):
    """A part of the record."""

    PERSON = "person"
    CARE = "care"
    MEDICINES = "medicines"
    DOSES = "doses"
    TAKE_HOME = "take_home"
    CHECK_INS = "check_ins"
    MEASURES = "measures"
    SESSIONS = "sessions"
    NOTES = "notes"
    PEOPLE = "people"
    """The people around the client, and what was heard from them."""
    CONSENTS = "consents"
    DISCLOSURES = "disclosures"
    REQUESTS = "requests"
    """What the client asked about their own record."""
    CONTACT = "contact"
    """How they were reached and looked for, and what was left for the window."""
    SAFETY = "safety"
    HISTORY = "history"
    """What was brought in from an earlier system."""


class CopyFormat(StrEnum):
    """As what a copy leaves."""

    JSON = "json"
    """All of it, in one file that others' programs can read."""
    PDF = "pdf"
    """For reading, in parts."""


class HandedOver(StrEnum):
    """How a copy reaches whoever it is for."""

    IN_PERSON = "in_person"
    POST = "post"
    ELECTRONIC = "electronic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Releasing:
    """To whom a copy goes, and how."""

    to_representative: bool
    """To whoever asked for the client; to the client themselves otherwise."""
    manner: HandedOver
    detail: str
    """To whom exactly, which address or which document was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRelease:
    """A privacy officer's word that a copy leaves as it is."""

    how: Releasing
    entries: int
    """How many there are, withheld ones too."""
    withheld: int
    """How many do not leave, and the copy says so."""
    unsaid: int
    """How many do not leave without the copy saying so: where a rule lets it."""
    later: int
    """How many were recorded after the copy was prepared, and are not in it."""
    sha256: bytes
    """Of the copy as JSON."""
    by: StaffId
    at: datetime
    address: str | None = None
    """Where it is posted to the client; None otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCopy:
    """One copy, as of the moment at which it was prepared."""

    id: RecordCopyId
    request: RightsRequestId
    client: ClientId
    programme: ProgrammeId
    prepared_by: StaffId
    prepared_at: datetime
    """What was recorded by then is in it."""
    labels: Labels | None
    """What tables and columns are called in it; None of a copy from before there were labels, whose bytes stay as they were."""
    release: CopyRelease | None = None

    def require_open(self) -> None:
        """Raise `CopyReleased` when it has left."""
        if self.release is not None:
            raise CopyReleased

    def require_released(self) -> CopyRelease:
        """Raise `CopyNotReleased` until it may leave."""
        if self.release is None:
            raise CopyNotReleased
        return self.release


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Whether an entry leaves, and what that rests on."""

    reason: WithholdingReason | None
    """Why it is withheld; None where it leaves."""
    note: str
    by: StaffId
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyEntry:
    """One entry of the record, as it stands in a copy."""

    id: CopyEntryId
    section: Section
    kind: str
    """What it is, by the name that the record has for it."""
    told_at: datetime | None
    """When it was recorded; None of a part of another entry."""
    held_for: WithholdingReason | None
    """Why it does not leave by itself: somebody must decide."""
    content: str | None
    """What it says, as JSON; None of what lies apart and is shown to nobody here."""
    decision: Decision | None = None

    @property
    def withheld_for(self) -> WithholdingReason | None:
        """Why it does not leave, as far as that is decided; None where it leaves."""
        return self.held_for if self.decision is None else self.decision.reason

    @property
    def waits(self) -> bool:
        """Whether somebody must decide about it before the copy leaves."""
        return self.decision is None and self.held_for not in {None, WithholdingReason.COUNSELLING_NOTE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many entries a copy has, how many wait for a decision, and how many are withheld for what."""

    entries: int
    waiting: int
    withheld: dict[WithholdingReason, int] = field(default_factory=dict[WithholdingReason, int])

    @property
    def leaving(self) -> int:
        """How many leave, if what waits is withheld."""
        return self.entries - self.waiting - sum(self.withheld.values())
