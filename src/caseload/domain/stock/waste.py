"""Waste and spills: gone at once, and witnessed by somebody who did not handle it.

A witness proves their identity in their own session, as under every signature (decision 0201). What nobody has witnessed
may be withdrawn as a mistake; what has been witnessed stays. Source: 21 CFR 1304.21(e) and 1317.95(d) (two people for
destruction); for the rest of a single dose two people are practice and stand in the profile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.errors import Conflict, Faults, NotFound, NotPermitted
from caseload.domain.ids import ContainerId, ProgrammeId, StaffId, UnitId, WasteId
from caseload.domain.journal import Event, Journal
from caseload.domain.moments import check_year
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import Meaning, Signature, Signatures, Subject, Version, sign, signing_role
from caseload.domain.stock.container import Containers, held_still, rules_of
from caseload.domain.stock.words import Verdict, WasteKind, check_amount, check_text


class WasteUnknown(NotFound):
    """There is no such record of waste within your reach."""

    def __init__(self) -> None:
        super().__init__("Read the stock of the programme for what waits for a witness.")


class OwnWaste(NotPermitted):
    """You handled it yourself."""

    def __init__(self) -> None:
        super().__init__("Ask a colleague who saw it to sign in their own session.")


class WasteSettled(Conflict):
    """It has been witnessed or withdrawn."""

    def __init__(self) -> None:
        super().__init__("Read the stock again.")


class NeverPutBack(Conflict):
    """What a client brought back is never put back into stock."""

    def __init__(self) -> None:
        super().__init__("Ask a colleague who saw it to sign that it was destroyed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteRecorded(Event):
    """Medicine is gone that nobody took."""

    name: ClassVar[str] = "stock.wasted"


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteWitnessed(Event):
    """Somebody who did not handle it signed that it is gone."""

    name: ClassVar[str] = "stock.waste_witnessed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteWithdrawn(Event):
    """It had been recorded by mistake."""

    name: ClassVar[str] = "stock.waste_withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waste:
    """Medicine gone from a container."""

    id: WasteId
    container: ContainerId
    programme: ProgrammeId
    kind: WasteKind
    amount_mg: Decimal
    reason: str
    happened_at: datetime
    handled_by: StaffId
    recorded_at: datetime
    witness_by: datetime
    """The profile's deadline for the witness."""
    verdict: Verdict | None = None
    settled_by: StaffId | None = None
    settled_at: datetime | None = None
    unit: UnitId | None = None
    """The take-home unit that a client brought back full, where that is what is destroyed."""

    def as_signed(self) -> Version:
        """What the witness signs."""
        return Version(
            subject=Subject.STOCK_WASTE,
            id=self.id,
            number=1,
            content={
                "amount_mg": self.amount_mg,
                "container": self.container,
                "handled_by": self.handled_by,
                "happened_at": self.happened_at,
                "kind": self.kind,
                "programme": self.programme,
                "reason": self.reason,
                "recorded_at": self.recorded_at,
            }
            | ({} if self.unit is None else {"unit": self.unit}),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """How a record of waste ended."""

    waste: Waste
    verdict: Verdict
    by: StaffId
    at: datetime
    reason: str | None = None
    signature: Signature | None = None


class Wastes(Containers, Signatures, Protocol):
    """Where waste is kept."""

    async def waste(self, wanted: WasteId, /, *, by: Staff, act: Act) -> Waste:
        """One record; raises `WasteUnknown` outside the programmes where this person may act."""
        ...

    async def add_waste(self, waste: Waste, /) -> None:
        """Keep it; from here on it counts."""
        ...

    async def settle(self, settled: Settled, /) -> None:
        """Keep how it ended; `WasteSettled`."""
        ...


async def record_waste(
    container: ContainerId,
    kind: WasteKind,
    amount_mg: Decimal,
    reason: str,
    happened_at: datetime,
    *,
    as_id: WasteId,
    by: Staff,
    now: datetime,
    wastes: Wastes,
    journal: Journal,
) -> Waste:
    """Record that medicine is gone. It has happened, so the books never refuse it: below zero is to be explained.

    Raises `Invalid`, `ContainerUnknown`, `ContainerClosed`.
    """
    faults = Faults()
    check_amount(amount_mg, "amount_mg", faults)
    check_text(reason, "reason", faults)
    faults.check(when=happened_at > now, where="happened_at", problem="what has happened cannot lie in the future")
    check_year(happened_at, faults, "happened_at")
    faults.raise_if_any()
    found = await held_still(container, by=by, act=Act.WASTE_STOCK, containers=wastes)
    rules = rules_of(await wastes.programme(found.programme), now)
    waste = Waste(
        id=as_id,
        container=found.id,
        programme=found.programme,
        kind=kind,
        amount_mg=amount_mg,
        reason=reason,
        happened_at=happened_at,
        handled_by=by.id,
        recorded_at=now,
        witness_by=now + timedelta(hours=rules.stock.witness.within_hours),
    )
    await wastes.add_waste(waste)
    journal.tell(
        WasteRecorded(
            records=(waste.id, waste.container), facts={"programme": str(waste.programme), "kind": waste.kind}
        )
    )
    return waste


async def witness_waste(
    wanted: WasteId, *, by: Staff, proof: Proof, now: datetime, wastes: Wastes, journal: Journal
) -> None:
    """Sign, as somebody who did not handle it, that it is gone.

    Raises `WasteUnknown`, `OwnWaste`, `WasteSettled`, and what `sign` raises.
    """
    waste = await wastes.waste(wanted, by=by, act=Act.WITNESS_STOCK)
    if waste.handled_by == by.id:
        raise OwnWaste
    if waste.verdict is not None:
        raise WasteSettled
    role = signing_role(by, Act.WITNESS_STOCK, waste.programme)
    signature = sign(waste.as_signed(), by=by, role=role, meaning=Meaning.WITNESSED, proof=proof, now=now)
    await wastes.settle(Settled(waste=waste, verdict=Verdict.WITNESSED, by=by.id, at=now, signature=signature))
    journal.tell(WasteWitnessed(records=(waste.id, signature.id), facts={"programme": str(waste.programme)}))


async def withdraw_waste(
    wanted: WasteId, reason: str, *, by: Staff, now: datetime, wastes: Wastes, journal: Journal
) -> None:
    """Withdraw a record that was a mistake, before anybody has witnessed it; the amount is back as a line of its own.

    Raises `Invalid`, `WasteUnknown`, `WasteSettled`, `NeverPutBack`.
    """
    faults = Faults()
    check_text(reason, "reason", faults)
    faults.raise_if_any()
    seen = await wastes.waste(wanted, by=by, act=Act.WASTE_STOCK)
    if seen.unit is not None:
        raise NeverPutBack
    await wastes.lock_containers((seen.container,))
    waste = await wastes.waste(wanted, by=by, act=Act.WASTE_STOCK)
    if waste.verdict is not None:
        raise WasteSettled
    await wastes.settle(Settled(waste=waste, verdict=Verdict.WITHDRAWN, by=by.id, at=now, reason=reason))
    journal.tell(WasteWithdrawn(records=(waste.id,), facts={"programme": str(waste.programme)}))
