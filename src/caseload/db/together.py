"""Several small readings in one statement, each part decoded by itself.

A list asks a dozen questions about the same clients, most of which find nothing. Asked one by one each costs a round
trip, and the driver a walk over the clients' identifiers; asked together they cost one. PostgreSQL gives each part as
JSON, and msgspec reads it straight into the types that the part names: instants come with their offset (every
connection speaks UTC, see `engine`).
"""

from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar
from typing import cast as cast_to

import msgspec
from sqlalchemy import ColumnElement, Select, Text, Uuid, bindparam, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Direct, Given, Named

_NO_ROWS: Final = literal_column("'[]'", Text())

T = TypeVar("T")


class Part(Generic[T]):
    """One of the readings, under its name, and how what it gives is read."""

    __slots__ = ("_read", "gives", "name")

    def __init__(self, name: str, gives: ColumnElement[Any], read: msgspec.json.Decoder[T]) -> None:
        self.name = name
        self.gives = gives.label(name)
        self._read = read

    def of(self, row: Named) -> T:
        """What this part found, in the row of them all."""
        return self._read.decode(row[self.name])


def rows(name: str, statement: Select[*tuple[Any, ...]], row: type[T]) -> Part[list[T]]:
    """Every row of a statement, in its order, each as this structure, whose fields are named as the columns are."""
    found = statement.subquery()
    gives = select(func.coalesce(cast(func.json_agg(func.row_to_json(found.table_valued())), Text()), _NO_ROWS))
    return Part(name, gives.scalar_subquery(), msgspec.json.Decoder(list[row]))


def aligned(name: str, statement: Select[*tuple[Any, ...]], to: type[T]) -> "Aligned[T]":
    """Of each of the `clients` that the statement is about its one value, or none: `client_id` and `value` in its rows."""
    found = statement.subquery()
    these = func.unnest(bindparam("clients", type_=ARRAY(Uuid()))).table_valued("client_id", with_ordinality="number")
    these = these.render_derived(name=f"these_{name}")
    value = aggregate_order_by(found.c.value, these.c.number)
    gives = select(func.array_agg(value)).select_from(these.outerjoin(found, found.c.client_id == these.c.client_id))
    return Aligned(name, gives.scalar_subquery(), to)


class Aligned(Generic[T]):
    """A reading that gives one value for each client, in the order in which the clients were named."""

    __slots__ = ("_to", "gives", "name")

    def __init__(self, name: str, gives: ColumnElement[Any], to: type[T]) -> None:
        self.name = name
        self.gives = gives.label(name)
        self._to = to

    def of(self, row: Named) -> Sequence[T | None]:
        """What this part found, in the row of them all."""
        return cast_to("Sequence[T | None]", row[self.name])


class Together:
    """Parts that are asked at once. Each is whole by itself: it neither waits for a transaction nor begins one."""

    __slots__ = ("_statement",)

    def __init__(self, *parts: Part[Any] | Aligned[Any]) -> None:
        self._statement = Direct(select(*(part.gives for part in parts)), anywhere=True)

    async def read(self, connection: AsyncConnection, given: Given) -> Named:
        """One row, from which each part reads what it found."""
        return await self._statement.one(connection, given)
