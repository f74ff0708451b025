"""How medicine comes into the books: the day on which they begin, stations, receipts and dispensers.

Sources: 21 CFR 1304.11(b) (first inventory), 1304.22 (records of receipt); Misuse of Drugs Regulations 2001, regulation
19 (date, supplier's name and address, quantity).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults
from caseload.domain.ids import ContainerId, ProgrammeId, ReceiptId, StaffId, StationId
from caseload.domain.journal import Event, Journal
from caseload.domain.medicines import FORMS, check_milligrams
from caseload.domain.moments import check_year
from caseload.domain.people import Staff
from caseload.domain.programme import Programme
from caseload.domain.stock.container import Made
from caseload.domain.stock.words import ReceiptKind, check_amount, check_text

LONGEST_LABEL: Final = 60
MOST_BOTTLES: Final = 200


class StockNotKept(Conflict):
    """This programme keeps no stock with us."""

    def __init__(self) -> None:
        super().__init__(
            "Let a pharmacist or the medical director begin the books, with the day from which they count."
        )


class StockKeptAlready(Conflict):
    """This programme keeps its stock with us already."""

    def __init__(self) -> None:
        super().__init__("There is nothing to begin.")


class DosesOfThatDay(Conflict):
    """Doses of that day are recorded already."""

    def __init__(self) -> None:
        super().__init__("Begin the books on a day of which no dose is recorded yet, such as tomorrow.")


class NameTaken(Conflict):
    """There is one of this name in the programme already."""

    def __init__(self) -> None:
        super().__init__("Choose another name: it must say which one it is.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StockBegun(Event):
    """A programme keeps its stock with us from a day on."""

    name: ClassVar[str] = "stock.begun"


@dataclass(frozen=True, slots=True, kw_only=True)
class StationOpened(Event):
    """A place where doses are given."""

    name: ClassVar[str] = "stock.station_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class StockReceived(Event):
    """Medicine came into the books."""

    name: ClassVar[str] = "stock.received"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispenserAdded(Event):
    """A dispenser stands ready to be filled."""

    name: ClassVar[str] = "stock.dispenser_added"


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place where doses are given."""

    id: StationId
    programme: ProgrammeId
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bottle:
    """A bottle as it came."""

    id: ContainerId
    label: str
    """The clinic's own number, as it is written on the bottle."""
    made: Made
    lot: str
    expires_on: date
    amount_mg: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A delivery, or what was there when the books were opened."""

    id: ReceiptId
    programme: ProgrammeId
    kind: ReceiptKind
    received_at: datetime
    supplier_name: str
    supplier_address: str
    document: str
    """The number of the invoice, the order form or the count."""
    bottles: Sequence[Bottle]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispenser:
    """One filling of a dispenser, from empty to empty."""

    id: ContainerId
    programme: ProgrammeId
    label: str
    made: Made


class Books(Protocol):
    """What the stock of a programme is kept in."""

    async def programme(self, wanted: ProgrammeId, /) -> Programme:
        """The programme, or `ProgrammeUnknown`."""
        ...

    async def kept_from(self, programme: ProgrammeId, /) -> date | None:
        """The first dosing day that counts; None where no stock is kept."""
        ...

    async def add_keeping(self, programme: ProgrammeId, from_on: date, /, *, by: StaffId, at: datetime) -> None:
        """Begin the books; `StockKeptAlready`, `DosesOfThatDay`."""
        ...

    async def add_station(self, station: Station, /, *, by: StaffId, at: datetime) -> None:
        """Keep it; `NameTaken`."""
        ...

    async def add_receipt(self, receipt: Receipt, /, *, by: StaffId, at: datetime) -> None:
        """Keep it with its bottles; `NameTaken`."""
        ...

    async def add_dispenser(self, dispenser: Dispenser, /, *, by: StaffId, at: datetime) -> None:
        """Keep it; `NameTaken`."""
        ...


async def begin_keeping(
    programme: ProgrammeId, from_on: date, *, by: Staff, now: datetime, books: Books, journal: Journal
) -> None:
    """Keep the stock of a programme from a dosing day on: each dose from then on takes from it.

    Raises `ProgrammeUnknown`, `NotPermitted`, `Invalid`, `StockKeptAlready`, `DosesOfThatDay`.
    """
    found = await books.programme(programme)
    by.require(Act.KEEP_STOCK, programme)
    faults = Faults()
    faults.check(when=from_on < found.today(now), where="from_on", problem="must be today or later")
    faults.raise_if_any()
    await books.add_keeping(programme, from_on, by=by.id, at=now)
    journal.tell(StockBegun(records=(programme,), facts={"programme": str(programme), "from": from_on.isoformat()}))


async def open_station(station: Station, *, by: Staff, now: datetime, books: Books, journal: Journal) -> None:
    """Name a place where doses are given. Raises `NotPermitted`, `Invalid`, `StockNotKept`, `NameTaken`."""
    by.require(Act.KEEP_STOCK, station.programme)
    faults = Faults()
    check_text(station.name, "name", faults, most=LONGEST_LABEL)
    faults.raise_if_any()
    await _require_kept(station.programme, books)
    await books.add_station(station, by=by.id, at=now)
    journal.tell(StationOpened(records=(station.id,), facts={"programme": str(station.programme)}))


async def receive(receipt: Receipt, *, by: Staff, now: datetime, books: Books, journal: Journal) -> None:
    """Put a delivery, or what was there at the beginning, into the books.

    Raises `NotPermitted`, `Invalid` with every fault, `StockNotKept`, `NameTaken`.
    """
    by.require(Act.RECEIVE_STOCK, receipt.programme)
    programme = await books.programme(receipt.programme)
    faults = Faults()
    check_year(receipt.received_at, faults, "received_at")
    faults.raise_if_any()
    faults.check(when=receipt.received_at > now, where="received_at", problem="must not lie in the future")
    if receipt.kind is ReceiptKind.DELIVERY:
        check_text(receipt.supplier_name, "supplier_name", faults)
        check_text(receipt.supplier_address, "supplier_address", faults)
    faults.check(
        when=not 1 <= len(receipt.bottles) <= MOST_BOTTLES,
        where="bottles",
        problem=f"name 1 to {MOST_BOTTLES} bottles",
    )
    labels = [bottle.label for bottle in receipt.bottles]
    faults.check(when=len(set(labels)) != len(labels), where="bottles", problem="each bottle needs a label of its own")
    arrived = receipt.received_at.astimezone(programme.zone).date()
    for place, bottle in enumerate(receipt.bottles):
        where = f"bottles.{place}"
        _check_made(bottle.label, bottle.made, where, faults)
        check_text(bottle.lot, f"{where}.lot", faults, most=LONGEST_LABEL)
        check_amount(bottle.amount_mg, f"{where}.amount_mg", faults)
        faults.check(
            when=receipt.kind is ReceiptKind.DELIVERY and bottle.expires_on < arrived,
            where=f"{where}.expires_on",
            problem="had expired when it came: send it back",
        )
    faults.raise_if_any()
    await _require_kept(receipt.programme, books)
    await books.add_receipt(receipt, by=by.id, at=now)
    journal.tell(
        StockReceived(
            records=(receipt.id, *(bottle.id for bottle in receipt.bottles)),
            facts={"programme": str(receipt.programme), "kind": receipt.kind, "bottles": len(receipt.bottles)},
        )
    )


async def add_dispenser(dispenser: Dispenser, *, by: Staff, now: datetime, books: Books, journal: Journal) -> None:
    """Begin a filling of a dispenser; it is empty. Raises `NotPermitted`, `Invalid`, `StockNotKept`, `NameTaken`."""
    by.require(Act.POUR_STOCK, dispenser.programme)
    faults = Faults()
    _check_made(dispenser.label, dispenser.made, "", faults)
    faults.raise_if_any()
    await _require_kept(dispenser.programme, books)
    await books.add_dispenser(dispenser, by=by.id, at=now)
    journal.tell(DispenserAdded(records=(dispenser.id,), facts={"programme": str(dispenser.programme)}))


async def _require_kept(programme: ProgrammeId, books: Books) -> None:
    if await books.kept_from(programme) is None:
        raise StockNotKept


def _check_made(label: str, made: Made, where: str, faults: Faults) -> None:
    place = f"{where}." if where else ""
    check_text(label, f"{place}label", faults, most=LONGEST_LABEL)
    check_milligrams(made.strength_mg, f"{place}strength_mg", faults)
    faults.check(
        when=made.form not in FORMS[made.medicine],
        where=f"{place}form",
        problem=f"{made.medicine} is not made so; choose one of {', '.join(sorted(FORMS[made.medicine]))}",
    )
