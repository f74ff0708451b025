"""Names: whether two are the same, and whether words could mean somebody, however they are spelled.

Nothing is ever allowed by likeness: `St Mary's Hospital` and `Saint Marys hospital` may be two places. What forbids holds
by likeness too: a warning that is passed by a slip of the pen is none.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

ALIKE: Final = 0.8
"""From which likeness on two names may be one, where 1 is the same letters (product convention)."""


def plain(name: str | None) -> str | None:
    """A name without regard to case, spacing and the way its letters are encoded; nothing is guessed."""
    return None if name is None else " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def words_of(name: str) -> frozenset[str]:
    """The words of a name without regard to accents, points and their order, for what must hold however it is spelled."""
    return frozenset(_words(name))


def is_named(said: str, name: str, *, by_one_word: bool = False) -> bool:
    """Whether words, perhaps with a function among them, hold every word of a name.

    One word alone is too little to know a person by, and enough for what is named by one (`by_one_word`).
    """
    words, wanted = words_of(said), words_of(name)
    return words == wanted or ((len(wanted) > 1 or (by_one_word and bool(wanted))) and wanted <= words)


def could_mean(said: str, name: str, *, others: Iterable[str] = (), by_one_word: bool = False) -> bool:
    """Whether words name somebody, or may: words that stand together are like the name, and no liker that of another."""
    if is_named(said, name, by_one_word=by_one_word):
        return True
    known = tuple(others)
    for part in _parts(_words(said), _words(name), by_one_word=by_one_word):
        alike = likeness(part, name)
        if alike >= ALIKE and not any(likeness(part, other) > alike for other in known):
            return True
    return False


def likeness(one: str, other: str) -> float:
    """How alike two names are: the letters that both have in one order, of all there are, from 0 to 1.

    The order of the words counts for nothing where the one is the other sorted, or turned round (`Berg, Sam`). What cannot reach
    `ALIKE` is not looked at closely.
    """
    words, wanted = _words(one), _words(other)
    said, letters = "".join(words), "".join(wanted)
    both = len(said) + len(letters)
    most = _of(sum((Counter(said) & Counter(letters)).values()), both)
    if most < ALIKE:
        return most
    turned = {"".join((*words[at:], *words[:at])) for at in range(max(len(words), 1))}
    shared = max(_shared(each, letters) for each in turned)
    return _of(max(shared, _shared("".join(sorted(words)), "".join(sorted(wanted)))), both)


def _of(shared: int, both: int) -> float:
    return 2 * shared / both if both else 1.0


def _parts(words: Sequence[str], wanted: Sequence[str], *, by_one_word: bool) -> Iterator[str]:
    """Words that stand together, as many as the name has, or one more or less; all of them for a name of one word."""
    if len(wanted) == 1 and not by_one_word:
        yield " ".join(words)
        return
    for length in range(max(len(wanted) - 1, 1), len(wanted) + 2):
        for start in range(len(words) - length + 1):
            yield " ".join(words[start : start + length])


def _words(name: str) -> Sequence[str]:
    bare = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return "".join(letter if letter.isalnum() else " " for letter in bare).casefold().split()


def _shared(one: str, other: str) -> int:
    """How many letters stand in both in the same order, perhaps with others between them."""
    row = [0] * (len(other) + 1)
    for letter in one:
        before = 0
        for place, opposite in enumerate(other, start=1):
            before, row[place] = row[place], before + 1 if letter == opposite else max(row[place], row[place - 1])
    return row[-1]
