"""Whoever would be told: as a consent names them, and by everything else that is said of them.

What allows is held to the letter (`Recipient.is_same`). What forbids, a safety warning and a restriction that was agreed, holds
for whoever may be meant, however they are written, and one function finds that for both.
"""

from dataclasses import dataclass
from typing import Final

from caseload.domain.consent.names import could_mean, plain
from caseload.domain.consent.words import RecipientClass
from caseload.domain.family import LONGEST_NAME, RelatedPerson, text_fault
from caseload.domain.ids import RelatedPersonId

WHERE_SOMEBODY_ELSE_IS_MEANT: Final = (
    "A name counts for it however it is spelled: to tell somebody else who is called nearly so, put them on the client's list of "
    "people and name them from it."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Whoever may be or wants to be told: exactly one of a person on the client's list, a name, or a class."""

    person: RelatedPersonId | None = None
    name: str | None = None
    group: RecipientClass | None = None

    def is_same(self, other: "Recipient") -> bool:
        """Whether both mean the same: same person, same class, or the same name however it was typed."""
        return (self.person, self.group, plain(self.name)) == (other.person, other.group, plain(other.name))

    def problem(self) -> str | None:
        """What is wrong with it by itself, if anything is."""
        if (self.person is not None) + (self.name is not None) + (self.group is not None) != 1:
            return "give exactly one of person, name and group"
        return text_fault(self.name, longest=LONGEST_NAME)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Whoever would be told, with those around the client whom the words may mean."""

    recipient: Recipient
    by_name: str | None = None
    """Who would receive it, by name and function, where that is known beside the recipient."""
    around: tuple[RelatedPerson, ...] = ()

    def may_be(self, person: RelatedPerson) -> bool:
        """Whether they are somebody on the client's list, or are named by words that are or were that person's name, or nearly."""
        return self.recipient.person == person.id or any(self._may_mean(said, person) for said in self._said)

    def may_be_called(self, other: Recipient) -> bool:
        """Whether they may be whoever was written down otherwise: by a name that is that person's, or as that person by name."""
        if other.person is not None:
            return other.is_same(self.recipient) or any(
                person.id == other.person and self.may_be(person) for person in self.around
            )
        if other.name is None:
            return other.is_same(self.recipient)
        named = other.name
        return any(self._may_both_mean(said, named) for said in self._said) or any(
            self._may_mean(named, person) and self.may_be(person) for person in self.around
        )

    def advised(self, advice: str) -> str:
        """What to do instead, with what to do where it was taken for somebody by its words."""
        return f"{advice} {WHERE_SOMEBODY_ELSE_IS_MEANT}" if self._said else advice

    @property
    def _said(self) -> tuple[str, ...]:
        return tuple(said for said in (self.recipient.name, self.by_name) if said is not None)

    def _may_mean(self, said: str, person: RelatedPerson) -> bool:
        return any(could_mean(said, name, others=self._names) for name in person.names)

    def _may_both_mean(self, said: str, named: str) -> bool:
        return could_mean(said, named, others=self._names, by_one_word=True) or could_mean(
            named, said, others=self._names
        )

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(name for person in self.around for name in person.names)
