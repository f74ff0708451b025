"""The waiting list of a programme: who waits, how urgent it is, and who does not wait any more."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from litestar.params import FromPath, JSONBody, QueryParameter

from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, client_within, nothing_more
from caseload.db.caseload.waiting import WaitingLists
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import Left, Priority
from caseload.domain.ids import ClientId, ProgrammeId
from caseload.request.idempotency import once
from caseload.request.work import Work

OfProgramme = Annotated[UUID, QueryParameter(name="programme", description="Of which programme.")]


class WaitsOut(Wire, frozen=True, kw_only=True):
    """One client who waits for admission."""

    client_id: UUID
    given_name: str
    family_name: str
    birth_date: date
    since: datetime
    """When they asked, or were registered where nobody said."""
    priority: Priority | None
    """Null: nobody has said anything yet, so the line stands first."""
    reason: str | None


class ListingIn(Wire, frozen=True, kw_only=True):
    """How urgent the admission of a client is, and why."""

    client_id: UUID
    priority: Priority
    reason: str
    since: Instant | None = None
    """When they asked; now when left out."""


class UnlistingIn(Wire, frozen=True, kw_only=True):
    """Why a client does not wait any more."""

    why: Left
    reason: str


@reading("/caseload/waiting-list", act=Act.ADMIT, name="list_waiting_clients", problems=())
async def list_waiting_clients(
    work: TheWork, programme: OfProgramme, after: After = None, limit: Limit = USUAL
) -> Page[WaitsOut]:
    """Who waits for admission to a programme, as far as you see them: the most urgent first, then the longest waiting.

    Whoever was registered and never admitted waits, and stands first until somebody has said how urgent it is.
    """
    work.by.require(Act.ADMIT, ProgrammeId(programme))
    found = await _lists(work).lines(
        ProgrammeId(programme),
        reach=work.by.reach(Act.ADMIT),
        after=None if after is None else ClientId(after),
        limit=limit,
    )
    items = [
        WaitsOut(
            client_id=each.client,
            given_name=each.given_name,
            family_name=each.family_name,
            birth_date=each.birth_date,
            since=each.since,
            priority=each.priority,
            reason=each.reason,
        )
        for each in found
    ]
    return Page(items=items, next=items[-1].client_id if len(items) == limit else None)


@writing("/caseload/waiting-list", act=Act.ADMIT, name="list_client", status=204)
async def list_client(data: JSONBody[ListingIn], work: TheWork, key: TheKey) -> None:
    """Say that a client waits, since when, how urgent it is and why; what was said before does not count any more."""

    async def say() -> None:
        client = await client_within(work, data.client_id, Act.ADMIT)
        await domain.list_client(
            client.id,
            client.programme,
            data.priority,
            data.reason,
            since=data.since or work.now,
            by=work.by,
            now=work.now,
            waiting=_lists(work),
            journal=work.journal,
        )

    async def again(_: Kept) -> None:
        await client_within(work, data.client_id, Act.ADMIT)

    await once(work, key, Kept(status=204, resource=data.client_id), do=say, again=again)


@writing("/caseload/waiting-list/{client_id:uuid}/departure", act=Act.ADMIT, name="unlist_client", status=204)
async def unlist_client(client_id: FromPath[UUID], data: JSONBody[UnlistingIn], work: TheWork, key: TheKey) -> None:
    """Say that a client does not wait any more without having been admitted, and why."""

    async def say() -> None:
        client = await client_within(work, client_id, Act.ADMIT)
        lists = _lists(work)
        await domain.unlist_client(
            await lists.line(client.id, reach=work.by.reach(Act.ADMIT)),
            client.programme,
            data.why,
            data.reason,
            by=work.by,
            now=work.now,
            waiting=lists,
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=client_id), do=say, again=nothing_more)


def _lists(work: Work) -> WaitingLists:
    return WaitingLists(work.connection, work.journal, now=work.now)
