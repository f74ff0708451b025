"""Disclosures: what is told to somebody outside about a client, by what right, and what is kept of it.

`words` and `rules` are the vocabulary and the dated data, `made` is what is kept, `making`, `deciding` and `disclosing` the one
operation that releases or refuses, `emergency` what never waits, `passing_on` the redisclosure trail, `sitting_in` who sat in sessions, `accounting` what a
client can ask for. Whether a consent covers something is decided in `domain/consent`, and nowhere else.
"""

from caseload.domain.disclosure.accounting import (
    Accounted,
    Accounting,
    AccountingGiven,
    NoSuchAccounting,
    account_for,
    accounted,
    said,
    told_at,
    why_left_out,
)
from caseload.domain.disclosure.deciding import Covering, covering
from caseload.domain.disclosure.disclosing import Desk, Rendering, disclose, tell_made
from caseload.domain.disclosure.disputes import Dispute, DisputeTold, carried
from caseload.domain.disclosure.emergency import (
    TOLD_IN_AN_EMERGENCY,
    Completion,
    NotOpen,
    Open,
    Release,
    ReleaseCompleted,
    Releases,
    ReleaseUnknown,
    complete_release,
    open_releases,
    release_in_emergency,
)
from caseload.domain.disclosure.made import (
    Disclosure,
    DisclosureMade,
    DisclosureRefused,
    Disclosures,
    DisclosureUnknown,
    NothingAllowsIt,
    Telling,
    scope_of,
)
from caseload.domain.disclosure.making import MADE_FROM_THE_RECORD, Making
from caseload.domain.disclosure.passing_on import (
    Redisclosure,
    RedisclosureHeardOf,
    Redisclosures,
    hear_of_redisclosure,
)
from caseload.domain.disclosure.rules import (
    AccountingKind,
    AccountingRule,
    ExceptionRule,
    RuleSet,
    StatedField,
    exceptions_on,
    rule_set,
    rule_sets,
)
from caseload.domain.disclosure.sitting_in import SatIn, Told
from caseload.domain.disclosure.words import BY_WORD, EXCEPTIONS, NEED_CONSENT, Ground, Manner, NoticeHow

__all__ = [
    "BY_WORD",
    "EXCEPTIONS",
    "MADE_FROM_THE_RECORD",
    "NEED_CONSENT",
    "TOLD_IN_AN_EMERGENCY",
    "Accounted",
    "Accounting",
    "AccountingGiven",
    "AccountingKind",
    "AccountingRule",
    "Completion",
    "Covering",
    "Desk",
    "Disclosure",
    "DisclosureMade",
    "DisclosureRefused",
    "DisclosureUnknown",
    "Disclosures",
    "Dispute",
    "DisputeTold",
    "ExceptionRule",
    "Ground",
    "Making",
    "Manner",
    "NoSuchAccounting",
    "NotOpen",
    "NothingAllowsIt",
    "NoticeHow",
    "Open",
    "Redisclosure",
    "RedisclosureHeardOf",
    "Redisclosures",
    "Release",
    "ReleaseCompleted",
    "ReleaseUnknown",
    "Releases",
    "Rendering",
    "RuleSet",
    "SatIn",
    "StatedField",
    "Telling",
    "Told",
    "account_for",
    "accounted",
    "carried",
    "complete_release",
    "covering",
    "disclose",
    "exceptions_on",
    "hear_of_redisclosure",
    "open_releases",
    "release_in_emergency",
    "rule_set",
    "rule_sets",
    "said",
    "scope_of",
    "tell_made",
    "told_at",
    "why_left_out",
]
