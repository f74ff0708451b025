"""May I tell this person this, for this purpose, now? One pure function decides it; nothing else does.

Allowed is what one consent in force covers in every respect: discloser, recipient, category and purpose, and only to
somebody whose identity was checked. All the rest is refused (deny by default; 42 CFR 2.13(a)). In the United States even that somebody attends is protected
(2.13(c)), so presence is a category like any other; elsewhere a profile may let staff acknowledge what the asker
has shown to know. Listening and general information tell nothing about the client and are free everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from caseload.domain.consent.addressee import Addressee, Recipient
from caseload.domain.consent.consent import AgreedRestriction, Consent, Standing
from caseload.domain.consent.forms import DisclosureRules
from caseload.domain.consent.words import NEEDS_NO_CONSENT, Category, Purpose
from caseload.domain.family import RelatedPerson
from caseload.domain.ids import ConsentId, ProgrammeId


class Reason(StrEnum):
    """Why the answer is what it is."""

    CONSENT = "consent"
    """A consent in force covers it."""
    NOTHING_DISCLOSED = "nothing_disclosed"
    """It tells nothing about the client."""
    ALREADY_KNOWN = "already_known"
    """The asker has shown to know it, and this profile lets staff acknowledge it."""
    NO_CONSENT = "no_consent"
    """No consent names this recipient."""
    OTHER_DISCLOSER = "other_discloser"
    """The consent lets another programme tell."""
    OTHER_CATEGORY = "other_category"
    """The consent covers other kinds of information."""
    OTHER_PURPOSE = "other_purpose"
    """The consent was given for another purpose."""
    NOT_YET_SIGNED = "not_yet_signed"
    EXPIRED = "expired"
    REVOKED = "revoked"
    WITHOUT_AUTHORITY = "without_authority"
    """Whoever signed it for the client could not act for them then: ask the client, or whoever may sign now."""
    AGREED_RESTRICTION = "agreed_restriction"
    """The programme has agreed with the client not to tell this (45 CFR 164.522(a)(1)(iii))."""
    SAFETY_WARNING = "safety_warning"
    """A safety warning stands about them, or about ringing them, whatever was signed. For the eyes of the client's care."""
    ASKER_NOT_CHECKED = "asker_not_checked"
    """Nobody has made sure of who is asking. The same answer whatever was consented to, and for anybody unknown."""


RESTRICTION_RULE: Final = "Agreed restriction (45 CFR 164.522(a)(1)(iii); UK GDPR art. 18)"
ADVICE_WHEN_RESTRICTED: Final = (
    "Neither confirm nor deny. The programme has agreed with the client not to tell this; ask the client whether they give that up. "
    "Medical personnel in an emergency are told by an emergency release."
)

