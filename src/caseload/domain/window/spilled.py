"""Medicine that was spilled at the window: all of a dose before any was taken, or the rest of one.

Where nothing was taken the client is held: nothing more is given until a prescriber has looked. Of the rest of a dose
that is in the record nothing is given either without a decision (`replacing`). Where the programme keeps its stock with
us the spill is a line of the stock too. Somebody who did not handle it signs in their own session that they saw it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Protocol

from caseload.domain.access import Act
from caseload.domain.dosing import Doses
from caseload.domain.dosing.correction import newest_dose
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound, NotPermitted
from caseload.domain.ids import (
    ClientId,
    ContainerId,
    DoseId,
    HoldId,
    OrderId,
    ProgrammeId,
    SpillId,
    StaffId,
    WasteId,
    new_id,
)
from caseload.domain.journal import Event, Journal
from caseload.domain.medication import Hold, HoldReason, MedicationRecord, Order, OrderUnknown
from caseload.domain.medication.holding import keep_hold
from caseload.domain.medication.record import check_reason
from caseload.domain.medicines import DosePart, Form, Medicine, check_milligrams
from caseload.domain.moments import check_year
from caseload.domain.people import Proof, Staff
from caseload.domain.signature import Meaning, Signature, Signatures, Subject, Version, sign_together, signing_role
from caseload.domain.stock.waste import Settled, Wastes, WasteWitnessed, record_waste
from caseload.domain.stock.words import Verdict as WasteVerdict
from caseload.domain.stock.words import WasteKind


class SpillUnknown(NotFound):
    """There is no such spill within your reach."""


class OwnSpill(NotPermitted):
    """You handled it yourself."""

    def __init__(self) -> None:
        super().__init__("Ask a colleague who saw it to sign in their own session.")


class SpillWitnessed(Conflict):
    """Somebody has signed that they saw it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spill:
    """What somebody says was spilled."""

    client: ClientId
    order: OrderId
    part: DosePart
    amount_mg: Decimal
    reason: str
    happened_at: datetime
    dose: DoseId | None = None
    """The dose of which it is the rest; None where nothing was taken."""
    container: ContainerId | None = None
    """What it had been poured from, where the programme keeps its stock with us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spilled:
    """Medicine was spilled that was meant for a client."""

    id: SpillId
    client: ClientId
    programme: ProgrammeId
    order: OrderId
    dosing_day: date
    part: DosePart
    medicine: Medicine
    form: Form
    amount_mg: Decimal
    happened_at: datetime
    reason: str
    recorded_by: StaffId
    recorded_at: datetime
    dose: DoseId | None = None
    dose_version: int | None = None
    waste: WasteId | None = None
    """The line of the stock."""
    hold: HoldId | None = None
    """What keeps anything more from being given, where nothing was taken."""
    witness: StaffId | None = None
    witnessed_at: datetime | None = None

    def as_signed(self) -> Version:
        """What the witness signs."""
        return Version(
            subject=Subject.DOSE_SPILL,
            id=self.id,
            number=1,
            content={
                "amount_mg": self.amount_mg,
                "client": self.client,
                "dose": self.dose,
                "dosing_day": self.dosing_day,
                "form": self.form,
                "happened_at": self.happened_at,
                "medicine": self.medicine,
                "order": self.order,
                "part": self.part,
                "programme": self.programme,
                "reason": self.reason,
                "recorded_at": self.recorded_at,
                "recorded_by": self.recorded_by,
                "waste": self.waste,
            },
        )


class DoseSpilled(Event):
    """Medicine that was meant for a client was spilled."""

    name: ClassVar[str] = "dose.spilled"


class DoseSpillWitnessed(Event):
    """Somebody who did not handle it signed that medicine was spilled."""

    name: ClassVar[str] = "dose.spill_witnessed"


class Spills(Doses, Signatures, Protocol):
    """The spills of clients' doses."""

    async def order(self, order: OrderId, /, *, by: Staff, act: Act) -> Order:
        """One order; raises `OrderUnknown` outside the person's reach."""
        ...

    async def keeps_stock(self, programme: ProgrammeId, day: date, /) -> bool:
        """Whether a programme keeps its stock with us on a day."""
        ...

    async def add_spill(self, spilled: Spilled, /) -> None:
        """Keep a spill."""
        ...

    async def spill(self, wanted: SpillId, /, *, by: Staff, act: Act) -> Spilled:
        """One spill; raises `SpillUnknown` outside the person's reach."""
        ...

    async def add_spill_witness(self, spilled: Spilled, signature: Signature, /) -> None:
        """Keep that somebody saw it; raises `SpillWitnessed`."""
        ...


