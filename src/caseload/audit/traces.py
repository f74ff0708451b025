"""What people left in the log, added up by person and day, for the questions of the routine review.

Added up by PostgreSQL, over the span's range of the key. The columns beside a leaf choose the rows; what they do not
hold is looked for in the leaf's own bytes, which are canonical JSON: every string in them comes from a closed
vocabulary, so that a piece such as `"st":404,` can only be what it looks like.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Executable,
    Interval,
    LargeBinary,
    Row,
    SmallInteger,
    Text,
    Uuid,
    any_,
    bindparam,
    cast,
    column,
    distinct,
    exists,
    func,
    literal_column,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.audit.accesslog import holds, read_as_reader
from caseload.audit.leaf import Outcome, first_entry_at, made_at
from caseload.audit.tables import disclosure, log
from caseload.audit.trail import AuditTrail
from caseload.domain.accesslog import LogScope
from caseload.domain.ids import ClientId, EntryId, ProgrammeId, StaffId
from caseload.domain.oversight import Places, Quarter, RestrictedWhile, Span, Trace

_QUARTER: Final = "15 minutes"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_IDENTIFIER_LENGTH: Final = 36
"""A staff identifier as text; `anonymous` and `system` are shorter."""


class LogTraces:
    """Implements `caseload.domain.oversight.Traces` over the connection of a piece of work."""

    def __init__(self, connection: AsyncConnection, trail: AuditTrail) -> None:
        self._connection = connection
        self._keys = trail.keys

    async def opened(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        """See `Traces.opened`. Of clients who were erased nothing can be said any more."""
        rows = await self._read(_OPENED, _asked(span, scope) | _clocks(places))
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
            for row in await self._read(_QUARTERS, _asked(span, scope))
        ]

    async def shown(self, span: Span, scope: LogScope, places: Places, *, but: Sequence[str]) -> Sequence[Trace]:
        """See `Traces.shown`."""
        return _traces(await self._read(_SHOWN, _asked(span, scope) | _clocks(places) | {"but": list(but)}))

    async def told(self, span: Span, scope: LogScope, places: Places, *, events: Sequence[str]) -> Sequence[Trace]:
        """See `Traces.told`."""
        return _traces(await self._read(_TOLD, _asked(span, scope) | _clocks(places) | {"events": list(events)}))

    async def refused(self, span: Span, scope: LogScope, places: Places) -> Sequence[Trace]:
        """See `Traces.refused`."""
        return _traces(await self._read(_REFUSED, _asked(span, scope) | _clocks(places)))

    async def after(self, ends: Mapping[StaffId, datetime], span: Span, places: Places) -> Sequence[Trace]:
        """See `Traces.after`."""
        if not ends:
            return []
        given = {
            "actors": [str(staff) for staff in ends],
            "ended": [first_entry_at(instant) for instant in ends.values()],
        }
        return _traces(await self._read(_AFTER, _asked(span, LogScope(programmes=None)) | _clocks(places) | given))

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
        rows = await self._read(_RESTRICTED, _asked(span, scope) | _clocks(places) | given)
        return _about(rows, {reference: each.client for reference, each in known})

    async def actor_of(self, entry: EntryId, scope: LogScope) -> StaffId | None:
        """See `Traces.actor_of`."""
        rows = await self._read(_ACTOR, {"entry": entry, **_within(scope)})
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
    own = [(programme, zone.key) for programme, zone in places.zones.items() if programme is not None]
    return {
        "places": [programme for programme, _ in own],
        "zones": [zone for _, zone in own],
        "otherwise": places.zones[None].key,
    }


_place = (
    func.unnest(bindparam("places", type_=ARRAY(Uuid())), bindparam("zones", type_=ARRAY(Text())))
    .table_valued(column("programme", Uuid()), column("zone", Text()), name="place")
    .render_derived()
)
_DAY = cast(func.timezone(func.coalesce(_place.c.zone, bindparam("otherwise", type_=Text())), log.c.at), Date()).label(
    "day"
)
_ENTRIES = func.count(distinct(log.c.entry_id)).label("entries")
# The least and greatest of text are those of the identifiers: PostgreSQL 15 has no minimum of these.
_FIRST = func.min(cast(log.c.entry_id, Text())).label("first")
_LAST = func.max(cast(log.c.entry_id, Text())).label("last")
_NOBODY = literal_column("0", BigInteger()).label("clients")

_IN_SCOPE = or_(bindparam("everything"), log.c.programme == any_(bindparam("programmes", type_=ARRAY(Uuid()))))
_IN_SPAN = (
    log.c.entry_id >= bindparam("begins", type_=Uuid()),
    log.c.entry_id < bindparam("ends", type_=Uuid()),
    func.length(log.c.actor) == _IDENTIFIER_LENGTH,
    _IN_SCOPE,
)
_DONE = log.c.outcome == literal_column(str(Outcome.DONE.value), SmallInteger())
_NOT_DONE = log.c.outcome != literal_column("0", SmallInteger())
"""Said in the words of the partial index."""
_NAMES_SOMEBODY = func.cardinality(disclosure.c.refs) > 0

_by_day = log.outerjoin(_place, _place.c.programme == log.c.programme)
_with_clients = log.join(disclosure, disclosure.c.entry_id == log.c.entry_id)
_with_clients_by_day = _by_day.join(disclosure, disclosure.c.entry_id == log.c.entry_id)

_REFERENCE = disclosure.c.refs[1].label("reference")
_OPENED = (
    select(log.c.actor, _REFERENCE, _DAY, _ENTRIES, _FIRST, _LAST, literal_column("1", BigInteger()).label("clients"))
    .select_from(_with_clients_by_day)
    .where(
        *_IN_SPAN,
        _DONE,
        func.cardinality(disclosure.c.refs) == 1,
        # A route that names one record, and not a list which happens to have one line.
        holds(log.c.leaf, b"_id}"),
        ~holds(log.c.leaf, b'"purp":"HCOMPL"'),
    )
    .group_by(log.c.actor, _REFERENCE, _DAY)
)

_BEGINS = func.date_bin(
    cast(bindparam(None, _QUARTER, Text()), Interval()), log.c.at, bindparam(None, _EPOCH, DateTime(timezone=True))
).label("begins")
_QUARTERS = (
    select(log.c.actor, log.c.programme, _BEGINS, _ENTRIES, _FIRST, _LAST)
    .select_from(_with_clients)
    .where(*_IN_SPAN, _DONE, _NAMES_SOMEBODY)
    .group_by(log.c.actor, log.c.programme, literal_column("3"))
)

_ref = func.unnest(disclosure.c.refs).table_valued("reference", name="ref").render_derived().lateral()
_SHOWN = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, func.count(distinct(_ref.c.reference)).label("clients"))
    .select_from(_with_clients_by_day.join(_ref, literal_column("true")))
    .where(*_IN_SPAN, _DONE, log.c.event != func.all(bindparam("but", type_=ARRAY(Text()))))
    .group_by(log.c.actor, _DAY)
)
_TOLD = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, _NOBODY)
    .select_from(_by_day)
    .where(*_IN_SPAN, log.c.event == any_(bindparam("events", type_=ARRAY(Text()))))
    .group_by(log.c.actor, _DAY)
)
_REFUSED = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, _NOBODY)
    .select_from(_by_day)
    .where(*_IN_SPAN, _NOT_DONE, or_(holds(log.c.leaf, b'"st":403,'), holds(log.c.leaf, b'"st":404,')))
    .group_by(log.c.actor, _DAY)
)

_end = (
    func.unnest(bindparam("actors", type_=ARRAY(Text())), bindparam("ended", type_=ARRAY(Uuid())))
    .table_valued(column("actor", Text()), column("ended", Uuid()), name="ending")
    .render_derived()
)
_AFTER = (
    select(log.c.actor, _DAY, _ENTRIES, _FIRST, _LAST, _NOBODY)
    .select_from(_by_day.join(_end, _end.c.actor == log.c.actor))
    .where(*_IN_SPAN, log.c.entry_id >= _end.c.ended)
    .group_by(log.c.actor, _DAY)
)
_INSTANTS = ARRAY(DateTime(timezone=True))
_wanted = (
    func.unnest(
        bindparam("refs", type_=ARRAY(LargeBinary())),
        bindparam("since", type_=_INSTANTS),
        bindparam("until", type_=_INSTANTS),
    )
    .table_valued(
        column("reference", LargeBinary()),
        column("since", DateTime(timezone=True)),
        column("until", DateTime(timezone=True)),
        name="wanted",
    )
    .render_derived()
)
_named = (
    func.unnest(
        bindparam("named_refs", type_=ARRAY(LargeBinary())),
        bindparam("named", type_=ARRAY(Text())),
        bindparam("named_since", type_=_INSTANTS),
        bindparam("named_until", type_=_INSTANTS),
    )
    .table_valued(
        column("reference", LargeBinary()),
        column("actor", Text()),
        column("since", DateTime(timezone=True)),
        column("until", DateTime(timezone=True)),
        name="named",
    )
    .render_derived()
)
_RESTRICTED = (
    select(
        log.c.actor,
        _wanted.c.reference,
        _DAY,
        _ENTRIES,
        _FIRST,
        _LAST,
        literal_column("1", BigInteger()).label("clients"),
    )
    .select_from(_with_clients_by_day.join(_wanted, _wanted.c.reference == any_(disclosure.c.refs)))
    .where(
        *_IN_SPAN,
        _DONE,
        log.c.at >= _wanted.c.since,
        func.coalesce(log.c.at < _wanted.c.until, true()),
        ~holds(log.c.leaf, b'"purp":"HCOMPL"'),
        ~holds(log.c.leaf, b'"purp":"BTG"'),
        ~exists().where(
            _named.c.reference == _wanted.c.reference,
            _named.c.actor == log.c.actor,
            log.c.at >= _named.c.since,
            func.coalesce(log.c.at < _named.c.until, true()),
        ),
    )
    .group_by(log.c.actor, _wanted.c.reference, _DAY)
)
_ACTOR = select(log.c.actor).where(
    log.c.entry_id == bindparam("entry", type_=Uuid()), func.length(log.c.actor) == _IDENTIFIER_LENGTH, _IN_SCOPE
)
