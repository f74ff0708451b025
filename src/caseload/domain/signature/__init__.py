"""Signatures: made in the signer's own session under one exact version, sealed by the service, and verified."""

from caseload.domain.signature.signing import (
    FORMAT_VERSION,
    Meaning,
    NotRegistered,
    Signature,
    Signatures,
    Statement,
    Subject,
    Version,
    canonical_bytes,
    sign,
    sign_together,
    signing_role,
)

__all__ = [
    "FORMAT_VERSION",
    "Meaning",
    "NotRegistered",
    "Signature",
    "Signatures",
    "Statement",
    "Subject",
    "Version",
    "canonical_bytes",
    "sign",
    "sign_together",
    "signing_role",
]
