"""What it takes to sign in medication: the password once more, and where it needs one a reason."""

from caseload.api.wire import Wire


class SignatureIn(Wire, frozen=True, kw_only=True):
    """Your password once more: what you sign carries your name, the time and the meaning."""

    password: str


class ReasonedSignatureIn(Wire, frozen=True, kw_only=True):
    """A reason, and your password once more."""

    reason: str
    password: str
