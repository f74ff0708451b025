"""Holds on every dose of a client: raised, and waiting for a prescriber."""

from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.dosing.store import charts
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import medication as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, HoldId, ProgrammeId, new_id
from caseload.domain.medication import Hold, HoldReason
from caseload.request.idempotency import once


class HoldIn(Wire, frozen=True, kw_only=True):
    """A hold on every dose of a client."""

    reason: HoldReason
    note: str = ""


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
    dose_id: UUID | None
    """The dose that broke a rule."""
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
            dose_id=hold.dose,
            cleared_at=hold.cleared_at,
            cleared_by=hold.cleared_by,
        )


class HoldsOut(Wire, frozen=True, kw_only=True):
    """The holds of a programme that wait for a prescriber: exceptions first, then the oldest."""

    items: list[HoldOut]


@writing("/clients/{client_id:uuid}/holds", act=Act.RAISE_HOLD, name="raise_hold")
async def raise_hold(client_id: FromPath[UUID], data: JSONBody[HoldIn], work: TheWork, key: TheKey) -> HoldOut:
    """Hold every dose of a client from now on, until a prescriber's signed decision."""
    store, new = charts(work), HoldId(new_id())

    async def hold() -> Hold:
        return await domain.raise_hold(
            ClientId(client_id),
            data.reason,
            data.note,
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
