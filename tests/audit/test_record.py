"""The strict reader: it reads every leaf that we write, and nothing that is spelt in any other way."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit import canonical
from caseload.audit.leaf import Act, Auth, Leaf, Op, Outcome, Purpose, Root, base64url, encode, timestamp
from caseload.audit.record import LARGEST_RECORD, NotARecord, Record, read
from caseload.domain.access import Role
from caseload.domain.ids import new_id

ROOTS = st.builds(Root, n=st.integers(1, 2**40), root=st.binary(min_size=32, max_size=32).map(base64url))
IDENTIFIERS = st.uuids().map(str)


@st.composite
def leaves(draw: st.DrawFn) -> Leaf:
    entry = new_id()
    return Leaf(
        act=Act(
            auth=draw(st.sampled_from(Auth)).value,
            id=draw(IDENTIFIERS | st.sampled_from(["anonymous", "system"])),
            role=tuple(draw(st.lists(st.sampled_from([role.value for role in Role]), unique=True))),
            sess=draw(st.none() | st.binary(min_size=16, max_size=16).map(base64url)),
        ),
        boot=draw(st.binary(min_size=12, max_size=12).map(base64url)),
        ctr=draw(st.integers(1, 2**40)),
        ev=draw(st.from_regex(r"[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39}){1,3}", fullmatch=True)),
        id=str(entry),
        obj=draw(st.none() | ROOTS),
        op=draw(st.sampled_from(Op)).value,
        org=draw(st.from_regex(r"[a-z0-9][a-z0-9._-]{0,63}", fullmatch=True)),
        out=draw(st.sampled_from(Outcome)).value,
        prog=draw(st.none() | IDENTIFIERS),
        purp=draw(st.sampled_from(Purpose)).value,
        req=draw(IDENTIFIERS),
        route=draw(st.from_regex(r"[A-Za-z][A-Za-z0-9 _.:/{}-]{0,199}", fullmatch=True)),
        st=draw(st.none() | st.integers(100, 599)),
        subj=draw(st.none() | ROOTS),
        t=timestamp(entry),
        v=1,
        void=tuple(draw(st.lists(st.tuples(st.integers(1, 99), st.integers(1, 99)), max_size=64))),
    )


def a_leaf() -> Leaf:
    entry = new_id()
    return Leaf(
        act=Act(auth="password", id=str(new_id()), role=("nurse",), sess="s" * 22), boot="b", ctr=17, ev="dose.read",
        id=str(entry), op="R", org="clinic-01", out=0, purp="TREAT", req=str(new_id()), route="GET /api/v1/doses",
        st=200, subj=Root(n=1, root="A" * 43), t=timestamp(entry), v=1, void=((2, 3),),
    )  # fmt: skip


@given(leaves())
def test_every_leaf_that_we_write_is_read_and_is_canonical(leaf: Leaf) -> None:
    data = encode(leaf)
    canonical.parse(data)
    found = read(data)
    assert found == Record(
        auth=leaf.act.auth,
        actor=leaf.act.id,
        roles=",".join(f'"{role}"' for role in leaf.act.role),
        session=leaf.act.sess or "",
        boot=leaf.boot,
        number=str(leaf.ctr),
        event=leaf.ev,
        id=leaf.id,
        new_key="",
        old_key="",
        key_signature="",
        facts=str(leaf.obj.n) if leaf.obj else "",
        facts_root=leaf.obj.root if leaf.obj else "",
        operation=leaf.op,
        organisation=leaf.org,
        outcome=str(leaf.out),
        programme=leaf.prog or "",
        purpose=leaf.purp,
        request=leaf.req,
        route=leaf.route,
        status=str(leaf.st) if leaf.st else "",
        clients=str(leaf.subj.n) if leaf.subj else "",
        clients_root=leaf.subj.root if leaf.subj else "",
        at=leaf.t,
        version="1",
        void=found.void,
    )
    assert found.voided() == list(leaf.void)


def test_the_grammar_knows_every_field_of_a_leaf() -> None:
    """A field that is added to `Leaf` has to be added to the grammar, or no verifier will read it."""
    known = {"act", "boot", "ctr", "ev", "id", "key", "obj", "op", "org", "out", "prog", "purp", "req", "route", "st"}
    assert set(Leaf.__struct_fields__) <= known | {"subj", "t", "v", "void"}
    assert Act.__struct_fields__ == ("auth", "id", "role", "sess")
    assert Root.__struct_fields__ == ("n", "root")


def changed(**fields: Any) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(a_leaf(), **fields), order="sorted")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "it is not canonical JSON"),
        (b"{}", "version 'None'"),
        (b"\xff", "it is not canonical JSON"),
        (b'{"v":1.0}', "1.0 is not an integer"),
        (b'{"v":1,"v":1}', "A key stands twice"),
        (b'{"v":NaN}', "NaN is not an integer"),
        (b"[" * 10_000, "it is not canonical JSON"),
        (b'{"v":9007199254740993}', "An integer beyond 2^53"),
        (b'{"v":2}', "version '2', which this verifier does not know"),
        (b'{"v":1}', "it has other fields"),
        (encode(a_leaf()) + b"\n", "Not spelt canonically"),
        (encode(a_leaf()).replace(b'"op":"R"', b'"op":"\\u0052"'), "Not spelt canonically"),
        (encode(a_leaf()).replace(b'"st":200', b'"st": 200'), "Not spelt canonically"),
        (json.dumps(json.loads(encode(a_leaf())), sort_keys=True).encode(), "Not spelt canonically"),
        (changed(op="X"), "it has other fields, or other values"),
        (changed(ctr=0), "it has other fields, or other values"),
        (changed(route="GET /\u00e9"), "it has other fields, or other values"),
        (changed(t="2026-11-22T05:44:27.123Z"), "is not that of its identifier"),
        (changed(id="ffffffff-ffff-7fff-bfff-ffffffffffff"), "is not that of its identifier"),
        (changed(route="x" * LARGEST_RECORD), "an entry has at most 16,383"),
    ],
)
def test_anything_else_is_refused_with_its_reason(data: bytes, why: str) -> None:
    with pytest.raises(NotARecord) as refused:
        read(data)
    assert why in str(refused.value)


@given(st.data())
def test_one_other_byte_is_another_leaf_or_none(data: st.DataObject) -> None:
    whole = encode(a_leaf())
    at = data.draw(st.integers(0, len(whole) - 1))
    other = whole[:at] + bytes([whole[at] ^ data.draw(st.integers(1, 255))]) + whole[at + 1 :]
    try:
        assert read(other) != read(whole)
    except NotARecord:
        return
    canonical.parse(other)


def test_reading_takes_no_time_to_speak_of_for_what_is_made_to_be_slow() -> None:
    for number in (10, 10_000):
        with pytest.raises(NotARecord):
            read(b'{"act":{"auth":"' + b"a" * number)
