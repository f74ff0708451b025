"""Handovers that wait for the new counsellor: to accept or decline, to see, and to withdraw."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.caseload.store import caseloads_of
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Offered
from caseload.domain.ids import ProgrammeId
from caseload.request.idempotency import once

OfProgramme = Annotated[UUID, QueryParameter(name="programme", description="Of which programme.")]


class OfferOut(Wire, frozen=True, kw_only=True):
    """A handover that waits for the new counsellor."""

    id: UUID
    client_id: UUID | None
    """Null, with name, birth date and note, where the client is restricted and you are not named: ask whoever offered it."""
    given_name: str | None
    family_name: str | None
    birth_date: date | None
    programme_id: UUID
    to: UUID
    responsible_counsellor_id: UUID
    """Who answers for the client until it is accepted."""
    effective_at: datetime
    note: str | None
    offered_by: UUID
    """Whom to ask; a privacy officer or the medical director names you."""
    offered_at: datetime


class DeclineIn(Wire, frozen=True, kw_only=True):
    """Why the client is not taken over."""

    reason: str


class CaseloadTermsIn(Wire, frozen=True, kw_only=True):
    """Whether the handovers of a programme wait for the new counsellor."""

    programme_id: UUID
    handovers_wait: bool
    reason: str


@reading("/caseload/offers", act=Act.ANSWER_HANDOVER, name="list_offered_handovers", problems=())
async def list_offered_handovers(work: TheWork, after: After = None, limit: Limit = USUAL) -> Page[OfferOut]:
    """The clients whom you are asked to take over, the longest waiting first.

    Of a client who is not yours yet you see what is needed to answer: who it is, who answers for them, and the note. Of one who is
    restricted and does not name you, you see that one waits and whom to ask, and not who it is.
    """
    where = work.by.reach(Act.ANSWER_HANDOVER)
    found = await caseloads_of(work).offered_to(
        work.by.id, programmes=where.caseload_in | where.everyone_in, after=after, limit=limit, closed=where.closed
    )
    return _page(found, limit)


@writing("/caseload/offers/{offer_id:uuid}/acceptance", act=Act.ANSWER_HANDOVER, name="accept_handover", status=204)
async def accept_handover(offer_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Take the client over: from the moment that was asked for, or from now on where that has passed."""
    caseloads = caseloads_of(work)

    async def accept() -> None:
        offer = await caseloads.offer_to(offer_id, to=work.by.id)
        await domain.accept(offer, by=work.by, now=work.now, offers=caseloads, journal=work.journal)

    async def again(_: Kept) -> None:
        await caseloads.offer_to(offer_id, to=work.by.id)

    await once(work, key, Kept(status=204, resource=offer_id), do=accept, again=again)


@writing("/caseload/offers/{offer_id:uuid}/refusal", act=Act.ANSWER_HANDOVER, name="decline_handover", status=204)
async def decline_handover(offer_id: FromPath[UUID], data: JSONBody[DeclineIn], work: TheWork, key: TheKey) -> None:
    """Do not take the client over, and say why: whoever is responsible stays so."""
    caseloads = caseloads_of(work)

    async def decline() -> None:
        offer = await caseloads.offer_to(offer_id, to=work.by.id)
        await domain.decline(offer, data.reason, by=work.by, now=work.now, offers=caseloads, journal=work.journal)

    async def again(_: Kept) -> None:
        await caseloads.offer_to(offer_id, to=work.by.id)

    await once(work, key, Kept(status=204, resource=offer_id), do=decline, again=again)


@reading("/caseload/handovers/waiting", act=Act.HAND_OVER, name="list_waiting_handovers", problems=())
async def list_waiting_handovers(
    work: TheWork, programme: OfProgramme, after: After = None, limit: Limit = USUAL
) -> Page[OfferOut]:
    """Which handovers of a programme wait for the new counsellor, the longest waiting first."""
    work.by.require(Act.HAND_OVER, ProgrammeId(programme))
    found = await caseloads_of(work).waiting_in(
        ProgrammeId(programme), reach=work.by.reach(Act.HAND_OVER), after=after, limit=limit
    )
    return _page(found, limit)


@writing(
    "/caseload/handovers/waiting/{offer_id:uuid}/withdrawal", act=Act.HAND_OVER, name="withdraw_handover", status=204
)
async def withdraw_handover(offer_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Let a handover not wait any more: whoever is responsible stays so."""
    caseloads = caseloads_of(work)

    async def withdraw() -> None:
        offer = await caseloads.offer_within(offer_id, reach=work.by.reach(Act.HAND_OVER))
        await domain.withdraw(offer, by=work.by, now=work.now, offers=caseloads, journal=work.journal)

    async def again(_: Kept) -> None:
        await caseloads.offer_within(offer_id, reach=work.by.reach(Act.HAND_OVER))

    await once(work, key, Kept(status=204, resource=offer_id), do=withdraw, again=again)


@writing("/caseload/terms", act=Act.HAND_OVER, name="set_caseload_terms", status=204, problems=())
async def set_caseload_terms(data: JSONBody[CaseloadTermsIn], work: TheWork, key: TheKey) -> None:
    """Say whether the handovers of a programme wait for the new counsellor from now on."""
    caseloads = caseloads_of(work)

    async def set_them() -> None:
        await domain.set_terms(
            ProgrammeId(data.programme_id),
            data.reason,
            handovers_wait=data.handovers_wait,
            by=work.by,
            now=work.now,
            terms=caseloads,
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=data.programme_id), do=set_them, again=nothing_more)


def _page(found: Sequence[Offered], limit: int) -> Page[OfferOut]:
    items = [
        OfferOut(
            id=each.offer.id,
            client_id=None if each.is_hidden else each.offer.client,
            given_name=None if each.is_hidden else each.given_name,
            family_name=None if each.is_hidden else each.family_name,
            birth_date=None if each.is_hidden else each.birth_date,
            programme_id=each.offer.programme,
            to=each.offer.to,
            responsible_counsellor_id=each.responsible,
            effective_at=each.offer.effective_at,
            note=None if each.is_hidden else each.offer.note,
            offered_by=each.offer.recorded_by,
            offered_at=each.offer.recorded_at,
        )
        for each in found
    ]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)
