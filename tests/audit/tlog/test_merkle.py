"""The tree against a naive recursion over the definition in RFC 6962, section 2.1, and its well-known answers."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit.tlog.merkle import includes, inclusion_path, leaf_hash, root_of

KNOWN_ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
KNOWN_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LARGEST = 300


def naive_root(entries: Sequence[bytes]) -> bytes:
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = largest_power_below(len(entries))
    return sha256(b"\x01" + naive_root(entries[:split]) + naive_root(entries[split:])).digest()


def naive_path(entries: Sequence[bytes], index: int) -> list[bytes]:
    if len(entries) == 1:
        return []
    split = largest_power_below(len(entries))
    if index < split:
        return [*naive_path(entries[:split], index), naive_root(entries[split:])]
    return [*naive_path(entries[split:], index - split), naive_root(entries[:split])]


def largest_power_below(size: int) -> int:
    return 1 << ((size - 1).bit_length() - 1)


def entries_of(size: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(size)]


@pytest.mark.parametrize("size", range(len(KNOWN_ROOTS)))
def test_the_well_known_tree_has_its_well_known_roots(size: int) -> None:
    hashes = [leaf_hash(entry) for entry in KNOWN_ENTRIES[:size]]
    assert root_of(hashes).hex() == KNOWN_ROOTS[size]


def test_every_tree_up_to_three_hundred_leaves_has_the_root_of_the_definition() -> None:
    entries = entries_of(LARGEST)
    hashes = [leaf_hash(entry) for entry in entries]
    for size in range(LARGEST + 1):
        assert root_of(hashes[:size]) == naive_root(entries[:size])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 31, 33, 64, 100, 255, 256, 257, 299, 300])
def test_every_path_is_the_one_of_the_definition_and_proves_its_leaf(size: int) -> None:
    entries = entries_of(size)
    hashes = [leaf_hash(entry) for entry in entries]
    root = root_of(hashes)
    for index, hashed in enumerate(hashes):
        path = inclusion_path(hashes, index)
        assert path == naive_path(entries, index)
        assert includes(root=root, size=size, index=index, leaf=hashed, path=path)


@given(size=st.integers(1, LARGEST), data=st.data())
def test_no_changed_proof_proves_anything(size: int, data: st.DataObject) -> None:
    hashes = [leaf_hash(entry) for entry in entries_of(size)]
    index = data.draw(st.integers(0, size - 1))
    root, path = root_of(hashes), inclusion_path(hashes, index)

    def proves(*, size: int = size, index: int = index, leaf: bytes = hashes[index], path: list[bytes] = path) -> bool:
        return includes(root=root, size=size, index=index, leaf=leaf, path=path)

    assert proves()
    bit = data.draw(st.integers(0, 255))
    assert not proves(leaf=flipped(hashes[index], bit))
    for place in range(len(path)):
        assert not proves(path=[*path[:place], flipped(path[place], bit), *path[place + 1 :]])
        assert not proves(path=[*path[:place], *path[place + 1 :]])
        assert not proves(path=[*path[:place], path[place], *path[place:]])
        assert not proves(path=[*path[:place], path[place][:-1], *path[place + 1 :]])
    assert not proves(path=[*path, bytes(32)])
    for other in {index - 1, index + 1, -1, size, size + 1} - {index}:
        assert not proves(index=other)
    assert not includes(root=flipped(root, bit), size=size, index=index, leaf=hashes[index], path=path)


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 9, 16, 17, 100, 256, 257, 300])
def test_a_proof_says_how_large_the_tree_is_where_its_shape_does(size: int) -> None:
    """A size with the same shape around a leaf cannot be told apart; any other one is refused."""
    entries = entries_of(size)
    hashes = [leaf_hash(entry) for entry in entries]
    root = root_of(hashes)
    for index, hashed in enumerate(hashes):
        path = inclusion_path(hashes, index)
        for other in (size - 1, size + 1, 2 * size):
            same_shape = index < other and [*map(len, path)] == [*map(len, naive_path(entries_of(other), index))]
            if not same_shape:
                assert not includes(root=root, size=other, index=index, leaf=hashed, path=path)


def test_a_node_cannot_be_passed_off_as_a_leaf() -> None:
    hashes = [leaf_hash(entry) for entry in entries_of(4)]
    left = sha256(b"\x01" + hashes[0] + hashes[1]).digest()
    right = sha256(b"\x01" + hashes[2] + hashes[3]).digest()
    assert leaf_hash(hashes[0] + hashes[1]) != left
    assert root_of([left, right]) == root_of(hashes)
    assert root_of([leaf_hash(hashes[0] + hashes[1]), leaf_hash(hashes[2] + hashes[3])]) != root_of(hashes)


@pytest.mark.parametrize("index", [-1, 3, 4])
def test_there_is_no_path_for_a_leaf_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_path([leaf_hash(entry) for entry in entries_of(3)], index)


def flipped(digest: bytes, bit: int) -> bytes:
    return (int.from_bytes(digest, "big") ^ (1 << bit)).to_bytes(len(digest), "big")
