"""The beginning of the books, stations, receipts and dispensers."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import milligrams
from caseload.api.route import writing
from caseload.api.stock.containers import shown
from caseload.api.stock.wire import (
    ContainerOut,
    DispenserIn,
    KeepingIn,
    KeepingOut,
    ReceiptIn,
    ReceiptOut,
    StationIn,
    StationOut,
)
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.db.stock.acts import Acts
from caseload.db.stock.books import Books
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, ProgrammeId, ReceiptId, StationId, new_id
from caseload.domain.stock import receiving as domain
from caseload.domain.stock.container import Container, Made
from caseload.domain.stock.receiving import Bottle, Dispenser, Receipt, Station
from caseload.request.idempotency import once


@writing("/programmes/{programme_id:uuid}/stock-keeping", act=Act.KEEP_STOCK, name="begin_stock")
async def begin_stock(
    programme_id: FromPath[UUID], data: JSONBody[KeepingIn], work: TheWork, key: TheKey
) -> KeepingOut:
    """Keep the stock of a programme with us: each dose of that day and later takes from it."""
    books, programme = Books(work.connection), ProgrammeId(programme_id)

    async def begin() -> None:
        await domain.begin_keeping(programme, data.from_on, by=work.by, now=work.now, books=books, journal=work.journal)

    async def again(_: Kept) -> None:
        work.by.require(Act.KEEP_STOCK, programme)

    await once(work, key, Kept(status=201, resource=programme_id), do=begin, again=again)
    return KeepingOut(programme_id=programme_id, from_on=data.from_on)


@writing("/programmes/{programme_id:uuid}/stations", act=Act.KEEP_STOCK, name="open_station")
async def open_station(
    programme_id: FromPath[UUID], data: JSONBody[StationIn], work: TheWork, key: TheKey
) -> StationOut:
    """Name a place where doses are given: it uses one container of each medicine, form and strength at a time."""
    books, new = Books(work.connection), StationId(new_id())
    programme = ProgrammeId(programme_id)

    async def open_it() -> Station:
        station = Station(id=new, programme=programme, name=data.name.strip())
        await domain.open_station(station, by=work.by, now=work.now, books=books, journal=work.journal)
        return station

    async def again(kept: Kept) -> Station:
        work.by.require(Act.KEEP_STOCK, programme)
        return next(each for each in await books.stations_of(programme) if each.id == kept.resource)

    station = await once(work, key, Kept(status=201, resource=new), do=open_it, again=again)
    return StationOut(id=station.id, name=station.name)


@writing("/programmes/{programme_id:uuid}/stock-receipts", act=Act.RECEIVE_STOCK, name="receive_stock")
async def receive_stock(
    programme_id: FromPath[UUID], data: JSONBody[ReceiptIn], work: TheWork, key: TheKey
) -> ReceiptOut:
    """Put a delivery, or what was there at the beginning, into the books, bottle by bottle."""
    books, programme = Books(work.connection), ProgrammeId(programme_id)
    ids = sorted(new_id() for _ in data.bottles)
    receipt = Receipt(
        id=ReceiptId(new_id()),
        programme=programme,
        kind=data.kind,
        received_at=data.received_at or work.now,
        supplier_name=data.supplier_name,
        supplier_address=data.supplier_address,
        document=data.document,
        bottles=[
            Bottle(
                id=ContainerId(new),
                label=bottle.label.strip(),
                made=Made(medicine=bottle.medicine, form=bottle.form, strength_mg=milligrams(bottle.strength_mg)),
                lot=bottle.lot,
                expires_on=bottle.expires_on,
                amount_mg=milligrams(bottle.amount_mg),
            )
            for new, bottle in zip(ids, data.bottles, strict=True)
        ],
    )

    async def receive() -> ReceiptOut:
        await domain.receive(receipt, by=work.by, now=work.now, books=books, journal=work.journal)
        return ReceiptOut(id=receipt.id, container_ids=[bottle.id for bottle in receipt.bottles])

    async def again(kept: Kept) -> ReceiptOut:
        work.by.require(Act.RECEIVE_STOCK, programme)
        found = await books.bottles_of(ReceiptId(kept.resource))
        return ReceiptOut(id=kept.resource, container_ids=list(found))

    return await once(work, key, Kept(status=201, resource=receipt.id), do=receive, again=again)


@writing("/programmes/{programme_id:uuid}/dispensers", act=Act.POUR_STOCK, name="add_dispenser")
async def add_dispenser(
    programme_id: FromPath[UUID], data: JSONBody[DispenserIn], work: TheWork, key: TheKey
) -> Response[ContainerOut]:
    """Begin one filling of a dispenser; it is filled by pouring and closed when it is empty."""
    dispenser = Dispenser(
        id=ContainerId(new_id()),
        programme=ProgrammeId(programme_id),
        label=data.label.strip(),
        made=Made(medicine=data.medicine, form=data.form, strength_mg=milligrams(data.strength_mg)),
    )

    async def add() -> Container:
        await domain.add_dispenser(
            dispenser, by=work.by, now=work.now, books=Books(work.connection), journal=work.journal
        )
        return await read(dispenser.id)

    async def again(kept: Kept) -> Container:
        return await read(ContainerId(kept.resource))

    async def read(wanted: ContainerId) -> Container:
        return await Acts(work.connection).container(wanted, by=work.by, act=Act.POUR_STOCK)

    return shown(await once(work, key, Kept(status=201, resource=dispenser.id), do=add, again=again), 201)
