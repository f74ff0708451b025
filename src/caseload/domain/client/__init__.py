"""Clients: who they are, how they are found, and how nobody is registered twice without anyone learning who is known.

That somebody is in treatment is itself protected (42 CFR 2.13(c)), so a registration that resembles a client of
any programme is told only that there is a probable match; the records lead alone sees which.
"""

from caseload.domain.client.client import (
    EARLIEST_BIRTH,
    LONGEST_IDENTIFIER,
    LONGEST_NAME,
    Client,
    Clients,
    ClientUnknown,
    Identifier,
    IdentifierKind,
    Identity,
    IdentityChanged,
    Likely,
    ProbableMatch,
    RegistrationClosed,
    Sex,
    Wanted,
)
from caseload.domain.client.registering import (
    MATCH_DECISION_HOLDS,
    ClientRegistered,
    DifferentPersonDecided,
    IdentityCorrected,
    correct_identity,
    decide_different_person,
    register,
)

__all__ = [
    "EARLIEST_BIRTH",
    "LONGEST_IDENTIFIER",
    "LONGEST_NAME",
    "MATCH_DECISION_HOLDS",
    "Client",
    "ClientRegistered",
    "ClientUnknown",
    "Clients",
    "DifferentPersonDecided",
    "Identifier",
    "IdentifierKind",
    "Identity",
    "IdentityChanged",
    "IdentityCorrected",
    "Likely",
    "ProbableMatch",
    "RegistrationClosed",
    "Sex",
    "Wanted",
    "correct_identity",
    "decide_different_person",
    "register",
]
