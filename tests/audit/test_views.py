"""The log as lines: CSV that any reader of RFC 4180 understands and no spreadsheet takes for a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit.leaf import Act, Leaf, Root, base64url, encode, timestamp
from caseload.audit.tlog.merkle import leaf_hash
from caseload.audit.views import COLUMNS, csv_header, csv_lines, lines, safe
from caseload.domain.ids import new_id

STARTS = ("=", "+", "-", "@", "\t", "\r")


def a_leaf(*, root: str = "-" + "A" * 42, route: str = "GET /api/v1/clients/{client}") -> Leaf:
    entry = new_id()
    return Leaf(
        act=Act(auth="password", id=str(new_id()), role=("nurse", "supervisor"), sess="s" * 22),
        boot="-boot",
        ctr=17,
        ev="client.read",
        id=str(entry),
        obj=Root(n=2, root=root),
        op="R",
        org="clinic-01",
        out=4,
        prog=str(new_id()),
        purp="TREAT",
        req=str(new_id()),
        route=route,
        st=404,
        subj=Root(n=1, root=root),
        t=timestamp(entry),
        v=1,
    )


def read(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def test_every_field_of_the_leaf_has_its_column() -> None:
    leaf = a_leaf()
    [row] = read(csv_header() + csv_lines([encode(leaf)]))
    assert row == {
        "entry": leaf.id,
        "at": leaf.t,
        "organisation": "clinic-01",
        "actor": leaf.act.id,
        "roles": "nurse supervisor",
        "authenticated_by": "password",
        "operation": "R",
        "event": "client.read",
        "outcome": "4",
        "status": "404",
        "purpose": "TREAT",
        "programme": leaf.prog,
        "route": "GET /api/v1/clients/{client}",
        "request": leaf.req,
        "clients": "1",
        "clients_root": "'-" + "A" * 42,
        "facts": "2",
        "facts_root": "'-" + "A" * 42,
        "process": "'-boot",
        "number": "17",
        "version": "1",
    }


def test_what_a_leaf_leaves_out_is_empty_or_nothing() -> None:
    entry = new_id()
    leaf = Leaf(
        act=Act(auth="none", id="anonymous"), boot="b", ctr=1, ev="sign_in.failed", id=str(entry), op="E",
        org="o", out=4, purp="TREAT", req=str(new_id()), route="POST /sign-in", t=timestamp(entry), v=1,
    )  # fmt: skip
    [row] = read(csv_header() + csv_lines([encode(leaf)]))
    empty = {name for name, value in row.items() if not value}
    assert empty == {"roles", "status", "programme", "clients_root", "facts_root"}
    assert (row["clients"], row["facts"]) == ("0", "0")


def test_lines_end_as_the_standard_says_and_there_is_one_for_each_leaf() -> None:
    data = csv_header() + csv_lines(encode(a_leaf()) for _ in range(5))
    assert data.count(b"\r\n") == data.count(b"\n") == 6
    assert data.split(b"\r\n")[0].decode() == ",".join(COLUMNS)
    assert len(read(data)) == 5


@given(st.text())
def test_no_text_is_a_formula_and_none_is_lost(text: str) -> None:
    made = safe(text)
    assert not made.startswith(STARTS)
    assert made.removeprefix("'") == text.removeprefix("'") if text.startswith(("'", *STARTS)) else made == text


@pytest.mark.parametrize("start", STARTS)
def test_each_start_of_a_formula_is_disarmed(start: str) -> None:
    assert safe(f"{start}cmd|' /C calc'!A0") == f"'{start}cmd|' /C calc'!A0"


@given(st.binary(min_size=32, max_size=32))
def test_no_cell_of_the_file_is_a_formula(root: bytes) -> None:
    rows = csv.reader(io.StringIO(csv_lines([encode(a_leaf(root=base64url(root)))]).decode(), newline=""))
    assert not [cell for row in rows for cell in row if cell.startswith(STARTS)]


def test_what_is_no_entry_keeps_its_place_in_every_view() -> None:
    line = lines(17, b'{"v":1}', leaf_hash(b'{"v":1}'))
    assert line.ndjson == b'{"unreadable":"%b"}\n' % leaf_hash(b'{"v":1}').hex().encode()
    assert line.csv.count(",") == len(COLUMNS) - 1
    assert line.fhir == ""
