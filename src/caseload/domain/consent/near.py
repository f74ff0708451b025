"""A recipient who is spelled in two ways: whom a consent names under nearly the same name.

Nothing is ever allowed by likeness. `St Mary's Hospital` and `Saint Marys hospital` may be two places, so whoever asks is
shown which recipients are on file, and chooses one and asks again where they are sure that it is the same.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from typing import Final

from caseload.domain.consent.consent import Consent, Recipient, Standing
from caseload.domain.family import RelatedPerson

ALIKE: Final = 0.8
"""From which likeness on a name is shown, where 1 is the same letters (product convention)."""


def near_recipients(
    asked: Recipient, consents: Iterable[Consent], around: Iterable[RelatedPerson], *, at: datetime
) -> Sequence[Recipient]:
    """The recipients of the consents in force whose names are like the one that was written out, the most alike first.

    Somebody on the client's list is found by their name on it. Nobody is near to a person of the list, or to a class.
    """
    if asked.name is None:
        return ()
    names = {person.id: person.details.name for person in around}
    likeness: dict[Recipient, float] = {}
    for recipient in (
        each for consent in consents if consent.standing(at) is Standing.IN_FORCE for each in consent.recipients
    ):
        name = recipient.name if recipient.person is None else names.get(recipient.person)
        if name is not None and not recipient.is_same(asked):
            likeness[recipient] = SequenceMatcher(None, _letters(asked.name), _letters(name), autojunk=False).ratio()
    found = [recipient for recipient, alike in likeness.items() if alike >= ALIKE]
    return sorted(found, key=lambda recipient: (-likeness[recipient], str(recipient)))


def _letters(name: str) -> str:
    """The letters of a name, word by word in one order, without case, accents and points."""
    bare = (letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalnum() or letter.isspace())
    return "".join(sorted("".join(bare).split()))
