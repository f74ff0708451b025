"""Many proofs of inclusion in one tree: every node of a tile is hashed once, however many proofs need it.

`tlog.prove` hashes what one proof asks for; a report needs thousands, whose paths share most of the tree.
"""

from collections.abc import Iterable

from caseload.audit.tlog import prove
from caseload.audit.tlog.merkle import HASH_BYTES, node_hash
from caseload.audit.tlog.prove import Fetch
from caseload.audit.tlog.tile import TILE_HEIGHT, TILE_WIDTH, TileName, hashes_in, width_at


class Prover:
    """Audit paths in the tree of one size."""

    def __init__(self, size: int, fetch: Fetch) -> None:
        self._size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], list[list[bytes]]] = {}
        self._edge: dict[tuple[int, int], bytes] = {}

    def path(self, index: int) -> tuple[bytes, ...]:
        """The audit path of that leaf (RFC 6962, section 2.1.1). Raises `ValueError` when there is none."""
        return tuple(self._hash(begin, end) for begin, end in prove.inclusion_spans(index, self._size))

    def _hash(self, begin: int, end: int) -> bytes:
        count = end - begin
        if count & (count - 1) or begin % count:
            return self._at_the_edge(begin, end)
        level, height = divmod(count.bit_length() - 1, TILE_HEIGHT)
        number, first = divmod(begin >> level * TILE_HEIGHT, TILE_WIDTH)
        return self._nodes(level, number)[height][first >> height]

    def _nodes(self, level: int, number: int) -> list[list[bytes]]:
        """Every whole subtree in a tile: the hashes themselves, pairs of them, fours, and so on."""
        nodes = self._tiles.get((level, number))
        if nodes is None:
            width = width_at(level, number, self._size)
            data = self._fetch(TileName(level, number, width))
            row = hashes_in(data[: width * HASH_BYTES], width=width)
            nodes = self._tiles[level, number] = [row]
            while len(row) > 1:
                row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
                nodes.append(row)
        return nodes

    def _at_the_edge(self, begin: int, end: int) -> bytes:
        """A node whose subtree is not whole: there is one for each level, and all proofs share them."""
        known = self._edge.get((begin, end))
        if known is None:
            known = self._edge[begin, end] = prove.root_of_span(begin, end, self._size, self._fetch)
        return known


def tiles_for(indices: Iterable[int], size: int) -> set[TileName]:
    """The tiles that proofs of these leaves ask for."""
    found: set[TileName] = set()
    seen: set[int] = set()
    for index in indices:
        # The leaves under one tile need the same tiles.
        if index // TILE_WIDTH not in seen:
            seen.add(index // TILE_WIDTH)
            found |= prove.inclusion_tiles(index, size)
    return found
