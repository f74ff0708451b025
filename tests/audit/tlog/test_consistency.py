"""Consistency proofs and compact ranges against the definitions of RFC 6962, for all trees up to 300 leaves."""

from collections.abc import Callable

import pytest

from caseload.audit.tlog.consistency import consistency_path, consistency_spans, is_consistent
from caseload.audit.tlog.frontier import CompactRange, subtrees_of
from caseload.audit.tlog.merkle import EMPTY_ROOT, leaf_hash, root_of
from caseload.audit.tlog.spelling import Malformed
from tests.audit.tlog.test_merkle import KNOWN_ENTRIES
from tests.audit.tlog.trees import LARGEST, damaged, flipped, leaf_hashes, naive_consistency, naive_root

KNOWN_PROOFS = {
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
    (8, 8): (),
}


@pytest.mark.parametrize(("old", "new"), KNOWN_PROOFS)
def test_the_well_known_tree_has_its_well_known_proofs(old: int, new: int) -> None:
    hashes = [leaf_hash(entry) for entry in KNOWN_ENTRIES[:new]]
    path = consistency_path(hashes, old)
    assert tuple(each.hex() for each in path) == KNOWN_PROOFS[old, new]
    assert is_consistent(old=old, old_root=root_of(hashes[:old]), new=new, new_root=root_of(hashes), path=path)


def test_every_proof_up_to_three_hundred_is_the_one_of_the_definition_and_nothing_else_proves_it(
    counts: Callable[..., int],
) -> None:
    """Of the changes to a proof, one bit of each hash is tried in every tree; all bits of small trees stand below."""
    every = counts(7, full=1)
    for new in range(1, LARGEST + 1):
        for old in range(1, new + 1):
            path = [naive_root(begin, end) for begin, end in consistency_spans(old, new)]
            assert path == naive_consistency(old, 0, new)
            assert proves(old, new, path)
            if (new * LARGEST + old) % every == 0:
                assert not any(proves(old, new, other) for other in damaged(path, bits=[(new * 7 + old) % 256]))
                assert_sizes_and_roots_count(old, new, path)


@pytest.mark.parametrize("new", [2, 3, 4, 7, 8, 9])
def test_no_bit_of_a_proof_can_be_changed(new: int) -> None:
    for old in range(1, new + 1):
        path = naive_consistency(old, 0, new)
        assert not any(proves(old, new, other) for other in damaged(path, bits=range(256)))
        for bit in range(256):
            assert not proves(old, new, path, old_root=flipped(naive_root(0, old), bit))
            assert not proves(old, new, path, new_root=flipped(naive_root(0, new), bit))


def assert_sizes_and_roots_count(old: int, new: int, path: list[bytes]) -> None:
    bit = (new * 11 + old) % 256
    assert not proves(old, new, path, old_root=flipped(naive_root(0, old), bit))
    assert not proves(old, new, path, new_root=flipped(naive_root(0, new), bit))
    for other in {old - 1, old + 1} - {0}:
        assert not is_consistent(
            old=other, old_root=naive_root(0, old), new=new, new_root=naive_root(0, new), path=path
        )
        if other <= new:
            assert not proves(other, new, path)
    # The new root is signed with its size; a proof does not say it again. With the root of another size it fails.
    for other in {new - 1, new + 1}:
        if other >= old:
            assert not proves(old, other, path) or path == naive_consistency(old, 0, other)


def proves(
    old: int, new: int, path: list[bytes], *, old_root: bytes | None = None, new_root: bytes | None = None
) -> bool:
    return is_consistent(
        old=old,
        old_root=old_root or naive_root(0, old),
        new=new,
        new_root=new_root or naive_root(0, new),
        path=path,
    )


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 1), (0, 8), (-1, 3), (4, 3)])
def test_nothing_proves_a_tree_from_the_empty_one_or_from_a_larger_one(old: int, new: int) -> None:
    assert not is_consistent(old=old, old_root=EMPTY_ROOT, new=new, new_root=naive_root(0, max(new, 0)), path=[])
    with pytest.raises(ValueError, match="no proof"):
        consistency_spans(old, new)


def test_a_range_grown_leaf_by_leaf_has_the_root_of_every_tree() -> None:
    growing = CompactRange()
    assert growing.root() == EMPTY_ROOT
    for size, hashed in enumerate(leaf_hashes(LARGEST), start=1):
        growing.append(hashed)
        assert growing.root() == naive_root(0, size)
        assert growing.hashes == tuple(naive_root(each.begin, each.end) for each in subtrees_of(0, size))


def test_two_ranges_that_touch_are_the_range_over_both(counts: Callable[..., int]) -> None:
    step = counts(13, full=1)
    for end in range(0, LARGEST + 1, step):
        for middle in range(0, end + 1, step):
            for begin in range(0, middle + 1, step):
                left, right = range_of(begin, middle), range_of(middle, end)
                left.merge(right)
                assert (left.begin, left.end, left.hashes) == (begin, end, range_of(begin, end).hashes)


def test_a_range_is_refused_with_other_hashes_than_its_own_number() -> None:
    hashes = range_of(3, 11).hashes
    for wrong in (hashes[1:], (*hashes, hashes[0]), (hashes[0][:-1], *hashes[1:])):
        with pytest.raises(Malformed, match="not the hashes"):
            CompactRange(3, 11, wrong)
    for begin, end in ((-1, 2), (5, 4)):
        with pytest.raises(Malformed, match="not the hashes"):
            CompactRange(begin, end)
    with pytest.raises(Malformed, match="does not follow"):
        range_of(0, 3).merge(range_of(4, 5))
    with pytest.raises(Malformed, match="no root"):
        range_of(1, 3).root()


def range_of(begin: int, end: int) -> CompactRange:
    return CompactRange(begin, end, [naive_root(each.begin, each.end) for each in subtrees_of(begin, end)])
