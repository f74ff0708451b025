"""A stock room beside a dispensing window: what is done with bottles, on one connection."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from caseload.db.stock.acts import Acts
from caseload.db.stock.books import Books
from caseload.db.stock.standing import standing_of
from caseload.db.stock.taking import Takings
from caseload.domain.access import Act
from caseload.domain.dosing import Dose
from caseload.domain.ids import ContainerId, CountId, PourId, ReceiptId, StationId, WasteId, new_id
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.stock import count as counting
from caseload.domain.stock import moving, receiving, taking, waste
from caseload.domain.stock.container import Container, Made
from caseload.domain.stock.count import Count, Found
from caseload.domain.stock.receiving import Bottle, Dispenser, Receipt, Station
from caseload.domain.stock.standing import Stock
from caseload.domain.stock.taking import From
from caseload.domain.stock.waste import Waste
from caseload.domain.stock.words import Cause, ReceiptKind, WasteKind
from tests.factories.window import MORNING, TODAY, Window, proof

SOLUTION = Made(medicine=Medicine.METHADONE, form=Form.ORAL_SOLUTION, strength_mg=Decimal(1))


@dataclass
class Storeroom:
    """The stock of a window's programme."""

    here: Window
    keeper: Staff
    """Begins the books: a pharmacist."""
    _labels: int = 0

    @property
    def acts(self) -> Acts:
        return Acts(self.here.connection)

    @property
    def books(self) -> Books:
        return Books(self.here.connection)

    async def begin(self, from_on: date = TODAY, *, now: datetime = MORNING) -> None:
        await receiving.begin_keeping(
            self.here.programme, from_on, by=self.keeper, now=now, books=self.books, journal=self.here.journal
        )

    async def station(self, name: str = "Window 1", *, now: datetime = MORNING) -> StationId:
        station = Station(id=StationId(new_id()), programme=self.here.programme, name=name)
        await receiving.open_station(station, by=self.keeper, now=now, books=self.books, journal=self.here.journal)
        return station.id

    async def bottle(self, amount_mg: str = "1000", *, made: Made = SOLUTION, now: datetime = MORNING) -> ContainerId:
        bottle = Bottle(
            id=ContainerId(new_id()),
            label=self._label(),
            made=made,
            lot="L-77",
            expires_on=date(2030, 1, 1),
            amount_mg=Decimal(amount_mg),
        )
        receipt = Receipt(
            id=ReceiptId(new_id()),
            programme=self.here.programme,
            kind=ReceiptKind.FIRST_INVENTORY,
            received_at=now,
            supplier_name="",
            supplier_address="",
            document="",
            bottles=[bottle],
        )
        await receiving.receive(receipt, by=self.keeper, now=now, books=self.books, journal=self.here.journal)
        return bottle.id

    async def dispenser(self, *, made: Made = SOLUTION, now: datetime = MORNING) -> ContainerId:
        dispenser = Dispenser(id=ContainerId(new_id()), programme=self.here.programme, label=self._label(), made=made)
        await receiving.add_dispenser(
            dispenser, by=self.here.nurse, now=now, books=self.books, journal=self.here.journal
        )
        return dispenser.id

    async def read(self, wanted: ContainerId) -> Container:
        return await self.acts.container(wanted, by=self.keeper, act=Act.SEE_STOCK)

    async def balance(self, wanted: ContainerId) -> Decimal:
        return (await self.read(wanted)).balance_mg

    async def use(self, wanted: ContainerId, station: StationId, *, now: datetime = MORNING) -> None:
        await moving.put_to_use(
            wanted,
            station,
            (await self.read(wanted)).version,
            by=self.here.nurse,
            now=now,
            movements=self.acts,
            journal=self.here.journal,
        )

    async def put_away(self, wanted: ContainerId, *, now: datetime) -> None:
        version = (await self.read(wanted)).version
        await moving.put_away(
            wanted, version, by=self.here.nurse, now=now, movements=self.acts, journal=self.here.journal
        )

    async def pour(self, source: ContainerId, target: ContainerId, amount_mg: str, *, now: datetime = MORNING) -> None:
        await moving.pour(
            source,
            (await self.read(source)).version,
            target,
            Decimal(amount_mg),
            as_id=PourId(new_id()),
            by=self.here.nurse,
            now=now,
            movements=self.acts,
            journal=self.here.journal,
        )

    async def close(self, wanted: ContainerId, *, now: datetime = MORNING) -> None:
        version = (await self.read(wanted)).version
        await moving.close(wanted, version, by=self.here.nurse, now=now, movements=self.acts, journal=self.here.journal)

    async def waste(self, wanted: ContainerId, amount_mg: str = "5", *, now: datetime = MORNING) -> Waste:
        return await waste.record_waste(
            wanted,
            WasteKind.SPILL,
            Decimal(amount_mg),
            "The cup fell.",
            now,
            as_id=WasteId(new_id()),
            by=self.here.nurse,
            now=now,
            wastes=self.acts,
            journal=self.here.journal,
        )

    async def witness(self, wanted: WasteId, *, by: Staff | None = None, now: datetime = MORNING) -> None:
        signer = by or self.here.colleague
        await waste.witness_waste(
            wanted, by=signer, proof=proof(signer, now), now=now, wastes=self.acts, journal=self.here.journal
        )

    async def withdraw(self, wanted: WasteId, *, now: datetime = MORNING) -> None:
        await waste.withdraw_waste(
            wanted, "A slip.", by=self.here.nurse, now=now, wastes=self.acts, journal=self.here.journal
        )

    async def count(self, wanted: ContainerId, counted_mg: str, *, now: datetime = MORNING) -> Count:
        seen = await self.read(wanted)
        differs = Decimal(counted_mg) != seen.balance_mg
        return await counting.count(
            wanted,
            seen.version,
            Found(
                counted_mg=Decimal(counted_mg),
                cause=Cause.MEASURING if differs else None,
                explanation="The measure." if differs else None,
            ),
            as_id=CountId(new_id()),
            by=self.here.nurse,
            proof=proof(self.here.nurse, now),
            now=now,
            counts=self.acts,
            journal=self.here.journal,
        )

    async def confirm(self, wanted: CountId, *, by: Staff | None = None, now: datetime = MORNING) -> None:
        signer = by or self.here.colleague
        await counting.confirm_count(
            wanted, by=signer, proof=proof(signer, now), now=now, counts=self.acts, journal=self.here.journal
        )

    async def whence(self, dose: Dose, *sources: tuple[ContainerId, str], now: datetime = MORNING) -> None:
        await taking.say_whence(
            dose.id,
            dose.version,
            [From(container=container, amount_mg=Decimal(amount)) for container, amount in sources],
            "Looked again.",
            by=self.here.nurse,
            now=now,
            doses=self.here.doses(now),
            takings=Takings(self.here.connection),
            journal=self.here.journal,
        )

    async def standing(self) -> Stock:
        return await standing_of(self.here.programme, acts=self.acts, journal=self.here.journal)

    def _label(self) -> str:
        self._labels += 1
        return f"B-{self._labels}"
