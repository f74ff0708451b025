"""A tree as RFC 6962 defines it, word for word, as the oracle; and what can be done to a proof."""

from collections.abc import Iterator, Sequence
from functools import cache
from hashlib import sha256

LARGEST = 300


def entry(number: int) -> bytes:
    return b"entry %d" % number


@cache
def naive_root(begin: int, end: int) -> bytes:
    """MTH(D[begin:end]) over the entries above."""
    if begin == end:
        return sha256(b"").digest()
    if end - begin == 1:
        return sha256(b"\x00" + entry(begin)).digest()
    split = begin + largest_power_below(end - begin)
    return sha256(b"\x01" + naive_root(begin, split) + naive_root(split, end)).digest()


def naive_inclusion(index: int, begin: int, end: int) -> list[bytes]:
    """PATH(m, D[n])."""
    if end - begin == 1:
        return []
    split = begin + largest_power_below(end - begin)
    if index < split:
        return [*naive_inclusion(index, begin, split), naive_root(split, end)]
    return [*naive_inclusion(index, split, end), naive_root(begin, split)]


def naive_consistency(old: int, begin: int, end: int, *, complete: bool = True) -> list[bytes]:
    """SUBPROOF(m, D[n], b), with m counted from the beginning of the whole."""
    if old == end:
        return [] if complete else [naive_root(begin, end)]
    split = begin + largest_power_below(end - begin)
    if old <= split:
        return [*naive_consistency(old, begin, split, complete=complete), naive_root(split, end)]
    return [*naive_consistency(old, split, end, complete=False), naive_root(begin, split)]


def largest_power_below(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def leaf_hashes(size: int) -> list[bytes]:
    return [naive_root(number, number + 1) for number in range(size)]


def flipped(digest: bytes, bit: int) -> bytes:
    return (int.from_bytes(digest, "big") ^ (1 << bit)).to_bytes(len(digest), "big")


def damaged(path: Sequence[bytes], *, bits: Sequence[int]) -> Iterator[list[bytes]]:
    """The proof with those bits changed in each hash, with each hash dropped, doubled, cut short, and one added."""
    for place, each in enumerate(path):
        before, after = path[:place], path[place + 1 :]
        for bit in bits:
            yield [*before, flipped(each, bit), *after]
        yield [*before, *after]
        yield [*before, each, each, *after]
        yield [*before, each[:-1], *after]
    yield [*path, bytes(32)]
    yield [bytes(32), *path]
