"""Handing units out to take home, and what stands on their labels."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.amounts import Milligrams, milligrams
from caseload.api.dosing.due import RefusalOut
from caseload.api.route import reading, writing
from caseload.api.takehome.store import take_homes
from caseload.api.takehome.wire import UnitOut
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import takehome as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, ContainerId, DispenseId, OrderId, StaffId, StationId, new_id
from caseload.domain.medicines import DosePart
from caseload.domain.profiles import profile_version
from caseload.domain.takehome import Dispense, HandedOut, Handing, Label, UnitHandedOut, Wanted
from caseload.domain.takehome.collecting import Collecting, Collector, Identity, collector_asked
from caseload.request.idempotency import KeyMissing, RequestKey, once
from caseload.request.work import Work


class WantedIn(Wire, frozen=True, kw_only=True):
    """One unit, with the amount as it was measured: it must be what the order of that day asks for."""

    for_on: date
    amount_mg: Milligrams
    part: DosePart = DosePart.WHOLE
    order_id: UUID | None = None
    """Only with `late`: the order that the paper names, where none was in force on that day."""


class HandedOutIn(Wire, frozen=True, kw_only=True):
    """When, by whom and why it was handed out before it is written down."""

    reason: str
    dispensed_at: Instant
    dispensed_by: UUID | None = None
    """The colleague who handed it out, when it was not you."""
    container_id: UUID | None = None
    """What it came from, where the station that it was filled at does not tell."""


class IdentityIn(Wire, frozen=True, kw_only=True):
    """Proof of identity of whoever collects it, for the register of controlled drugs."""

    requested: bool
    provided: bool

    def read(self) -> Identity:
        """For the domain."""
        return Identity(self.requested, self.provided)


class HandingIn(Wire, frozen=True, kw_only=True):
    """What is handed out at one time."""

    units: tuple[WantedIn, ...]
    educated: bool
    """Whether the client was told how to carry and store it safely."""
    education_note: str = ""
    """Why not, where it was not talked about."""
    collected_by: str | None = None
    """Who collects it, when it is not the client."""
    collected_by_client: bool = False
    """The client collects it. Where the profile's register asks for the person collecting, one of the two is said."""
    collector_address: str | None = None
    """Of the healthcare professional who is named under `collected_by`; of nobody else."""
    identity: IdentityIn | None = None
    """Whether whoever collects it was asked for proof of identity, and showed any."""
    station_id: UUID | None = None
    late: HandedOutIn | None = None
    """For what has been handed out already: it is recorded whatever rule it broke, and then holds the client."""

    @property
    def collecting(self) -> Collecting:
        """Who collects it."""
        return Collecting(
            by_client=self.collected_by_client,
            name=self.collected_by,
            address=self.collector_address,
            identity=self.identity.read() if self.identity is not None else None,
        )


