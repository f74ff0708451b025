"""Holds on every dose of a client: raised, and waiting for a prescriber."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar.params import FromPath, JSONBody

from caseload.api.dosing.store import charts
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import medication as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, HoldId, OrderId, ProgrammeId, new_id
from caseload.domain.medication import Aim, Hold, HoldReason, Words
from caseload.domain.medication.aim import MOST_TOLD
from caseload.domain.medicines import DosePart
from caseload.request.idempotency import once


class HoldIn(Wire, frozen=True, kw_only=True):
    """A hold on an order, on the dose of a day, or (with neither) on every dose of a client."""

    reason: HoldReason
    note: str = ""
    order_id: UUID | None = None
    on_day: date | None = None
    """The day whose dose is held; it needs no clearing once the day has passed."""
    part: DosePart | None = None
    """The part of that day; all of it when left out."""
    told: Annotated[list[str], msgspec.Meta(max_length=MOST_TOLD)] = msgspec.field(default_factory=list[str])
    """Whom you have told already, by name and function. A prescriber finds it on the list of holds."""
    clears: str | None = None
    """What clears it; by the reason when left out."""


class HoldOut(Wire, frozen=True, kw_only=True):
    """A hold."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    reason: HoldReason
    note: str
    raised_by: UUID
    raised_at: datetime
    by_rule: str | None
    """The rule that raised it; null when a person did."""
    policy: str | None
    """That rule with the version it stood in, of the profile or of the product (`caseload.exception_holds_next of caseload-1`)."""
    dose_id: UUID | None
    """The dose that broke a rule."""
    order_id: UUID | None
    """The order at which it is aimed."""
    on_day: date | None
    part: DosePart | None
    told: list[str]
    clears: str
    """What clears it. It always takes a prescriber's signed decision."""
    cleared_at: datetime | None
    cleared_by: UUID | None
    """The decision that cleared it."""

    @classmethod
    def of(cls, hold: Hold) -> "HoldOut":
        """From the domain."""
        return cls(
            id=hold.id,
            client_id=hold.client,
            programme_id=hold.programme,
            reason=hold.reason,
            note=hold.note,
            raised_by=hold.raised_by,
            raised_at=hold.raised_at,
            by_rule=hold.by_rule,
            policy=hold.policy,
            dose_id=hold.dose,
            order_id=hold.aim.order,
            on_day=hold.aim.on_day,
            part=hold.aim.part,
            told=list(hold.told),
            clears=hold.cleared_when,
            cleared_at=hold.cleared_at,
            cleared_by=hold.cleared_by,
        )


class HoldsOut(Wire, frozen=True, kw_only=True):
    """The holds of a programme that wait for a prescriber: exceptions first, then the oldest."""

    items: list[HoldOut]


@writing("/clients/{client_id:uuid}/holds", act=Act.RAISE_HOLD, name="raise_hold")
async def raise_hold(client_id: FromPath[UUID], data: JSONBody[HoldIn], work: TheWork, key: TheKey) -> HoldOut:
    """Hold an order, the dose of a day, or every dose of a client, until a prescriber's signed decision."""
    store, new = charts(work), HoldId(new_id())

    async def hold() -> Hold:
        return await domain.raise_hold(
            ClientId(client_id),
            data.reason,
            Words(note=data.note, told=tuple(data.told), clears=data.clears),
            aim=Aim(
                order=OrderId(data.order_id) if data.order_id is not None else None,
                on_day=data.on_day,
                part=data.part,
            ),
            as_id=new,
            by=work.by,
            now=work.now,
            holds=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Hold:
        return await store.hold(HoldId(kept.resource), by=work.by, act=Act.RAISE_HOLD)

    return HoldOut.of(await once(work, key, Kept(status=201, resource=new), do=hold, again=again))


@reading("/programmes/{programme_id:uuid}/holds", act=Act.DECIDE_MEDICATION, name="list_holds")
async def list_holds(programme_id: FromPath[UUID], work: TheWork) -> HoldsOut:
    """What waits for a prescriber in a programme: doses that broke a rule first, then the oldest hold."""
    found = await charts(work).in_force(ProgrammeId(programme_id), by=work.by, act=Act.DECIDE_MEDICATION)
    return HoldsOut(items=[HoldOut.of(hold) for hold in found])
