"""Where medicine is: put to use at a station, put away, poured into a dispenser, closed when nothing is left.

What is about to be done with a container can be refused; what a dose has taken never is (decision 0306).
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import ContainerId, PourId, StaffId, StationId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.stock.container import (
    Container,
    ContainerExpired,
    Containers,
    Use,
    held_still,
    require_unmoved,
)
from caseload.domain.stock.words import ContainerKind, check_amount


class StationUnknown(NotFound):
    """There is no such station in this programme."""

    def __init__(self) -> None:
        super().__init__("Read the stock of the programme for its stations.")


class InUse(Conflict):
    """The container is in use, or the station uses another one of the same."""

    def __init__(self) -> None:
        super().__init__("Put it away first.")


class NotInUse(Conflict):
    """No station uses this container."""

    def __init__(self) -> None:
        super().__init__("There is nothing to put away.")


class NotThatMuch(Conflict):
    """By the books there is not that much in it."""

    def __init__(self, balance_mg: Decimal) -> None:
        super().__init__("Count it with a colleague first: the books may be wrong.", balance_mg=f"{balance_mg:f}")


class NotEmpty(Conflict):
    """By the books something is left in it."""

    def __init__(self, balance_mg: Decimal) -> None:
        super().__init__(
            "Waste what is left with a witness, or count it with a colleague and explain the difference.",
            balance_mg=f"{balance_mg:f}",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PutToUse(Event):
    """A station takes its doses from a container from now on."""

    name: ClassVar[str] = "stock.put_to_use"


@dataclass(frozen=True, slots=True, kw_only=True)
class PutAway(Event):
    """A container went back to the safe."""

    name: ClassVar[str] = "stock.put_away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Poured(Event):
    """Medicine went from one container into another."""

    name: ClassVar[str] = "stock.poured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed(Event):
    """A container is empty and out of the books."""

    name: ClassVar[str] = "stock.container_closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pour:
    """Medicine poured from one container into another that holds the same."""

    id: PourId
    source: Container
    target: Container
    amount_mg: Decimal
    poured_at: datetime
    by: StaffId


class Movements(Containers, Protocol):
    """Where what happens to containers is kept."""

    async def add_use(self, use: Use, /) -> None:
        """Keep it; `StationUnknown`, `InUse`."""
        ...

    async def end_use(self, container: ContainerId, /, *, by: StaffId, at: datetime) -> None:
        """End the use of a container that is running."""
        ...

    async def add_pour(self, pour: Pour, /) -> None:
        """Keep it."""
        ...

    async def close(self, container: ContainerId, /, *, by: StaffId, at: datetime) -> None:
        """Close it for good."""
        ...


async def put_to_use(
    wanted: ContainerId,
    station: StationId,
    version: int,
    *,
    by: Staff,
    now: datetime,
    movements: Movements,
    journal: Journal,
) -> None:
    """Let a station take its doses from this container, until it is put away.

    Raises `ContainerUnknown`, `ContainerClosed`, `ContainerMoved`, `ContainerExpired`, `StationUnknown`, `InUse`.
    """
    container = await held_still(wanted, by=by, act=Act.POUR_STOCK, containers=movements, version=version)
    await _require_not_expired(container, now, movements)
    await movements.add_use(Use(container=container, station=station, since=now, by=by.id))
    journal.tell(PutToUse(records=(container.id, station), facts={"programme": str(container.programme)}))


async def put_away(
    wanted: ContainerId, version: int, *, by: Staff, now: datetime, movements: Movements, journal: Journal
) -> None:
    """End the use of a container. Raises `ContainerUnknown`, `ContainerClosed`, `ContainerMoved`, `NotInUse`."""
    container = await held_still(wanted, by=by, act=Act.POUR_STOCK, containers=movements, version=version)
    if container.station is None:
        raise NotInUse
    await movements.end_use(container.id, by=by.id, at=now)
    journal.tell(PutAway(records=(container.id, container.station), facts={"programme": str(container.programme)}))


async def pour(
    source: ContainerId,
    version: int,
    target: ContainerId,
    amount_mg: Decimal,
    *,
    as_id: PourId,
    by: Staff,
    now: datetime,
    movements: Movements,
    journal: Journal,
) -> Pour:
    """Pour from a container, as it was read, into a dispenser that holds the same.

    Raises `Invalid`, `ContainerUnknown`, `ContainerClosed`, `ContainerMoved`, `ContainerExpired`, `NotThatMuch`.
    """
    faults = Faults()
    check_amount(amount_mg, "amount_mg", faults)
    faults.raise_if_any()
    for each in (source, target):
        await movements.container(each, by=by, act=Act.POUR_STOCK)
    await movements.lock_containers((source, target))
    poured_from = await movements.container(source, by=by, act=Act.POUR_STOCK)
    poured_into = await movements.container(target, by=by, act=Act.POUR_STOCK)
    require_unmoved(poured_from, version)
    require_unmoved(poured_into, None)
    same = (poured_from.programme, poured_from.made) == (poured_into.programme, poured_into.made)
    if not same or source == target or poured_into.kind is not ContainerKind.DISPENSER:
        raise Invalid(Fault("target_id", "must be a dispenser of the same programme, medicine, form and strength"))
    await _require_not_expired(poured_from, now, movements)
    if amount_mg > poured_from.balance_mg:
        raise NotThatMuch(poured_from.balance_mg)
    made = Pour(id=as_id, source=poured_from, target=poured_into, amount_mg=amount_mg, poured_at=now, by=by.id)
    await movements.add_pour(made)
    journal.tell(Poured(records=(made.id, source, target), facts={"programme": str(poured_from.programme)}))
    return made


async def close(
    wanted: ContainerId, version: int, *, by: Staff, now: datetime, movements: Movements, journal: Journal
) -> None:
    """Close a container in which nothing is left.

    Raises `ContainerUnknown`, `ContainerClosed`, `ContainerMoved`, `InUse`, `NotEmpty`.
    """
    container = await held_still(wanted, by=by, act=Act.POUR_STOCK, containers=movements, version=version)
    if container.station is not None:
        raise InUse
    if container.balance_mg != 0:
        raise NotEmpty(container.balance_mg)
    await movements.close(container.id, by=by.id, at=now)
    journal.tell(Closed(records=(container.id,), facts={"programme": str(container.programme)}))


async def _require_not_expired(container: Container, now: datetime, containers: Containers) -> None:
    programme = await containers.programme(container.programme)
    if container.is_expired(programme.today(now)):
        raise ContainerExpired
