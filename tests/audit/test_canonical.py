"""The canonical subset of JSON, against another implementation of RFC 8785 and its examples."""

import json
import unicodedata
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from caseload.audit import canonical
from caseload.audit.canonical import LARGEST_INTEGER, NotCanonical

KEYS = st.text("abcdefghijklmnopqrstuvwxyz0123456789_", min_size=1, max_size=12)
TEXTS = st.text(st.characters(exclude_categories=["Cs"])).map(lambda text: unicodedata.normalize("NFC", text))
SCALARS = st.none() | st.booleans() | st.integers(-LARGEST_INTEGER, LARGEST_INTEGER) | TEXTS
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@given(VALUES)
def test_three_encoders_write_the_same_bytes(value: Any) -> None:
    written = canonical.encode(value)
    assert written == rfc8785.dumps(value)
    assert written == msgspec.json.encode(value, order="sorted")
    assert canonical.parse(written) == value


@pytest.mark.parametrize(
    ("value", "spelling"),
    [
        # RFC 8785, section 3.2.2, the parts of its example that lie in the subset.
        (
            {"string": '€$\x0f\nA\'B"\\\\"/', "literals": [None, True, False]},
            '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
        ),
        # Control characters, section 3.2.2.2: short forms where there are some, lower-case digits elsewhere.
        ({"c": "\b\t\n\f\r\x00\x1f\x7f\u2028"}, '{"c":"\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\u2028"}'),
        ({"b": 1, "a_": 2, "a0": 3, "a": 4}, '{"a":4,"a0":3,"a_":2,"b":1}'),
        ({"n": [0, -1, LARGEST_INTEGER, -LARGEST_INTEGER]}, '{"n":[0,-1,9007199254740991,-9007199254740991]}'),
        ({}, "{}"),
    ],
)
def test_known_answers(value: Any, spelling: str) -> None:
    assert canonical.encode(value).decode() == spelling
    assert rfc8785.dumps(value).decode() == spelling
    assert canonical.parse(spelling.encode()) == value


@pytest.mark.parametrize(
    "value",
    [
        1.0, 0.5, float("nan"), LARGEST_INTEGER + 1, -LARGEST_INTEGER - 1, 10**400,
        {"A": 1}, {"": 1}, {"a-b": 1}, {"é": 1}, {1: 1}, {"a\n": 1},
        "e\u0301", "\ud800", ["\udfff"], {"a": {"b": 1.5}},
        b"bytes", {1, 2}, (1, 2), object(),
    ],
)  # fmt: skip
def test_what_has_two_spellings_somewhere_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical.encode(value)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}', b'{"a":1,"a":2}', b'{"b":1,"a":1}', b'{ "a":1}', b'{"a":1}\n', b' {"a":1}',
        b'{"a":1.0}', b'{"a":1e2}', b'{"a":-0}', b'{"a":01}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":-Infinity}',
        b'{"a":9007199254740992}', b'{"a":"\\u0041"}', b'{"a":"\\/"}', b'{"a":"\\u000F"}', b'{"a":"\xc3("}',
        b'{"a":"\\ud800"}', b'{"a":"\xed\xa0\x80"}', b'\xef\xbb\xbf{"a":1}', b'{"a":"e\xcc\x81"}', b'{"A":1}',
        b"", b"{", b'{"a":1}{"a":1}', b"[" * 100_000, b'{"a":' * 20 + b"1" + b"}" * 20, b'{"a":' + b"9" * 5000 + b"}",
        "{}".encode("utf-16"),
    ],
)  # fmt: skip
def test_bytes_that_are_not_their_own_canonical_spelling_are_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        canonical.parse(data)


@given(VALUES, st.data())
def test_no_other_spelling_of_a_value_is_read(value: Any, data: st.DataObject) -> None:
    written = canonical.encode(value)
    place = data.draw(st.integers(0, len(written)))
    spaced = written[:place] + b" " + written[place:]
    try:
        read = canonical.parse(spaced)
    except NotCanonical:
        return
    assert read != value
    assert json.loads(spaced) == read
