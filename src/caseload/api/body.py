"""A body read strictly: UTF-8, JSON without a doubt in it, exactly the shape asked for, every fault of it at once.

JSON leaves open what a name that stands twice means (RFC 8259, section 4), and readers differ, so what one of them
checked is not what the next one keeps: here it is refused (RFC 7493, section 2.3). So are NUL characters, which
PostgreSQL cannot hold, and numbers or dates given as text where a number or date is asked, or the other way round.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final, cast

import msgspec
from litestar import Request

from caseload.api.wire import FieldProblem, faults_of
from caseload.domain.errors import Fault, Invalid
from caseload.request.intake import BODY

MOST_FAULTS: Final = 100
_ESCAPED_NUL: Final = b"\\u0000"


class Unreadable(Invalid):
    """The request could not be read."""


class _Twice(Exception):
    """A name stands twice in one object."""


class StrictRequest(Request[Any, Any, Any]):
    """Litestar's request, whose JSON is the shape its route asks for."""

    async def json(self) -> Any:
        """The body as its route declares it. Raises `Unreadable` (400) or `Invalid` (422) with every fault."""
        raw: bytes = cast("Mapping[str, Any]", self.scope).get(BODY) or await self.body()
        declared = self.route_handler.parsed_data_field
        return read(raw, Any if declared is None else declared.annotation)


def read(raw: bytes, wanted: Any) -> Any:
    """The body as this type. Raises `Unreadable` or `Invalid`."""
    found = _parsed(raw)
    if _ESCAPED_NUL in raw and (places := list(_nul_places(found))):
        raise Invalid([Fault(place, "holds a NUL character, which cannot be kept") for place in places])
    try:
        return msgspec.json.decode(raw, type=wanted, strict=True)
    except msgspec.ValidationError:
        raise Invalid(_as_faults(faults_of(found, wanted))) from None
    except (msgspec.DecodeError, RecursionError):
        raise Unreadable("the body holds half a character or is nested too deeply") from None


def _parsed(raw: bytes) -> Any:
    try:
        return _DECODER.decode(raw.decode())
    except UnicodeDecodeError:
        raise Unreadable("the body must be UTF-8") from None
    except _Twice:
        raise Unreadable("a name stands twice in one object of the body: send it once") from None
    except json.JSONDecodeError as error:
        raise Unreadable(f"the body is not JSON: line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise Unreadable("the body is nested too deeply") from None
    except ValueError:
        raise Unreadable("the body holds a number that is out of range") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Twice
    return found


def _not_a_number(_: str) -> None:
    raise ValueError


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_once_each, parse_constant=_not_a_number)
_PLAIN_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")


def _nul_places(found: object) -> list[str]:
    """Where a text, or a name, holds a NUL character. Without recursion: the body may be nested deeply."""
    places: list[str] = []
    left: list[tuple[str, object]] = [("", found)]
    while left and len(places) < MOST_FAULTS:
        place, each = left.pop()
        if isinstance(each, str):
            if "\x00" in each:
                places.append(place)
        elif isinstance(each, list):
            left.extend((f"{place}.{n}".lstrip("."), item) for n, item in enumerate(cast("list[object]", each)))
        elif isinstance(each, dict):
            for name, item in cast("dict[str, object]", each).items():
                if "\x00" in name:
                    places.append(place)
                else:
                    known = name if _PLAIN_NAME.fullmatch(name) else "*"
                    left.append((f"{place}.{known}".lstrip("."), item))
    return places


def _as_faults(problems: list[FieldProblem]) -> list[Fault]:
    listed = [Fault(each.field, each.problem) for each in problems[:MOST_FAULTS]]
    return listed or [Fault("", "cannot be read")]
