"""A released report as a file: JSON with everything, CSV for a spreadsheet, and the data of the PDF."""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from caseload.api.accessreport.wire import AccessLineOut
from caseload.audit.views import safe
from caseload.domain.accessreport import SAYS, Counted, Group, Line, Manner, Report, Tree, grouped

COLUMNS: Final = (
    "day", "at", "who", "actor", "roles", "manner", "event", "what", "why", "outcome", "entry", "index", "leaf",
    "hashes", "position", "salt", "item", "item_hashes",
)  # fmt: skip
"""Of the CSV; from `index` on they are the proof, as in the JSON."""

MANNERS: Final[Mapping[Manner, str]] = {
    Manner.CHANGED: "wrote in your record",
    Manner.OPENED: "opened your record",
    Manner.LISTED: "saw you on a list",
    Manner.NOT_SHOWN: "asked for your record and was not shown it",
}
AT_ONCE: Final = 100
"""Lines that are written together, in a thread."""
_encode: Final = msgspec.json.Encoder().encode


class Cover:
    """What a report says before and after its lines."""

    def __init__(self, report: Report, tree: Tree, zone: ZoneInfo) -> None:
        self.report = report
        self.tree = tree
        self.zone = zone

    def head(self) -> dict[str, Any]:
        """Whom it is about, as of when, and what it shows and does not show."""
        return {
            "client_id": self.report.client,
            "report_id": self.report.id,
            "since": self.report.since,
            "as_of": self.tree.at,
            "size": self.tree.size,
            "checkpoint": self.tree.note.decode(),
            "says": SAYS,
        }


async def by_group(lines: AsyncIterable[Sequence[Line]], zone: ZoneInfo) -> AsyncGenerator[list[Group], None]:
    """Whole groups, day by day: only the lines of one day are held at a time. The lines come in the order of time."""
    waiting: list[Line] = []
    async for some in lines:
        newest = some[-1].group(zone).day
        earlier = [line for line in some if line.group(zone).day != newest]
        if waiting and waiting[0].group(zone).day != newest:
            earlier, waiting = [*waiting, *earlier], []
        if earlier:
            yield await asyncio.to_thread(grouped, earlier, zone)
        waiting += [line for line in some if line.group(zone).day == newest]
    if waiting:
        yield await asyncio.to_thread(grouped, waiting, zone)


async def as_json(
    cover: Cover, groups: AsyncIterable[Sequence[Group]], names: Mapping[str, str], counted: Counted
) -> AsyncGenerator[bytes, None]:
    """The whole report with the proof of every line."""
    yield _encode(cover.head())[:-1] + b',"groups":['
    between = b""
    async for some in groups:
        for group in some:
            about = await asyncio.to_thread(_about, group, names)
            yield between + _encode(about)[:-1] + b',"lines":['
            for lines, first in _sliced(group):
                yield (b"" if first else b",") + await asyncio.to_thread(_lines_as_json, lines, names, cover.zone)
            yield b"]}"
            between = b","
    counts = {"lines": counted.lines, "withheld": {reason.value: n for reason, n in counted.by_reason.items()}}
    yield b"]," + _encode(counts)[1:] + b"\n"


async def as_csv(
    cover: Cover, groups: AsyncIterable[Sequence[Group]], names: Mapping[str, str], counted: Counted
) -> AsyncGenerator[bytes, None]:
    """One line for each access, with its proof; in the end the checkpoint, and how many lines are withheld."""
    yield _written([COLUMNS])
    async for some in groups:
        for group in some:
            for lines, _ in _sliced(group):
                yield await asyncio.to_thread(_lines_as_csv, lines, names, cover.zone)
    yield _written(
        [
            ("# checkpoint", cover.tree.note.decode()),
            ("# lines", counted.lines),
            *((f"# withheld: {reason.value}", number) for reason, number in counted.by_reason.items()),
            ("# says", SAYS),
        ]
    )


