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
    return [recipient for recipient, _ in near_consents(asked, consents, around, at=at)]


def near_consents(
    asked: Recipient, consents: Iterable[Consent], around: Iterable[RelatedPerson], *, at: datetime
) -> Sequence[tuple[Recipient, Consent]]:
    """Each of these recipients, with a consent that names it: the one that was signed last."""
    if asked.name is None:
        return ()
    names = {person.id: person.details.name for person in around}
    likeness: dict[Recipient, float] = {}
    naming: dict[Recipient, Consent] = {}
    for consent in sorted(consents, key=lambda one: one.signature.signed_at):
        for recipient in consent.recipients if consent.standing(at) is Standing.IN_FORCE else ():
            name = recipient.name if recipient.person is None else names.get(recipient.person)
            if name is not None and not recipient.is_same(asked):
                likeness[recipient] = _likeness(asked.name, name)
                naming[recipient] = consent
    found = [recipient for recipient, alike in likeness.items() if alike >= ALIKE]
    found.sort(key=lambda recipient: (-likeness[recipient], str(recipient)))
    return [(recipient, naming[recipient]) for recipient in found]


def _likeness(asked: str, on_file: str) -> float:
    return SequenceMatcher(None, _letters(asked), _letters(on_file), autojunk=False).ratio()


def _letters(name: str) -> str:
    """The letters of a name, word by word in one order, without case, accents and points."""
    bare = (letter for letter in unicodedata.normalize("NFKD", name.casefold()) if letter.isalnum() or letter.isspace())
    return "".join(sorted("".join(bare).split()))
