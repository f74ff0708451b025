"""Who around a client may be asked after them: whom a consent in force names, and what it lets us say.

Ringing somebody and asking whether they have seen the client tells them that the client is in treatment here, and when it
is said, that they have not come. So the one function that decides what may be told (`domain.consent.may_tell`) is asked
first, for both. It has to be for their support of the client, or at the client's request: who has not come for two days
is no emergency, so that a consent for emergencies alone allows nothing here (product convention).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from caseload.domain.consent import Addressee, Category, Consent, Purpose, Question, Recipient, may_tell, rules_on
from caseload.domain.family import RelatedPerson, Relationship
from caseload.domain.ids import ConsentId, RelatedPersonId
from caseload.domain.outreach.home import is_same_number
from caseload.domain.programme import Programme

_TELLS: Final = (Category.PRESENCE, Category.ATTENDANCE)
_FOR: Final = (Purpose.FAMILY_INVOLVEMENT, Purpose.CLIENTS_REQUEST)


@dataclass(frozen=True, slots=True, kw_only=True)
class MayBeAsked:
    """Somebody around a client, and what a consent lets us tell them."""

    person: RelatedPersonId
    name: str
    relationship: Relationship
    consent: ConsentId
    """On which it rests; of several, the one for the first that may be told."""
    tells: tuple[Category, ...]


def may_be_asked(
    around: Iterable[RelatedPerson], consents: Sequence[Consent], *, programme: Programme, at: datetime
) -> tuple[MayBeAsked, ...]:
    """Whom a consent in force names and lets us tell that the client is here, or that they have not come.

    Whoever is no longer involved is left out, whatever was signed, and so is whoever a safety warning forbids to ring or whose
    number is also that of somebody it forbids to ring, and whoever is a client here too: nobody learns of one of the two by
    being rung about the other.
    """
    people = list(around)
    closed = [each.details.phone for each in people if each.stopped_by(at=at, rings=True) is not None]
    found = [
        _asked(person, people, consents, programme, at)
        for person in people
        if person.running(at)
        and not person.is_client_too
        and not any(is_same_number(person.details.phone, number) for number in closed)
    ]
    return tuple(each for each in found if each is not None)


def _asked(
    person: RelatedPerson,
    people: Iterable[RelatedPerson],
    consents: Sequence[Consent],
    programme: Programme,
    at: datetime,
) -> MayBeAsked | None:
    addressee = Addressee(recipient=Recipient(person=person.id), around=tuple(people))
    rests_on = {
        category: consent
        for category in _TELLS
        if (consent := _consent(person, addressee, category, consents, programme, at)) is not None
    }
    if not rests_on:
        return None
    return MayBeAsked(
        person=person.id,
        name=person.details.name,
        relationship=person.details.relationship,
        consent=next(iter(rests_on.values())),
        tells=tuple(rests_on),
    )


def _consent(
    person: RelatedPerson,
    addressee: Addressee,
    category: Category,
    consents: Sequence[Consent],
    programme: Programme,
    at: datetime,
) -> ConsentId | None:
    """The consent that lets us tell this person something of this kind; None where none does."""
    today = programme.today(at)
    rules = rules_on(programme.profiles.name_on(today), today)
    for purpose in _FOR:
        # Whoever rings does so by the number on file: that is the check of whom they talk to.
        question = Question(
            programme=programme.id,
            recipient=addressee.recipient,
            category=category,
            purpose=purpose,
            checked=True,
            around=addressee.around,
            warned=person.stopped_by(at=at, rings=True) is not None,
        )
        answer = may_tell(question, at=at, consents=consents, rules=rules)
        if answer.allowed:
            return answer.consent
    return None
