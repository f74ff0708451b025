"""Items laid open: each proves itself against its entry, and shows nothing of the others."""

import os
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit.disclosed import BadDisclosure, Disclosed, Of, Shown, place_of, prove, read, show, write
from caseload.audit.item import client_item, request_item
from caseload.audit.leaf import base64url
from caseload.audit.multiproof import Known, NotProved, gaps, root_from
from caseload.audit.record import Record
from caseload.audit.record import read as read_record
from caseload.audit.tlog.merkle import inclusion_path, leaf_hash, root_of
from caseload.domain.ids import new_id
from tests.audit.test_record import changed

SAID = b'{"saw":["check_in"]}'


@given(st.data())
def test_any_choice_of_leaves_leads_to_the_root_and_no_other_choice_does(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    hashes = [os.urandom(32) for _ in range(size)]
    chosen = sorted(data.draw(st.sets(st.integers(0, size - 1), min_size=1)))
    spans = gaps(size, [(each, each + 1) for each in chosen])
    given_hashes = [root_of(hashes[start:end]) for start, end in spans]
    known = [Known(each, each + 1, hashes[each]) for each in chosen]
    assert root_from(size, known, given_hashes) == root_of(hashes)
    if len(chosen) == 1:
        assert sorted(given_hashes) == sorted(inclusion_path(hashes, chosen[0]))
    at = data.draw(st.integers(0, len(chosen) - 1))
    forged = [*known[:at], known[at]._replace(hash=os.urandom(32)), *known[at + 1 :]]
    assert root_from(size, forged, given_hashes) != root_of(hashes)
    for wrong in ([*given_hashes, os.urandom(32)], given_hashes[:-1] if given_hashes else [b"short"]):
        with pytest.raises(NotProved):
            root_from(size, known, wrong)


def test_a_leaf_that_stands_in_it_twice_or_beyond_the_tree_proves_nothing() -> None:
    one = Known(0, 1, os.urandom(32))
    for known in ([one, one], [Known(2, 3, os.urandom(32))], []):
        with pytest.raises(NotProved):
            root_from(2, known, [os.urandom(32)] * 2)


def an_entry(count: int, of: Of = Of.CLIENTS) -> tuple[Record, list[Shown], list[bytes]]:
    """An entry that commits to so many items, the items, and their hashes."""
    entry = read_record(changed())
    made = [client_item(new_id(), _id(entry), SAID) if of is Of.CLIENTS else request_item(_id(entry), SAID)
            for _ in range(count)]  # fmt: skip
    shown = [Shown(at, os.urandom(32), item) for at, item in enumerate(made)]
    hashes = [leaf_hash(each.salt + each.item) for each in shown]
    root, number = base64url(root_of(hashes)), str(count)
    if of is Of.CLIENTS:
        return entry._replace(clients=number, clients_root=root), shown, hashes
    return entry._replace(facts=number, facts_root=root), shown, hashes


def _id(entry: Record) -> UUID:
    return UUID(entry.id)


@pytest.mark.parametrize("of", list(Of))
@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_a_line_is_read_as_it_was_written_and_proves_itself(of: Of, count: int) -> None:
    entry, shown, hashes = an_entry(count, of)
    for chosen in (shown, shown[:1], shown[-1:], shown[1::2] or shown):
        line = show(17, of, chosen, hashes)
        again = read(write(line))
        assert again == line
        assert place_of(write(line)) == (17, of.value)
        clients = prove(again, entry)
        assert len(clients) == len(chosen)
        assert all(bool(client) is (of is Of.CLIENTS) for client in clients)


def forgeries(entry: Record, shown: Sequence[Shown], hashes: Sequence[bytes]) -> list[tuple[str, Disclosed, Record]]:
    good = show(17, Of.CLIENTS, shown[:2], hashes)
    first, second = good.shown
    elsewhere = client_item(new_id(), new_id(), SAID)
    spaced = first.item.replace(b'"w":{"saw"', b'"w":{ "saw"')
    twice = first.item.replace(b'{"saw"', b'{"saw":[],"saw"')

    def committed(item: bytes) -> tuple[Disclosed, Record]:
        """Even where the entry commits to it, which a dishonest service could have made it do."""
        salted = Shown(0, first.salt, item)
        root = base64url(leaf_hash(first.salt + item))
        return Disclosed(17, Of.CLIENTS, [salted], []), entry._replace(clients="1", clients_root=root)

    return [
        ("is not what the entry commits to", good._replace(shown=[first._replace(salt=os.urandom(32)), second]), entry),
        ("is not what the entry commits to", good._replace(shown=[first, second._replace(item=first.item)]), entry),
        ("not in order", good._replace(shown=[second, first]), entry),
        ("not in order", good._replace(shown=[first, first]), entry),
        ("too few hashes", good._replace(others=good.others[:-1]), entry),
        ("more hashes", good._replace(others=[*good.others, os.urandom(32)]), entry),
        ("beyond the tree", good, entry._replace(clients="1")),
        ("commits to nothing", good, entry._replace(clients="", clients_root="")),
        ("commits to nothing", good._replace(of=Of.FACTS), entry),
        ("belongs to another entry", *committed(elsewhere)),
        ("not canonical", *committed(spaced)),
        ("not canonical", *committed(twice)),
        ("other parts", *committed(b'{"c":"nobody"}')),
    ]


@pytest.mark.parametrize("number", range(13))
def test_what_does_not_hold_says_why(number: int) -> None:
    why, line, entry = forgeries(*an_entry(5))[number]
    with pytest.raises(BadDisclosure, match=why):
        prove(line, entry)


def test_an_entry_that_cannot_be_read_proves_nothing() -> None:
    with pytest.raises(BadDisclosure, match="cannot be read"):
        prove(Disclosed(0, Of.FACTS, [], []), None)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"{}", b"\xff", b"[" * 100_000,
        b'{"d":[],"h":[],"i":0,"of":"clients"}',
        b'{"d":[[0,"00","x"]],"h":[],"i":0,"of":"clients"}',
        b'{"d":[[0,"%b","x"]],"h":[],"i":0,"of":"everything"}' % (b"0" * 64),
        b'{"d":[[0,"%b","x"]],"h":[],"i":0,"of":"facts","of":"clients"}' % (b"0" * 64),
        b'{"d":[[0,"%b","x"]],"h":[],"i":0,"of":"facts","more":1}' % (b"0" * 64),
        b'{"d":[[0,"%b","x"]],"h":[],"i":-1,"of":"facts"}' % (b"0" * 64),
        b'{"d":[[true,"%b","x"]],"h":[],"i":0,"of":"facts"}' % (b"0" * 64),
        b'{"d":[[0.0,"%b","x"]],"h":[],"i":0,"of":"facts"}' % (b"0" * 64),
        b'{"d":[[0,"%b",1]],"h":[],"i":0,"of":"facts"}' % (b"0" * 64),
        b'{"d":[[0,"%b","\\ud800"]],"h":[],"i":0,"of":"facts"}' % (b"0" * 64),
        b'{"d":[[0,"%b","x"]],"h":["%b"],"i":0,"of":"facts"}' % (b"A" * 64, b"0" * 64),
        b'{"d":[[0,"%b","x"]],"h":["%b"],"i":0,"of":"facts"}' % (b"0" * 64, b"0" * 63),
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_refused(line: bytes) -> None:
    with pytest.raises(BadDisclosure):
        read(line)
