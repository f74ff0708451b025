"""A whole caseload in one call: handed over to another counsellor."""

from datetime import datetime
from uuid import UUID

from litestar.params import JSONBody

from caseload.api.caseload.loads import WarningOut
from caseload.api.caseload.store import caseloads_of
from caseload.api.route import writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import CaseloadHandover
from caseload.domain.ids import ClientId, HandoverId, ProgrammeId, StaffId, new_id
from caseload.request.idempotency import once


class CaseloadHandoverIn(Wire, frozen=True, kw_only=True):
    """Clients who are to be handed over: those that are named, or everybody whom one counsellor answers for."""

    programme_id: UUID
    clients: tuple[UUID, ...] = ()
    of: UUID | None = None
    """Whose whole caseload it is, with what is planned to become theirs; instead of `clients`."""
    to: UUID
    effective_at: Instant | None = None
    """From when on; now when left out."""
    note: str | None = None
    at_once: bool = False
    """Not to ask the new counsellor first where the programme wants it; say why in the note."""


class PassedOut(Wire, frozen=True, kw_only=True):
    """One client of the call."""

    client_id: UUID
    handover_id: UUID
    """By it a handover that is planned can be cancelled, for this client alone."""
    since: datetime
    waits: bool
    """For the new counsellor, who has been asked; until then whoever is responsible stays so."""


class CaseloadHandoverOut(Wire, frozen=True, kw_only=True):
    """Clients who were handed over in one call."""

    id: UUID
    to: UUID
    effective_at: datetime
    items: list[PassedOut]
    warnings: list[WarningOut]


@writing("/caseload/handovers", act=Act.HAND_OVER, name="hand_over_caseload", problems=())
async def hand_over_caseload(data: JSONBody[CaseloadHandoverIn], work: TheWork, key: TheKey) -> CaseloadHandoverOut:
    """Hand many clients over in one call: all of them, or none and why."""
    caseloads, reach, new = caseloads_of(work), work.by.reach(Act.HAND_OVER), HandoverId(new_id())

    async def hand_over() -> CaseloadHandover:
        return await domain.hand_over_together(
            domain.Wish(
                programme=ProgrammeId(data.programme_id),
                clients=tuple(ClientId(each) for each in data.clients),
                of=None if data.of is None else StaffId(data.of),
                to=StaffId(data.to),
                at=data.effective_at or work.now,
                note=data.note,
                at_once=data.at_once,
            ),
            as_id=new,
            reach=reach,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    async def again(kept: Kept) -> CaseloadHandover:
        return await caseloads.call(HandoverId(kept.resource), reach=reach)

    call = await once(work, key, Kept(status=201, resource=new), do=hand_over, again=again)
    return CaseloadHandoverOut(
        id=call.id,
        to=call.to,
        effective_at=call.effective_at,
        items=[
            *(
                PassedOut(client_id=each.client, handover_id=each.id, since=each.since, waits=False)
                for each in call.passed
            ),
            *(
                PassedOut(client_id=each.client, handover_id=each.id, since=each.effective_at, waits=True)
                for each in call.offered
            ),
        ],
        warnings=WarningOut.all_of(await caseloads.load(call.to, call.programme)),
    )
