"""The Merkle tree of RFC 6962, section 2.1 (restated in RFC 9162, section 2.1), over entries given as bytes.

Pure functions with nothing but the standard library, so that a verifier can use them away from our server.
A leaf is `SHA-256(0x00 || entry)`, a node `SHA-256(0x01 || left || right)`, the root of nothing `SHA-256("")`;
a tree of n leaves splits at the largest power of two below n. The two prefixes keep a node from being passed off
as a leaf.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from hmac import compare_digest

HASH_BYTES = 32
EMPTY_ROOT = sha256().digest()


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry as a leaf of the tree."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees joined."""
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (not entries), by pairing level after level; an odd last one moves up unchanged.

    That is the same tree as splitting at the largest power of two, without the recursion.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def inclusion_path(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The audit path of the leaf at `index`, from its sibling up (RFC 6962, section 2.1.1).

    Raises `IndexError` when there is no such leaf.
    """
    if not 0 <= index < len(hashes):
        raise IndexError(f"No leaf {index} in a tree of {len(hashes)}.")
    path: list[bytes] = []
    level = list(hashes)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            path.append(level[sibling])
        level = _level_above(level)
        index >>= 1
    return path


def includes(*, root: bytes, size: int, index: int, leaf: bytes, path: Iterable[bytes]) -> bool:
    """Whether the path proves that the leaf hash stands at `index` in the tree of `size` leaves with this root.

    The algorithm of RFC 9162, section 2.1.3.2. A path of the wrong length, or a hash of the wrong length, proves
    nothing.
    """
    if not 0 <= index < size:
        return False
    number, last = index, size - 1
    current = leaf
    for sibling in path:
        if last == 0 or len(sibling) != HASH_BYTES:
            return False
        if number & 1 or number == last:
            current = node_hash(sibling, current)
            while number and not number & 1:
                number >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        number >>= 1
        last >>= 1
    return last == 0 and compare_digest(current, root)


def _level_above(level: list[bytes]) -> list[bytes]:
    above = [sha256(b"\x01" + level[at] + level[at + 1]).digest() for at in range(0, len(level) - 1, 2)]
    if len(level) & 1:
        above.append(level[-1])
    return above
