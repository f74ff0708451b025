"""Guest dosing: agreements with other programmes, their end, and the list of a programme."""

from collections.abc import Sequence
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.guest.wire import GuestEndIn, GuestIn, GuestOut
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.guest import Guests
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import guest as domain
from caseload.domain.access import Act
from caseload.domain.guest import Guest
from caseload.domain.ids import ClientId, GuestId, ProgrammeId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


@writing("/clients/{client_id:uuid}/guest-agreements", act=Act.ARRANGE_GUEST, name="arrange_guest")
async def arrange_guest(client_id: FromPath[UUID], data: JSONBody[GuestIn], work: TheWork, key: TheKey) -> GuestOut:
    """Arrange that a client is dosed as a guest on some days: ours elsewhere, or another programme's with us."""
    new = GuestId(new_id())

    async def arrange() -> Guest:
        return await domain.arrange_guest(
            ClientId(client_id),
            data.read(),
            as_id=new,
            by=work.by,
            now=work.now,
            guests=_kept(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Guest:
        return await _kept(work).guest(GuestId(kept.resource), by=work.by, act=Act.ARRANGE_GUEST)

    return GuestOut.of(await once(work, key, Kept(status=201, resource=new), do=arrange, again=again))


@reading("/clients/{client_id:uuid}/guest-agreements", act=Act.SEE_MEDICATION, name="list_guest_agreements")
async def list_guest_agreements(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[GuestOut]:
    """The guest agreements of a client, the last arranged first."""
    client = await client_within(work, client_id, Act.SEE_MEDICATION)
    found = await _kept(work).guests_of(client.id, by=work.by, act=Act.SEE_MEDICATION, after=after, limit=limit)
    return _page(found, limit)


@reading("/programmes/{programme_id:uuid}/guest-agreements", act=Act.SEE_MEDICATION, name="list_guests")
async def list_guests(
    programme_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[GuestOut]:
    """Who is a guest of this programme, or elsewhere, now and to come, the last arranged first.

    Two weeks longer those that have ended: `told_at` says whether the home programme knows of the last dose.
    """
    programme = await Programmes(work.connection).get(ProgrammeId(programme_id))
    work.by.require(Act.SEE_MEDICATION, programme.id)
    found = await _kept(work).guests_in(
        programme.id, programme.today(work.now), by=work.by, act=Act.SEE_MEDICATION, after=after, limit=limit
    )
    return _page(found, limit)


@writing("/guest-agreements/{agreement_id:uuid}/end", act=Act.ARRANGE_GUEST, name="end_guest_agreement")
async def end_guest_agreement(
    agreement_id: FromPath[UUID], data: JSONBody[GuestEndIn], work: TheWork, key: TheKey
) -> GuestOut:
    """Say that a guest is home before the last day, that it never was, or that a guest of ours stays."""
    wanted = GuestId(agreement_id)

    async def end() -> Guest:
        return await domain.end_guest(
            wanted,
            data.last_on,
            data.reason,
            became_ours=data.became_ours,
            by=work.by,
            now=work.now,
            guests=_kept(work),
            journal=work.journal,
        )

    async def again(_: Kept) -> Guest:
        return await _kept(work).guest(wanted, by=work.by, act=Act.ARRANGE_GUEST)

    return GuestOut.of(await once(work, key, Kept(status=201, resource=wanted), do=end, again=again))


def _page(found: Sequence[Guest], limit: int) -> Page[GuestOut]:
    items = [GuestOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


def _kept(work: Work) -> Guests:
    return Guests(work.connection, work.journal, now=work.now)


router = Router(
    "/",
    route_handlers=[arrange_guest, list_guest_agreements, list_guests, end_guest_agreement],
    tags=["Guests"],
)
