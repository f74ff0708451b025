"""Proof that several leaves stand at their places in one small RFC 6962 tree: that of the items of an entry.

The proof is the hashes of the largest subtrees in which none of them lies, from left to right. For one leaf that is
an inclusion proof in another order; for all of them it is empty. Only the standard library.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from caseload.audit.tlog.merkle import HASH_BYTES, node_hash

Span: TypeAlias = tuple[int, int]
"""The leaves of a subtree: the first, and the first that is no longer in it."""


class Known(NamedTuple):
    """A subtree whose hash is known."""

    start: int
    end: int
    hash: bytes


class NotProved(ValueError):
    """The hashes do not fit the leaves that they are said to prove."""


def gaps(size: int, chosen: Sequence[Span]) -> list[Span]:
    """The largest subtrees in which no chosen leaf lies, from left to right; `chosen` is in order."""
    found: list[Span] = []
    ends = [end for _, end in chosen]
    waiting = [(0, size)] if size else []
    while waiting:
        start, end = waiting.pop()
        place = bisect_right(ends, start)
        if place == len(chosen) or chosen[place][0] >= end:
            found.append((start, end))
        elif not (chosen[place][0] <= start and end <= chosen[place][1]):
            middle = start + split(end - start)
            waiting += [(middle, end), (start, middle)]
    return found


def root_from(size: int, known: Sequence[Known], given: Iterable[bytes]) -> bytes:
    """The root of the tree of this size; `given` are the hashes of `gaps`, `known` is in order and does not overlap.

    Raises `NotProved` when there are too few or too many of them, or when one has the wrong length.
    """
    if not known or known[-1].end > size:
        raise NotProved("it proves nothing, or something beyond the tree")
    others = iter(given)
    root = _root(0, size, known, [each.end for each in known], others)
    if next(others, None) is not None:
        raise NotProved("it has more hashes than belong to it")
    return root


def split(size: int) -> int:
    """Where a tree of this size splits: at the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def _root(start: int, end: int, known: Sequence[Known], ends: Sequence[int], others: Iterator[bytes]) -> bytes:
    """Of a subtree. A function of its own: one within another would be garbage that only the collector finds."""
    place = bisect_right(ends, start)
    if place == len(known) or known[place].start >= end:
        return _next(others)
    if known[place].start == start and known[place].end == end:
        return known[place].hash
    if end - start == 1:
        raise NotProved("a leaf stands in it twice")
    middle = start + split(end - start)
    return node_hash(_root(start, middle, known, ends, others), _root(middle, end, known, ends, others))


def _next(hashes: Iterator[bytes]) -> bytes:
    found = next(hashes, None)
    if found is None or len(found) != HASH_BYTES:
        raise NotProved("it has too few hashes, or one that is none")
    return found
