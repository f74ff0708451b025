"""Orders on the wire: what is asked for, what was answered, and what an order says of itself."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from caseload.api.amounts import Milligrams, Millilitres, milligrams, written
from caseload.api.dosing.due import in_millilitres
from caseload.api.proving import ProvedIn
from caseload.api.wire import Wire
from caseload.domain.dosing import EVERYTHING_COMMITTED
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import OrderId
from caseload.domain.medication import Order, Standing, Step, Supply, Wish
from caseload.domain.medicines import LIQUIDS, DosePart, Form, Medicine


class AmountsWire(Wire, frozen=True, kw_only=True):
    """How much in which part of the day: either the whole day at once, or a morning and an evening part."""

    whole: Milligrams | None = None
    morning: Milligrams | None = None
    evening: Milligrams | None = None

    def read(self) -> dict[DosePart, Decimal]:
        """As the domain speaks of it."""
        parts = ((DosePart.WHOLE, self.whole), (DosePart.MORNING, self.morning), (DosePart.EVENING, self.evening))
        return {part: milligrams(text) for part, text in parts if text is not None}

    @classmethod
    def of(cls, order: Order | Step) -> "AmountsWire":
        """From the domain."""
        return cls(**{part.value: written(amount) for part, amount in order.amounts_mg.items()})


class StepWire(Wire, frozen=True, kw_only=True):
    """From a day on another amount is ordered."""

    from_on: date
    amounts_mg: AmountsWire

    def read(self) -> Step:
        """As the domain speaks of it."""
        return Step(from_on=self.from_on, amounts_mg=self.amounts_mg.read())


class VolumesWire(Wire, frozen=True, kw_only=True):
    """The same amounts of a liquid in millilitres."""

    whole: Millilitres | None = None
    morning: Millilitres | None = None
    evening: Millilitres | None = None

    def read(self) -> dict[DosePart, Decimal]:
        """As the domain speaks of it."""
        parts = ((DosePart.WHOLE, self.whole), (DosePart.MORNING, self.morning), (DosePart.EVENING, self.evening))
        return {part: milligrams(text) for part, text in parts if text is not None}

    @classmethod
    def of(cls, order: Order) -> "VolumesWire | None":
        """From the domain; None for what is no liquid."""
        if order.form not in LIQUIDS:
            return None
        return cls(**{part.value: in_millilitres(amount, order) for part, amount in order.amounts_mg.items()})


class AnswerIn(Wire, frozen=True, kw_only=True):
    """Your reason for going on although a rule of the profile asked."""

    rule: str
    """The rule as `order-needs-confirmation` names it."""
    reason: str


class OrderSignatureIn(ProvedIn, frozen=True, kw_only=True):
    """Your password once more, and where the profile asked, a reason for each of its rules."""

    confirmed: tuple[AnswerIn, ...] = ()

    def reasons(self) -> dict[str, str]:
        """The reasons by the name of the rule; raises `Invalid` for a rule that is answered twice."""
        return reasons_of(self.confirmed)


def reasons_of(confirmed: Sequence[AnswerIn]) -> dict[str, str]:
    """The reasons by the name of the rule; raises `Invalid` for a rule that is answered twice."""
    reasons = {each.rule: each.reason for each in confirmed}
    if len(reasons) != len(confirmed):
        raise Invalid(Fault("confirmed", "answer each rule once"))
    return reasons


class AnswerOut(Wire, frozen=True, kw_only=True):
    """What the profile asked before an order was signed, on which facts, and the prescriber's reason."""

    rule: str
    policy: str
    """The rule and the version of the profile that asked."""
    reason: str
    facts: dict[str, Any]


