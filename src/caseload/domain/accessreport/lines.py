"""What a report of accesses is made of: one line for each entry about the client, gathered into groups.

A line says who, in which roles, when, why, and what was shown or done: of this client, and of nobody else. Whether the
record was opened or the client merely stood in a list can be seen from the entry itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from caseload.domain.accesslog import Access, LogOutcome
from caseload.domain.ids import EntryId


class Manner(StrEnum):
    """In which way the client's record was touched."""

    CHANGED = "changed"
    """Something was written."""
    OPENED = "opened"
    """This one record was looked at."""
    LISTED = "listed"
    """The client stood in a list or was among what a search found."""
    NOT_SHOWN = "not_shown"
    """It was asked for, and not shown: refused, not found or failed."""


class Reason(StrEnum):
    """Why a line is withheld from the client."""

    SAFETY = "safety"
    """Showing it would endanger somebody."""
    INVESTIGATION = "investigation"
    """It would prejudice an investigation that is under way (45 CFR 164.528(a)(2))."""
    THIRD_PARTY = "third_party"
    """It would tell of somebody else."""


WHY: Final[Mapping[str, str]] = {
    "TREAT": "care and treatment",
    "ETREAT": "emergency treatment",
    "BTG": "emergency access",
    "HPAYMT": "payment",
    "HOPERAT": "running the clinic",
    "HCOMPL": "supervision of who looks at records",
    "HSYSADMIN": "administration",
    "PATRQT": "a request of yours",
}
"""Purposes (HL7 v3 PurposeOfUse) in words that a client reads."""

TELLS_OF_SOMEBODY_ELSE: Final = frozenset({
    "family.relative_linked", "family.relative_unlinked", "relative.link", "relative.unlink", "relative_links.list",
})  # fmt: skip
"""Entries, by what they are called, that are in no client's report: that there is one says that a relative is in treatment too.

That somebody has such an entry is what must not be told (42 CFR 2.13(a)), so these lines are not counted either.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What proves a line: that its entry is in the tree, and that the entry commits to what the line says."""

    index: int
    """The entry's place in the log."""
    path: tuple[bytes, ...]
    """From the entry to the root in the checkpoint (RFC 6962, section 2.1.1)."""
    leaf: bytes
    """The entry itself: it names no client."""
    position: int
    """The client's place among those whom the entry commits to; how many these are stands in the entry."""
    salt: bytes
    item: bytes
    """What the entry says of this client."""
    item_path: tuple[bytes, ...]
    """From the item to the root in the entry: hashes that say nothing of anybody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One access."""

    access: Access
    mark: bytes
    """By which a withheld line is known again: made with the client's key, and meaningless without it."""
    evidence: Evidence | None
    """None where what lies beside the entry cannot be read; the line is told all the same."""

    @property
    def id(self) -> EntryId:
        """The entry."""
        return self.access.entry.id

    @property
    def manner(self) -> Manner:
        """In which way the record was touched."""
        access, entry = self.access, self.access.entry
        if entry.outcome is not LogOutcome.DONE or not (access.saw or access.did):
            return Manner.NOT_SHOWN
        if access.did:
            return Manner.CHANGED
        # A route with a place for an identifier names one record; a list may have but one line and is a list.
        return Manner.OPENED if entry.clients == 1 and "_id}" in entry.route else Manner.LISTED

    @property
    def what(self) -> tuple[str, ...]:
        """The kinds of data that were shown and what was done, by name."""
        return (*self.access.saw, *(str(done["ev"]) for done in (*self.access.did, *self.access.tried)))

    def group(self, zone: ZoneInfo) -> "GroupKey":
        """To which group the line belongs, by the days of this clock."""
        entry = self.access.entry
        return GroupKey(day=entry.at.astimezone(zone).date(), actor=entry.actor, manner=self.manner, event=entry.event)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class GroupKey:
    """One person, one list or kind of look, one day."""

    day: date
    actor: str
    manner: Manner
    event: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines that belong together, in the order of time."""

    key: GroupKey
    lines: tuple[Line, ...]

    @property
    def first_at(self) -> datetime:
        """When the first of them was."""
        return self.lines[0].access.entry.at

    @property
    def last_at(self) -> datetime:
        """When the last of them was."""
        return self.lines[-1].access.entry.at

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles in which it was done."""
        return tuple(sorted({role for line in self.lines for role in line.access.entry.roles}))

    @property
    def what(self) -> tuple[str, ...]:
        """Everything that was shown or done."""
        return tuple(sorted({what for line in self.lines for what in line.what}))

    @property
    def why(self) -> tuple[str, ...]:
        """For what, in words."""
        return tuple(sorted({why_in_words(line.access.entry.purpose) for line in self.lines}))


def why_in_words(purpose: str) -> str:
    """A purpose as a client would say it."""
    return WHY.get(purpose, purpose)


def grouped(lines: Iterable[Line], zone: ZoneInfo) -> list[Group]:
    """Lines by person, list and day: the days in order, the lines of each group in the order of time."""
    groups: dict[GroupKey, list[Line]] = {}
    for line in lines:
        groups.setdefault(line.group(zone), []).append(line)
    return [
        Group(key=key, lines=tuple(sorted(groups[key], key=lambda line: line.access.entry.at)))
        for key in sorted(groups)
    ]
