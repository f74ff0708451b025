"""A copy of a record as the file that leaves: the same bytes each time, so that its digest says what left."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from caseload.domain.ids import CopyEntryId
from caseload.domain.profiles.rights import Rights, WithholdingReason
from caseload.domain.recordcopy import CopyEntry, Counts, RecordCopy, Releasing, rule_for, withheld_by_rule

AT_ONCE: Final = 500
"""Entries that are read and written together."""
SAYS: Final = (
    "This is a copy of what our record held about you at the moment named here. What was recorded later is not in it. "
    "You may ask for a copy at any time, and that an entry be put right."
)

_encode: Final = msgspec.json.Encoder().encode
Pages = Callable[[CopyEntryId | None], Awaitable[Sequence[CopyEntry]]]
"""The next entries that leave, after one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """What a copy says before its entries: the same each time it is written."""

    copy: RecordCopy
    counts: Counts
    how: Releasing
    later: int
    released_at: datetime
    rights: Rights
    zone: ZoneInfo

    def head(self) -> Mapping[str, Any]:
        """Whom it is about, as of when, and what is withheld."""
        called = {} if self.copy.labels is None else {"labels": self.copy.labels.said()}
        return {
            "client_id": self.copy.client,
            "copy_id": self.copy.id,
            "request_id": self.copy.request,
            "as_of": _local(self.copy.prepared_at, self.zone),
            "released_at": _local(self.released_at, self.zone),
            "given_to": "representative" if self.how.to_representative else "client",
            "says": SAYS,
            "recorded_since": self.later,
            "withheld": self.withheld(),
            **called,
        }

    def withheld(self) -> Sequence[Mapping[str, Any]]:
        """How many entries are withheld for what, as far as a rule does not forbid to say so."""
        told, _ = withheld_by_rule(self.counts.withheld, self.rights)
        return [{"reason": each, "entries": told[each], "says": self._says(each)} for each in sorted(told)]

    def _says(self, reason: WithholdingReason) -> str:
        rule = rule_for(reason, self.rights)
        return reason.value if rule is None else rule.says


class Digested:
    """Satisfies `domain.recordcopy.Written` over the entries of one copy."""

    def __init__(self, pages: Pages, rights: Rights, zone: ZoneInfo) -> None:
        self._pages = pages
        self._rights = rights
        self._zone = zone

    async def digest(self, copy: RecordCopy, counts: Counts, how: Releasing, later: int, *, at: datetime) -> bytes:
        """See `domain.recordcopy.Written.digest`."""
        cover = Cover(
            copy=copy, counts=counts, how=how, later=later, released_at=at, rights=self._rights, zone=self._zone
        )
        made = sha256()
        async for piece in as_json(cover, every(self._pages)):
            made.update(piece)
        return made.digest()


async def every(pages: Pages) -> AsyncGenerator[Sequence[CopyEntry], None]:
    """All entries that leave, in their order, some hundred at a time."""
    after: CopyEntryId | None = None
    while some := await pages(after):
        yield some
        after = some[-1].id


async def as_json(cover: Cover, entries: AsyncIterable[Sequence[CopyEntry]]) -> AsyncGenerator[bytes, None]:
    """The whole copy, one entry to a line; what an entry says stands in it as it was kept."""
    yield _encode(cover.head())[:-1] + b',"entries":['
    between = b"\n"
    async for some in entries:
        lines = [_line(each) for each in some]
        yield between + b",\n".join(lines)
        between = b",\n"
    yield b"\n]}\n"


def _line(one: CopyEntry) -> bytes:
    head = {"id": one.id, "section": one.section, "kind": one.kind, "told_at": one.told_at}
    return _encode(head)[:-1] + b',"content":' + (one.content or "null").encode() + b"}"


def _local(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")
