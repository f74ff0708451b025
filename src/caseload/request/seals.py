"""The service's own seal under what somebody signed: Ed25519 (RFC 8032), by a key that is never in the database.

The key with the highest number seals; the older ones stay in the key store, so that what they sealed can be verified.
"""

from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from caseload.audit.keystore import KeyName, KeyStore, KeyStoreUnusable
from caseload.domain.people import Seal


@dataclass(frozen=True, slots=True)
class SealingKey:
    """One key of the service. Satisfies `domain.people.Sealing`."""

    number: int
    private: Ed25519PrivateKey = field(repr=False)

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes: whoever has it can verify every signature that this key sealed."""
        return self.private.public_key().public_bytes_raw()

    def seal(self, signed: bytes) -> Seal:
        """See `domain.people.Sealing.seal`."""
        return Seal(key=self.number, value=self.private.sign(signed))


@dataclass(slots=True)
class Seals:
    """The keys of a key store with which the service seals and verifies."""

    store: KeyStore
    _opened: dict[int, SealingKey] = field(default_factory=dict[int, SealingKey])

    def newest(self) -> SealingKey:
        """The key that seals now, also when it was made a moment ago by another process."""
        return self.numbered(self.store.current(KeyName.SIGNATURES).number)

    def numbered(self, number: int) -> SealingKey:
        """The key with this number. Raises `KeyStoreUnusable` when it is not there."""
        found = self._opened.get(number)
        if found is None:
            secret = self.store.numbered(KeyName.SIGNATURES, number).secret
            found = self._opened[number] = SealingKey(number, Ed25519PrivateKey.from_private_bytes(secret))
        return found

    def is_good(self, seal: Seal, signed: bytes) -> bool:
        """Whether the key that the seal names made it over exactly these bytes."""
        try:
            self.numbered(seal.key).private.public_key().verify(seal.value, signed)
        except (InvalidSignature, KeyStoreUnusable):
            return False
        return True