async def for_print(
    cover: Cover, groups: AsyncIterable[Sequence[Group]], names: Mapping[str, str], counted: Counted
) -> dict[str, Any]:
    """What the PDF shows: a line for each group, by day."""
    found = [group async for some in groups for group in some]
    days = [
        {"day": str(day), "lines": [_printed(group, names, cover.zone) for group in of_day]}
        for day, of_day in groupby(found, key=lambda group: group.key.day)
    ]
    return {
        "report": str(cover.report.id),
        "since": None if cover.report.since is None else _local(cover.report.since, cover.zone),
        "as_of": _local(cover.tree.at, cover.zone),
        "zone": cover.zone.key,
        "lines": counted.lines,
        "withheld": counted.withheld,
        "says": SAYS,
        "checkpoint": cover.tree.note.decode(),
        "days": days,
    }


def name_of(actor: str, names: Mapping[str, str]) -> str:
    """The printed name; who is none of the staff is called what the log calls them."""
    return names.get(actor, actor)


def _sliced(group: Group) -> Iterator[tuple[Sequence[Line], bool]]:
    """A group's lines, not too many at once, and whether they are its first."""
    for start in range(0, len(group.lines), AT_ONCE):
        yield group.lines[start : start + AT_ONCE], start == 0


def _lines_as_json(lines: Iterable[Line], names: Mapping[str, str], zone: ZoneInfo) -> bytes:
    return _encode([
        AccessLineOut.of(line, who=name_of(line.access.entry.actor, names), zone=zone) for line in lines
    ])[1:-1]  # fmt: skip


def _lines_as_csv(lines: Iterable[Line], names: Mapping[str, str], zone: ZoneInfo) -> bytes:
    return _written(_fields(line, names, zone) for line in lines)


def _about(group: Group, names: Mapping[str, str]) -> dict[str, Any]:
    key = group.key
    return {
        "day": key.day,
        "who": name_of(key.actor, names),
        "actor": key.actor,
        "roles": group.roles,
        "manner": key.manner,
        "event": key.event,
        "first_at": group.first_at,
        "last_at": group.last_at,
        "what": group.what,
        "why": group.why,
    }


def _fields(line: Line, names: Mapping[str, str], zone: ZoneInfo) -> tuple[str | int, ...]:
    out = AccessLineOut.of(line, who=name_of(line.access.entry.actor, names), zone=zone)
    proof: tuple[str | int, ...] = ("",) * 7
    if out.proof is not None:
        item = out.proof.item
        proof = (
            out.proof.index,
            safe(out.proof.leaf),
            " ".join(out.proof.hashes),
            item.position,
            safe(item.salt),
            safe(item.text),
            " ".join(item.hashes),
        )
    return (
        out.day.isoformat(),
        out.at.isoformat(),
        safe(out.who),
        out.actor,
        " ".join(out.roles),
        out.manner.value,
        out.event,
        " ".join(out.what),
        out.why,
        out.outcome.value,
        str(out.entry),
        *proof,
    )


def _printed(group: Group, names: Mapping[str, str], zone: ZoneInfo) -> dict[str, Any]:
    key = group.key
    times = sorted({_clock(group.first_at, zone), _clock(group.last_at, zone)})
    on = f" ({_words(key.event.partition('.')[0])})" if key.manner is Manner.LISTED else ""
    often = f", {len(group.lines)} times" if len(group.lines) > 1 else ""
    what = f": {', '.join(_words(what) for what in group.what)}" if group.what else ""
    return {
        "time": " to ".join(times),
        "who": name_of(key.actor, names),
        "roles": ", ".join(_words(role) for role in group.roles),
        "did": f"{MANNERS[key.manner]}{on}{often}{what}",
        "why": ", ".join(group.why),
        "proved": all(line.evidence is not None for line in group.lines),
    }


def _words(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _clock(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).strftime("%H:%M")


def _written(rows: Iterable[Iterable[str | int]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()
