"""Lists of what is kept in versions: one line for each record as it stands now, or every version of one record."""

from typing import Any, Final
from uuid import UUID

from sqlalchemy import Select, Table, bindparam
from sqlalchemy.dialects.postgresql import distinct_on

AFTER_ALL: Final = UUID(int=2**128 - 1)
"""Sorts behind every identifier that will ever be made: `after` of a first page."""


def as_each_stands(every: Select[*tuple[Any, ...]], table: Table) -> Select[*tuple[Any, ...]]:
    """The newest version of each record, the last recorded first, in pages by `after` and `limit`."""
    return (
        every.where(table.c.id < bindparam("after"))
        .ext(distinct_on(table.c.id))
        .order_by(table.c.id.desc(), table.c.version.desc())
        .limit(bindparam("limit"))
    )


def versions_of_one(every: Select[*tuple[Any, ...]], table: Table) -> Select[*tuple[Any, ...]]:
    """Every version of the record `wanted`, the newest first."""
    return every.where(table.c.id == bindparam("wanted")).order_by(table.c.version.desc())
