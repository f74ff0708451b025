"""Sign-off: the second look at a dose, and what waits for it."""

from caseload.domain.signoff.looking import (
    MOST_AT_ONCE,
    DoseRejected,
    DoseSignedOff,
    NotForYourRole,
    Rejection,
    SignedAlone,
    SignedOff,
    SignOffs,
    Verdict,
    reject,
    sign_off,
    signed_before,
)
from caseload.domain.signoff.queue import RANKS, Risk, Waiting, risk_of, signs_for_doses

__all__ = [
    "MOST_AT_ONCE",
    "RANKS",
    "DoseRejected",
    "DoseSignedOff",
    "NotForYourRole",
    "Rejection",
    "Risk",
    "SignOffs",
    "SignedAlone",
    "SignedOff",
    "Verdict",
    "Waiting",
    "reject",
    "risk_of",
    "sign_off",
    "signed_before",
    "signs_for_doses",
]
