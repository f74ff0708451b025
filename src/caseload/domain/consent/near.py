"""A recipient who is spelled in two ways: whom a consent names under nearly the same name.

Nothing is ever allowed by likeness. `St Mary's Hospital` and `Saint Marys hospital` may be two places, so whoever asks is
shown which recipients are on file, and chooses one and asks again where they are sure that it is the same.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from caseload.domain.consent.addressee import Recipient
from caseload.domain.consent.consent import Consent, Standing
from caseload.domain.consent.names import ALIKE, likeness
from caseload.domain.family import RelatedPerson


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
    found: dict[Recipient, float] = {}
    naming: dict[Recipient, Consent] = {}
    for consent in sorted(consents, key=lambda one: one.signature.signed_at):
        for recipient in consent.recipients if consent.standing(at) is Standing.IN_FORCE else ():
            name = recipient.name if recipient.person is None else names.get(recipient.person)
            if name is not None and not recipient.is_same(asked):
                found[recipient] = likeness(asked.name, name)
                naming[recipient] = consent
    near = [recipient for recipient, alike in found.items() if alike >= ALIKE]
    near.sort(key=lambda recipient: (-found[recipient], str(recipient)))
    return [(recipient, naming[recipient]) for recipient in near]
