"""What a leaf commits to, one item per client and per fact about the request, and how it is proved later.

The leaf holds only a count and a Merkle root. A commitment is the tree's leaf hash of `salt(32) || item`, so that
it is `SHA-256(0x00 || salt || item)`; without the salt it cannot be tried against a list of clients. The item names
the leaf it belongs to, so that it cannot be shown again under another one. Only the standard library here.

    a client's item    {"c":"<client>","l":"<leaf>","w":{"did":[...],"saw":["dose","identity"]}}
    a request's item   {"l":"<leaf>","w":{"source":"192.0.2.7"}}

`w` is last in canonical order, so an item is spliced from its parts and is canonical when `w` is.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from caseload.audit.tlog.merkle import HASH_BYTES, includes, leaf_hash

SALT_BYTES = 32
NONCE_BYTES = 12
_LENGTH_BYTES = 4
_PARTS_OF_EVERY_ENTRY = 2


def client_prefix(client: UUID) -> bytes:
    """The part of a client's items that is the same in every leaf."""
    return b'{"c":"%s","l":"' % str(client).encode()


def client_item(client: UUID, leaf: UUID, what: bytes) -> bytes:
    """What the leaf says of one client; `what` is canonical JSON."""
    return item_after(client_prefix(client), str(leaf).encode(), what)


def item_after(prefix: bytes, leaf: bytes, what: bytes) -> bytes:
    """The same, where `client_prefix` and the spelling of the leaf's identifier are at hand."""
    return b'%b%b","w":%b}' % (prefix, leaf, what)


def request_item(leaf: UUID, what: bytes) -> bytes:
    """What the leaf says of the request itself; `what` is canonical JSON."""
    return b'{"l":"%s","w":%s}' % (str(leaf).encode(), what)


class Disclosure(NamedTuple):
    """One item laid open: enough to prove it against its leaf, and nothing about the other items."""

    position: int
    salt: bytes
    item: bytes
    path: tuple[bytes, ...]

    def proves(self, *, root: bytes, count: int) -> bool:
        """Whether this item is among those a leaf commits to; root and count are taken from the leaf.

        Never from whoever shows the item: a path alone does not say how large the tree is.
        """
        return len(self.salt) == SALT_BYTES and includes(
            root=root, size=count, index=self.position, leaf=leaf_hash(self.salt + self.item), path=self.path
        )


class Sealed(NamedTuple):
    """What lies beside a leaf: the encrypted disclosures, and the commitments that paths are made of.

    The commitments are kept because they cannot all be made again: once one client's key is destroyed, its salt is
    gone, and every other client on the same list still needs that hash in the proof.
    """

    nonce: bytes
    """One per entry; used once under the key of each client and once under the log's own key."""
    request: bytes
    """Everything committed about the request, in one ciphertext. Empty where nothing is."""
    commitments: tuple[bytes, ...]
    """One per client, in the order of the references. Left out where there is one client: the root is its hash."""
    clients: tuple[bytes, ...]
    """One ciphertext per client, in the same order."""


def pack(nonce: bytes, request: bytes, commitments: Sequence[bytes], clients: Sequence[bytes]) -> bytes:
    """One string of bytes: the nonce, then each part behind its length (four bytes, the largest first)."""
    parts = [nonce]
    for part in (request, b"".join(commitments) if len(commitments) > 1 else b"", *clients):
        parts.append(len(part).to_bytes(_LENGTH_BYTES, "big"))
        parts.append(part)
    return b"".join(parts)


def unpack(packed: bytes) -> Sealed:
    """Take `pack` apart. Raises `ValueError` for anything that it does not write."""
    parts: list[bytes] = []
    at = NONCE_BYTES
    while at < len(packed):
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(packed[at:start], "big")
        parts.append(packed[start:at])
    if at != len(packed) or len(parts) < _PARTS_OF_EVERY_ENTRY or len(parts[1]) % HASH_BYTES:
        raise ValueError("What lies beside the leaf is cut short.")
    request, joined, *clients = parts
    commitments = tuple(joined[start : start + HASH_BYTES] for start in range(0, len(joined), HASH_BYTES))
    return Sealed(packed[:NONCE_BYTES], request, commitments, tuple(clients))
