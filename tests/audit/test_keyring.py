"""Everybody's keys at once: each is found by its reference, and nobody else's."""

import os
from uuid import UUID

import pytest

from caseload.audit import keyring
from caseload.audit.keyring import KeyRing
from caseload.audit.keys import ClientKey
from caseload.domain.ids import new_id


def a_key() -> ClientKey:
    return ClientKey(new_id(), os.urandom(32))


def hung(keys: list[ClientKey]) -> KeyRing:
    ring = KeyRing()
    for key in keys:
        ring.add(key)
    return ring


def sealed_by(key: ClientKey) -> bytes:
    return key.seal(b"n" * 12, b"what", b"leaf")


def test_everybody_is_found_by_their_reference_and_can_open_what_is_theirs() -> None:
    keys = [a_key() for _ in range(2_000)]
    ring = hung(keys)
    for key in keys:
        found = ring.find(key.reference)
        assert found is not None
        assert (found.client, found.reference) == (key.client, key.reference)
        assert found.open(b"n" * 12, sealed_by(key), b"leaf") == b"what"
        assert found.salt(b"leaf", 3) == key.salt(b"leaf", 3)


def test_a_stranger_is_not_found() -> None:
    ring = hung([a_key() for _ in range(50)])
    assert ring.find(a_key().reference) is None


def test_what_only_looks_like_a_reference_among_the_bytes_of_others_is_not_one() -> None:
    key, among = a_key(), os.urandom(16)
    inside = ClientKey(new_id(), among + key.secret[16:])
    ring = KeyRing()
    ring._bucket(among).extend(inside.reference + inside.client.bytes + inside.secret + b"\0")
    assert ring.find(among) is None


def test_those_who_were_marked_are_told_once_each() -> None:
    keys = [a_key() for _ in range(300)]
    ring = hung(keys)
    chosen = keys[::3]
    for key in [*chosen, *chosen]:
        ring.mark(key.reference)
    told = list(ring.marked())
    assert len(told) == 100
    assert set(told) == {key.client for key in chosen}
    assert all(type(each) is UUID for each in told)
    assert list(hung(keys).marked()) == []


def test_only_somebody_on_the_ring_is_marked() -> None:
    with pytest.raises(KeyError):
        KeyRing().mark(a_key().reference)


def test_few_are_ready_for_use_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "_MOST_AWAKE", 2)
    first, second, third = keys = [a_key() for _ in range(3)]
    ring = hung(keys)
    woken = ring.find(first.reference)
    assert ring.find(first.reference) is woken
    for other in (second, third):
        ring.find(other.reference)
    assert ring.find(first.reference) is not woken
