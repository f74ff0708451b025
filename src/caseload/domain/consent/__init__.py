"""Consent and disclosure: what a client allows to be told, and the one function that says whether it may be told now.

`words` and `forms` are the vocabulary and the dated data, `consent` is what a consent is, `completing` what it must
hold, `disclosure` is the decision, `giving` is what people do.
"""

from caseload.domain.consent.completing import Setting, complete, end_of
from caseload.domain.consent.consent import (
    Consent,
    Draft,
    Expiry,
    Recipient,
    Signature,
    Standing,
    plain,
)
from caseload.domain.consent.disclosure import ALLOWING, Answer, Question, Reason, may_tell
from caseload.domain.consent.forms import DisclosureRules, Form, forms, jurisdiction_of, rules_on
from caseload.domain.consent.giving import (
    AlreadyRevoked,
    Asked,
    Consents,
    ConsentUnknown,
    EventAlreadyRecorded,
    EventHappened,
    How,
    Revocation,
    ask,
    give_consent,
    record_event,
    revoke_consent,
)
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
    "ALLOWING",
    "CONSENTABLE",
    "NEEDS_NO_CONSENT",
    "TREATMENT_PAYMENT_OPERATIONS",
    "AlreadyRevoked",
    "Answer",
    "Asked",
    "Category",
    "Consent",
    "ConsentKind",
    "ConsentUnknown",
    "Consents",
    "DisclosureRules",
    "Draft",
    "EventAlreadyRecorded",
    "EventHappened",
    "Expiry",
    "Form",
    "How",
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
    "ask",
    "complete",
    "end_of",
    "forms",
    "give_consent",
    "jurisdiction_of",
    "may_tell",
    "plain",
    "record_event",
    "revoke_consent",
    "rules_on",
]
