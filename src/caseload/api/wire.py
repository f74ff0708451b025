"""The shapes on the wire: frozen, nothing unknown, every field named in the API description.

What is wrong with a body is said without saying back what was in it: a problem names our own fields, types and
limits, and a value or a name that a caller made up never.
"""

import enum
import re
import types
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Union, cast, get_args, get_origin

import msgspec

_MESSAGE_PLACE: Final = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")
_SAYS_NOTHING_BACK: Final = re.compile(
    r"Expected .*|Object missing required field .*|Invalid (UUID|RFC3339|ISO8601|base64|decimal|number)\b.*"
    r"|(Number|Integer|Timestamp|Duration) (value )?(is )?out of range.*"
)
"""What msgspec may say in its own words: the rest quotes the value."""
_OF_A_PATTERN: Final = "matching regex"
_PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_UNIONS: Final = {Union, types.UnionType}
_MOST_CHOICES: Final = 40


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a caller may send or will get."""


Instant = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its offset, such as `2026-11-22T09:30:00Z`."""


class FieldProblem(msgspec.Struct, frozen=True, kw_only=True):
    """One field that cannot be accepted."""

    field: str
    """Where in the request, as a dotted path; empty when it concerns the whole."""
    problem: str


def faults_of(found: Any, wanted: Any) -> list[FieldProblem]:
    """Every fault of decoded JSON of the wanted shape: msgspec stops at the first, so each field is read by itself."""
    return list(_faults(found, wanted, ""))


def _faults(found: Any, wanted: Any, place: str) -> Iterator[FieldProblem]:
    inner = _struct_for(found, wanted)
    if inner is not None and isinstance(found, dict):
        yield from _faults_of_struct(cast("dict[str, Any]", found), inner, place)
    elif isinstance(found, list) and (item := _item_type(wanted)) is not None:
        listed = cast("list[object]", found)
        each = [fault for n, one in enumerate(listed) for fault in _faults(one, item, f"{place}.{n}".lstrip("."))]
        # Only where every item is right can it be the list itself: too short, too long.
        yield from each or _fault(listed, wanted, place)
    else:
        yield from _fault(found, wanted, place)


def _faults_of_struct(found: Mapping[str, Any], wanted: type[msgspec.Struct], place: str) -> Iterator[FieldProblem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    tag = _config(wanted).tag_field
    for name in found:
        if name not in fields and name != tag:
            # A misspelt name is worth saying back; anything else that stands where a name should may be anything.
            known = name if _PLAIN_NAME.fullmatch(name) else "*"
            yield FieldProblem(field=f"{place}.{known}".lstrip("."), problem="is not a field of this request")
    for name, field in fields.items():
        where = f"{place}.{name}".lstrip(".")
        if name in found:
            yield from _faults(found[name], field.type, where)
        elif field.required:
            yield FieldProblem(field=where, problem="is missing")


def _fault(found: Any, wanted: Any, place: str) -> Iterator[FieldProblem]:
    """What msgspec says about one value, in words that quote nothing of it."""
    try:
        msgspec.convert(found, wanted, strict=True)
    except msgspec.ValidationError as error:
        message = str(error)
        within = _MESSAGE_PLACE.search(message)
        where = f"{place}.{within['place']}" if within and within["place"] else place
        told = _MESSAGE_PLACE.sub("", message)
        yield FieldProblem(field=where.strip("."), problem=said_safely(told, wanted))


def said_safely(told: str, wanted: Any = None) -> str:
    """A message of msgspec, without the value it may quote; of a pattern what is meant, and not how it is matched."""
    meant = _meant_by(wanted) if _OF_A_PATTERN in told else None
    if meant is not None:
        return meant
    if _SAYS_NOTHING_BACK.fullmatch(told):
        return told[:1].lower() + told[1:]
    choices = _choices(wanted)
    if choices and len(choices) <= _MOST_CHOICES:
        return f"must be one of {', '.join(choices)}"
    return "cannot be accepted"


def _meant_by(wanted: Any) -> str | None:
    """What a field of a pattern wants, in the words that describe it, with its examples."""
    if get_origin(wanted) is Annotated:
        for meta in get_args(wanted)[1:]:
            if isinstance(meta, msgspec.Meta) and meta.pattern is not None and meta.description is not None:
                return f"write {meta.description.rstrip('.').lower()}, such as {' or '.join(meta.examples or ())}"
        return _meant_by(get_args(wanted)[0])
    return next((said for part in get_args(wanted) if (said := _meant_by(part)) is not None), None)


def _alternatives(wanted: Any) -> tuple[Any, ...]:
    """What a union lets through besides null; the type itself when it is none."""
    if get_origin(wanted) is Annotated:
        return _alternatives(get_args(wanted)[0])
    if get_origin(wanted) in _UNIONS:
        return tuple(each for part in get_args(wanted) if part is not type(None) for each in _alternatives(part))
    return (wanted,)


def _struct_for(found: object, wanted: Any) -> type[msgspec.Struct] | None:
    """The one structure these fields are meant to be: the only one, or the one that their tag names."""
    structs = [each for each in _alternatives(wanted) if _is_struct(each)]
    if len(structs) < 2 or not isinstance(found, dict):
        return structs[0] if structs else None
    for each in structs:
        config = _config(each)
        if config.tag_field is not None and cast("dict[str, Any]", found).get(config.tag_field) == config.tag:
            return each
    return None


def _is_struct(wanted: Any) -> bool:
    made = get_origin(wanted) or wanted
    return isinstance(made, type) and issubclass(made, msgspec.Struct)


def _config(struct: Any) -> msgspec.structs.StructConfig:
    return (get_origin(struct) or struct).__struct_config__


def _item_type(wanted: Any) -> Any:
    for each in _alternatives(wanted):
        if get_origin(each) in {list, tuple, set, frozenset} and get_args(each):
            return get_args(each)[0]
    return None


def _choices(wanted: Any) -> list[str]:
    chosen: list[str] = []
    for each in _alternatives(wanted):
        if isinstance(each, type) and issubclass(each, enum.Enum):
            chosen += [str(member.value) for member in each]
        elif get_origin(each) is Literal:
            chosen += [str(value) for value in get_args(each)]
        elif _is_struct(each) and (tag := _config(each).tag) is not None:
            chosen.append(str(tag))
    return chosen
