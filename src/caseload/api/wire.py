"""The shapes on the wire: frozen, nothing unknown, every field named in the API description."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, cast, get_args, get_origin

import msgspec

_MESSAGE_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller may send or will get."""


Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its offset, such as `2026-11-22T09:30:00Z`."""


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One field that cannot be accepted."""

    field: str
    """Where in the request, as a dotted path; empty when it concerns the whole."""
    problem: str


def faults_of(raw: bytes, wanted: Any) -> list[FieldProblem]:
    """Every fault of a JSON body of the wanted shape: msgspec stops at the first, so each field is read by itself.

    Empty when the body is not JSON at all, or when nothing is wrong with it.
    """
    try:
        found = msgspec.json.decode(raw, strict=True)
    except (msgspec.DecodeError, RecursionError):
        return []
    return list(_faults(found, wanted, ""))


def _faults(found: Any, wanted: Any, place: str) -> Iterator[FieldProblem]:
    item = _item_type(wanted)
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) and isinstance(found, dict):
        yield from _faults_of_struct(cast("dict[str, Any]", found), wanted, place)
    elif item is not None and isinstance(found, list):
        for number, each in enumerate(cast("list[Any]", found)):
            yield from _faults(each, item, f"{place}.{number}".lstrip("."))
    else:
        try:
            msgspec.convert(found, cast("Any", wanted), strict=True)
        except msgspec.ValidationError as error:
            yield _fault(error, place)


def _faults_of_struct(found: Mapping[str, Any], wanted: type[msgspec.Struct], place: str) -> Iterator[FieldProblem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name in found:
        if name not in fields:
            yield FieldProblem(field=f"{place}.{name}".lstrip(".")[:200], problem="is not a field of this request")
    for name, field in fields.items():
        where = f"{place}.{name}".lstrip(".")
        if name in found:
            yield from _faults(found[name], field.type, where)
        elif field.required:
            yield FieldProblem(field=where, problem="is missing")


def _item_type(wanted: Any) -> Any:
    if get_origin(wanted) in {list, tuple, set, frozenset} and get_args(wanted):
        return get_args(wanted)[0]
    return None


def _fault(error: msgspec.ValidationError, place: str) -> FieldProblem:
    message = str(error)
    within = _MESSAGE_PLACE.search(message)
    where = f"{place}.{within['place']}" if within and within["place"] else place
    told = _MESSAGE_PLACE.sub("", message)
    return FieldProblem(field=where.strip("."), problem=told[:1].lower() + told[1:])
