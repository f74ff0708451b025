"""Compact ranges: a stretch of the log as the fewest whole subtrees that cover it, a logarithm of hashes.

A range from 0 is the frontier of a tree and has its root. Ranges that touch merge into one. So a part of the log is
proved to be contiguous and complete by its own entries, a range to the left of it and one to the right.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from caseload.audit.tlog.merkle import EMPTY_ROOT, HASH_BYTES, node_hash
from caseload.audit.tlog.spelling import Malformed


class Subtree(NamedTuple):
    """A whole subtree: the 2^height leaves from `position * 2^height`."""

    height: int
    position: int

    @property
    def begin(self) -> int:
        return self.position << self.height

    @property
    def end(self) -> int:
        return (self.position + 1) << self.height


def subtrees_of(begin: int, end: int) -> Iterator[Subtree]:
    """The fewest whole subtrees that cover the leaves from `begin` to before `end`, from the left."""
    while begin < end:
        fits = (end - begin).bit_length() - 1
        height = min(fits, (begin & -begin).bit_length() - 1) if begin else fits
        yield Subtree(height, begin >> height)
        begin += 1 << height


class CompactRange:
    """The leaves from `begin` to before `end`, as the hashes of `subtrees_of(begin, end)`."""

    __slots__ = ("_hashes", "begin", "end")

    def __init__(self, begin: int = 0, end: int | None = None, hashes: Iterable[bytes] = ()) -> None:
        """Raises `Malformed` when these are not as many hashes as the range has subtrees."""
        self.begin = begin
        self.end = begin if end is None else end
        self._hashes = list(hashes)
        wanted = sum(1 for _ in subtrees_of(self.begin, self.end))
        if (
            begin < 0
            or self.end < begin
            or len(self._hashes) != wanted
            or any(len(each) != HASH_BYTES for each in self._hashes)
        ):
            raise Malformed(f"These are not the hashes of the leaves from {begin} to {end}.")

    @property
    def hashes(self) -> tuple[bytes, ...]:
        """One per subtree, from the left."""
        return tuple(self._hashes)

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf. What has just become whole is joined."""
        self._join(Subtree(0, self.end), leaf)

    def merge(self, right: "CompactRange") -> None:
        """Add a range that begins where this one ends. Raises `Malformed` when it begins elsewhere."""
        if right.begin != self.end:
            raise Malformed(f"A range from {right.begin} does not follow one up to {self.end}.")
        for subtree, hashed in zip(subtrees_of(right.begin, right.end), right.hashes, strict=True):
            self._join(subtree, hashed)

    def root(self) -> bytes:
        """The root of the tree that this range is. Raises `Malformed` when it does not begin at 0."""
        if self.begin:
            raise Malformed(f"A range from {self.begin} has no root.")
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in reversed(self._hashes[:-1]):
            root = node_hash(left, root)
        return root

    def _join(self, subtree: Subtree, hashed: bytes) -> None:
        height, index = subtree
        self.end = subtree.end
        while index & 1 and (index - 1) << height >= self.begin:
            hashed = node_hash(self._hashes.pop(), hashed)
            height += 1
            index >>= 1
        self._hashes.append(hashed)
