"""Consistency proofs (RFC 9162, section 2.1.4): that a larger tree begins with all of a smaller one.

Strict about the empty tree: every tree begins with it and no proof says so. Where a protocol allows the size 0 (C2SP
tlog-witness does), that stands where the protocol is.
"""

from collections.abc import Sequence
from hmac import compare_digest

from caseload.audit.tlog.merkle import HASH_BYTES, node_hash, root_of


def consistency_spans(old: int, new: int) -> list[tuple[int, int]]:
    """Which subtrees' hashes are the proof (section 2.1.4.1, PROOF), as ranges of leaves, in its order.

    Raises `ValueError` unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError(f"There is no proof that a tree of {new} begins with one of {old}.")
    spans: list[tuple[int, int]] = []
    begin, end, complete = 0, new, True
    while old != end:
        split = begin + (1 << (end - begin - 1).bit_length() - 1)
        if old <= split:
            spans.append((split, end))
            end = split
        else:
            spans.append((begin, split))
            begin, complete = split, False
    if not complete:
        spans.append((begin, end))
    return spans[::-1]


def consistency_path(hashes: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the tree over these leaf hashes begins with the tree over the first `old` of them."""
    return [root_of(hashes[begin:end]) for begin, end in consistency_spans(old, len(hashes))]


def is_consistent(*, old: int, old_root: bytes, new: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path proves that the tree of `new` leaves begins with the tree of `old` (section 2.1.4.2)."""
    if not 0 < old <= new or any(len(each) != HASH_BYTES for each in path):
        return False
    if old == new:
        return not path and compare_digest(old_root, new_root)
    # A whole subtree as the smaller tree is its own first hash and is left out of the proof.
    first, rest = (old_root, path) if old & (old - 1) == 0 else (b"".join(path[:1]), path[1:])
    found = _climb(old - 1, new - 1, first, rest) if first else None
    return found is not None and compare_digest(found[0], old_root) and compare_digest(found[1], new_root)


def _climb(number: int, last: int, first: bytes, rest: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The two roots that the proof leads to, or nothing when it is not as long as the trees are high."""
    while number & 1:
        number, last = number >> 1, last >> 1
    old_found = new_found = first
    for each in rest:
        if last == 0:
            return None
        if number & 1 or number == last:
            old_found, new_found = node_hash(each, old_found), node_hash(each, new_found)
            while number and not number & 1:
                number, last = number >> 1, last >> 1
        else:
            new_found = node_hash(new_found, each)
        number, last = number >> 1, last >> 1
    return (old_found, new_found) if last == 0 else None
