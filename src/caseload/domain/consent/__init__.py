"""Consent and disclosure: what a client allows to be told, and the one function that says whether it may be told now.

`words` and `forms` are the vocabulary and the dated data, `consent` is what a consent is, `asker` who is asking,
`addressee` and `names` who is meant, `completing` what it must
hold, `disclosure` is the decision, `giving` is what people do, `union` what others still allow, `asking` the question.
"""

from caseload.domain.consent.addressee import Addressee, Recipient
from caseload.domain.consent.asker import CheckMethod, IdentityCheck, check_asker
from caseload.domain.consent.asking import (
    Asked,
    DisclosureAsked,
    answers_to,
    as_shown,
    ask,
    near,
    no_longer_involved,
    sound,
    tell_asked,
)
from caseload.domain.consent.completing import Setting, complete, end_of
from caseload.domain.consent.consent import (
    AgreedRestriction,
    Consent,
    Draft,
    Expiry,
    Signature,
    Standing,
)
from caseload.domain.consent.disclosure import (
    ADVICE_WHEN_RESTRICTED,
    ALLOWING,
    RESTRICTION_RULE,
    Answer,
    Question,
    Reason,
    may_tell,
)
from caseload.domain.consent.expiring import Expiring, ExpiringConsents, expiring, is_expiring
from caseload.domain.consent.forms import DisclosureRules, Form, earliest_alert, forms, jurisdiction_of, rules_on
from caseload.domain.consent.giving import (
    AlreadyRevoked,
    Consents,
    ConsentUnknown,
    EventAlreadyRecorded,
    EventHappened,
    How,
    Revocation,
    give_consent,
    record_event,
    revoke_consent,
)
from caseload.domain.consent.names import plain
from caseload.domain.consent.union import still_allowing
from caseload.domain.consent.words import (
    CONSENTABLE,
    NEEDS_NO_CONSENT,
    TREATMENT_PAYMENT_OPERATIONS,
    Category,
    ConsentKind,
    Purpose,
    RecipientClass,
    Signatory,
)

__all__ = [
    "ADVICE_WHEN_RESTRICTED",
    "ALLOWING",
    "CONSENTABLE",
    "NEEDS_NO_CONSENT",
    "RESTRICTION_RULE",
    "TREATMENT_PAYMENT_OPERATIONS",
    "Addressee",
    "AgreedRestriction",
    "AlreadyRevoked",
    "Answer",
    "Asked",
    "Category",
    "CheckMethod",
    "Consent",
    "ConsentKind",
    "ConsentUnknown",
    "Consents",
    "DisclosureAsked",
    "DisclosureRules",
    "Draft",
    "EventAlreadyRecorded",
    "EventHappened",
    "Expiring",
    "ExpiringConsents",
    "Expiry",
    "Form",
    "How",
    "IdentityCheck",
    "Purpose",
    "Question",
    "Reason",
    "Recipient",
    "RecipientClass",
    "Revocation",
    "Setting",
    "Signatory",
    "Signature",
    "Standing",
    "answers_to",
    "as_shown",
    "ask",
    "check_asker",
    "complete",
    "earliest_alert",
    "end_of",
    "expiring",
    "forms",
    "give_consent",
    "is_expiring",
    "jurisdiction_of",
    "may_tell",
    "near",
    "no_longer_involved",
    "plain",
    "record_event",
    "revoke_consent",
    "rules_on",
    "sound",
    "still_allowing",
    "tell_asked",
]
