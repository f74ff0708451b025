"""Stock on the wire: containers, waste and counts."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Final
from uuid import UUID

import msgspec

from caseload.api.amounts import Milligrams, written
from caseload.api.proving import ProvedIn
from caseload.api.wire import Instant, Wire
from caseload.domain.medicines import Form, Medicine
from caseload.domain.stock.container import Container
from caseload.domain.stock.count import Count
from caseload.domain.stock.waste import Waste
from caseload.domain.stock.words import Cause, ContainerKind, ReceiptKind, Verdict, WasteKind

MilligramsOfStock = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[0-9]{1,9}(\.[0-9]{1,3})?$",
        description="Milligrams of stock as text, up to nine digits and three decimals.",
        examples=["10000", "432.5"],
    ),
]
_THOUSANDTHS: Final = Decimal("0.001")


class KeepingIn(Wire, frozen=True, kw_only=True):
    """From which dosing day on a programme keeps its stock with us."""

    from_on: date
    """Today or later, and no dose of it may be recorded yet."""


class KeepingOut(Wire, frozen=True, kw_only=True):
    """From which dosing day on a programme keeps its stock with us."""

    programme_id: UUID
    from_on: date


class StationIn(Wire, frozen=True, kw_only=True):
    """A place where doses are given."""

    name: str


class StationOut(Wire, frozen=True, kw_only=True):
    """A place where doses are given."""

    id: UUID
    name: str


class BottleIn(Wire, frozen=True, kw_only=True):
    """A bottle as it came."""

    label: str
    """The clinic's own number, as it is written on the bottle."""
    medicine: Medicine
    form: Form
    strength_mg: Milligrams
    """Milligrams in one millilitre, tablet or film."""
    lot: str
    expires_on: date
    amount_mg: MilligramsOfStock


class ReceiptIn(Wire, frozen=True, kw_only=True):
    """A delivery, or what was there when the books were opened."""

    kind: ReceiptKind = ReceiptKind.DELIVERY
    received_at: Instant | None = None
    """Now when left out."""
    supplier_name: str = ""
    supplier_address: str = ""
    document: str = ""
    """The number of the invoice, the order form or the count."""
    bottles: list[BottleIn]


class ReceiptOut(Wire, frozen=True, kw_only=True):
    """What came into the books, bottle by bottle."""

    id: UUID
    container_ids: list[UUID]
    """In the order in which the bottles were named."""


class DispenserIn(Wire, frozen=True, kw_only=True):
    """One filling of a dispenser, from empty to empty."""

    label: str
    medicine: Medicine
    form: Form
    strength_mg: Milligrams


class UseIn(Wire, frozen=True, kw_only=True):
    """The station that takes its doses from this container from now on."""

    station_id: UUID


class PourIn(Wire, frozen=True, kw_only=True):
    """What is poured into a dispenser."""

    target_id: UUID
    amount_mg: MilligramsOfStock


class WasteIn(Wire, frozen=True, kw_only=True):
    """Medicine that is gone and nobody took. Somebody who did not handle it signs for it in their own session."""

    kind: WasteKind
    amount_mg: MilligramsOfStock
    reason: str
    happened_at: Instant | None = None
    """Now when left out."""


class WithdrawalIn(Wire, frozen=True, kw_only=True):
    """Why a record of waste was a mistake."""

    reason: str


class SignatureIn(ProvedIn, frozen=True, kw_only=True):
    """Your password once more: a live session is no signature."""


class CountIn(ProvedIn, frozen=True, kw_only=True):
    """What you counted in a container, and why it differs from the books, if it does."""

    counted_mg: MilligramsOfStock
    cause: Cause | None = None
    explanation: str | None = None


class SourceIn(Wire, frozen=True, kw_only=True):
    """So much of a dose came from this container."""

    container_id: UUID
    amount_mg: Milligrams


class WhenceIn(Wire, frozen=True, kw_only=True):
    """From which containers a dose in fact came; together they come to the dose."""

    sources: list[SourceIn]
    reason: str


class ContainerOut(Wire, frozen=True, kw_only=True):
    """A bottle or a filling of a dispenser, and what is in it by the books."""

    id: UUID
    programme_id: UUID
    kind: ContainerKind
    label: str
    medicine: Medicine
    form: Form
    strength_mg: str
    lot: str | None
    expires_on: date | None
    received_mg: str | None
    closed_at: datetime | None
    station_id: UUID | None
    """The station that uses it now."""
    balance_mg: str
    """Below zero where more was given than the books had: a discrepancy to explain by a count."""
    quantity: str
    """The same in millilitres, tablets or films, by its strength, to the thousandth."""
    version: int

    @classmethod
    def of(cls, container: Container) -> "ContainerOut":
        """From the domain."""
        made = container.made
        return cls(
            id=container.id,
            programme_id=container.programme,
            kind=container.kind,
            label=container.label,
            medicine=made.medicine,
            form=made.form,
            strength_mg=written(made.strength_mg),
            lot=container.lot,
            expires_on=container.expires_on,
            received_mg=None if container.received_mg is None else written(container.received_mg),
            closed_at=container.closed_at,
            station_id=container.station,
            balance_mg=written(container.balance_mg),
            quantity=quantity(container.balance_mg, made.strength_mg),
            version=container.version,
        )


class WasteOut(Wire, frozen=True, kw_only=True):
    """Medicine that is gone, and who has signed for it."""

    id: UUID
    container_id: UUID
    kind: WasteKind
    amount_mg: str
    reason: str
    happened_at: datetime
    handled_by: UUID
    recorded_at: datetime
    witness_by: datetime
    """The profile's deadline for the witness."""
    verdict: Verdict | None
    """Null while it waits for a witness."""
    settled_by: UUID | None
    settled_at: datetime | None

    @classmethod
    def of(cls, waste: Waste) -> "WasteOut":
        """From the domain."""
        return cls(
            id=waste.id,
            container_id=waste.container,
            kind=waste.kind,
            amount_mg=written(waste.amount_mg),
            reason=waste.reason,
            happened_at=waste.happened_at,
            handled_by=waste.handled_by,
            recorded_at=waste.recorded_at,
            witness_by=waste.witness_by,
            verdict=waste.verdict,
            settled_by=waste.settled_by,
            settled_at=waste.settled_at,
        )


class CountOut(Wire, frozen=True, kw_only=True):
    """What was counted beside what the books said, and who has signed for it."""

    id: UUID
    container_id: UUID
    number: int
    expected_mg: str
    counted_mg: str
    variance_mg: str
    """What was found more than the books said; less is negative."""
    cause: Cause | None
    explanation: str | None
    counted_by: UUID
    counted_at: datetime
    confirmed_by: UUID | None
    """Null while it waits for a second person: until then nothing in the books has changed."""
    confirmed_at: datetime | None

    @classmethod
    def of(cls, count: Count) -> "CountOut":
        """From the domain."""
        return cls(
            id=count.id,
            container_id=count.container,
            number=count.number,
            expected_mg=written(count.expected_mg),
            counted_mg=written(count.counted_mg),
            variance_mg=written(count.variance_mg),
            cause=count.cause,
            explanation=count.explanation,
            counted_by=count.counted_by,
            counted_at=count.counted_at,
            confirmed_by=count.confirmed_by,
            confirmed_at=count.confirmed_at,
        )


def quantity(amount_mg: Decimal, strength_mg: Decimal) -> str:
    """Milligrams as millilitres or pieces, for reading: the books are in milligrams."""
    return written((amount_mg / strength_mg).quantize(_THOUSANDTHS, ROUND_HALF_UP))
