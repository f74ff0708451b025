"""Whether a note names somebody else of the group: their names, as whole words, whatever the case and the accents.

A note stands in one client's record, or in everybody's: another client's name does not belong there (42 CFR 2.13). It is
a warning and never a refusal for good: Will, Hope and May are words, too.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

from caseload.domain.ids import ClientId, RelativePlaceId

SHORTEST_ALONE = 4
"""A word of a longer name counts by itself from so many letters on: `Berg` of `van der Berg`, but not `van`."""

_Who = TypeVar("_Who")
"""Clients, or the places of relatives."""

_WORD = re.compile(r"[^\W_]+")
_LETTERS: Mapping[int, str] = MappingProxyType(
    str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "\u0131": "i", "ħ": "h"})
)
"""Letters that Unicode does not take apart into a letter and an accent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What those are and were called who were in a session beside whom a note is about."""

    clients: Mapping[ClientId, Iterable[str]]
    """With the names of those who came with them."""
    relatives: Mapping[RelativePlaceId, Iterable[str]]
    """Those who came in their own right: whose relatives they are stays unsaid."""

    def named_in(self, text: str) -> int:
        """How many of them a text names."""
        return len(named_in(text, self.clients)) + len(named_in(text, self.relatives))


def named_in(text: str, names: Mapping[_Who, Iterable[str]]) -> frozenset[_Who]:
    """Whom of these the text names, each given with every name they are or were called by."""
    said = f" {' '.join(_words(text))} "
    return frozenset(
        who
        for who, called in names.items()
        if any(f" {looked_for} " in said for name in called for looked_for in _looked_for(name))
    )


def _looked_for(name: str) -> Iterator[str]:
    """The whole name, and each longer word of it."""
    words = _words(name)
    if words:
        yield " ".join(words)
    yield from (word for word in words if len(word) >= SHORTEST_ALONE)


def _words(text: str) -> list[str]:
    """The words of a text, folded: no accents, no case. An apostrophe and a hyphen part words."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in parted if not unicodedata.combining(letter))
    return _WORD.findall(plain.casefold().translate(_LETTERS))
