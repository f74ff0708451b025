"""An accounting on paper, from the bytes in which it was given: also from those that were kept years ago."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

import msgspec

_NOTHING_ALLOWED_IT: Final = "; nothing allowed it"


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed of one line. What a kept accounting does not say yet has the value that it had then."""

    day: date
    name: str
    categories: list[str]
    purpose: str
    rule: str
    facility: str | None = None
    address: str | None = None
    was_allowed: bool = True


class _Given(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed of an accounting; what else it says is passed over."""

    rule: str
    says: str
    since: date
    as_of: datetime
    time_zone: str
    lines: list[_Line]
    left_out: dict[str, int] = {}


def printed(given: bytes) -> Mapping[str, Any]:
    """What the PDF shows of an accounting, from its JSON as it was given.

    A field that accountings get later has a default here, or the paper of every kept one is lost.
    """
    accounting = msgspec.json.decode(given, type=_Given)
    return {
        "rule": accounting.rule,
        "says": accounting.says,
        "since": str(accounting.since),
        "as_of": f"{accounting.as_of:%Y-%m-%d %H:%M} UTC",
        "zone": accounting.time_zone,
        "left_out": [{"why": why, "count": count} for why, count in accounting.left_out.items()],
        "lines": [_printed(line) for line in accounting.lines],
    }


def _printed(line: _Line) -> Mapping[str, str]:
    allowed = "" if line.was_allowed else _NOTHING_ALLOWED_IT
    return {
        "day": str(line.day),
        "to": ", ".join(part for part in (line.name, line.facility, line.address) if part),
        "what": ", ".join(_words(each) for each in line.categories),
        "why": f"{_words(line.purpose)} ({line.rule}){allowed}",
    }


def _words(word: str) -> str:
    return word.replace("_", " ")
