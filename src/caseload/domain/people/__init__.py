"""People: the staff of the clinic, how they sign in, what they may do, and how that is granted and taken away."""

from caseload.domain.people.proof import Proof, ProofNotYours, ProofSpent, Prove
from caseload.domain.people.sessions import Session, SessionEnd, SessionOver, SessionRules, new_token, token_digest
from caseload.domain.people.staff import COMMAND_LINE, SigningSuspended, Staff

__all__ = [
    "COMMAND_LINE",
    "Proof",
    "ProofNotYours",
    "ProofSpent",
    "Prove",
    "Session",
    "SessionEnd",
    "SessionOver",
    "SessionRules",
    "SigningSuspended",
    "Staff",
    "new_token",
    "token_digest",
]
