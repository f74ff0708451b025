"""The tree as it grows from what a bundle holds, and its root at each size that somebody has seen."""

from collections.abc import Iterable, Iterator, Sequence

from caseload.audit.tlog.consistency import is_consistent
from caseload.audit.tlog.frontier import CompactRange
from caseload.audit.tlog.merkle import EMPTY_ROOT, HASH_BYTES
from caseload.audit.tlog.tile import Edge, TileName
from caseload.audit.verify.history import Head
from caseload.audit.verify.segment import Examined


class GrowingTree:
    """The tree as it grows, and its root at each size that somebody has seen."""

    def __init__(self, own: Head, wanted: Iterable[int]) -> None:
        self._own = own.checkpoint
        self._wanted = sorted({size for size in wanted if 0 < size < own.checkpoint.size}, reverse=True)
        self._by_tiles: dict[int, bytes] = {}
        self._by_leaves: dict[int, bytes] = {}
        self._paths: dict[int, Sequence[bytes]] = {}
        self._started = False
        self.tiles = CompactRange()
        """As the tiles, or the lines of a span, have it."""
        self.leaves = CompactRange()
        """As the entries themselves have it."""
        self._edge = Edge()
        self._upper: dict[tuple[int | None, int], tuple[TileName, bytes]] = {}

    def follow(self, examined: Examined) -> None:
        """Take the next segment."""
        if not examined.compact:
            return
        if not self._started:
            self._started = True
            self.tiles, self.leaves = CompactRange(examined.first), CompactRange(examined.first)
        begin, end = examined.first, examined.first + examined.entries
        while self._wanted and self._wanted[-1] <= end and self.tiles.begin == 0:
            size = self._wanted.pop()
            self._by_tiles[size] = _root_at(size, self.tiles, examined.first, examined.authentic)
            self._by_leaves[size] = _root_at(size, self.leaves, examined.first, examined.hashes)
        self.tiles.merge(CompactRange(begin, end, examined.compact))
        self.leaves.merge(CompactRange(begin, end, examined.otherwise or examined.compact))
        for tile, data in self._edge.append(examined.above):
            self._upper[tile.level, tile.number] = tile, data

    def upper(self) -> Iterator[tuple[TileName, bytes]]:
        """The tiles above the lowest level: the roots of its tiles are a tree of their own, one level down."""
        for tile, data in self._upper.values():
            if tile.level is not None:
                yield tile._replace(level=tile.level + 1), data

    def prove(self, paths: Iterable[tuple[int, Sequence[bytes]]]) -> None:
        """Take consistency proofs, by the size from which they lead to this tree."""
        self._paths.update(paths)

    def agrees(self, size: int, root: bytes) -> bool | None:
        """See `history.Past`. What does not itself lead to the signed head says nothing of earlier ones."""
        own = self._own
        if size == 0:
            return root == EMPTY_ROOT
        if size in self._paths:
            return is_consistent(old=size, old_root=root, new=own.size, new_root=own.root, path=self._paths[size])
        for roots, tree in ((self._by_tiles, self.tiles), (self._by_leaves, self.leaves)):
            if size in roots and tree.root() == own.root:
                return roots[size] == root
        return None


def _root_at(size: int, tree: CompactRange, first: int, hashes: bytes) -> bytes:
    """The root when the tree had that size, which it had within the segment that begins at `first`."""
    at = CompactRange(0, tree.end, tree.hashes)
    for place in range(size - first):
        at.append(hashes[place * HASH_BYTES : (place + 1) * HASH_BYTES])
    return at.root()
