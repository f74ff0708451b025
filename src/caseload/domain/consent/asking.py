"""May I tell? The question as staff ask it, for several kinds of information at once. Asking discloses nothing.

What was asked and answered is always in the log, allowed or refused. That something was told is a record of its own
(`domain/disclosure`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.client import Client
from caseload.domain.consent.addressee import Addressee, Recipient
from caseload.domain.consent.asker import IdentityCheck, check_asker, is_warned_of
from caseload.domain.consent.consent import AgreedRestriction, Consent
from caseload.domain.consent.disclosure import Answer, Question, Reason, may_tell, without_the_warning
from caseload.domain.consent.forms import rules_on
from caseload.domain.consent.giving import Consents
from caseload.domain.consent.near import near_recipients
from caseload.domain.consent.words import TELLS_WHEN, Category, Purpose
from caseload.domain.errors import Faults
from caseload.domain.family import Families, RelatedPerson
from caseload.domain.ids import ClientId, RelatedPersonId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.programme import Programme


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One asker and purpose, and everything that would be told: each category gets an answer of its own."""

    recipient: Recipient
    categories: tuple[Category, ...]
    purpose: Purpose
    check: IdentityCheck | None = None
    """How staff made sure of who is asking; without it nothing is allowed."""
    known_already: bool = False
    by_name: str | None = None
    """Who would receive it, by name and function, where that is known beside the recipient."""
    warned: bool = False
    """A safety warning about the recipient forbids it; found out by `sound`."""
    since: datetime | None = None
    """Only what came into the record after that moment would be told; everything where it is None."""
    may_know_why: bool = True
    """Whoever asks may read the warning; nobody else learns that there is one."""
    around: tuple[RelatedPerson, ...] = ()
    """Who is on the client's list, where somebody could be told; found out by `sound`."""
    agreed: tuple[AgreedRestriction, ...] = ()
    """What was agreed not to be told, where something could be told without a consent."""

    @property
    def addressee(self) -> Addressee:
        """Whoever would be told, by everything that is said of them."""
        return Addressee(recipient=self.recipient, by_name=self.by_name, around=self.around)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureAsked(Event):
    """Somebody asked whether something may be told, and was answered."""

    name: ClassVar[str] = "consent.asked"


async def ask(
    asked: Asked,
    *,
    client: Client,
    programme: Programme,
    by: Staff,
    now: datetime,
    consents: Consents,
    families: Families,
    journal: Journal,
) -> Sequence[Answer]:
    """Answer, category by category, whether this may be told to this person now; question and answer go into the log.

    Raises `NotPermitted`, or `Invalid` when the question does not name one recipient and at least one category, or the
    check of the asker cannot have been made.
    """
    by.require(Act.ASK_CONSENT, client.programme, of=client.id)
    asked = await sound(asked, client, families, by=by, now=now)
    if asked.known_already and asked.check is not None:
        asked = replace(asked, agreed=tuple(await consents.restrictions(client.id)))
    answers = answers_to(asked, await consents.of(client.id), programme=programme, at=now)
    tell_asked(asked, answers, client=client.id, journal=journal)
    return [as_shown(answer, asked, programme=programme, at=now) for answer in answers]


async def near(
    asked: Asked,
    answers: Iterable[Answer],
    *,
    client: Client,
    by: Staff,
    now: datetime,
    consents: Consents,
    families: Families,
) -> Sequence[Recipient]:
    """Whom a consent in force names nearly as the asker was written, where that may be why nothing is allowed.

    For those who see the client's consents; everybody else is shown nobody.
    """
    unknown = asked.check is not None and any(answer.reason is Reason.NO_CONSENT for answer in answers)
    if not unknown or not by.may_in(Act.SEE_CONSENT, client.programme, of=client.id):
        return ()
    around = await families.around(client.id)
    return near_recipients(asked.recipient, await consents.of(client.id), around, at=now)


async def no_longer_involved(
    asked: Asked, answers: Iterable[Answer], *, client: Client, by: Staff, now: datetime, families: Families
) -> Sequence[RelatedPersonId]:
    """Who of the client's list would be told by a consent and takes part in no way any more.

    For those who see the client's consents; everybody else is shown nobody.
    """
    by_consent = any(answer.reason is Reason.CONSENT for answer in answers)
    if not by_consent or not by.may_in(Act.SEE_CONSENT, client.programme):
        return ()
    around = await _around(asked, client, families)
    to = replace(asked, around=tuple(around.values())).addressee
    return [person.id for person in to.around if not person.running(now) and to.may_be(person)]


async def sound(asked: Asked, client: Client, families: Families, *, by: Staff, now: datetime) -> Asked:
    """The question with what safety warnings say to it, or `Invalid` with everything that is wrong with it."""
    faults = Faults()
    if problem := asked.recipient.problem():
        faults.add("recipient", problem)
    faults.check(when=not asked.categories, where="categories", problem="say what would be told, by category")
    faults.check(
        when=asked.since is not None and asked.since > now, where="since", problem="must not lie in the future"
    )
    faults.check(
        when=asked.since is not None and not TELLS_WHEN.issuperset(asked.categories),
        where="since",
        problem=f"is only for what belongs to a day: {', '.join(sorted(TELLS_WHEN))}",
    )
    around = await _around(asked, client, families)
    check_asker(asked.check, asked.recipient, around, faults)
    faults.raise_if_any()
    asked = replace(asked, around=tuple(around.values()))
    return replace(
        asked,
        warned=is_warned_of(asked.addressee, asked.check, at=now),
        may_know_why=by.may_in(Act.SEE_CONSENT, client.programme, of=client.id),
    )


def as_shown(answer: Answer, asked: Asked, *, programme: Programme, at: datetime) -> Answer:
    """The answer as whoever asked may read it."""
    day = programme.today(at)
    return answer if asked.may_know_why else without_the_warning(answer, rules_on(programme.profiles.name_on(day), day))


async def _around(asked: Asked, client: Client, families: Families) -> Mapping[RelatedPersonId, RelatedPerson]:
    """Whose numbers are on file, and of whom there is a warning; read only where somebody could be told."""
    if asked.check is None or (asked.recipient.group is not None and asked.by_name is None):
        return {}
    return {person.id: person for person in await families.around(client.id)}


def answers_to(asked: Asked, given: Iterable[Consent], *, programme: Programme, at: datetime) -> Sequence[Answer]:
    """One answer per category, in the order asked."""
    day = programme.today(at)
    rules = rules_on(programme.profiles.name_on(day), day)
    consents = tuple(given)
    return [
        may_tell(
            Question(
                programme=programme.id,
                recipient=asked.recipient,
                category=category,
                purpose=asked.purpose,
                known_already=asked.known_already,
                checked=asked.check is not None,
                warned=asked.warned,
                since=asked.since,
                by_name=asked.by_name,
                around=asked.around,
                agreed=asked.agreed,
            ),
            at=at,
            consents=consents,
            rules=rules,
        )
        for category in dict.fromkeys(asked.categories)
    ]


def tell_asked(asked: Asked, answers: Iterable[Answer], *, client: ClientId, journal: Journal) -> None:
    """Put question and answers into the log."""
    for answer in answers:
        named = (asked.recipient.person, answer.consent)
        journal.tell(
            DisclosureAsked(
                client=client,
                records=tuple(record for record in named if record is not None),
                facts={
                    "category": answer.category.value,
                    "purpose": asked.purpose.value,
                    "check": "none" if asked.check is None else asked.check.method.value,
                    "answer": "allowed" if answer.allowed else "refused",
                    "reason": answer.reason.value,
                    "rules": answer.rules_version,
                },
            )
        )
