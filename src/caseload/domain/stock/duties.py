"""What the keeper of a stock owes the authorities: inventories in time, and word of every theft and loss.

Sources stand with each rule in the profile: 21 CFR 1304.11 (inventories), 1301.76(b) (theft and loss).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Final, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound
from caseload.domain.ids import ContainerId, CountId, InventoryId, LossId, ProgrammeId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.moments import check_year
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.programme import Programme
from caseload.domain.stock.container import rules_of
from caseload.domain.stock.words import LossKind, LossStep, Moment, check_amount, check_text

_SATURDAY: Final = 5


class NotAllCounted(Conflict):
    """Not everything has been counted by two people today."""

    def __init__(self, missing: Sequence[ContainerId]) -> None:
        super().__init__("Count these containers with a colleague first.", containers=[str(each) for each in missing])


class InventoryTaken(Conflict):
    """This inventory has been taken."""

    def __init__(self) -> None:
        super().__init__("There is one at the opening and one at the close of a day.")


class LossUnknown(NotFound):
    """There is no such loss within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the stock of the programme for its losses.")


class StepDone(Conflict):
    """That has been sent already, or nobody asks for it."""

    def __init__(self) -> None:
        super().__init__("Read the stock again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryKept(Event):
    """Everything was counted."""

    name: ClassVar[str] = "stock.inventory_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class LossReported(Event):
    """A theft or a loss was discovered."""

    name: ClassVar[str] = "stock.loss_reported"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorityTold(Event):
    """The authority was sent what it must be sent about a loss."""

    name: ClassVar[str] = "stock.authority_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything was counted on a day; each line is a count that two people signed."""

    id: InventoryId
    programme: ProgrammeId
    taken_on: date
    moment: Moment
    lines: Sequence[tuple[ContainerId, CountId]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """A theft or a loss, with its deadlines. What is missing leaves the books by a count, not by this."""

    id: LossId
    programme: ProgrammeId
    kind: LossKind
    what: str
    discovered_at: datetime
    container: ContainerId | None = None
    amount_mg: Decimal | None = None
    profile: str = ""
    profile_version: int = 0
    notice_by: date
    form_by: date | None
    """None where nobody asks for a form."""
    done: frozenset[LossStep] = frozenset()

    @property
    def to_do(self) -> Mapping[LossStep, date]:
        """What the authority has not been sent, and by when it must be."""
        asked = {LossStep.NOTICE: self.notice_by}
        if self.form_by is not None:
            asked[LossStep.FORM] = self.form_by
        return {step: by for step, by in asked.items() if step not in self.done}

    @property
    def is_done(self) -> bool:
        """Whether the authority has been sent everything."""
        return not self.to_do

    def is_late(self, day: date) -> bool:
        """Whether a deadline has passed and what it asks for has not been sent."""
        return any(by < day for by in self.to_do.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What somebody reports."""

    kind: LossKind
    what: str
    discovered_at: datetime
    container: ContainerId | None = None
    amount_mg: Decimal | None = None


class Duties(Protocol):
    """Where inventories and losses are kept."""

    async def programme(self, wanted: ProgrammeId, /) -> Programme:
        """The programme, or `ProgrammeUnknown`."""
        ...

    async def last_counts(
        self, programme: ProgrammeId, /
    ) -> Sequence[tuple[ContainerId, CountId | None, datetime | None]]:
        """Every open container, with its newest confirmed count and when that was made."""
        ...

    async def add_inventory(self, inventory: Inventory, /, *, by: StaffId, at: datetime) -> None:
        """Keep it; `InventoryTaken`."""
        ...

    async def add_loss(self, loss: Loss, /, *, by: StaffId, at: datetime) -> None:
        """Keep it; raises `Invalid` for a container that is not of the programme."""
        ...

    async def loss(self, wanted: LossId, /, *, by: Staff, act: Act) -> Loss:
        """One loss; raises `LossUnknown` outside the programmes where this person may act."""
        ...

    async def add_step(self, loss: Loss, step: LossStep, document: str, /, *, by: StaffId, at: datetime) -> None:
        """Keep what was sent; `StepDone`."""
        ...


async def take_inventory(
    programme: ProgrammeId,
    moment: Moment,
    *,
    as_id: InventoryId,
    by: Staff,
    now: datetime,
    duties: Duties,
    journal: Journal,
) -> Inventory:
    """State that everything was counted today; every open container has a count of today that two people signed.

    Raises `ProgrammeUnknown`, `NotPermitted`, `NotAllCounted`, `InventoryTaken`.
    """
    found = await duties.programme(programme)
    by.require(Act.COUNT_STOCK, programme)
    today = found.today(now)
    counts = await duties.last_counts(programme)
    lines = [
        (container, count)
        for container, count, at in counts
        if count is not None and at is not None and found.today(at) == today
    ]
    missing = {container for container, _, _ in counts} - {container for container, _ in lines}
    if missing:
        raise NotAllCounted(sorted(missing))
    inventory = Inventory(id=as_id, programme=programme, taken_on=today, moment=moment, lines=lines)
    await duties.add_inventory(inventory, by=by.id, at=now)
    journal.tell(InventoryKept(records=(inventory.id,), facts={"programme": str(programme), "containers": len(lines)}))
    return inventory


def inventory_due(kept_from: date, last: date | None, rules: Profile) -> date:
    """By when everything must have been counted again; the first time on the day on which the books begin."""
    return kept_from if last is None else last + timedelta(days=rules.stock.inventory.every_days)


async def report_loss(
    what: Discovered,
    programme: ProgrammeId,
    *,
    as_id: LossId,
    by: Staff,
    now: datetime,
    duties: Duties,
    journal: Journal,
) -> Loss:
    """Report a theft or a loss; the profile says by when the authority is told. Raises `NotPermitted`, `Invalid`."""
    found = await duties.programme(programme)
    by.require(Act.KEEP_STOCK, programme)
    faults = Faults()
    check_text(what.what, "what", faults)
    faults.check(when=what.discovered_at > now, where="discovered_at", problem="must not lie in the future")
    check_year(what.discovered_at, faults, "discovered_at")
    if what.amount_mg is not None:
        check_amount(what.amount_mg, "amount_mg", faults)
    faults.raise_if_any()
    rules = rules_of(found, what.discovered_at)
    discovered_on = found.today(what.discovered_at)
    asked = rules.stock.loss
    loss = Loss(
        id=as_id,
        programme=programme,
        kind=what.kind,
        what=what.what,
        discovered_at=what.discovered_at,
        container=what.container,
        amount_mg=what.amount_mg,
        profile=rules.profile,
        profile_version=rules.version,
        notice_by=business_days_after(discovered_on, asked.notice_business_days),
        form_by=None if asked.form_days is None else discovered_on + timedelta(days=asked.form_days),
    )
    await duties.add_loss(loss, by=by.id, at=now)
    journal.tell(LossReported(records=(loss.id,), facts={"programme": str(programme), "rule": asked.rule}))
    return loss


async def tell_authority(
    wanted: LossId, step: LossStep, document: str, *, by: Staff, now: datetime, duties: Duties, journal: Journal
) -> None:
    """Record that the authority was sent its notice or its form. Raises `Invalid`, `LossUnknown`, `StepDone`."""
    faults = Faults()
    check_text(document, "document", faults)
    faults.raise_if_any()
    loss = await duties.loss(wanted, by=by, act=Act.KEEP_STOCK)
    if step not in loss.to_do:
        raise StepDone
    await duties.add_step(loss, step, document, by=by.id, at=now)
    journal.tell(AuthorityTold(records=(loss.id,), facts={"programme": str(loss.programme), "step": step}))


def business_days_after(day: date, days: int) -> date:
    """So many weekdays after a day. Holidays count as business days, so that no deadline is shown too late."""
    while days:
        day += timedelta(days=1)
        days -= day.weekday() < _SATURDAY
    return day
