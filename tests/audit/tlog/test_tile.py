"""Tiles, their paths and bundles, and proofs made from them, against the definition of tlog-tiles and of the tree."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit.tlog import prove
from caseload.audit.tlog.frontier import subtrees_of
from caseload.audit.tlog.merkle import EMPTY_ROOT, leaf_hash, root_of
from caseload.audit.tlog.spelling import Malformed
from caseload.audit.tlog.tile import (
    LARGEST_ENTRY,
    Edge,
    TileName,
    bundle_of,
    bundles_of,
    entries_in,
    hashes_in,
    tiles_of,
    width_at,
)
from tests.audit.tlog.trees import LARGEST, leaf_hashes, naive_consistency, naive_inclusion, naive_root

Tiles = dict[tuple[int | None, int], bytes]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileName(0, 0), "tile/0/000"),
        (TileName(0, 1_234_067), "tile/0/x001/x234/067"),
        (TileName(1, 1_234), "tile/1/x001/234"),
        (TileName(63, 999, 255), "tile/63/999.p/255"),
        (TileName(None, 1_000, 1), "tile/entries/x001/000.p/1"),
    ],
)
def test_a_tile_has_the_path_of_the_specification(tile: TileName, path: str) -> None:
    assert tile.path() == path
    assert TileName.parse(path) == tile


@given(level=st.none() | st.integers(0, 63), number=st.integers(0, 10**15), width=st.integers(1, 256))
def test_every_path_leads_back_to_its_tile(level: int | None, number: int, width: int) -> None:
    tile = TileName(level, number, width)
    assert TileName.parse(tile.path()) == tile


@pytest.mark.parametrize(
    "path",
    [
        "", "tile", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/00/000", "tile/64/000", "tile/-1/000",
        "tile/0/x000/000", "tile/0/x000/x001/000", "tile/0/x01/000", "tile/0/001/000", "tile/0/x001", "tile/0/x001/x000",
        "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/000/",
        "/tile/0/000", "tile/0/../000", "tile/entries/000\n", "tile/data/000", "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x999/" * 6 + "999",
    ],
)  # fmt: skip
def test_anything_else_is_not_the_path_of_a_tile(path: str) -> None:
    with pytest.raises(Malformed):
        TileName.parse(path)


def test_the_specifications_example_of_seventy_thousand() -> None:
    tiles = list(tiles_of(70_000))
    assert [(tile.level, tile.number, tile.width) for tile in tiles if tile.width < 256] == [
        (0, 273, 112), (1, 1, 17), (2, 0, 1),
    ]  # fmt: skip
    assert sum(tile.level == 0 and tile.width == 256 for tile in tiles) == 273
    assert [tile.path() for tile in tiles_of(256)] == ["tile/0/000", "tile/1/000.p/1"]
    assert list(tiles_of(0)) == []
    assert [tile.width for tile in bundles_of(600)] == [256, 256, 88]
    assert list(bundles_of(0)) == []


@given(old=st.integers(0, 200_000), more=st.integers(0, 70_000))
def test_the_tiles_beyond_a_size_are_those_that_it_does_not_have(old: int, more: int) -> None:
    size = old + more
    assert set(tiles_of(size, beyond=old)) == set(tiles_of(size)) - set(tiles_of(old))
    assert set(bundles_of(size, beyond=old)) == set(bundles_of(size)) - set(bundles_of(old))


def test_a_bundle_holds_its_entries_and_nothing_else() -> None:
    entries = [b"", b"a", bytes(LARGEST_ENTRY)]
    bundle = bundle_of(entries)
    assert bundle[:5] == b"\x00\x00\x00\x01a"
    assert entries_in(bundle, width=3) == entries
    for wrong, width in (
        (bundle, 2), (bundle, 4), (bundle[:-1], 3), (bundle + b"\x00", 3), (bundle + b"\x00\x00", 3), (b"", 1),
        (b"\x00", 1), (b"\x00\x02a", 1),
    ):  # fmt: skip
        with pytest.raises(Malformed, match="not a bundle"):
            entries_in(wrong, width=width)
    with pytest.raises(Malformed, match="does not fit"):
        bundle_of([bytes(LARGEST_ENTRY + 1)])


def test_a_tile_holds_as_many_hashes_as_it_says() -> None:
    hashes = leaf_hashes(256)
    assert hashes_in(b"".join(hashes), width=256) == hashes
    for width, size in ((0, 0), (1, 31), (1, 33), (2, 32), (257, 257 * 32)):
        with pytest.raises(Malformed, match="bytes"):
            hashes_in(bytes(size), width=width)


def test_an_edge_grown_in_any_steps_has_every_root_and_writes_every_tile() -> None:
    hashes = leaf_hashes(LARGEST)
    for step in (1, 2, 3, 100, 255, 256, 257, LARGEST):
        edge, tiles = Edge(), Tiles()
        assert edge.root() == EMPTY_ROOT
        for start in range(0, LARGEST, step):
            before = edge.size
            changed = edge.append(hashes[start : start + step])
            assert {name for name, _ in changed} == set(tiles_of(edge.size, beyond=before))
            tiles.update({(name.level, name.number): data for name, data in changed})
            assert edge.root() == naive_root(0, edge.size)
        for name in tiles_of(LARGEST):
            assert hashes_in(tiles[name.level, name.number], width=name.width) == [
                naive_root(at * 256**level, (at + 1) * 256**level)
                for level in [name.level or 0]
                for at in range(name.number * 256, name.number * 256 + name.width)
            ]


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 70_000, 65_536, 131_072, 131_071])
def test_an_edge_is_restored_from_its_tiles_and_goes_on(size: int) -> None:
    hashes = [leaf_hash(b"%d" % number) for number in range(size + 700)]
    grown, tiles = Edge(), Tiles()
    tiles.update({(name.level, name.number): data for name, data in grown.append(hashes[:size])})
    partial: list[list[bytes]] = []
    for level in range(3):
        if size >> 8 * level:
            number = (size >> 8 * level) // 256
            width = width_at(level, number, size)
            partial.append(hashes_in(tiles[level, number], width=width) if width else [])
    restored = Edge.of(size, partial)
    assert restored.root() == grown.root() == root_of(hashes[:size])
    assert restored.append(hashes[size:]) == grown.append(hashes[size:])
    assert restored.root() == root_of(hashes)
    if partial:
        with pytest.raises(Malformed, match="not the partial tiles"):
            Edge.of(size, [*partial[:-1], [*partial[-1], hashes[0]]])
        with pytest.raises(Malformed, match="not the partial tiles"):
            Edge.of(size + 1, partial)


def test_every_inclusion_proof_up_to_three_hundred_comes_out_of_the_tiles(counts: Callable[..., int]) -> None:
    tiles = tiles_up_to(LARGEST)
    for size in [*range(1, 20), *range(250, 265), *range(20, LARGEST + 1, counts(40, full=1))]:
        for index in range(size):
            wanted = prove.inclusion_tiles(index, size)
            assert wanted <= set(tiles_of(size))
            path = prove.inclusion(index, size, from_these(tiles, wanted))
            assert path == naive_inclusion(index, 0, size)


def test_every_consistency_proof_up_to_three_hundred_comes_out_of_the_tiles(counts: Callable[..., int]) -> None:
    tiles = tiles_up_to(LARGEST)
    for new in [*range(1, 20), *range(254, 260), *range(20, LARGEST + 1, counts(60, full=1))]:
        for old in range(1, new + 1):
            wanted = prove.consistency_tiles(old, new)
            assert prove.consistency(old, new, from_these(tiles, wanted)) == naive_consistency(old, 0, new)


def test_ranges_and_roots_come_out_of_the_tiles_of_a_tree_of_three_levels() -> None:
    size = 66_000
    hashes = [leaf_hash(b"%d" % number) for number in range(size)]
    edge = Edge()
    tiles: Tiles = {(name.level, name.number): data for name, data in edge.append(hashes)}
    fetch = from_these(tiles, set(tiles_of(size)))
    assert prove.tree_root(size, fetch) == edge.root() == root_of(hashes)
    begin, end = 1_001, 65_537
    found = prove.compact_range(begin, end, size, fetch)
    assert found.hashes == tuple(root_of(hashes[each.begin : each.end]) for each in subtrees_of(begin, end))
    path = prove.inclusion(65_535, size, fetch)
    assert path[0] == hashes[65_534]
    for wrong in ((-1, 3), (4, 3), (0, size + 1)):
        with pytest.raises(ValueError, match="no leaves"):
            prove.compact_range(*wrong, size, fetch)


def test_a_tile_cut_short_proves_nothing() -> None:
    tiles = tiles_up_to(LARGEST)
    for spoilt in (b"", tiles[0, 0][:-1], tiles[0, 0][:-32]):
        with pytest.raises(Malformed, match="cut short"):
            prove.inclusion(1, LARGEST, from_these({**tiles, (0, 0): spoilt}, set(tiles_of(LARGEST))))


@pytest.mark.parametrize(("index", "size"), [(-1, 1), (0, 0), (3, 3)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        prove.inclusion_spans(index, size)


def tiles_up_to(size: int) -> Tiles:
    return {(name.level, name.number): data for name, data in Edge().append(leaf_hashes(size))}


def from_these(tiles: Tiles, announced: set[TileName]) -> prove.Fetch:
    """A source that hands over only what was announced, and as later trees have it: with more hashes if it has."""

    def fetch(tile: TileName) -> bytes:
        assert tile in announced
        return tiles[tile.level, tile.number]

    return fetch
