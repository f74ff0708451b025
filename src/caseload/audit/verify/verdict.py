"""What a verification finds, in sentences, and what it amounts to."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Final, NamedTuple

MOST_FINDINGS: Final = 200
"""Of one kind. More are counted and not kept: whoever breaks everything need not fill a disk."""


class Verdict(IntEnum):
    """The exit code."""

    VALID = 0
    INVALID = 1
    """Something is not what was logged, or its proof does not hold."""
    UNUSABLE = 2
    """This is no bundle, or no policy: nothing can be said."""
    FORK = 3
    """There is another history, or a longer one, under the same name and key. Both notes are kept as evidence."""
    POLICY_UNMET = 4
    """All that is there is sound, and it is not enough for the policy."""


class Kind(StrEnum):
    """What kind of thing was found; what explains the others comes first."""

    FORK = "fork"
    ROLLBACK = "rollback"
    FORGED = "forged"
    CHANGED = "changed"
    MOVED = "moved"
    MISSING = "missing"
    ADDED = "added"
    MALFORMED = "malformed"
    LOST_BEFORE = "lost before the log"
    VIEW = "view"
    DISCLOSURE = "disclosure"
    COLUMN = "column"
    FILE = "file"
    POLICY = "policy"
    REMARK = "remark"


_AMOUNTS_TO: Final = {
    Kind.FORK: Verdict.FORK,
    Kind.ROLLBACK: Verdict.FORK,
    Kind.POLICY: Verdict.POLICY_UNMET,
    Kind.REMARK: Verdict.VALID,
}
"""Everything else is invalid."""

_GRAVITY: Final = (Verdict.VALID, Verdict.POLICY_UNMET, Verdict.INVALID, Verdict.FORK, Verdict.UNUSABLE)
"""The graver one decides: a fork explains invalid data, and not the other way round."""


class Unusable(Exception):
    """What was given cannot be read as what it is said to be; the text is a sentence."""


class Finding(NamedTuple):
    """One thing that was found."""

    kind: Kind
    sentence: str
    entry: int | None = None
    """The place in the log, where it is about one entry."""

    @property
    def verdict(self) -> Verdict:
        """What this alone amounts to."""
        return _AMOUNTS_TO.get(self.kind, Verdict.INVALID)


class Stopped(Exception):
    """Something without which nothing more can be verified is missing or wrong."""

    def __init__(self, found: Finding) -> None:
        super().__init__(found.sentence)
        self.found = found


@dataclass(slots=True)
class Findings:
    """Everything that was found, the first of each kind in words."""

    verdict: Verdict = Verdict.VALID
    more: int = 0
    _kept: dict[Kind, list[Finding]] = field(default_factory=dict[Kind, list[Finding]])

    @property
    def kept(self) -> list[Finding]:
        """In the order of the kinds."""
        return [found for kind in Kind for found in self._kept.get(kind, ())]

    def add(self, found: Finding) -> None:
        """Keep a finding, and let it weigh."""
        self.verdict = max(self.verdict, found.verdict, key=_GRAVITY.index)
        kept = self._kept.setdefault(found.kind, [])
        if len(kept) < MOST_FINDINGS:
            kept.append(found)
        else:
            self.more += 1

    def extend(self, found: Iterable[Finding]) -> None:
        """Keep several."""
        for each in found:
            self.add(each)
