"""The stock of a programme, told: the books begin, dispensers are filled and counted, something is spilled.

One programme of the demo keeps none with us, as many clinics do: its doses are recorded all the same.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from caseload.db.stock.acts import Acts
from caseload.db.stock.books import Books
from caseload.demo.cast import BANKSIA
from caseload.demo.telling.stage import Stage
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, CountId, PourId, ReceiptId, StationId, WasteId, new_id
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.stock.container import Container, Made
from caseload.domain.stock.count import Found, confirm_count, count
from caseload.domain.stock.moving import close, pour, put_away, put_to_use
from caseload.domain.stock.receiving import (
    Bottle,
    Dispenser,
    Receipt,
    Station,
    add_dispenser,
    begin_keeping,
    open_station,
    receive,
)
from caseload.domain.stock.waste import Waste, record_waste, witness_waste
from caseload.domain.stock.words import Cause, ReceiptKind, WasteKind
from caseload.request.work import Work

BEGAN_DAYS_AGO: Final = 14
A_WEEK: Final = 7
FILLINGS: Final = frozenset({BEGAN_DAYS_AGO, BEGAN_DAYS_AGO - A_WEEK})
SOLUTION: Final = Made(medicine=Medicine.METHADONE, form=Form.ORAL_SOLUTION, strength_mg=Decimal(5))
FILMS: Final = Made(medicine=Medicine.BUPRENORPHINE_NALOXONE, form=Form.SUBLINGUAL_FILM, strength_mg=Decimal(8))
INJECTIONS: Final = Made(
    medicine=Medicine.BUPRENORPHINE, form=Form.EXTENDED_RELEASE_INJECTION, strength_mg=Decimal(128)
)
BOTTLE_MG: Final = Decimal(5000)
BOTTLES: Final = 5
"""As many are poured into one filling of the dispenser."""
_SHELF_LIFE: Final = timedelta(days=540)


@dataclass(slots=True, kw_only=True)
class Stockroom:
    """The stock room of one programme, within one piece of work."""

    stage: Stage
    work: Work
    station: StationId | None = None
    pump: ContainerId | None = None
    bottles: int = 0

    @property
    def _acts(self) -> Acts:
        return Acts(self.work.connection)

    @property
    def _books(self) -> Books:
        return Books(self.work.connection)

    async def morning(self, ago: int) -> None:
        """Before the window opens."""
        if self.stage.programme.code == BANKSIA:
            return
        if ago == BEGAN_DAYS_AGO:
            await self._begin(self.stage.moment(ago, 5, 30))
        if ago in FILLINGS and self.station is not None:
            await self._fill(ago)

    async def evening(self, ago: int) -> None:
        """After it has closed: what was spilled, and a count that waits for its second person."""
        if self.pump is None or self.station is None:
            return
        nurse, other = self.stage.team.nurses[:2]
        if ago == 2:
            spilled = await self._spill(nurse, "The cup fell; wiped up.", self.stage.moment(ago, 19))
            await witness_waste(
                spilled.id,
                by=other,
                proof=self.stage.proof(other, self.stage.moment(ago, 19, 10)),
                now=self.stage.moment(ago, 19, 10),
                wastes=self._acts,
                journal=self.work.journal,
            )
        elif ago == 1:
            await self._spill(other, "The last drops in the measure.", self.stage.moment(ago, 19))
            await self._count(self.pump, nurse, Decimal(-3), self.stage.moment(ago, 19, 30))

    async def _begin(self, now: datetime) -> None:
        stage, programme = self.stage, self.stage.programme
        await begin_keeping(
            programme.id,
            programme.today(now),
            by=stage.team.director,
            now=now,
            books=self._books,
            journal=self.work.journal,
        )
        station = Station(id=StationId(new_id()), programme=programme.id, name="Window 1")
        await open_station(station, by=stage.team.director, now=now, books=self._books, journal=self.work.journal)
        self.station = station.id
        boxes = await self._receive(
            ReceiptKind.FIRST_INVENTORY, [(FILMS, Decimal(40_000)), (INJECTIONS, Decimal(5120))], now
        )
        for box in boxes:
            await self._use(box, now)

    async def _fill(self, ago: int) -> None:
        """Count, empty and close the last filling; receive, pour and put to use the next one."""
        now = self.stage.moment(ago, 5, 45)
        if self.pump is not None:
            await self._empty(self.pump, now)
        bottles = await self._receive(ReceiptKind.DELIVERY, [(SOLUTION, BOTTLE_MG)] * (BOTTLES + 1), now)
        nurse = self.stage.team.nurses[0]
        dispenser = Dispenser(
            id=ContainerId(new_id()),
            programme=self.stage.programme.id,
            label=f"Pump 1, filled {self.stage.day(ago)}",
            made=SOLUTION,
        )
        await add_dispenser(dispenser, by=nurse, now=now, books=self._books, journal=self.work.journal)
        for bottle in bottles[:BOTTLES]:
            await pour(
                bottle,
                (await self._read(bottle)).version,
                dispenser.id,
                BOTTLE_MG,
                as_id=PourId(new_id()),
                by=nurse,
                now=now,
                movements=self._acts,
                journal=self.work.journal,
            )
            await self._close(bottle, now)
        await self._use(dispenser.id, now)
        self.pump = dispenser.id

    async def _empty(self, pump: ContainerId, now: datetime) -> None:
        nurse, other = self.stage.team.nurses[:2]
        found = await self._count(pump, nurse, Decimal("-2.5"), now)
        await confirm_count(
            found, by=other, proof=self.stage.proof(other, now), now=now, counts=self._acts, journal=self.work.journal
        )
        version = (await self._read(pump)).version
        await put_away(pump, version, by=nurse, now=now, movements=self._acts, journal=self.work.journal)
        left = (await self._read(pump)).balance_mg
        if left > 0:
            waste = await self._waste(pump, WasteKind.LEFT_OVER, left, nurse, "Left in the pump before cleaning.", now)
            await witness_waste(
                waste.id,
                by=other,
                proof=self.stage.proof(other, now),
                now=now,
                wastes=self._acts,
                journal=self.work.journal,
            )
        if left >= 0:
            await self._close(pump, now)

    async def _receive(self, kind: ReceiptKind, what: list[tuple[Made, Decimal]], now: datetime) -> list[ContainerId]:
        bottles: list[Bottle] = []
        for made, amount in what:
            self.bottles += 1
            bottles.append(
                Bottle(
                    id=ContainerId(new_id()),
                    label=f"{self.stage.programme.code}-{self.bottles:03}",
                    made=made,
                    lot=f"DEMO-{self.bottles // 6 + 41}",
                    expires_on=(now + _SHELF_LIFE).date(),
                    amount_mg=amount,
                )
            )
        receipt = Receipt(
            id=ReceiptId(new_id()),
            programme=self.stage.programme.id,
            kind=kind,
            received_at=now,
            supplier_name="Demo Wholesale" if kind is ReceiptKind.DELIVERY else "",
            supplier_address="1 Example Quay" if kind is ReceiptKind.DELIVERY else "",
            document=f"DEMO-{now:%m%d}",
            bottles=bottles,
        )
        await receive(receipt, by=self.stage.team.director, now=now, books=self._books, journal=self.work.journal)
        return [bottle.id for bottle in bottles]

    async def _spill(self, by: Staff, reason: str, now: datetime) -> Waste:
        if self.pump is None:
            message = "nothing has been filled yet"
            raise RuntimeError(message)
        return await self._waste(self.pump, WasteKind.SPILL, Decimal(20), by, reason, now)

    async def _waste(
        self, container: ContainerId, kind: WasteKind, amount: Decimal, by: Staff, reason: str, now: datetime
    ) -> Waste:
        return await record_waste(
            container,
            kind,
            amount,
            reason,
            now,
            as_id=WasteId(new_id()),
            by=by,
            now=now,
            wastes=self._acts,
            journal=self.work.journal,
        )

    async def _count(self, container: ContainerId, by: Staff, found: Decimal, now: datetime) -> CountId:
        """Count so much more or less than the books have; an empty one is empty."""
        seen = await self._read(container)
        counted = max(seen.balance_mg + found, Decimal(0))
        differs = counted != seen.balance_mg
        made = await count(
            container,
            seen.version,
            Found(
                counted_mg=counted,
                cause=Cause.MEASURING if differs else None,
                explanation="Within what the measure can tell." if differs else None,
            ),
            as_id=CountId(new_id()),
            by=by,
            proof=self.stage.proof(by, now),
            now=now,
            counts=self._acts,
            journal=self.work.journal,
        )
        return made.id

    async def _use(self, container: ContainerId, now: datetime) -> None:
        if self.station is not None:
            await put_to_use(
                container,
                self.station,
                (await self._read(container)).version,
                by=self.stage.team.nurses[0],
                now=now,
                movements=self._acts,
                journal=self.work.journal,
            )

    async def _close(self, container: ContainerId, now: datetime) -> None:
        version = (await self._read(container)).version
        nurse = self.stage.team.nurses[0]
        await close(container, version, by=nurse, now=now, movements=self._acts, journal=self.work.journal)

    async def _read(self, wanted: ContainerId) -> Container:
        return await self._acts.container(wanted, by=self.stage.team.nurses[0], act=Act.SEE_STOCK)
