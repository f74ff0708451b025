"""Answers that follow from facts alone, remembered with the facts.

The window reads its queue again and again, and from one time to the next a few rows of hundreds have changed. The rows are
read anew each time; what is remembered is only what the rules made of exactly the same row.
"""

from collections.abc import Callable, Hashable
from typing import Final, Generic, TypeVar

MOST: Final = 20_000
"""Answers of one kind. When there are more it begins anew."""

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last answer about each thing, in this process."""

    def __init__(self) -> None:
        self._found: dict[Hashable, tuple[object, T]] = {}

    def get(self, about: Hashable, facts: object, answer: Callable[[], T]) -> T:
        """What follows from these facts about something; it is worked out when they are not the last ones."""
        found = self._found.get(about)
        if found is not None and found[0] == facts:
            return found[1]
        made = answer()
        if len(self._found) >= MOST:
            self._found.clear()
        self._found[about] = facts, made
        return made
