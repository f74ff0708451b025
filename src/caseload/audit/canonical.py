"""A strict subset of canonical JSON (RFC 8785), in which one value has one spelling in every implementation.

Objects have keys of `a-z`, `0-9` and `_`, in order and never twice; numbers are integers within 2^53; strings
are Unicode in normal form C without lone surrogates; there are no floats. Inside these bounds every careful JSON
encoder writes the same bytes: the traps of RFC 8785 (UTF-16 key order, ECMAScript's way to write floats, large
integers) lie outside. Nothing but the standard library, so that a verifier can use it.
"""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import NoReturn, TypeAlias, cast

Value: TypeAlias = str | int | bool | Sequence["Value"] | Mapping[str, "Value"] | None

LARGEST_INTEGER = 2**53 - 1
DEEPEST = 16
_KEY = re.compile(r"[a-z0-9_]+", re.ASCII)


class NotCanonical(ValueError):
    """These bytes, or this value, lie outside the canonical subset."""


def check(value: object, *, depth: int = 0) -> None:
    """Raise `NotCanonical` unless the value has exactly one spelling."""
    match value:
        case None | bool():
            return
        case str():
            _check_text(value)
        case int():
            if abs(value) > LARGEST_INTEGER:
                raise NotCanonical("An integer beyond 2^53.")
        case list() | dict():
            _check_inside(cast("list[object] | dict[object, object]", value), depth + 1)
        case _:
            raise NotCanonical(f"A {type(value).__name__} has no place here.")


def encode(value: Value) -> bytes:
    """The one spelling of a value. Raises `NotCanonical` for a value outside the subset."""
    check(value)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def parse(data: bytes) -> Value:
    """Read canonical bytes. Raises `NotCanonical` for anything that is not its own canonical spelling."""
    try:
        value: Value = json.loads(
            data.decode("utf-8"), object_pairs_hook=_no_twins, parse_float=_no_floats, parse_constant=_no_floats
        )
        again = encode(value)
    except (UnicodeError, RecursionError, ValueError) as problem:
        raise NotCanonical(str(problem)) from problem
    if again != data:
        raise NotCanonical("Not spelt canonically.")
    return value


def _check_inside(value: list[object] | dict[object, object], depth: int) -> None:
    if depth > DEEPEST:
        raise NotCanonical(f"Nested deeper than {DEEPEST}.")
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                raise NotCanonical("A key outside a-z, 0-9 and _.")
    for each in value.values() if isinstance(value, dict) else value:
        check(each, depth=depth)


def _check_text(text: str) -> None:
    if text.isascii():
        return
    if not unicodedata.is_normalized("NFC", text):
        raise NotCanonical("A string that is not in normal form C.")
    try:
        text.encode()
    except UnicodeEncodeError as lone:
        raise NotCanonical("A lone surrogate.") from lone


def _no_twins(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotCanonical("A key stands twice.")
    return found


def _no_floats(spelling: str) -> NoReturn:
    raise NotCanonical(f"{spelling[:20]} is not an integer.")
