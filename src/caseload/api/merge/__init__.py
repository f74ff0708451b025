"""One person registered twice: proposing that, answering it, undoing it, and what is still open under the duplicate."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.merge.wire import (
    MergeAnswerIn,
    MergedWithOut,
    MergedWithPage,
    MergeIn,
    MergeOut,
    MergesOut,
    StillOpenOut,
    WholeMergeOut,
)
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.db.merge import Merges
from caseload.domain import merge as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, MergeId, new_id
from caseload.domain.merge import Merge, Standing
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work

Answering = Callable[..., Awaitable[Merge]]


@writing("/clients/{client_id:uuid}/merges", act=Act.PROPOSE_MERGE, name="propose_merge")
async def propose_merge(client_id: FromPath[UUID], data: JSONBody[MergeIn], work: TheWork, key: TheKey) -> MergeOut:
    """Say that this registration and another one are one person's. From now on both are held."""
    new = Merge(
        id=MergeId(new_id()),
        duplicate=ClientId(client_id),
        survivor=ClientId(data.survivor_id),
        reason=data.reason,
        proposed_by=work.by.id,
        proposed_at=work.now,
    )
    merges = _kept(work)

    async def propose() -> Merge:
        await domain.propose_merge(new, by=work.by, now=work.now, merges=merges, journal=work.journal)
        return new

    async def again(kept: Kept) -> Merge:
        return await merges.merge(MergeId(kept.resource), by=work.by, act=Act.PROPOSE_MERGE)

    return MergeOut.of(await once(work, key, Kept(status=201, resource=new.id), do=propose, again=again))


@reading("/clients/{client_id:uuid}/merges", act=Act.SEE_IDENTITY, name="list_client_merges")
async def list_client_merges(client_id: FromPath[UUID], work: TheWork) -> MergedWithPage:
    """Which other registrations are, may be or were taken for this client's."""
    client = await client_within(work, client_id, Act.SEE_IDENTITY)
    found = await _kept(work).merges_of(client.id, reach=work.by.reach(Act.SEE_IDENTITY))
    return MergedWithPage(items=[MergedWithOut.of(each, client.id, sees_both=both) for each, both in found])


@reading("/client-merges", act=Act.CONFIRM_MERGE, name="list_merges", problems=())
async def list_merges(work: TheWork) -> MergesOut:
    """Proposals that wait for a second person, of registrations that are both within your reach."""
    found = await _kept(work).waiting(by=work.by, act=Act.CONFIRM_MERGE)
    return MergesOut(items=[MergeOut.of(each) for each in found])


@reading("/client-merges/{merge_id:uuid}", act=Act.PROPOSE_MERGE, name="read_merge")
async def read_merge(merge_id: FromPath[UUID], work: TheWork) -> WholeMergeOut:
    """One merge; while it waits, with everything that must be settled under the duplicate first."""
    merges = _kept(work)
    merge = await merges.merge(MergeId(merge_id), by=work.by, act=Act.PROPOSE_MERGE)
    left = []
    if merge.standing is Standing.SUSPECTED:
        record = await merges.record(merge.duplicate, by=work.by, act=Act.PROPOSE_MERGE)
        left = [StillOpenOut.of(each) for each in await merges.still_open(merge, record.day_of(work.now))]
    return WholeMergeOut(merge=MergeOut.of(merge), still_open=left)


@writing("/client-merges/{merge_id:uuid}/confirmation", act=Act.CONFIRM_MERGE, name="confirm_merge")
async def confirm_merge(
    merge_id: FromPath[UUID], data: JSONBody[MergeAnswerIn], work: TheWork, key: TheKey
) -> MergeOut:
    """Close the duplicate, as another person than who proposed it. Refused, with a list, while something is open under it."""
    return await _answered(domain.confirm_merge, merge_id, data, work, key)


@writing("/client-merges/{merge_id:uuid}/rejection", act=Act.CONFIRM_MERGE, name="reject_merge")
async def reject_merge(merge_id: FromPath[UUID], data: JSONBody[MergeAnswerIn], work: TheWork, key: TheKey) -> MergeOut:
    """Say that they are two people. Each hold stays until a prescriber clears it."""
    return await _answered(domain.reject_merge, merge_id, data, work, key)


@writing("/client-merges/{merge_id:uuid}/withdrawal", act=Act.PROPOSE_MERGE, name="withdraw_merge")
async def withdraw_merge(
    merge_id: FromPath[UUID], data: JSONBody[MergeAnswerIn], work: TheWork, key: TheKey
) -> MergeOut:
    """Take back what you proposed yourself, while nobody has answered it. Each hold stays until a prescriber clears it."""
    return await _answered(domain.withdraw_merge, merge_id, data, work, key, act=Act.PROPOSE_MERGE)


@writing("/client-merges/{merge_id:uuid}/undoing", act=Act.CONFIRM_MERGE, name="undo_merge")
async def undo_merge(merge_id: FromPath[UUID], data: JSONBody[MergeAnswerIn], work: TheWork, key: TheKey) -> MergeOut:
    """Open the duplicate again. Both are held until a prescriber has looked."""
    return await _answered(domain.undo_merge, merge_id, data, work, key)


async def _answered(
    answer: Answering,
    merge_id: UUID,
    data: MergeAnswerIn,
    work: Work,
    key: RequestKey | None,
    *,
    act: Act = Act.CONFIRM_MERGE,
) -> MergeOut:
    merges, wanted = _kept(work), MergeId(merge_id)

    async def do() -> Merge:
        return await answer(wanted, data.reason, by=work.by, now=work.now, merges=merges, journal=work.journal)

    async def again(_: Kept) -> Merge:
        return await merges.merge(wanted, by=work.by, act=act)

    return MergeOut.of(await once(work, key, Kept(status=201, resource=wanted), do=do, again=again))


def _kept(work: Work) -> Merges:
    return Merges(work.connection, work.journal, now=work.now)


router = Router(
    "/",
    route_handlers=[
        propose_merge,
        list_client_merges,
        list_merges,
        read_merge,
        confirm_merge,
        reject_merge,
        withdraw_merge,
        undo_merge,
    ],
    tags=["Merges"],
)
