"""Proofs made from tiles: inclusion, consistency, compact ranges and roots, of any tree that the tiles contain.

Each function takes a `fetch` that hands over the bytes of a tile. What it will ask for can be known beforehand
(`inclusion_tiles` and its like), so that they are loaded in one go where loading has to be waited for. A tile may be
handed over with more hashes than were asked for: the same one as it became later.
"""

from collections.abc import Callable, Iterable

from caseload.audit.tlog.consistency import consistency_spans
from caseload.audit.tlog.frontier import CompactRange, Subtree, subtrees_of
from caseload.audit.tlog.merkle import HASH_BYTES, node_hash, root_of
from caseload.audit.tlog.spelling import Malformed
from caseload.audit.tlog.tile import TILE_HEIGHT, TILE_WIDTH, TileName, width_at

Fetch = Callable[[TileName], bytes]


def inclusion_spans(index: int, size: int) -> list[tuple[int, int]]:
    """Which subtrees' hashes are the audit path of a leaf (RFC 9162, section 2.1.3.1), from its sibling up.

    Raises `ValueError` when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} in a tree of {size}.")
    spans: list[tuple[int, int]] = []
    begin, end = 0, size
    while end - begin > 1:
        split = begin + (1 << (end - begin - 1).bit_length() - 1)
        if index < split:
            spans.append((split, end))
            end = split
        else:
            spans.append((begin, split))
            begin = split
    return spans[::-1]


def inclusion(index: int, size: int, fetch: Fetch) -> list[bytes]:
    """The audit path of that leaf in the tree of that size."""
    return [root_of_span(begin, end, size, fetch) for begin, end in inclusion_spans(index, size)]


def inclusion_tiles(index: int, size: int) -> set[TileName]:
    """The tiles that `inclusion` asks for."""
    return tiles_for(inclusion_spans(index, size), size)


def consistency(old: int, new: int, fetch: Fetch) -> list[bytes]:
    """The proof that the tree of `new` leaves begins with the tree of `old`."""
    return [root_of_span(begin, end, new, fetch) for begin, end in consistency_spans(old, new)]


def consistency_tiles(old: int, new: int) -> set[TileName]:
    """The tiles that `consistency` asks for."""
    return tiles_for(consistency_spans(old, new), new)


def compact_range(begin: int, end: int, size: int, fetch: Fetch) -> CompactRange:
    """A stretch of the tree of that size, as a compact range."""
    if not 0 <= begin <= end <= size:
        raise ValueError(f"A tree of {size} has no leaves from {begin} to {end}.")
    return CompactRange(begin, end, [_hash_of(subtree, size, fetch) for subtree in subtrees_of(begin, end)])


def tree_root(size: int, fetch: Fetch) -> bytes:
    """The root of the tree of that size."""
    return compact_range(0, size, size, fetch).root()


def tiles_for(spans: Iterable[tuple[int, int]], size: int) -> set[TileName]:
    """The tiles that hold the hashes of these stretches of the tree of that size."""
    return {_place(subtree, size)[0] for begin, end in spans for subtree in subtrees_of(begin, end)}


def root_of_span(begin: int, end: int, size: int, fetch: Fetch) -> bytes:
    """The hash of one node of the tree: whole, or at the right edge, where the subtrees in it are joined."""
    *rest, hashed = [_hash_of(subtree, size, fetch) for subtree in subtrees_of(begin, end)]
    for left in reversed(rest):
        hashed = node_hash(left, hashed)
    return hashed


def _hash_of(subtree: Subtree, size: int, fetch: Fetch) -> bytes:
    tile, first, count = _place(subtree, size)
    data = fetch(tile)
    if len(data) < tile.width * HASH_BYTES or len(data) % HASH_BYTES:
        raise Malformed(f"{tile.path()} is cut short: {len(data)} bytes.")
    return root_of([data[at * HASH_BYTES : (at + 1) * HASH_BYTES] for at in range(first, first + count)])


def _place(subtree: Subtree, size: int) -> tuple[TileName, int, int]:
    """Which tile holds a subtree's hash, the first of the hashes it is made of there, and how many they are."""
    level, height = divmod(subtree.height, TILE_HEIGHT)
    number, first = divmod(subtree.position << height, TILE_WIDTH)
    return TileName(level, number, width_at(level, number, size)), first, 1 << height
