"""What a folder holds and what a run did with it, worked out once for whoever is told."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from caseload.domain.history import Question, Refusal, Shown, show
from caseload.domain.history.importing import Result
from caseload.imports.folder import FolderRead


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A folder as read, with its questions and what it shows worked out once."""

    read: FolderRead
    questions: tuple[Question, ...]
    shown: Shown

    @property
    def refused(self) -> Sequence[Refusal]:
        """The rows that are left out."""
        return self.read.history.refused


@dataclass(slots=True, kw_only=True)
class Ran:
    """What a run did."""

    results: Counter[Result] = field(default_factory=Counter[Result])
    left_out: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """People who were not brought in, by the identifier of the files, and why."""


def account_of(read: FolderRead) -> Account:
    """Work out what a folder shows."""
    return Account(read=read, questions=tuple(read.history.questions()), shown=show(read.history))
