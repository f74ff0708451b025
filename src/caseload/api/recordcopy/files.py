"""The data of the PDF of a copy: a part of its entries, in the words of the record."""

import re
from collections.abc import AsyncIterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from caseload.db.recordcopy import Cover
from caseload.domain.recordcopy import CopyEntry, Labels, labels

_IDENTIFIER: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WORD: Final = re.compile(r"[a-z]+(_[a-z]+)+")
_ONLY_FOR_PROGRAMS: Final = frozenset({"client_id", "request_id", "copy_id", "labels"})


async def for_print(
    cover: Cover, entries: AsyncIterable[Sequence[CopyEntry]], *, digest: str, part: int, parts: int, each: int
) -> Mapping[str, Any]:
    """What one part of the PDF shows: entries by section, without the identifiers that only programs read."""
    found: list[CopyEntry] = []
    first, last = (part - 1) * each, part * each
    seen = 0
    async for some in entries:
        found += some[max(first - seen, 0) : max(last - seen, 0)]
        seen += len(some)
        if seen >= last:
            break
    called = cover.copy.labels or labels()
    sections = [
        {"section": _words(section), "entries": [_printed(one, called, cover.zone) for one in of_it]}
        for section, of_it in groupby(found, key=lambda one: one.section.value)
    ]
    return {
        **{name: value for name, value in cover.head().items() if name not in _ONLY_FOR_PROGRAMS},
        "copy": str(cover.copy.id),
        "zone": cover.zone.key,
        "sha256": digest,
        "part": part,
        "parts": parts,
        "sections": sections,
    }


def _printed(one: CopyEntry, called: Labels, zone: ZoneInfo) -> Mapping[str, Any]:
    content: Mapping[str, Any] = msgspec.json.decode(one.content or "{}")
    return {
        "kind": called.table(one.kind),
        "told": "" if one.told_at is None else _clock(one.told_at, zone),
        "lines": [{"name": called.column(name, of=one.kind), "value": value} for name, value in _readable(content)],
    }


def _readable(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        said = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        if not _IDENTIFIER.fullmatch(said):
            yield name, _words(said) if _WORD.fullmatch(said) else said


def _words(name: str) -> str:
    return name.replace("_", " ")


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
