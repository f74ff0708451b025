"""Containers in PostgreSQL, each with what the books say is in it: the sum of its acts (decision 0306)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Numeric, Row, Uuid, any_, bindparam, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.db.signature import Signatures
from caseload.db.tables.stock import stock_container, stock_use
from caseload.db.tables.stock_acts import (
    stock_count,
    stock_count_confirmed,
    stock_pour,
    stock_take_home,
    stock_taking,
    stock_waste,
    stock_waste_settled,
)
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, ProgrammeId
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.stock.container import Container, ContainerUnknown, Made
from caseload.domain.stock.words import ContainerKind, Verdict

_ID = stock_container.c.id


def _sum(amount: ColumnElement[Any], where: ColumnElement[bool], *more: ColumnElement[bool]) -> ColumnElement[Any]:
    return select(func.coalesce(func.sum(amount), 0)).where(where, *more).scalar_subquery()


def _number(where: ColumnElement[bool], *more: ColumnElement[bool]) -> ColumnElement[int]:
    return cast(select(func.count()).where(where, *more).scalar_subquery(), Integer())


_settled_of = stock_waste_settled.c.waste_id == stock_waste.c.id
_confirmed_of = stock_count_confirmed.c.count_id == stock_count.c.id

BALANCE = cast(
    func.coalesce(stock_container.c.received_mg, 0)
    + _sum(stock_pour.c.amount_mg, stock_pour.c.target_id == _ID)
    - _sum(stock_pour.c.amount_mg, stock_pour.c.source_id == _ID)
    + _sum(stock_taking.c.amount_mg, stock_taking.c.container_id == _ID)
    + _sum(stock_take_home.c.amount_mg, stock_take_home.c.container_id == _ID)
    - _sum(stock_waste.c.amount_mg, stock_waste.c.container_id == _ID)
    + _sum(
        stock_waste.c.amount_mg,
        stock_waste.c.container_id == _ID,
        _settled_of,
        stock_waste_settled.c.verdict == Verdict.WITHDRAWN,
    )
    + _sum(stock_count.c.variance_mg, stock_count.c.container_id == _ID, _confirmed_of),
    Numeric(12, 3),
)
"""What is in a container by the books."""

_VERSION = (
    literal(1, Integer())
    + _number(stock_pour.c.target_id == _ID)
    + _number(stock_pour.c.source_id == _ID)
    + _number(stock_taking.c.container_id == _ID)
    + _number(stock_take_home.c.container_id == _ID)
    + _number(stock_waste.c.container_id == _ID)
    + _number(stock_waste.c.container_id == _ID, _settled_of)
    + _number(stock_count.c.container_id == _ID)
    + _number(stock_count.c.container_id == _ID, _confirmed_of)
    + _number(stock_use.c.container_id == _ID)
    + _number(stock_use.c.container_id == _ID, stock_use.c.ended_by.is_not(None))
    + case((stock_container.c.closed_at.is_not(None), 1), else_=0)
)
_STATION = (
    select(stock_use.c.station_id)
    .where(stock_use.c.container_id == _ID, func.upper_inf(stock_use.c.period))
    .scalar_subquery()
)
_CONTAINERS = select(
    _ID,
    stock_container.c.programme_id,
    stock_container.c.kind,
    stock_container.c.label,
    stock_container.c.medicine,
    stock_container.c.form,
    stock_container.c.strength_mg,
    stock_container.c.lot,
    stock_container.c.expires_on,
    stock_container.c.receipt_id,
    stock_container.c.received_mg,
    stock_container.c.closed_at,
    _STATION.label("station_id"),
    BALANCE.label("balance_mg"),
    _VERSION.label("version"),
)
_ONE = _CONTAINERS.where(bindparam("container") == _ID)
_OPEN = _CONTAINERS.where(
    stock_container.c.programme_id == bindparam("programme"),
    stock_container.c.closed_at.is_(None) | (BALANCE != 0),
).order_by(stock_container.c.medicine, stock_container.c.form, stock_container.c.label)
_LOCK = (
    select(_ID)
    .where(any_(bindparam("containers", type_=ARRAY(Uuid()))) == _ID)
    .order_by(_ID)
    .with_for_update(of=stock_container)
)


class Containers(Signatures):
    """Satisfies `domain.stock.container.Containers`."""

    def __init__(self, connection: AsyncConnection) -> None:
        super().__init__(connection)
        self.connection = connection

    async def container(self, wanted: ContainerId, *, by: Staff, act: Act) -> Container:
        """See `domain.stock.container.Containers.container`."""
        row = (await self._connection.execute(_ONE, {"container": wanted})).first()
        if row is None or not by.may_in(act, ProgrammeId(row.programme_id)):
            raise ContainerUnknown
        return _container(row)

    async def lock_containers(self, wanted: tuple[ContainerId, ...]) -> None:
        """See `domain.stock.container.Containers.lock_containers`. In the order of their ids, so that two never wait."""
        await self._connection.execute(_LOCK, {"containers": list(wanted)})

    async def programme(self, wanted: ProgrammeId) -> Programme:
        """See `domain.stock.container.Containers.programme`."""
        return await Programmes(self._connection).get(wanted)

    async def containers_in(self, programme: ProgrammeId) -> Sequence[Container]:
        """Those that are open, and closed ones that do not come to nothing."""
        rows = (await self._connection.execute(_OPEN, {"programme": programme})).all()
        return [_container(row) for row in rows]


def _container(row: Row[*tuple[Any, ...]]) -> Container:
    return Container(
        id=ContainerId(row.id),
        programme=ProgrammeId(row.programme_id),
        kind=ContainerKind(row.kind),
        label=row.label,
        made=Made(medicine=Medicine(row.medicine), form=Form(row.form), strength_mg=row.strength_mg),
        lot=row.lot,
        expires_on=row.expires_on,
        receipt=row.receipt_id,
        received_mg=row.received_mg,
        closed_at=row.closed_at,
        station=row.station_id,
        balance_mg=row.balance_mg,
        version=row.version,
    )