class OrderIn(Wire, frozen=True, kw_only=True):
    """An order to be written; it counts for nothing until a prescriber has signed it."""

    medicine: Medicine
    form: Form
    strength_mg: Milligrams
    """Milligrams in one millilitre of a liquid, else in one tablet, film or injection."""
    amounts_mg: AmountsWire
    amounts_ml: VolumesWire | None = None
    """The same in millilitres, where you say both: they must agree by the concentration."""
    every_days: int = 1
    starts_on: date
    ends_on: date | None = None
    """The last day, included; left out, the order stays open."""
    supervised: bool = True
    note: str = ""
    supply: Supply = Supply.WINDOW
    """Who hands it over: our window, or a pharmacy."""
    steps: tuple[StepWire, ...] = ()
    """What is ordered from later days on. A step up takes effect only after every dose before it was taken in full."""
    rapid_start: bool = False
    """Of an injection: the second one may come from the day that the product's window names."""
    last_opioid_on: date | None = None
    """Of naltrexone: when the client last used an opioid that is in no record of yours."""
    no_opioid_known: str | None = None
    """Of naltrexone: why none is known. One of the two must be said."""
    replaces: UUID | None = None
    """The order whose place this one takes from its first day on."""
    beside: UUID | None = None
    """The order of another medicine beside which this one is to stand, each in a part of the day of its own.

    A replacement goes on standing beside the order beside which the replaced one stands.
    """

    def read(self) -> Wish:
        """As the domain speaks of it."""
        return Wish(
            medicine=self.medicine,
            form=self.form,
            strength_mg=milligrams(self.strength_mg),
            amounts_mg=self.amounts_mg.read(),
            every_days=self.every_days,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
            supervised=self.supervised,
            note=self.note,
            replaces=OrderId(self.replaces) if self.replaces is not None else None,
            supply=self.supply,
            steps=tuple(step.read() for step in self.steps),
            rapid_start=self.rapid_start,
            last_opioid_on=self.last_opioid_on,
            no_opioid_known=self.no_opioid_known,
            beside=OrderId(self.beside) if self.beside is not None else None,
            amounts_ml=self.amounts_ml.read() if self.amounts_ml is not None else {},
        )


class OrderOut(Wire, frozen=True, kw_only=True):
    """An order, with what has happened to it."""

    id: UUID
    chain_id: UUID
    version: int
    replaces: UUID | None
    client_id: UUID
    programme_id: UUID
    medicine: Medicine
    form: Form
    strength_mg: str
    product: str | None
    """The product in the list of medicines; null for a strength that it does not have."""
    amounts_mg: AmountsWire
    amounts_ml: VolumesWire | None
    """Of a liquid, by its concentration."""
    every_days: int
    starts_on: date
    ends_on: date | None
    supervised: bool
    note: str
    written_by: UUID
    written_at: datetime
    signed_at: datetime | None
    stopped_at: datetime | None
    replaced_by: UUID | None
    replaced_from: date | None
    supply: Supply
    steps: list[StepWire]
    rapid_start: bool
    last_opioid_on: date | None
    no_opioid_known: str | None
    beside: UUID | None
    """The order of another medicine beside which it was written."""
    verbal_by: UUID | None
    """The prescriber who gave it by word of mouth."""
    countersign_by: datetime | None
    """Until when a verbal order counts without that prescriber's signature."""
    confirmed: list[AnswerOut]
    """What the profile asked before it was signed."""
    standing: Standing
    """How it stands today."""

    @classmethod
    def of(cls, order: Order, today: date, at: datetime = EVERYTHING_COMMITTED) -> "OrderOut":
        """From the domain, as it stands on a day at a moment."""
        return cls(
            id=order.id,
            chain_id=order.chain,
            version=order.version,
            replaces=order.replaces,
            client_id=order.client,
            programme_id=order.programme,
            medicine=order.medicine,
            form=order.form,
            strength_mg=written(order.strength_mg),
            product=order.product,
            amounts_mg=AmountsWire.of(order),
            amounts_ml=VolumesWire.of(order),
            every_days=order.every_days,
            starts_on=order.starts_on,
            ends_on=order.ends_on,
            supervised=order.supervised,
            note=order.note,
            written_by=order.written_by,
            written_at=order.written_at,
            signed_at=order.signed_at,
            stopped_at=order.stopped_at,
            replaced_by=order.replaced_by,
            replaced_from=order.replaced_from,
            supply=order.supply,
            rapid_start=order.rapid_start,
            last_opioid_on=order.last_opioid_on,
            no_opioid_known=order.no_opioid_known,
            beside=order.beside,
            steps=[StepWire(from_on=step.from_on, amounts_mg=AmountsWire.of(step)) for step in order.steps],
            verbal_by=order.verbal_by,
            countersign_by=order.countersign_by,
            confirmed=[
                AnswerOut(
                    rule=each.rule,
                    policy=f"{each.rule} of {each.profile}-{each.profile_version}",
                    reason=each.reason,
                    facts=dict(each.facts),
                )
                for each in order.confirmed
            ],
            standing=order.standing(today, at),
        )
