"""What lies beside a leaf survives being packed, and nothing that was cut or changed in length is read."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit import canonical
from caseload.audit.item import NONCE_BYTES, Disclosure, client_item, pack, request_item, unpack
from caseload.audit.tlog.merkle import inclusion_path, leaf_hash, root_of
from caseload.domain.ids import new_id

NONCE = os.urandom(NONCE_BYTES)


@given(request=st.binary(max_size=300), clients=st.lists(st.binary(max_size=80), max_size=12))
def test_what_is_packed_is_unpacked(request: bytes, clients: list[bytes]) -> None:
    commitments = [leaf_hash(client) for client in clients]
    found = unpack(pack(NONCE, request, commitments, clients))
    assert found.nonce == NONCE
    assert found.request == request
    assert found.clients == tuple(clients)
    assert found.commitments == (tuple(commitments) if len(clients) > 1 else ())


@given(clients=st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), data=st.data())
def test_a_cut_or_lengthened_part_is_refused(clients: list[bytes], data: st.DataObject) -> None:
    packed = pack(NONCE, b"request", [leaf_hash(client) for client in clients], clients)
    at = data.draw(st.integers(0, len(packed) - 1))
    try:
        cut = unpack(packed[:at])
    except ValueError:
        pass
    else:
        # Only between two parts can a cut go unseen by the shape; then there are too few of them.
        assert len(cut.clients) < len(clients)
    with pytest.raises(ValueError, match="cut short"):
        unpack(packed + b"\x00")


@given(what=st.dictionaries(st.sampled_from(["saw", "did"]), st.lists(st.text("abc_", max_size=5), max_size=3)))
def test_items_are_canonical_when_what_they_say_is(what: dict[str, list[str]]) -> None:
    client, leaf = new_id(), new_id()
    said = canonical.encode(what)
    assert canonical.parse(client_item(client, leaf, said)) == {"c": str(client), "l": str(leaf), "w": what}
    assert canonical.parse(request_item(leaf, said)) == {"l": str(leaf), "w": what}


def test_a_disclosure_proves_its_item_and_no_other() -> None:
    salts = [os.urandom(32) for _ in range(5)]
    items = [b'{"item":%d}' % number for number in range(5)]
    hashes = [leaf_hash(salt + item) for salt, item in zip(salts, items, strict=True)]
    root = root_of(hashes)
    proof = Disclosure(3, salts[3], items[3], tuple(inclusion_path(hashes, 3)))
    assert proof.proves(root=root, count=5)
    assert not proof._replace(item=items[2]).proves(root=root, count=5)
    assert not proof._replace(salt=salts[2]).proves(root=root, count=5)
    assert not proof._replace(position=2).proves(root=root, count=5)
    assert not proof.proves(root=root, count=4)
    assert not proof.proves(root=root, count=9)
    assert not proof._replace(salt=salts[3] + items[3][:1], item=items[3][1:]).proves(root=root, count=5)
    assert not proof.proves(root=root_of(hashes[:4]), count=4)
