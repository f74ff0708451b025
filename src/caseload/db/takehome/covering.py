"""What clients hold or have taken at home, in PostgreSQL: a unit counts until somebody says that it was not taken."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Uuid,
    and_,
    any_,
    bindparam,
    cast,
    exists,
    literal_column,
    null,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.direct import Named
from caseload.db.tables.base import INSTANT
from caseload.db.tables.takehome import take_home_outcome, take_home_unit
from caseload.domain.dosing import AtHome, CoveredBy, CoveredDay
from caseload.domain.ids import ClientId, UnitId
from caseload.domain.medicines import DosePart, Form, Medicine

_ONE: Final = literal_column("1", Integer())
NO_HOUR: Final = cast(null(), INSTANT)
"""Nobody knows when on its day a unit was taken."""


class UnitRow(msgspec.Struct, frozen=True):
    """A row of `COVERING`: a unit that covers a part of a day."""

    unit_id: UUID
    unit_client_id: UUID
    unit_label: str
    unit_part: DosePart
    unit_dispensed_on: date
    unit_reported: bool

    def at_home(self) -> AtHome:
        """The unit."""
        return AtHome(
            unit=UnitId(self.unit_id),
            label=self.unit_label,
            part=self.unit_part,
            dispensed_on=self.unit_dispensed_on,
            is_reported=self.unit_reported,
        )


def counts(units: FromClause) -> ColumnElement[bool]:
    """Whether a unit counts as taken: handed out for its day, and not said, in the end, not to have been taken."""
    said, newer = take_home_outcome.alias("said"), take_home_outcome.alias("newer_said")
    return ~exists().where(
        said.c.unit_id == units.c.id,
        ~said.c.taken,
        ~exists().where(newer.c.unit_id == said.c.unit_id, newer.c.version > said.c.version),
    )


def last_at_home(
    client: ColumnElement[UUID], day: ColumnElement[date], like: ColumnElement[bool], *tables: FromClause
) -> FromClause:
    """The last unit until a day that counts as taken, as a dose: its day, no hour, medicine and amount.

    `tables` are those that `client` and `like` take from the rows beside it.
    """
    return (
        select(
            take_home_unit.c.for_on.label("dosing_day"),
            NO_HOUR.label("given_at"),
            take_home_unit.c.medicine,
            take_home_unit.c.amount_mg,
        )
        .where(take_home_unit.c.client_id == client, take_home_unit.c.for_on <= day, like, counts(take_home_unit))
        .order_by(take_home_unit.c.for_on.desc(), take_home_unit.c.amount_mg)
        .limit(_ONE)
        .correlate(*tables)
        .subquery("last_at_home")
    )


def _covering(*conditions: ColumnElement[bool]) -> Any:
    reported = exists().where(take_home_outcome.c.unit_id == take_home_unit.c.id)
    return select(
        take_home_unit.c.id.label("unit_id"),
        take_home_unit.c.client_id.label("unit_client_id"),
        take_home_unit.c.label.label("unit_label"),
        take_home_unit.c.part.label("unit_part"),
        take_home_unit.c.dispensed_on.label("unit_dispensed_on"),
        reported.label("unit_reported"),
    ).where(*conditions, counts(take_home_unit))


def at_home(client: ColumnElement[UUID], part: ColumnElement[str], day: ColumnElement[date]) -> FromClause:
    """The unit that covers a part of a day, if there is one."""
    whole = DosePart.WHOLE.value
    return (
        _covering(
            take_home_unit.c.client_id == client,
            take_home_unit.c.for_on == day,
            or_(take_home_unit.c.part == part, take_home_unit.c.part == whole, part == whole),
        )
        .order_by(take_home_unit.c.part)
        .limit(_ONE)
        .lateral("at_home")
    )


COVERING: Final = _covering(
    and_(
        take_home_unit.c.client_id == any_(bindparam("clients", type_=ARRAY(Uuid()))),
        take_home_unit.c.for_on == bindparam("day", type_=Date()),
    )
).order_by(take_home_unit.c.part)


HELD_FROM: Final = (
    select(
        take_home_unit.c.id,
        take_home_unit.c.for_on,
        take_home_unit.c.part,
        take_home_unit.c.medicine,
        take_home_unit.c.form,
        take_home_unit.c.amount_mg,
        take_home_unit.c.label,
    )
    .where(
        take_home_unit.c.client_id == bindparam("client", type_=Uuid()),
        take_home_unit.c.for_on >= bindparam("day", type_=Date()),
        ~exists().where(take_home_outcome.c.unit_id == take_home_unit.c.id),
    )
    .order_by(take_home_unit.c.for_on, take_home_unit.c.part, take_home_unit.c.id)
)


async def at_home_on(
    connection: AsyncConnection, clients: Sequence[UUID], day: date
) -> Mapping[ClientId, Sequence[AtHome]]:
    """What clients hold or have taken at home for a day."""
    found: dict[ClientId, list[AtHome]] = defaultdict(list)
    for row in (await connection.execute(COVERING, {"clients": list(clients), "day": day})).mappings():
        found[ClientId(row["unit_client_id"])].append(at_home_of(row))
    return found


async def held_from(connection: AsyncConnection, client: ClientId, day: date) -> Sequence[CoveredDay]:
    """The days from one on for which a client holds a unit of which nobody has said what became of it."""
    return [
        CoveredDay(
            day=row.for_on,
            part=DosePart(row.part),
            at=None,
            medicine=Medicine(row.medicine),
            form=Form(row.form),
            amount_mg=row.amount_mg,
            product=None,
            by=CoveredBy.TAKE_HOME,
            record=row.id,
            source=row.label,
        )
        for row in (await connection.execute(HELD_FROM, {"client": client, "day": day})).all()
    ]


def at_home_of(row: Named) -> AtHome:
    """The unit in a row that has one."""
    return AtHome(
        unit=UnitId(row["unit_id"]),
        label=row["unit_label"],
        part=DosePart(row["unit_part"]),
        dispensed_on=row["unit_dispensed_on"],
        is_reported=row["unit_reported"],
    )
