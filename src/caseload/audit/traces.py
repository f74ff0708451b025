"""What people left in the log, added up by person and day, for the questions of the routine review.

Added up by PostgreSQL (`tracing`).
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Executable,
    Row,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.accesslog import read_as_reader
from caseload.audit.leaf import first_entry_at, made_at
from caseload.audit.tracing import ACTOR, AFTER, OPENED, QUARTERS, REFUSED, RESTRICTED, SHOWN, TOLD
from caseload.audit.trail import AuditTrail
from caseload.domain.accesslog import LogScope
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, StaffId
from caseload.domain.oversight import Places, Quarter, RestrictedWhile, Span, Trace
from caseload.domain.zones import zone_by_zone


class LogTraces:
    """Implements `caseload.domain.oversight.Traces` over the connection of a piece of work."""

    def __init__(self, connection: AsyncConnection, trail: AuditTrail) -> None:
        self._connection = connection
        self._keys = trail.keys

    async def opened(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        """See `Traces.opened`. Of clients who were erased nothing can be said any more."""
        rows = await self._read(OPENED, _asked(span, scope) | _clocks(places))
        if not rows:
            return []
        known = await self._keys.references(self._connection)
        return await asyncio.to_thread(_about, rows, known)

    async def quarters(self, span: Span, scope: LogScope) -> Sequence[Quarter]:
        """See `Traces.quarters`."""
        return [
            Quarter(
                actor=StaffId(UUID(row.actor)),
                programme=None if row.programme is None else ProgrammeId(row.programme),
                begins=row.begins,
                entries=row.entries,
                first=EntryId(UUID(row.first)),
                last_at=made_at(UUID(row.last)),
            )
            for row in await self._read(QUARTERS, _asked(span, scope))
        ]

    async def shown(self, span: Span, scope: LogScope, places: Places, *, but: Sequence[str]) -> Sequence[Trace]:
        """See `Traces.shown`."""
        return _traces(await self._read(SHOWN, _asked(span, scope) | _clocks(places) | {"but": list(but)}))

    async def told(self, span: Span, scope: LogScope, places: Places, *, events: Sequence[str]) -> Sequence[Trace]:
        """See `Traces.told`."""
        return _traces(await self._read(TOLD, _asked(span, scope) | _clocks(places) | {"events": list(events)}))

    async def refused(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        """See `Traces.refused`."""
        return _traces(await self._read(REFUSED, _asked(span, scope) | _clocks(places)))

    async def after(self, ends: Mapping[StaffId, datetime], span: Span, places: Places) -> Sequence[Trace]:
        """See `Traces.after`."""
        if not ends:
            return []
        given = {
            "actors": [str(staff) for staff in ends],
            "ended": [first_entry_at(instant) for instant in ends.values()],
        }
        return _traces(await self._read(AFTER, _asked(span, LogScope(programmes=None)) | _clocks(places) | given))

    async def restricted(
        self, span: Span, scope: LogScope, places: Places, restricted: Sequence[RestrictedWhile]
    ) -> Sequence[Trace]:
        """See `Traces.restricted`. Of clients who were erased nothing can be said any more."""
        keys = (await self._keys.of(self._connection, (), asked=[each.client for each in restricted])).keys
        known = [(keys[each.client].reference, each) for each in restricted if each.client in keys]
        if not known:
            return []
        named = [(reference, who) for reference, each in known for who in each.named]
        given = {
            "refs": [reference for reference, _ in known],
            "since": [each.since for _, each in known],
            "until": [each.until for _, each in known],
            "named_refs": [reference for reference, _ in named],
            "named": [str(who.staff) for _, who in named],
            "named_since": [who.since for _, who in named],
            "named_until": [who.until for _, who in named],
        }
        rows = await self._read(RESTRICTED, _asked(span, scope) | _clocks(places) | given)
        return _about(rows, {reference: each.client for reference, each in known})

    async def actor_of(self, entry: EntryId, scope: LogScope) -> StaffId | None:
        """See `Traces.actor_of`."""
        rows = await self._read(ACTOR, {"entry": entry, **_within(scope)})
        return StaffId(UUID(rows[0].actor)) if rows else None

    async def _read(self, statement: Executable, given: Mapping[str, object]) -> Sequence[Row[*tuple[Any, ...]]]:
        return await read_as_reader(self._connection, statement, given)


def _traces(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Trace]:
    return [_trace(row) for row in rows]


def _trace(row: Row[*tuple[Any, ...]], client: UUID | None = None) -> Trace:
    first, last = UUID(row.first), UUID(row.last)
    return Trace(
        actor=StaffId(UUID(row.actor)),
        day=row.day,
        entries=row.entries,
        first=EntryId(first),
        first_at=made_at(first),
        last_at=made_at(last),
        clients=row.clients,
        client=None if client is None else ClientId(client),
    )


def _about(rows: Iterable[Row[*tuple[Any, ...]]], known: Mapping[bytes, UUID]) -> list[Trace]:
    """Traces of which we can tell whom they are about. In a thread: there may be tens of thousands."""
    return [_trace(row, client) for row in rows if (client := known.get(row.reference)) is not None]


def _asked(span: Span, scope: LogScope) -> dict[str, object]:
    return {"begins": first_entry_at(span.since), "ends": first_entry_at(span.until), **_within(scope)}


def _within(scope: LogScope) -> dict[str, object]:
    return {"everything": scope.programmes is None, "programmes": sorted(scope.programmes or ())}


def _clocks(places: Places) -> dict[str, object]:
    zones = [(programme, *each) for programme, zone in places.zones.items() for each in zone_by_zone(zone)]
    own = [each for each in zones if each[0] is not None]
    anywhere = [each for each in zones if each[0] is None]
    return {
        "places": [programme for programme, *_ in own],
        "zones": [zone.key for _, zone, _, _ in own],
        "zones_since": [since for _, _, since, _ in own],
        "zones_until": [until for *_, until in own],
        "otherwise": [zone.key for _, zone, _, _ in anywhere],
        "otherwise_since": [since for _, _, since, _ in anywhere],
        "otherwise_until": [until for *_, until in anywhere],
    }
