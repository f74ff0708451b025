"""Containers: bottles and fillings of a dispenser, what is in them by the books, and where they are in use."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ContainerId, ProgrammeId, ReceiptId, StaffId, StationId
from caseload.domain.medicines import Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.programme import Programme
from caseload.domain.stock.words import ContainerKind


class ContainerUnknown(NotFound):
    """There is no such container within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the stock of the programme and use one of its containers.")


class ContainerClosed(Conflict):
    """The container is closed."""

    def __init__(self) -> None:
        super().__init__("Use another one.")


class ContainerMoved(Conflict):
    """Something was taken from the container, or put into it, since you looked."""


class ContainerExpired(Conflict):
    """The container has expired."""

    def __init__(self) -> None:
        super().__init__("Nothing of it may be given. Put it away, waste it with a witness, and use another one.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a container holds: two with the same may be poured together."""

    medicine: Medicine
    form: Form
    strength_mg: Decimal
    """Milligrams in one millilitre, tablet or film."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A bottle or a filling of a dispenser, as the books say now."""

    id: ContainerId
    programme: ProgrammeId
    kind: ContainerKind
    label: str
    made: Made
    lot: str | None
    expires_on: date | None
    """None for a dispenser; what was poured into it has its own."""
    receipt: ReceiptId | None
    received_mg: Decimal | None
    closed_at: datetime | None
    station: StationId | None
    """The station that uses it now."""
    balance_mg: Decimal
    """The sum of everything that came and went: below zero is a discrepancy to explain."""
    version: int
    """The number of its acts; each changes what may be done with it next."""

    def is_expired(self, day: date) -> bool:
        """Whether its last day is over."""
        return self.expires_on is not None and self.expires_on < day


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A station begins to take its doses from a container."""

    container: Container
    station: StationId
    since: datetime
    by: StaffId


class Containers(Protocol):
    """The containers that are kept, and the programmes whose they are."""

    async def container(self, wanted: ContainerId, /, *, by: Staff, act: Act) -> Container:
        """One container as it is now; raises `ContainerUnknown` outside the programmes where this person may act."""
        ...

    async def lock_containers(self, wanted: tuple[ContainerId, ...], /) -> None:
        """Lock them until the end of the work: every act under way is waited for, none can begin."""
        ...

    async def programme(self, wanted: ProgrammeId, /) -> Programme:
        """The programme, or `ProgrammeUnknown`."""
        ...


async def held_still(
    wanted: ContainerId, *, by: Staff, act: Act, containers: Containers, version: int | None = None
) -> Container:
    """The container as it stands once it is locked; raises `ContainerUnknown`, `ContainerClosed`, `ContainerMoved`."""
    await containers.container(wanted, by=by, act=act)
    await containers.lock_containers((wanted,))
    container = await containers.container(wanted, by=by, act=act)
    require_unmoved(container, version)
    return container


def require_unmoved(container: Container, version: int | None) -> None:
    """Raise `ContainerClosed`, or `ContainerMoved` unless it is the version that was read."""
    if container.closed_at is not None:
        raise ContainerClosed
    if version is not None and container.version != version:
        raise ContainerMoved("Read it again; what you saw is no longer so.", version=container.version)


def rules_of(programme: Programme, now: datetime) -> Profile:
    """The rules in force in a programme today."""
    return programme.rules_on(programme.today(now))
