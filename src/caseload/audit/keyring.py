"""Everybody's keys at once, for work that walks the log: in some seventy bytes each and not the kilobytes of a `ClientKey`.

They lie in memory only, and as long as the work lasts: in the database nothing says which reference is whose.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final
from uuid import UUID

from caseload.audit.keys import REFERENCE_BYTES, ClientKey
from caseload.audit.keystore import KEY_BYTES

_MOST_AWAKE: Final = 512
_BUCKETS: Final = 4_096
_CLIENT: Final = REFERENCE_BYTES
_SECRET: Final = _CLIENT + 16
_MARK: Final = _SECRET + KEY_BYTES
_RECORD: Final = _MARK + 1


class KeyRing:
    """Keys found by reference; those woken last are ready for use, the others are bytes.

    References are as good as random, so their first twelve bits share them out evenly.
    """

    __slots__ = ("_awake", "_buckets")

    def __init__(self) -> None:
        self._buckets = [bytearray() for _ in range(_BUCKETS)]
        self._awake: OrderedDict[bytes, ClientKey] = OrderedDict()

    def add(self, key: ClientKey) -> None:
        """Hang up the key of a client who is not on the ring."""
        self._bucket(key.reference).extend(key.reference + key.client.bytes + key.secret + b"\0")

    def find(self, reference: bytes) -> ClientKey | None:
        """Return the key behind a reference; None for one who is not on the ring."""
        key = self._awake.get(reference)
        if key is not None:
            return key
        found = self._place(reference)
        if found is None:
            return None
        bucket, at = found
        key = ClientKey(
            UUID(bytes=bytes(bucket[at + _CLIENT : at + _SECRET])), bytes(bucket[at + _SECRET : at + _MARK])
        )
        self._awake[reference] = key
        if len(self._awake) > _MOST_AWAKE:
            self._awake.popitem(last=False)
        return key

    def mark(self, reference: bytes) -> None:
        """Remember this client, who is on the ring."""
        found = self._place(reference)
        if found is None:
            raise KeyError(reference)
        bucket, at = found
        bucket[at + _MARK] = 1

    def marked(self) -> Iterator[UUID]:
        """Everybody who was marked, each once, in an order that says nothing."""
        for bucket in self._buckets:
            for at in range(0, len(bucket), _RECORD):
                if bucket[at + _MARK]:
                    yield UUID(bytes=bytes(bucket[at + _CLIENT : at + _SECRET]))

    def _bucket(self, reference: bytes) -> bytearray:
        return self._buckets[reference[0] << 4 | reference[1] >> 4]

    def _place(self, reference: bytes) -> tuple[bytearray, int] | None:
        bucket = self._bucket(reference)
        at = bucket.find(reference)
        while at % _RECORD and at >= 0:
            at = bucket.find(reference, at + 1)
        return None if at < 0 else (bucket, at)
