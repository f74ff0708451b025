"""What it takes to sign in medication: the password once more, and where it needs one a reason."""

from caseload.api.proving import ProvedIn


class SignatureIn(ProvedIn, frozen=True, kw_only=True):
    """Your password once more: what you sign carries your name, the time and the meaning."""


class ReasonedSignatureIn(ProvedIn, frozen=True, kw_only=True):
    """A reason, and your password once more."""

    reason: str
