"""Tiles and entry bundles, as C2SP tlog-tiles has them: the tree and its entries as files that never change.

A tile of level l holds up to 256 hashes of subtrees of 256^l entries; a bundle holds the up to 256 entries under one
tile of level 0, each behind its length in two bytes. `tile/1/x001/234` is a whole one, `tile/0/007.p/12` one of which
only 12 hashes exist yet. Only whole tiles are hashed into the level above.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from caseload.audit.tlog.merkle import HASH_BYTES, root_of
from caseload.audit.tlog.spelling import Malformed

TILE_WIDTH = 256
TILE_HEIGHT = 8
HIGHEST_LEVEL = 63
LARGEST_ENTRY = 2**16 - 1
LARGEST_BUNDLE = TILE_WIDTH * (2 + LARGEST_ENTRY)
_LENGTH_BYTES = 2
_PATH = re.compile(
    r"tile/(?P<level>entries|0|[1-9]|[1-5][0-9]|6[0-3])/(?P<number>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?",
    re.ASCII,
)


class TileName(NamedTuple):
    """Which tile, or which entry bundle (level `None`), and how many of its 256 places are filled."""

    level: int | None
    number: int
    width: int = TILE_WIDTH

    def path(self) -> str:
        """Where it lies under the prefix of the log."""
        groups: list[str] = []
        rest = self.number
        while not groups or rest:
            rest, last = divmod(rest, 1000)
            groups.append(f"x{last:03}" if groups else f"{last:03}")
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return f"tile/{'entries' if self.level is None else self.level}/{'/'.join(reversed(groups))}{partial}"

    @classmethod
    def parse(cls, path: str) -> "TileName":
        """Read a path. Raises `Malformed`, also for a number with needless zeroes or beyond any tree."""
        found = _PATH.fullmatch(path)
        if found is None:
            raise Malformed(f"{path[:80]!r} is not the path of a tile.")
        digits = found["number"].replace("x", "").replace("/", "")
        if (digits.startswith("000") and len(digits) > 3) or len(digits) > 18:
            raise Malformed(f"{path[:80]!r} is not the one path of any tile.")
        width = int(found["width"]) if found["width"] else TILE_WIDTH
        if found["width"] and width >= TILE_WIDTH:
            raise Malformed(f"A partial tile has at most 255 hashes, not {width}.")
        return cls(None if found["level"] == "entries" else int(found["level"]), int(digits), width)


def width_at(level: int, number: int, size: int) -> int:
    """How many hashes that tile has in a tree of that size; 0 when it is not there at all."""
    there = (size >> TILE_HEIGHT * level) - number * TILE_WIDTH
    return min(max(there, 0), TILE_WIDTH)


def tiles_of(size: int, *, beyond: int = 0) -> Iterator[TileName]:
    """Every tile of a tree of that size that a tree of `beyond` entries does not have in the same width.

    Level by level, from the left; entry bundles are those of level 0.
    """
    level = 0
    while size >> TILE_HEIGHT * level:
        old, new = beyond >> TILE_HEIGHT * level, size >> TILE_HEIGHT * level
        if new > old:
            for number in range(old // TILE_WIDTH, -(-new // TILE_WIDTH)):
                yield TileName(level, number, width_at(level, number, size))
        level += 1


def bundles_of(size: int, *, beyond: int = 0) -> Iterator[TileName]:
    """Every entry bundle of a log of that size, as `tiles_of`."""
    for number in range(beyond // TILE_WIDTH, -(-size // TILE_WIDTH) if size > beyond else 0):
        yield TileName(None, number, width_at(0, number, size))


def hashes_in(data: bytes, *, width: int) -> list[bytes]:
    """The hashes of a tile. Raises `Malformed` unless there are exactly that many."""
    if not 1 <= width <= TILE_WIDTH or len(data) != width * HASH_BYTES:
        raise Malformed(f"A tile of {width} hashes has {width * HASH_BYTES} bytes, not {len(data)}.")
    return [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)]


def bundle_of(entries: Iterable[bytes]) -> bytes:
    """The bundle of up to 256 entries. Raises `Malformed` for an entry that is too long."""
    parts: list[bytes] = []
    for entry in entries:
        if len(entry) > LARGEST_ENTRY:
            raise Malformed(f"An entry of {len(entry)} bytes does not fit into a bundle.")
        parts.append(len(entry).to_bytes(_LENGTH_BYTES, "big"))
        parts.append(entry)
    return b"".join(parts)


def entries_in(data: bytes, *, width: int) -> list[bytes]:
    """The entries of a bundle. Raises `Malformed` unless there are exactly that many and nothing else."""
    found: list[bytes] = []
    at = 0
    while at < len(data) and len(found) < width:
        start = at + _LENGTH_BYTES
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    if at != len(data) or len(found) != width:
        raise Malformed(f"This is not a bundle of {width} entries.")
    return found


class Edge:
    """The right edge of a growing tree: at each level, the hashes of the one tile that is not whole.

    All that is needed to add to a tree and to know its root; 255 hashes a level at most. Tiles that become whole are
    handed to whoever adds.
    """

    __slots__ = ("_levels", "size")

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[list[bytes]] = []

    @classmethod
    def of(cls, size: int, tiles: Sequence[Sequence[bytes]]) -> "Edge":
        """The edge of a tree of that size, from the hashes of its partial tiles by level; an empty one where none is.

        Raises `Malformed` when they are not as many as the size asks for.
        """
        widths: list[int] = []
        while size >> TILE_HEIGHT * len(widths):
            widths.append((size >> TILE_HEIGHT * len(widths)) % TILE_WIDTH)
        if [len(tile) for tile in tiles] != widths:
            raise Malformed(f"These are not the partial tiles of a tree of {size}.")
        edge = cls()
        edge.size = size
        edge._levels = [list(tile) for tile in tiles]
        return edge

    def append(self, hashes: Sequence[bytes]) -> list[tuple[TileName, bytes]]:
        """Add leaf hashes; the tiles that changed, whole or at the edge, each once as it is after all of them."""
        changed: dict[tuple[int, int], tuple[TileName, bytes]] = {}
        self._add(0, hashes, changed)
        self.size += len(hashes)
        return list(changed.values())

    def _add(self, level: int, hashes: Sequence[bytes], changed: dict[tuple[int, int], tuple[TileName, bytes]]) -> None:
        if not hashes:
            return
        if level == len(self._levels):
            self._levels.append([])
        number = (self.size >> TILE_HEIGHT * level) // TILE_WIDTH
        tile = [*self._levels[level], *hashes]
        above: list[bytes] = []
        for start in range(0, len(tile), TILE_WIDTH):
            part = tile[start : start + TILE_WIDTH]
            name = TileName(level, number + start // TILE_WIDTH, len(part))
            changed[level, name.number] = name, b"".join(part)
            if len(part) == TILE_WIDTH:
                above.append(root_of(part))
        self._levels[level] = tile[len(above) * TILE_WIDTH :]
        self._add(level + 1, above, changed)

    def root(self) -> bytes:
        """The root of the tree. What is right of a level's hashes stands beside them like one more hash."""
        right: list[bytes] = []
        for tile in self._levels:
            if tile or right:
                right = [root_of([*tile, *right])]
        return right[0] if right else root_of([])
