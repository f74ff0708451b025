"""Who answers for a client: handovers and cover."""

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.caseload.loads import WarningOut
from caseload.api.caseload.store import caseloads_of
from caseload.api.route import writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Cover, Offer, OfferUnknown, Responsibility
from caseload.domain.ids import ClientId, StaffId, new_id
from caseload.request.idempotency import once


class HandoverIn(Wire, frozen=True, kw_only=True):
    """A handover to another counsellor."""

    to: UUID
    effective_at: Instant | None = None
    """From when on; now when left out."""
    note: str | None = None
    at_once: bool = False
    """Not to ask the new counsellor first where the programme wants it; say why in the note."""


class CoverIn(Wire, frozen=True, kw_only=True):
    """Somebody who stands in for the responsible counsellor."""

    counsellor_id: UUID
    starts_at: Instant
    ends_at: Instant
    reason: str


class ResponsibilityOut(Wire, frozen=True, kw_only=True):
    """Who answers for the client from when on."""

    id: UUID
    client_id: UUID
    counsellor_id: UUID
    since: datetime
    waits: bool
    """For the new counsellor, who has been asked; until then whoever is responsible stays so."""
    warnings: list[WarningOut]


class CoverOut(Wire, frozen=True, kw_only=True):
    """Who stands in, from when to when."""

    id: UUID
    client_id: UUID
    counsellor_id: UUID
    starts_at: datetime
    ends_at: datetime


@writing("/clients/{client_id:uuid}/handovers", act=Act.HAND_OVER, name="hand_over_client")
async def hand_over_client(
    client_id: FromPath[UUID], data: JSONBody[HandoverIn], work: TheWork, key: TheKey
) -> ResponsibilityOut:
    """Pass responsibility to another counsellor, without a moment in which nobody is responsible."""
    caseloads = caseloads_of(work)
    reach = work.by.reach(Act.HAND_OVER)
    new = new_id()

    async def hand_over() -> Responsibility | Offer:
        return await domain.hand_over_or_offer(
            await caseloads.open_episode(ClientId(client_id), reach=reach, held=True),
            as_id=new,
            to=StaffId(data.to),
            at=data.effective_at or work.now,
            note=data.note,
            at_once=data.at_once,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Responsibility | Offer:
        with suppress(OfferUnknown):
            return await caseloads.offer_within(kept.resource, reach=reach)
        return await caseloads.responsibility(kept.resource, reach=reach)

    passed = await once(work, key, Kept(status=201, resource=new), do=hand_over, again=again)
    waits = isinstance(passed, Offer)
    to, since = (passed.to, passed.effective_at) if waits else (passed.counsellor, passed.since)
    return ResponsibilityOut(
        id=passed.id,
        client_id=passed.client,
        counsellor_id=to,
        since=since,
        waits=waits,
        warnings=WarningOut.all_of(await caseloads.load_in(passed.episode, to)),
    )


@writing("/clients/{client_id:uuid}/covers", act=Act.HAND_OVER, name="cover_client")
async def cover_client(client_id: FromPath[UUID], data: JSONBody[CoverIn], work: TheWork, key: TheKey) -> CoverOut:
    """Let somebody stand in for the responsible counsellor; it ends by itself."""
    caseloads = caseloads_of(work)
    reach = work.by.reach(Act.HAND_OVER)
    new = new_id()

    async def arrange() -> Cover:
        return await domain.arrange_cover(
            await caseloads.open_episode(ClientId(client_id), reach=reach, held=True),
            as_id=new,
            counsellor=StaffId(data.counsellor_id),
            starts_at=data.starts_at,
            ends_at=data.ends_at,
            reason=data.reason,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Cover:
        return await caseloads.cover(kept.resource, reach=reach)

    cover = await once(work, key, Kept(status=201, resource=new), do=arrange, again=again)
    return CoverOut(
        id=cover.id,
        client_id=cover.client,
        counsellor_id=cover.counsellor,
        starts_at=cover.starts_at,
        ends_at=cover.ends_at,
    )
