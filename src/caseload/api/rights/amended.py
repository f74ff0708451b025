"""Entries that a client wants put right, as JSON: how they were, and what either side says where they were not."""

from datetime import datetime
from uuid import UUID

from caseload.api.wire import Wire
from caseload.domain.rights import (
    Amended,
    AmendedHow,
    Entry,
    EntryKind,
    Side,
    Statement,
)


class EntryWire(Wire, frozen=True, kw_only=True):
    """One version of one entry of the client's record."""

    kind: EntryKind
    id: UUID
    """The session's, of a line of its register; the check-in's, of what was answered at it."""
    version: int

    @classmethod
    def of(cls, one: Entry) -> "EntryWire":
        """From the domain."""
        return cls(kind=one.kind, id=one.id, version=one.version)

    def read(self) -> Entry:
        """For the domain."""
        return Entry(kind=self.kind, id=self.id, version=self.version)


class AmendedWire(Wire, frozen=True, kw_only=True):
    """How an amendment that was granted was made."""

    how: AmendedHow
    entry: EntryWire | None = None
    """What put it right; nothing where the client's own words were added."""

    @classmethod
    def of(cls, one: Amended) -> "AmendedWire":
        """From the domain."""
        return cls(how=one.how, entry=None if one.entry is None else EntryWire.of(one.entry))

    def read(self) -> Amended:
        """For the domain."""
        return Amended(how=self.how, entry=None if self.entry is None else self.entry.read())


class RightsAskedAlongIn(Wire, frozen=True, kw_only=True):
    """That the client asks that a request and its denial go with what is told of the entry."""

    says: str
    """What they said, how and when."""


class RightsStatementIn(Wire, frozen=True, kw_only=True):
    """What the client says to a denied amendment, or the programme to that."""

    side: Side
    says: str


class RightsStatementOut(Wire, frozen=True, kw_only=True):
    """What one side says to a denied amendment."""

    side: Side
    says: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, one: Statement) -> "RightsStatementOut":
        """From the domain."""
        return cls(side=one.side, says=one.says, recorded_by=one.by, recorded_at=one.at)
