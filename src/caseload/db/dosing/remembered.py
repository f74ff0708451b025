"""Answers that follow from facts alone, remembered with the facts.

The window reads its queue again and again, and from one time to the next a few rows of hundreds have changed. The rows are
read anew each time; what is remembered is only what the rules made of exactly the same facts. Whatever an answer is made
of must be among the facts that it is asked with: so the function that makes it is given the facts and nothing else.
"""

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

MOST: Final = 20_000
"""Answers of one kind. When there are more it begins anew."""

FactsT = TypeVar("FactsT")
AnswerT = TypeVar("AnswerT")


class Remembered(Generic[FactsT, AnswerT]):
    """The last answer about each thing, in this process."""

    def __init__(self, answer: Callable[[FactsT], AnswerT]) -> None:
        """`answer` says what follows from the facts; it must not look at anything else that changes."""
        self._answer = answer
        self._found: dict[Hashable, tuple[FactsT, AnswerT]] = {}

    def of(self, about: Hashable, facts: FactsT) -> AnswerT:
        """What follows from these facts about something; it is worked out when they are not the last ones."""
        found = self._found.get(about)
        if found is not None and found[0] == facts:
            return found[1]
        made = self._answer(facts)
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[about] = facts, made
        return made
