"""Days that pass: whatever is recorded of a client moves into the past, as only the database's owner can move it."""

from typing import Any, cast

import asyncpg
from sqlalchemy import Date, DateTime, Table
from sqlalchemy.dialects.postgresql import ARRAY

from caseload.db.tables.base import complete
from caseload.domain.ids import ClientId
from tests.api.dispensary import Dispensary

_THROUGH = {
    "order_id": "clinic.medication_order",
    "replaced_id": "clinic.medication_order",
    "dose_id": "clinic.dose",
    "statement_id": "clinic.dose_statement",
    "agreement_id": "clinic.guest_agreement",
}
"""Columns by which a table without a client of its own belongs to one."""
_FAR = 100_000
"""Days by which everything is moved away first: no row then takes the place of another that is still to move."""


async def pass_days(here: Dispensary, days: int, *, client: ClientId | None = None) -> None:
    """Let so many days pass for a client's medication: everything about it happened so much earlier."""
    owner = await asyncpg.connect(here.clinic.addresses.owner)
    try:
        async with owner.transaction():
            await owner.execute("set local session_replication_role = replica")
            for statement in _STATEMENTS:
                await owner.execute(statement, client or here.client, _FAR)
            for statement in _STATEMENTS:
                await owner.execute(statement, client or here.client, -_FAR - days)
            await move_order_days(owner, client or here.client, days)
    finally:
        await owner.close()


async def move_order_days(owner: asyncpg.Connection, client: ClientId, days: int) -> None:
    """The days of a client's orders so much earlier, all at once: no two of them may share one on the way."""
    moved = await owner.fetch(
        "delete from clinic.medication_order_days where client_id = $1 returning order_id, client_id, kind, parts,"
        " daterange(lower(days) - $2::int, upper(days) - $2::int) as days,"
        " isempty(days) as is_empty, names_another",
        client,
        days,
    )
    await owner.executemany(
        "insert into clinic.medication_order_days (order_id, client_id, kind, parts, days, names_another)"
        " values ($1, $2, $3, $4, case when $6 then 'empty'::daterange else $5 end, $7)",
        [tuple(row.values()) for row in moved],
    )


def _moving(table: Table) -> str | None:
    columns = table.columns
    if "client_id" in columns:
        whose = "client_id = $1"
    else:
        through = next((name for name in _THROUGH if name in columns), None)
        if through is None:
            return None
        whose = f"{through} in (select id from {_THROUGH[through]} where client_id = $1)"  # noqa: S608 - constants
    moved = [f"{column.name} = {_later(column.name, column.type)}" for column in columns if _is_when(column.type)]
    if not moved or any(column.computed for column in columns if _is_when(column.type)):
        return None
    return f"update {table.fullname} set {', '.join(moved)} where {whose} and $2::int <> 0"  # noqa: S608 - constants


def _is_when(kind: object) -> bool:
    if isinstance(kind, ARRAY):
        return type(cast("ARRAY[Any]", kind).item_type) is Date
    return isinstance(kind, Date | DateTime)


def _later(name: str, kind: object) -> str:
    if isinstance(kind, ARRAY):
        moved = f"array(select each + $2::int from unnest({name}) each order by each)"  # noqa: S608 - a column's name
        return f"case when {name} is not null then {moved} end"
    if isinstance(kind, Date):
        return f"{name} + $2::int"
    return f"{name} + $2::int * interval '24 hours'"


_MEDICATION = ("medication_", "dose", "hold", "pre_dose_observation", "guest_agreement", "guest_end", "escalation")
_STATEMENTS = [
    statement
    for table in complete().sorted_tables
    if table.name.startswith(_MEDICATION) and (statement := _moving(table)) is not None
]