class DispenseOut(Wire, frozen=True, kw_only=True):
    """What was handed out at one time."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    units: list[UnitOut]
    educated: bool
    education_note: str
    collected_by: str | None
    collector: Collector
    collector_address: str | None
    """Of a healthcare professional."""
    identity_requested: bool | None
    """Whether proof of identity was asked for; null where nobody has said."""
    identity_provided: bool | None
    warnings: list[RefusalOut]
    """What the register asks for and nobody has said: it was handed out all the same."""
    dispensed_by: UUID
    dispensed_at: datetime
    profile: str
    rules: list[str]
    """The rules that it broke, where it had been handed out before anybody could refuse it."""
    late_reason: str | None
    """Why it was written down only afterwards; null for what was recorded as it was handed out."""
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, handed: Dispense) -> "DispenseOut":
        """From the domain."""
        collecting, identity = handed.collecting, handed.collecting.identity
        return cls(
            id=handed.id,
            client_id=handed.client,
            programme_id=handed.programme,
            units=[UnitOut.of(unit) for unit in handed.units],
            educated=handed.educated,
            education_note=handed.education_note,
            collected_by=collecting.name,
            collector=collecting.collector,
            collector_address=collecting.address,
            identity_requested=None if identity is None else identity.requested,
            identity_provided=None if identity is None else identity.provided,
            warnings=[
                RefusalOut.of(each)
                for each in collector_asked(
                    collecting,
                    (unit.medicine for unit in handed.units),
                    profile_version(handed.profile, handed.profile_version),
                )
            ],
            dispensed_by=handed.dispensed_by,
            dispensed_at=handed.dispensed_at,
            profile=f"{handed.profile}-{handed.profile_version}",
            rules=list(handed.rules),
            late_reason=handed.late.reason if handed.late is not None else None,
            recorded_by=handed.late.recorded_by if handed.late is not None else handed.dispensed_by,
            recorded_at=handed.recorded_at,
        )


class LabelOut(Wire, frozen=True, kw_only=True):
    """What stands on a unit."""

    programme: str
    address: str
    telephone: str
    given_name: str
    family_name: str
    birth_date: date
    unit: UnitOut

    @classmethod
    def of(cls, label: Label) -> "LabelOut":
        """From the domain."""
        return cls(
            programme=label.programme,
            address=label.address,
            telephone=label.telephone,
            given_name=label.given_name,
            family_name=label.family_name,
            birth_date=label.birth_date,
            unit=UnitOut.of(label.unit),
        )


class LabelsOut(Wire, frozen=True, kw_only=True):
    """The labels of what was handed out at one time, by day."""

    items: list[LabelOut]


@writing("/clients/{client_id:uuid}/take-homes", act=Act.RECORD_DOSE, name="dispense_take_homes")
async def dispense(client_id: FromPath[UUID], data: JSONBody[HandingIn], work: TheWork, key: TheKey) -> DispenseOut:
    """Hand out dated units to take home, or with `late` record what has been handed out; `Idempotency-Key` is mandatory.

    What is about to be handed out is refused with every rule that stands in the way of any of it. What is in the client's
    hands is always recorded; if it broke a rule it is an exception that names it and holds the client.
    """
    if key is None:
        raise KeyMissing
    store, new = take_homes(work), DispenseId(new_id())
    late = data.late
    if late is not None:
        return DispenseOut.of(await _handed_out(ClientId(client_id), data, late, work, key))
    handing = Handing(
        client=ClientId(client_id),
        units=tuple(
            Wanted(for_on=each.for_on, part=each.part, amount_mg=milligrams(each.amount_mg)) for each in data.units
        ),
        educated=data.educated,
        education_note=data.education_note,
        collecting=data.collecting,
        station=StationId(data.station_id) if data.station_id is not None else None,
    )

    async def do() -> Dispense:
        return await domain.dispense(handing, as_id=new, by=work.by, now=work.now, homes=store, journal=work.journal)

    async def again(kept: Kept) -> Dispense:
        return await store.dispense(DispenseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return DispenseOut.of(await once(work, key, Kept(status=201, resource=new), do=do, again=again))


async def _handed_out(client: ClientId, data: HandingIn, late: HandedOutIn, work: Work, key: RequestKey) -> Dispense:
    """Record what has been handed out, once."""
    store, new = take_homes(work), DispenseId(new_id())
    said = HandedOut(
        client=client,
        units=tuple(
            UnitHandedOut(
                for_on=each.for_on,
                part=each.part,
                amount_mg=milligrams(each.amount_mg),
                order=OrderId(each.order_id) if each.order_id is not None else None,
            )
            for each in data.units
        ),
        educated=data.educated,
        education_note=data.education_note,
        collecting=data.collecting,
        at=late.dispensed_at,
        by=work.by.id if late.dispensed_by is None else StaffId(late.dispensed_by),
        reason=late.reason,
        station=StationId(data.station_id) if data.station_id is not None else None,
        container=ContainerId(late.container_id) if late.container_id is not None else None,
    )

    async def do() -> Dispense:
        return await domain.record_handed_out(
            said, as_id=new, by=work.by, now=work.now, homes=store, journal=work.journal
        )

    async def again(kept: Kept) -> Dispense:
        return await store.dispense(DispenseId(kept.resource), by=work.by, act=Act.RECORD_DOSE)

    return await once(work, key, Kept(status=201, resource=new), do=do, again=again)


@reading("/take-homes/{dispense_id:uuid}/labels", act=Act.RECORD_DOSE, name="read_labels", problems=(404, 409))
async def read_labels(dispense_id: FromPath[UUID], work: TheWork) -> LabelsOut:
    """What stands on each unit of what was handed out at one time, to be printed."""
    labels = await take_homes(work).labels(DispenseId(dispense_id), by=work.by, act=Act.RECORD_DOSE)
    return LabelsOut(items=[LabelOut.of(each) for each in labels])
