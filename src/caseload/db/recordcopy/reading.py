"""What the record holds about one client, table by table, as entries of a copy."""

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from typing import cast as cast_to
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    RowMapping,
    Select,
    Table,
    Uuid,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.recordcopy.sources import SOURCES, Source
from caseload.db.tables.base import INSTANT
from caseload.db.tables.people import staff
from caseload.db.tables.programme import programme
from caseload.domain.ids import ClientId

AT_ONCE: Final = 500
"""Rows that are read and kept together."""

_CLIENT: Final = bindparam("client", type_=Uuid())
_AS_OF: Final = bindparam("as_of", type_=INSTANT)
_NAMES: Final = union_all(select(staff.c.id, staff.c.printed_name), select(programme.c.id, programme.c.name))
_LEADS_BY: Final[Mapping[str, str]] = {each.name: each.by for each in SOURCES}

Names = Mapping[UUID, str]


def _about(table: Table, by: str) -> ColumnElement[bool]:
    """The rows of a table that are about the client: it names them, or what it refers to does."""
    column = table.c[by]
    if by == "client_id" or (table.name, by) == ("client", "id"):
        return column == _CLIENT
    target = next(
        key.column
        for key in sorted(column.foreign_keys, key=lambda key: key.column.table.name)
        if key.column.table is not table
    )
    above: Any = target.table
    led_by = "client_id" if "client_id" in above.c else _LEADS_BY[above.name]
    return column.in_(select(target).where(_about(above, led_by)))


def _columns(table: Table) -> Iterable[ColumnElement[Any]]:
    return (column for column in table.c if column.name != "client_id" and not isinstance(column.type, LargeBinary))


def _statement(source: Source) -> Select[*tuple[Any, ...]]:
    """The rows of a source in the order of their keys, each with whether it is held back."""
    table = source.table
    said = [] if source.is_apart else [*_columns(table)]
    beside = [make(table).label(name) for name, make in (source.beside or {}).items()]
    told: ColumnElement[Any] = literal(None, INSTANT) if source.told is None else table.c[source.told]
    is_held: ColumnElement[Any] = literal(value=False) if source.held_for is None else source.held_where(table)
    return (
        select(*said, *beside, told.label("_told"), is_held.label("_held"))
        .where(_about(table, source.by), source.only(table), or_(told.is_(None), told <= _AS_OF))
        .order_by(*table.primary_key.columns)
    )


def _later(source: Source) -> Select[Any]:
    told = source.table.c[source.told or ""]
    return select(func.count().label("entries")).where(
        and_(_about(source.table, source.by), source.only(source.table), told > _AS_OF)
    )


_STATEMENTS: Final = tuple((source, _statement(source)) for source in SOURCES)
_every_later = union_all(*(_later(source) for source in SOURCES if source.told is not None)).subquery()
_LATER: Final = select(func.sum(_every_later.c.entries))


class RecordReader:
    """Everything about one client, as of a moment."""

    def __init__(self, connection: AsyncConnection, client: ClientId, as_of: datetime) -> None:
        self._connection = connection
        self._given = {"client": client, "as_of": as_of}

    async def entries(self, zone: ZoneInfo) -> AsyncIterator[list[dict[str, Any]]]:
        """Some hundred entries at a time, in the order of the sections, as `record_copy_entry` keeps them."""
        names = {row.id: row.printed_name for row in await self._connection.execute(_NAMES)}
        for source, statement in _STATEMENTS:
            rows = await self._connection.stream(statement, self._given)
            async for some in rows.mappings().partitions(AT_ONCE):
                yield [_entry(source, row, names, zone) for row in some]

    async def later(self) -> int:
        """How many were recorded after the moment."""
        found = (await self._connection.execute(_LATER, self._given)).scalar_one()
        return int(found)


def _entry(source: Source, row: RowMapping, names: Names, zone: ZoneInfo) -> dict[str, Any]:
    content = None
    if not source.is_apart:
        said = {
            name: _said(value, names, zone)
            for name, value in row.items()
            if value is not None and not name.startswith("_")
        }
        content = msgspec.json.encode(said).decode()
    return {
        "section": source.section,
        "kind": source.name,
        "told_at": row["_told"],
        "held_for": source.held_for if row["_held"] else None,
        "content": content,
    }


def _said(value: Any, names: Names, zone: ZoneInfo) -> object:
    """A value as a copy says it: people and programmes by name, instants by the programme's clock."""
    if isinstance(value, Range):
        period = cast_to("Range[Any]", value)
        return {"from": _said(period.lower, names, zone), "until": _said(period.upper, names, zone)}
    if isinstance(value, list):
        several = cast_to("list[Any]", value)
        return [_said(each, names, zone) for each in several]
    return _said_plainly(value, names, zone)


def _said_plainly(value: object, names: Names, zone: ZoneInfo) -> object:
    match value:
        case UUID():
            return names.get(value, str(value))
        case datetime():
            return value.astimezone(zone).isoformat(timespec="seconds")
        case date() | time():
            return value.isoformat()
        case Decimal():
            return format(value, "f")
        case _:
            return value
