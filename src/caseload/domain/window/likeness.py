"""Names of one day that sound or read alike: the alert that keeps one client's dose from another.

Two clients are namesakes when

- their family names read alike (the same, or at most one letter more, less, other or moved, where the longer has four
  letters or more) or sound alike (American Soundex, as used for census records), and their given names begin with the
  same letter or read or sound alike too, or both were born on the same day; or
- the names of one are those of the other, given and family name exchanged.

Accents, case, spaces and hyphens make no difference. Letters that are not Latin are compared as they are: there the
rule knows what reads alike, and not what sounds alike. Product convention; the Joint Commission's and the WHO's advice
on look-alike patient names asks for an alert and names no rule.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import chain, combinations, product
from typing import Final

from caseload.domain.ids import ClientId

SHORTEST_TO_DIFFER: Final = 4
"""In shorter names one letter makes another name: Li and Lu."""

_CODES: Final = {
    letter: code
    for letters, code in (("bfpv", "1"), ("cgjkqsxz", "2"), ("dt", "3"), ("l", "4"), ("mn", "5"), ("r", "6"))
    for letter in letters
}
_LENGTH: Final = 4


@dataclass(frozen=True, slots=True)
class Named:
    """A client of the day."""

    client: ClientId
    given_name: str
    family_name: str
    birth_date: date


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A name as it is compared."""

    reads: str
    keys: frozenset[str]
    """How it sounds, itself, and itself without each one letter: names are alike that have one of these in common."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """A client with both names."""

    who: Named
    given: _Spoken
    family: _Spoken


def namesakes(clients: Iterable[Named]) -> Mapping[ClientId, frozenset[ClientId]]:
    """For every client who has namesakes among these, who they are."""
    return _among(tuple(clients))


@lru_cache(maxsize=64)
def _among(clients: tuple[Named, ...]) -> Mapping[ClientId, frozenset[ClientId]]:
    """A queue is read again and again, and its names stay what they are."""
    whole = [_Whole(who=each, given=_spoken(each.given_name), family=_spoken(each.family_name)) for each in clients]
    found: dict[ClientId, set[ClientId]] = defaultdict(set)
    for one, other in chain(_with_a_family_name_alike(whole), _with_names_exchanged(whole)):
        found[one.who.client].add(other.who.client)
        found[other.who.client].add(one.who.client)
    return {client: frozenset(others) for client, others in found.items()}


def _with_a_family_name_alike(whole: Sequence[_Whole]) -> Iterator[tuple[_Whole, _Whole]]:
    """Only names that share a key are compared: a queue of 500 has a few hundred such pairs."""
    near: dict[str, list[_Whole]] = defaultdict(list)
    for each in whole:
        for key in each.family.keys:
            near[key].append(each)
    for those in near.values():
        yield from (pair for pair in combinations(those, 2) if _given_alike(*pair))


def _with_names_exchanged(whole: Sequence[_Whole]) -> Iterator[tuple[_Whole, _Whole]]:
    called: dict[tuple[str, str], list[_Whole]] = defaultdict(list)
    for each in whole:
        called[each.given.reads, each.family.reads].append(each)
    for (given, family), those in called.items():
        if given < family:
            yield from product(those, called.get((family, given), ()))


def _given_alike(one: _Whole, other: _Whole) -> bool:
    """Whether two people whose family names are alike could be taken for one another."""
    return (
        one.given.reads[:1] == other.given.reads[:1]
        or not one.given.keys.isdisjoint(other.given.keys)
        or one.who.birth_date == other.who.birth_date
    )


@lru_cache(maxsize=8192)
def _spoken(name: str) -> _Spoken:
    letters = unicodedata.normalize("NFKD", name).casefold()
    reads = "".join(letter for letter in letters if letter.isalnum())
    keys = {reads}
    if len(reads) >= SHORTEST_TO_DIFFER:
        keys |= {reads[:place] + reads[place + 1 :] for place in range(len(reads))}
    if reads.isascii() and reads.isalpha():
        keys.add(_soundex(reads))
    return _Spoken(reads=reads, keys=frozenset(keys))


def _soundex(name: str) -> str:
    """American Soundex (US National Archives) of letters a to z: the first letter and three digits."""
    said, former = name[0].upper(), _CODES.get(name[0], "")
    for letter in name[1:]:
        if letter in "hw":
            continue
        code = _CODES.get(letter, "")
        if code and code != former:
            said += code
        former = code
    return said[:_LENGTH].ljust(_LENGTH, "0")