ALLOWING = frozenset({Reason.CONSENT, Reason.NOTHING_DISCLOSED, Reason.ALREADY_KNOWN})
"""The reasons for which something may be told. Every other reason refuses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a member of staff wants to tell, to whom, for what."""

    programme: ProgrammeId
    """Whose staff would tell."""
    recipient: Recipient
    category: Category
    purpose: Purpose
    known_already: bool = False
    """The recipient has shown to know this without being told."""
    checked: bool = False
    """Staff have made sure of who is asking (`IdentityCheck`)."""
    warned: bool = False
    """A safety warning about the recipient forbids it (`warning_about`)."""
    since: datetime | None = None
    """Only what came into the record after that moment would be told; everything where it is None."""
    by_name: str | None = None
    """Who would receive it, by name and function, where that is known beside the recipient."""
    around: tuple[RelatedPerson, ...] = ()
    """Who is on the client's list: what was agreed not to be told to one of them holds however they are written."""
    agreed: tuple[AgreedRestriction, ...] = ()
    """What was agreed not to be told, for what needs no consent: with a consent it is read."""

    @property
    def addressee(self) -> Addressee:
        """Whoever would be told, by everything that is said of them."""
        return Addressee(recipient=self.recipient, by_name=self.by_name, around=self.around)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer to one question, with what it rests on. It is not yet a disclosure."""

    category: Category
    allowed: bool
    reason: Reason
    consent: ConsentId | None
    """What an allowance rests on; for a refusal, the consent that comes nearest."""
    rule: str
    rules_version: str
    advice: str | None
    """What to do or say instead."""
    notice: str | None
    """What must accompany the disclosure (42 CFR 2.32)."""


_NEARNESS: Mapping[Reason, int] = MappingProxyType({
    Reason.NO_CONSENT: 0,
    Reason.OTHER_DISCLOSER: 1,
    Reason.OTHER_CATEGORY: 2,
    Reason.OTHER_PURPOSE: 3,
    Reason.NOT_YET_SIGNED: 4,
    Reason.EXPIRED: 4,
    Reason.REVOKED: 4,
    Reason.WITHOUT_AUTHORITY: 4,
    Reason.AGREED_RESTRICTION: 5,
    Reason.CONSENT: 6,
})  # fmt: skip
"""How near a consent comes to covering a question, by the first respect in which it does not."""


_BY_STANDING: Mapping[Standing, Reason] = MappingProxyType({
    Standing.IN_FORCE: Reason.CONSENT,
    Standing.NOT_YET: Reason.NOT_YET_SIGNED,
    Standing.EXPIRED: Reason.EXPIRED,
    Standing.REVOKED: Reason.REVOKED,
    Standing.WITHOUT_AUTHORITY: Reason.WITHOUT_AUTHORITY,
})  # fmt: skip


def may_tell(question: Question, *, at: datetime, consents: Iterable[Consent], rules: DisclosureRules) -> Answer:
    """Answer one question from all the consents a client ever gave; of equally near ones the newest is named."""
    if question.category in NEEDS_NO_CONSENT:
        return _answer(question, Reason.NOTHING_DISCLOSED, consent=None, rules=rules)
    if not question.checked:
        return _answer(question, Reason.ASKER_NOT_CHECKED, consent=None, rules=rules)
    if question.warned:
        return _answer(question, Reason.SAFETY_WARNING, consent=None, rules=rules)
    reason, nearest = Reason.NO_CONSENT, None
    for consent in sorted(consents, key=_signed_at, reverse=True):
        judged = _judge(consent, question, at)
        if _NEARNESS[judged] > _NEARNESS[reason]:
            reason, nearest = judged, consent.id
    may_acknowledge = question.known_already and question.category in rules.known_already
    if may_acknowledge and reason not in {Reason.CONSENT, Reason.AGREED_RESTRICTION}:
        is_agreed = _is_forbidden(question, question.agreed)
        reason = Reason.AGREED_RESTRICTION if is_agreed else Reason.ALREADY_KNOWN
        return _answer(question, reason, consent=None, rules=rules)
    return _answer(question, reason, consent=nearest, rules=rules)


def without_the_warning(answer: Answer, rules: DisclosureRules) -> Answer:
    """What somebody reads who may not know of safety warnings: as if no consent named the recipient."""
    if answer.reason is not Reason.SAFETY_WARNING:
        return answer
    return replace(answer, reason=Reason.NO_CONSENT, rule=rules.without_consent, advice=rules.advice_when_refused)


def without_the_reason(answer: Answer, rules: DisclosureRules) -> Answer:
    """What somebody reads who only has to know that it may not be told: one refusal for whatever stands in the way.

    That a safety warning stands, or that the client asked for a restriction and was granted it, is the client's. That nobody has
    made sure of who asks is said: it is for whoever reads it to do.
    """
    if answer.allowed or answer.reason is Reason.ASKER_NOT_CHECKED:
        return answer
    return replace(
        answer,
        reason=Reason.NO_CONSENT,
        consent=None,
        rule=rules.without_consent,
        advice=rules.advice_when_refused,
    )


def _signed_at(consent: Consent) -> datetime:
    return consent.signature.signed_at


def _judge(consent: Consent, question: Question, at: datetime) -> Reason:
    if not any(recipient.is_same(question.recipient) for recipient in consent.recipients):
        return Reason.NO_CONSENT
    if consent.discloser != question.programme:
        return Reason.OTHER_DISCLOSER
    if question.category not in consent.categories:
        return Reason.OTHER_CATEGORY
    if question.purpose not in consent.purposes:
        return Reason.OTHER_PURPOSE
    judged = _BY_STANDING[consent.standing(at)]
    if judged is Reason.CONSENT and _is_forbidden(question, consent.restrictions):
        return Reason.AGREED_RESTRICTION
    return judged


def _is_forbidden(question: Question, agreed: Iterable[AgreedRestriction]) -> bool:
    to = question.addressee
    return any(each.forbids(to, question.category, question.purpose, since=question.since) for each in agreed)


def _answer(question: Question, reason: Reason, *, consent: ConsentId | None, rules: DisclosureRules) -> Answer:
    match reason:
        case Reason.CONSENT:
            rule, advice = rules.by_consent, None
        case Reason.NOTHING_DISCLOSED:
            rule, advice = rules.nothing_disclosed, rules.advice_when_general
        case Reason.ALREADY_KNOWN:
            rule, advice = rules.known_facts, rules.advice_when_general
        case Reason.ASKER_NOT_CHECKED:
            rule, advice = rules.without_consent, rules.advice_when_not_checked
        case Reason.AGREED_RESTRICTION:
            rule, advice = RESTRICTION_RULE, question.addressee.advised(ADVICE_WHEN_RESTRICTED)
        case Reason.SAFETY_WARNING:
            rule, advice = "Safety warning (product convention)", question.addressee.advised(rules.advice_when_warned)
        case _:
            rule, advice = rules.without_consent, rules.advice_when_refused
    return Answer(
        category=question.category,
        allowed=reason in ALLOWING,
        reason=reason,
        consent=consent,
        rule=rule,
        rules_version=rules.version,
        advice=advice,
        notice=rules.notice if reason is Reason.CONSENT else None,
    )
