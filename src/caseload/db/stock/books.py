"""The beginning of the books, stations, receipts and dispensers in PostgreSQL."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from caseload.db.programme import Programmes
from caseload.db.tables.stock import station, stock_container, stock_keeping, stock_receipt
from caseload.domain.ids import ContainerId, ProgrammeId, ReceiptId, StaffId
from caseload.domain.programme import Programme
from caseload.domain.stock.container import Made
from caseload.domain.stock.receiving import (
    Dispenser,
    DosesOfThatDay,
    NameTaken,
    Receipt,
    Station,
    StockKeptAlready,
)
from caseload.domain.stock.words import ContainerKind

_KEPT_FROM = select(stock_keeping.c.from_on).where(stock_keeping.c.programme_id == bindparam("programme"))
_STATIONS = (
    select(station.c.id, station.c.programme_id, station.c.name)
    .where(station.c.programme_id == bindparam("programme"))
    .order_by(station.c.name)
)
_BOTTLES = (
    select(stock_container.c.id)
    .where(stock_container.c.receipt_id == bindparam("receipt"))
    .order_by(stock_container.c.id)
)


class Books:
    """Satisfies `domain.stock.receiving.Books`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def programme(self, wanted: ProgrammeId) -> Programme:
        """See `domain.stock.receiving.Books.programme`."""
        return await Programmes(self._connection).get(wanted)

    async def kept_from(self, programme: ProgrammeId) -> date | None:
        """See `domain.stock.receiving.Books.kept_from`."""
        return (await self._connection.execute(_KEPT_FROM, {"programme": programme})).scalar_one_or_none()

    async def stations_of(self, programme: ProgrammeId) -> list[Station]:
        """The stations of a programme, by name."""
        rows = (await self._connection.execute(_STATIONS, {"programme": programme})).all()
        return [Station(id=row.id, programme=ProgrammeId(row.programme_id), name=row.name) for row in rows]

    async def bottles_of(self, receipt: ReceiptId) -> list[ContainerId]:
        """The bottles of a receipt, in the order in which they were named."""
        rows = (await self._connection.execute(_BOTTLES, {"receipt": receipt})).scalars().all()
        return [ContainerId(each) for each in rows]

    async def add_keeping(self, programme: ProgrammeId, from_on: date, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.receiving.Books.add_keeping`."""
        try:
            await self._connection.execute(
                insert(stock_keeping).values(programme_id=programme, from_on=from_on, recorded_by=by, recorded_at=at)
            )
        except IntegrityError as refused:
            if "stock_keeping_pkey" in str(refused):
                raise StockKeptAlready from refused
            raise DosesOfThatDay from refused

    async def add_station(self, opened: Station, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.receiving.Books.add_station`."""
        values = {"id": opened.id, "programme_id": opened.programme, "name": opened.name.strip()}
        try:
            await self._connection.execute(insert(station).values(**values, recorded_by=by, recorded_at=at))
        except IntegrityError as refused:
            raise NameTaken from refused

    async def add_receipt(self, receipt: Receipt, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.receiving.Books.add_receipt`."""
        await self._connection.execute(
            insert(stock_receipt).values(
                id=receipt.id,
                programme_id=receipt.programme,
                kind=receipt.kind,
                received_at=receipt.received_at,
                supplier_name=receipt.supplier_name,
                supplier_address=receipt.supplier_address,
                document=receipt.document,
                recorded_by=by,
                recorded_at=at,
            )
        )
        bottles = [
            {
                "id": bottle.id,
                "programme_id": receipt.programme,
                "kind": ContainerKind.BOTTLE,
                "label": bottle.label.strip(),
                **_made(bottle.made),
                "receipt_id": receipt.id,
                "received_mg": bottle.amount_mg,
                "lot": bottle.lot,
                "expires_on": bottle.expires_on,
                "recorded_by": by,
                "recorded_at": at,
            }
            for bottle in receipt.bottles
        ]
        await self._add_containers(bottles)

    async def add_dispenser(self, dispenser: Dispenser, *, by: StaffId, at: datetime) -> None:
        """See `domain.stock.receiving.Books.add_dispenser`."""
        values = {
            "id": dispenser.id,
            "programme_id": dispenser.programme,
            "kind": ContainerKind.DISPENSER,
            "label": dispenser.label.strip(),
            **_made(dispenser.made),
            "recorded_by": by,
            "recorded_at": at,
        }
        await self._add_containers([values])

    async def _add_containers(self, values: list[dict[str, Any]]) -> None:
        try:
            await self._connection.execute(insert(stock_container), values)
        except IntegrityError as refused:
            raise NameTaken from refused


def _made(made: Made) -> dict[str, Any]:
    return {"medicine": made.medicine, "form": made.form, "strength_mg": made.strength_mg}
