"""How one key of a log hands over to the next: the old key signs the new one, and the log keeps that as an entry.

    caseload key.rotate/v1
    OLD VKEY
    NEW VKEY

For an overlap both keys sign every checkpoint; whoever holds the old key only can follow the entry to the new one.
"""

from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from caseload.audit.tlog.note import Kind, Signer, VerifierKey
from caseload.audit.tlog.spelling import Malformed, base64, from_base64

SIGNATURE_BYTES = 64


class Handover(NamedTuple):
    """What the entry `key.rotate` says: in this order, `old`, `new` and `sig` of its leaf."""

    old: VerifierKey
    new: VerifierKey
    signature: bytes

    @classmethod
    def parse(cls, old: str, new: str, signature: str) -> "Handover":
        """Read it from the strings in a leaf. Raises `Malformed`. Nothing is verified yet."""
        return cls(VerifierKey.parse(old), VerifierKey.parse(new), from_base64(signature, length=SIGNATURE_BYTES))

    def encode(self) -> tuple[str, str, str]:
        """The three strings for the leaf."""
        return str(self.old), str(self.new), base64(self.signature)

    def is_good(self) -> bool:
        """Whether the old key signed the new one, both are of one log, and it is another one."""
        if self.old.name != self.new.name or self.old.public == self.new.public or not _are_logs(self.old, self.new):
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.old.public).verify(self.signature, message(self.old, self.new))
        except InvalidSignature:
            return False
        return True


def message(old: VerifierKey, new: VerifierKey) -> bytes:
    """What the old key signs. It cannot be a checkpoint: the second line is no number."""
    return f"caseload key.rotate/v1\n{old}\n{new}\n".encode()


def hand_over(old: Signer, new: VerifierKey) -> Handover:
    """Let the old key sign the new one. Raises `Malformed` when they are not two keys of one log."""
    made = Handover(old.key, new, old.sign(message(old.key, new)))
    if not made.is_good():
        raise Malformed("A key is handed over to another key of the same log.")
    return made


def _are_logs(*keys: VerifierKey) -> bool:
    return all(key.kind is Kind.ED25519 for key in keys)
