"""The bytes of a leaf: canonical, small, and free of anything that could name a client."""

from datetime import UTC, datetime, timedelta
from typing import get_type_hints
from uuid import UUID

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit import canonical
from caseload.audit.leaf import (
    LARGEST_LEAF,
    VERSION,
    Act,
    BadLeaf,
    KeyHandover,
    Leaf,
    Root,
    base64url,
    checked_event,
    checked_name,
    checked_route,
    decode,
    encode,
    first_entry_at,
    made_at,
    session_digest,
    timestamp,
)
from caseload.domain.ids import new_id

ROOT = base64url(bytes(range(32)))
ROOTS = st.none() | st.builds(Root, n=st.integers(1, 10**6), root=st.just(ROOT))
LEAVES = st.builds(
    Leaf,
    act=st.builds(
        Act,
        auth=st.sampled_from(["password", "none"]),
        id=st.uuids().map(str),
        role=st.lists(st.sampled_from(["nurse", "supervisor"]), max_size=2).map(tuple),
        sess=st.none() | st.uuids().map(session_digest),
    ),
    boot=st.just("AAAAAAAAAAAAAAAA"),
    ctr=st.integers(1, canonical.LARGEST_INTEGER),
    ev=st.just("dose.read"),
    id=st.uuids().map(str),
    obj=ROOTS,
    op=st.sampled_from("CRUDE"),
    org=st.just("clinic-01"),
    out=st.sampled_from([0, 4, 8, 12]),
    prog=st.none() | st.uuids().map(str),
    purp=st.just("TREAT"),
    req=st.uuids().map(str),
    route=st.just("GET /api/v1/clients/{client}/doses"),
    st=st.none() | st.integers(200, 599),
    subj=ROOTS,
    t=st.just("2026-11-22T05:44:27.123Z"),
    v=st.just(VERSION),
    void=st.lists(st.tuples(st.integers(1, 10), st.integers(11, 20)), max_size=64).map(tuple),
)


@given(LEAVES)
def test_a_leaf_is_canonical_and_reads_back_as_itself(leaf: Leaf) -> None:
    data = encode(leaf)
    said = canonical.parse(data)
    assert canonical.encode(said) == data == rfc8785.dumps(said)  # pyright: ignore[reportArgumentType]  its type is narrower than what it takes
    assert decode(data) == leaf
    assert b"\\" not in data
    assert data.isascii()


def test_the_fullest_leaf_is_far_below_the_limit() -> None:
    fullest = Leaf(
        act=Act(auth="password", id=str(new_id()), role=("medical_director",) * 11, sess=session_digest(new_id())),
        boot="A" * 16,
        ctr=canonical.LARGEST_INTEGER,
        ev=".".join(["e" * 40] * 4),
        id=str(new_id()),
        key=KeyHandover(new="n" * 200, old="o" * 200, sig="s" * 88),
        obj=Root(n=canonical.LARGEST_INTEGER, root=ROOT),
        op="R",
        org="o" * 64,
        out=12,
        prog=str(new_id()),
        purp="HSYSADMIN",
        req=str(new_id()),
        route="r" * 200,
        st=599,
        subj=Root(n=canonical.LARGEST_INTEGER, root=ROOT),
        t="2026-11-22T05:44:27.123Z",
        v=VERSION,
        void=((canonical.LARGEST_INTEGER, canonical.LARGEST_INTEGER),) * 64,
    )
    assert len(encode(fullest)) < LARGEST_LEAF / 3
    assert set(get_type_hints(Leaf)) == set(canonical_fields(fullest)), "every field is filled here"


def canonical_fields(leaf: Leaf) -> list[str]:
    said = canonical.parse(encode(leaf))
    assert isinstance(said, dict)
    return list(said)


def test_a_leaf_that_is_too_large_is_not_written() -> None:
    leaf = Leaf(
        act=Act(auth="none", id="anonymous"),
        boot="b",
        ctr=1,
        ev="a.b",
        id=str(new_id()),
        op="R",
        org="o",
        out=0,
        purp="TREAT",
        req=str(new_id()),
        route="GET /",
        t="2026-11-22T05:44:27.123Z",
        v=VERSION,
        void=((1, 1),) * 5000,
    )
    with pytest.raises(BadLeaf, match="A leaf of"):
        encode(leaf)


@pytest.mark.parametrize(
    "route",
    [
        "GET /api/v1/clients/01a20266-0818-7150-a091-3a47a294e1dc",
        "GET /api/v1/clients/01A20266-0818-7150-A091-3A47A294E1DC/doses",
        "GET /api/v1/clients/17",
        "GET /api/v1/clients/17/doses",
        "GET /api/v1/clients?name=Smith",
        'GET /"',
        "GET /\n",
        "",
        "GET /caf\u00e9",
        "G" * 201,
    ],
)
def test_a_route_that_could_name_somebody_is_refused(route: str) -> None:
    with pytest.raises(BadLeaf):
        checked_route(route)


@pytest.mark.parametrize("route", ["GET /api/v1/clients/{client}", "caseload audit export", "POST /api/v1/x:search"])
def test_templates_and_commands_are_routes(route: str) -> None:
    assert checked_route(route) == route


@pytest.mark.parametrize("name", ["dose", "Dose.read", "dose.read!", "dose..read", "dose.read\n", ".", "a.b.c.d.e"])
def test_an_event_is_words_with_points_between(name: str) -> None:
    with pytest.raises(BadLeaf):
        checked_event(name)
    with pytest.raises(BadLeaf):
        checked_name(name.upper() + " ")


@given(
    st.integers(0, 6 * 10**15).map(
        lambda microseconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    )
)
def test_an_identifier_carries_its_instant_and_sorts_by_it(instant: datetime) -> None:
    first = first_entry_at(instant)
    assert instant <= made_at(first) < instant + timedelta(milliseconds=1)
    assert datetime.fromisoformat(timestamp(first)) == made_at(first)
    assert first_entry_at(instant + timedelta(milliseconds=1)) > UUID(int=first.int | (1 << 80) - 1)


def test_a_new_identifier_is_of_now() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=2)
    assert before < made_at(new_id()) < datetime.now(UTC) + timedelta(milliseconds=2)
    assert timestamp(new_id()).endswith("Z")
