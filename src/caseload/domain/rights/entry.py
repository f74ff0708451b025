"""Which entry of the record a request for an amendment is about, and which one put it right."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from uuid import UUID

from caseload.domain.consent import Category


class EntryKind(StrEnum):
    """A kind of entry that has versions, of which each stays readable."""

    ORDER = "order"
    DOSE = "dose"
    DRUG_SCREEN = "drug_screen"
    OBSERVATION = "observation"
    ATTENDANCE = "attendance"
    """A line of a session's register: its identifier is the session's."""
    NOTE = "note"
    """A progress note; a counselling note is in nobody's copy and is amended by nobody's request."""
    CHECK_IN = "check_in"
    """What was answered at a check-in: its identifier is the check-in's."""


CATEGORY_OF: Final[Mapping[EntryKind, Category]] = MappingProxyType({
    EntryKind.ORDER: Category.MEDICATION,
    EntryKind.DOSE: Category.MEDICATION,
    EntryKind.DRUG_SCREEN: Category.DRUG_SCREENS,
    EntryKind.ATTENDANCE: Category.ATTENDANCE,
    EntryKind.NOTE: Category.SESSION_RECORDS,
})  # fmt: skip
"""The kind of information as which such an entry is disclosed; of the others whoever answers says it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One version of one entry of a client's record."""

    kind: EntryKind
    id: UUID
    version: int
    """From 1 up."""

    def follows(self, other: "Entry") -> bool:
        """Whether it can have put the other right: a later version of it, or another entry."""
        return (self.kind, self.id) != (other.kind, other.id) or self.version > other.version


class AmendedHow(StrEnum):
    """How a request for an amendment was met."""

    CORRECTED = "corrected"
    """An entry was put right, or another one made."""
    STATEMENT_ADDED = "statement_added"
    """The entry stays, and the client's own words stand in the record with the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """How an amendment that was granted was made."""

    how: AmendedHow
    entry: Entry | None = None
    """What put it right; nothing where the client's words were added."""
