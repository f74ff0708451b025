"""Orders: a prescriber's instruction who gets what, how much, in which parts of which days, from when to when.

An order is immutable once signed; a change is a new order that replaces it and keeps the chain. Order, administration
and dispense are three different records (FHIR R4 MedicationRequest, MedicationAdministration, MedicationDispense).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, NotFound
from caseload.domain.ids import ClientId, OrderId, ProgrammeId, StaffId
from caseload.domain.medication.beside import Acting
from caseload.domain.medication.ordered import Confirmed, Standing, Step, Supply
from caseload.domain.medication.record import MedicationRecords
from caseload.domain.medicines import DosePart, Form, Medicine
from caseload.domain.people import Staff
from caseload.domain.signature import Signature, Signatures, Subject, Version
from caseload.domain.zones import zone_of


class OrderUnknown(NotFound):
    """There is no such order within your reach."""


class ClientHasDied(Conflict):
    """This client has been reported dead: no order is written."""


class OrderMoved(Conflict):
    """The order has been signed, stopped or replaced since you read it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One order, with what has happened to it since it was written."""

    id: OrderId
    chain: OrderId
    """The first order of the chain of replacements."""
    version: int
    replaces: OrderId | None
    client: ClientId
    programme: ProgrammeId
    medicine: Medicine
    form: Form
    strength_mg: Decimal
    amounts_mg: Mapping[DosePart, Decimal]
    every_days: int
    starts_on: date
    ends_on: date | None
    supervised: bool
    note: str
    written_by: StaffId
    written_at: datetime
    signed_at: datetime | None = None
    stopped_at: datetime | None = None
    replaced_by: OrderId | None = None
    replaced_at: datetime | None = None
    """When the order that replaces this one was signed."""
    replaced_from: date | None = None
    """The first day of the order that replaces this one."""
    product: str | None = None
    """The product of the catalogue; None for a strength that it does not list."""
    supply: Supply = Supply.WINDOW
    steps: tuple[Step, ...] = ()
    """What is ordered from later days on, in their order; `amounts_mg` is what its first day orders."""
    verbal_by: StaffId | None = None
    """The prescriber whose spoken word it was, read back by whoever wrote it down."""
    countersign_by: datetime | None = None
    """Until when a verbal order counts without that prescriber's signature."""
    confirmed: tuple[Confirmed, ...] = ()
    """What the profile asked before it was signed, with the reasons that were given."""
    rapid_start: bool = False
    """Of an injection: the second one may come from the product's earlier day."""
    last_opioid_on: date | None = None
    """Of naltrexone: when the client last used an opioid that is in no record of ours."""
    no_opioid_known: str | None = None
    """Of naltrexone: why none is known."""
    beside: OrderId | None = None
    """The order of another medicine, in another part of the same days, beside which this one was written."""

    @property
    def counts(self) -> bool:
        """Whether anything may be given under it: it was signed, or spoken and taken down."""
        return self.signed_at is not None or self.verbal_by is not None

    def is_overdue(self, at: datetime) -> bool:
        """Whether at that moment a verbal order's deadline had passed and its prescriber had not signed."""
        unsigned = self.signed_at is None or self.signed_at > at
        return self.countersign_by is not None and unsigned and at > self.countersign_by

    def known_at(self, at: datetime) -> "Order":
        """The order as it stood at a moment: what was signed, stopped or replaced later is taken off again."""
        order = self
        if order.signed_at is None or order.signed_at > at:
            order = replace(order, signed_at=None, confirmed=())
        if order.stopped_at is not None and order.stopped_at > at:
            order = replace(order, stopped_at=None)
        if order.replaced_at is not None and order.replaced_at > at:
            order = replace(order, replaced_by=None, replaced_at=None, replaced_from=None)
        return order

    def standing(self, day: date, at: datetime) -> Standing:
        """How the order stands for a dosing day at a moment: what was signed, stopped or replaced later does not count.

        A stop counts from its moment on; a replacement from the first day of the new order.
        """
        counts_from = self.signed_at if self.verbal_by is None else self.written_at
        if counts_from is None or counts_from > at:
            return Standing.DRAFT
        if self.stopped_at is not None and self.stopped_at <= at:
            return Standing.STOPPED
        if self.is_replaced(day, at):
            return Standing.REPLACED
        if day < self.starts_on:
            return Standing.NOT_BEGUN
        if self.ends_on is not None and day > self.ends_on:
            return Standing.ENDED
        return Standing.IN_FORCE

    def is_replaced(self, day: date, at: datetime) -> bool:
        """Whether another order had taken this one's place on that day, as known at that moment."""
        return (
            self.replaced_at is not None
            and self.replaced_at <= at
            and self.replaced_from is not None
            and self.replaced_from <= day
        )

    def is_scheduled(self, day: date) -> bool:
        """Whether the order asks for a dose on this day, counted every so many days from its first."""
        return (day - self.starts_on).days % self.every_days == 0

    def covers(self, day: date, zone: str) -> bool:
        """Whether the order was in force through a local day: signed by its end, and not stopped until then."""
        ends = datetime(day.year, day.month, day.day, tzinfo=zone_of(zone)) + timedelta(days=1)
        return self.standing(day, ends) is Standing.IN_FORCE

    def last_day(self, zone: str) -> date | None:
        """The last day on which it is in force, as known now; None while it stays open.

        A day on which it was stopped or replaced is no longer its own.
        """
        ends = [self.ends_on] if self.ends_on is not None else []
        if self.replaced_from is not None:
            ends.append(self.replaced_from - timedelta(days=1))
        if self.stopped_at is not None:
            ends.append(self.stopped_at.astimezone(zone_of(zone)).date() - timedelta(days=1))
        return min(ends, default=None)

    @property
    def first_step(self) -> Step:
        """What its first day orders."""
        return Step(from_on=self.starts_on, amounts_mg=self.amounts_mg)

    def total_on(self, day: date) -> Decimal:
        """All parts of a day together, as the steps are written."""
        reached = [step for step in self.steps if step.from_on <= day]
        return (reached[-1] if reached else self.first_step).total_mg

    def turns(self, zone: str) -> Sequence[date]:
        """The days on which what it orders may change: its first, those of its steps, and the one after its last."""
        last = self.last_day(zone)
        days = [self.starts_on, *(step.from_on for step in self.steps if last is None or step.from_on <= last)]
        return days if last is None else [*days, last + timedelta(days=1)]

    def overlaps(self, other_starts_on: date, other_ends_on: date | None) -> bool:
        """Whether both would be in force on some day, were neither stopped."""
        last = self.ends_on
        if self.replaced_from is not None:
            before = self.replaced_from - timedelta(days=1)
            last = before if last is None else min(last, before)
        return (other_ends_on is None or self.starts_on <= other_ends_on) and (last is None or other_starts_on <= last)

    def as_signed(self) -> Version:
        """The content that the prescriber signs."""
        return Version(
            subject=Subject.ORDER,
            id=self.id,
            number=self.version,
            content=self._said()
            | {
                "amounts_mg": self.amounts_mg,
                "chain": self.chain,
                "client": self.client,
                "ends_on": self.ends_on,
                "every_days": self.every_days,
                "form": self.form,
                "medicine": self.medicine,
                "note": self.note,
                "programme": self.programme,
                "replaces": self.replaces,
                "starts_on": self.starts_on,
                "strength_mg": self.strength_mg,
                "supervised": self.supervised,
                "written_at": self.written_at,
                "written_by": self.written_by,
            },
        )

    def _said(self) -> dict[str, object]:
        """What stands in the signed content only where the order says it."""
        told: dict[str, object] = {
            "product": self.product,
            "rapid_start": self.rapid_start or None,
            "last_opioid_on": self.last_opioid_on,
            "no_opioid_known": self.no_opioid_known,
            "beside": self.beside,
        }
        said = {name: value for name, value in told.items() if value is not None}
        if self.supply is not Supply.WINDOW:
            said["supply"] = self.supply
        if self.verbal_by is not None:
            said |= {"countersign_by": self.countersign_by, "read_back": True, "verbal_by": self.verbal_by}
        if self.steps:
            said["steps"] = [{"amounts_mg": step.amounts_mg, "from_on": step.from_on} for step in self.steps]
        if self.confirmed:
            said["confirmed"] = [
                {
                    "at": each.at,
                    "facts": each.facts,
                    "profile": each.profile,
                    "profile_version": each.profile_version,
                    "reason": each.reason,
                    "rule": each.rule,
                }
                for each in self.confirmed
            ]
        return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """An order ended before its last day, or a draft withdrawn, at once."""

    order: OrderId
    reason: str
    stopped_by: StaffId
    stopped_at: datetime

    def as_signed(self, version: int) -> Version:
        """What whoever stops that version of an order signs."""
        content = {"reason": self.reason, "stopped_at": self.stopped_at, "stopped_by": self.stopped_by}
        return Version(subject=Subject.ORDER_STOP, id=self.order, number=version, content=content)


class Orders(MedicationRecords, Signatures, Protocol):
    """The orders of clients. Whoever changes one has locked the client's record first."""

    async def add_order(self, order: Order, /) -> None:
        """Keep a new order; raises `ClientHasDied` while the report of the client's death stands."""
        ...

    async def order(self, order: OrderId, /, *, by: Staff, act: Act) -> Order:
        """One order with what has happened to it; raises `OrderUnknown` outside the person's reach."""
        ...

    async def orders_of(self, client: ClientId, /) -> Sequence[Order]:
        """Every order of a client, newest first."""
        ...

    async def given_lately(self, client: ClientId, day: date, /) -> Sequence[Acting]:
        """The last day of every product that was taken in the `LOOKS_BACK_DAYS` until a day, that day included."""
        ...

    async def add_order_signature(self, order: Order, signature: Signature, /) -> None:
        """Put an order in force, and the one it replaces out of force from the new first day.

        Raises `OrderMoved` when somebody else did either at the same moment.
        """
        ...

    async def add_order_stop(self, stop: Stop, order: Order, signature: Signature, /) -> None:
        """Keep a stop; raises `OrderMoved` when the order was stopped before."""
        ...