async def record_spill(
    spill: Spill,
    *,
    as_id: SpillId,
    by: Staff,
    now: datetime,
    spills: Spills,
    wastes: Wastes,
    journal: Journal,
) -> Spilled:
    """Record that medicine meant for a client was spilled. Where nothing of it was taken the client is held.

    Raises `ClientUnknown`, `NotPermitted`, `Invalid`, `OrderUnknown`, `DoseUnknown`, `DoseMoved`, and what `record_waste`
    raises.
    """
    faults = Faults()
    check_milligrams(spill.amount_mg, "amount_mg", faults)
    check_reason(spill.reason, faults)
    faults.check(
        when=spill.happened_at > now, where="happened_at", problem="what has happened cannot lie in the future"
    )
    check_year(spill.happened_at, faults, "happened_at")
    faults.raise_if_any()
    record = await spills.lock(spill.client, by=by, act=Act.RECORD_DOSE)
    order = await spills.order(spill.order, by=by, act=Act.RECORD_DOSE)
    if order.client != spill.client:
        raise OrderUnknown("Read the client's medication chart and name the order that it shows.")
    place, day = record.place(by, Act.RECORD_DOSE), record.day_of(spill.happened_at)
    version = await _version_of_rest(spill, day, by=by, spills=spills)
    waste = await _out_of_stock(spill, order, place, day, by=by, now=now, spills=spills, wastes=wastes, journal=journal)
    hold = None if spill.dose is not None else _held(spill, record, place, by=by, now=now)
    if hold is not None:
        await keep_hold(hold, record, holds=spills, journal=journal)
    spilled = Spilled(
        id=as_id,
        client=spill.client,
        programme=place,
        order=order.id,
        dosing_day=day,
        part=spill.part,
        medicine=order.medicine,
        form=order.form,
        amount_mg=spill.amount_mg,
        happened_at=spill.happened_at,
        reason=spill.reason,
        recorded_by=by.id,
        recorded_at=now,
        dose=spill.dose,
        dose_version=version,
        waste=waste,
        hold=hold.id if hold is not None else None,
    )
    await spills.add_spill(spilled)
    journal.tell(DoseSpilled(client=spill.client, records=(spilled.id,)))
    return spilled


async def _version_of_rest(spill: Spill, day: date, *, by: Staff, spills: Spills) -> int | None:
    """The version of the dose of which it is the rest; raises unless it is that, or nothing of the part was given."""
    if spill.dose is None:
        given = (await spills.given_on([spill.client], day)).get(spill.client, ())
        if any(each.part.meets(spill.part) for each in given):
            raise Invalid(
                Fault("dose_id", "this part of the day has been given: name the dose of which it is the rest")
            )
        return None
    _, dose = await newest_dose(spill.dose, by=by, act=Act.RECORD_DOSE, doses=spills)
    faults = Faults()
    faults.check(
        when=(dose.client, dose.order, dose.part, dose.dosing_day) != (spill.client, spill.order, spill.part, day),
        where="dose_id",
        problem="is of another client, order, day or part",
    )
    faults.raise_if_any()
    return dose.version


async def _out_of_stock(
    spill: Spill,
    order: Order,
    place: ProgrammeId,
    day: date,
    *,
    by: Staff,
    now: datetime,
    spills: Spills,
    wastes: Wastes,
    journal: Journal,
) -> WasteId | None:
    """The line of the stock, where the programme keeps its stock with us."""
    keeps = await spills.keeps_stock(place, day)
    if keeps != (spill.container is not None):
        problem = "say what it had been poured from" if keeps else "this programme keeps no stock with us: leave it out"
        raise Invalid(Fault("container_id", problem))
    if spill.container is None:
        return None
    container = await wastes.container(spill.container, by=by, act=Act.WASTE_STOCK)
    if (container.programme, container.made.medicine, container.made.form) != (place, order.medicine, order.form):
        raise Invalid(Fault("container_id", "holds something else, or stands in another programme"))
    waste = await record_waste(
        spill.container,
        WasteKind.SPILL,
        spill.amount_mg,
        spill.reason,
        spill.happened_at,
        as_id=WasteId(new_id()),
        by=by,
        now=now,
        wastes=wastes,
        journal=journal,
    )
    return waste.id


def _held(spill: Spill, record: MedicationRecord, place: ProgrammeId, *, by: Staff, now: datetime) -> Hold:
    said = record.rules_on(record.day_of(now)).around_the_dose.spilled
    return Hold(
        id=HoldId(new_id()),
        client=spill.client,
        programme=place,
        reason=HoldReason.OTHER,
        note=said.says,
        raised_by=by.id,
        raised_at=now,
        by_rule=said.rule,
    )


async def witness_spill(
    wanted: SpillId, *, by: Staff, proof: Proof, now: datetime, spills: Spills, wastes: Wastes, journal: Journal
) -> None:
    """Sign, as somebody who did not handle it, that it was spilled; the line of the stock is witnessed with it.

    Raises `SpillUnknown`, `OwnSpill`, `SpillWitnessed`, and what `sign` raises.
    """
    spilled = await spills.spill(wanted, by=by, act=Act.WITNESS_STOCK)
    if spilled.recorded_by == by.id:
        raise OwnSpill
    if spilled.witness is not None:
        raise SpillWitnessed("Read the spill again.")
    role = signing_role(by, Act.WITNESS_STOCK, spilled.programme)
    waste = None if spilled.waste is None else await wastes.waste(spilled.waste, by=by, act=Act.WITNESS_STOCK)
    to_settle = waste if waste is not None and waste.verdict is None else None
    versions = [(spilled.as_signed(), role), *([(to_settle.as_signed(), role)] if to_settle is not None else [])]
    signatures = sign_together(versions, by=by, meaning=Meaning.WITNESSED, proof=proof, now=now)
    await spills.add_spill_witness(spilled, signatures[0])
    journal.tell(DoseSpillWitnessed(client=spilled.client, records=(spilled.id, signatures[0].id)))
    if to_settle is not None:
        settled = Settled(waste=to_settle, verdict=WasteVerdict.WITNESSED, by=by.id, at=now, signature=signatures[1])
        await wastes.settle(settled)
        journal.tell(
            WasteWitnessed(records=(to_settle.id, signatures[1].id), facts={"programme": str(spilled.programme)})
        )
