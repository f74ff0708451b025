"""A client's keyworker over HTTP."""

from datetime import datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.caseload.store import caseloads_of
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import TheKey, TheWork, nothing_more
from caseload.db.idempotency import Kept
from caseload.domain import caseload as domain
from caseload.domain.access import Act
from caseload.domain.caseload import KeyworkEnded, Keyworker
from caseload.domain.ids import ClientId, KeyworkerId, StaffId, new_id
from caseload.request.idempotency import once


class KeyworkerIn(Wire, frozen=True, kw_only=True):
    """Who is to be a client's keyworker from now on."""

    staff_id: UUID
    reason: str
    until_at: Instant | None = None
    """When it ends by itself; never when left out."""


class KeyworkerOut(Wire, frozen=True, kw_only=True):
    """Who is or was a client's keyworker, from when to when."""

    id: UUID
    client_id: UUID
    episode_id: UUID
    staff_id: UUID
    starts_at: datetime
    until_at: datetime | None
    """When it ends by itself."""
    ended_at: datetime | None
    """When it was ended before that."""
    ended_by: UUID | None
    ended_why: KeyworkEnded | None
    reason: str
    is_now: bool

    @classmethod
    def of(cls, one: Keyworker, *, now: datetime) -> "KeyworkerOut":
        """From the domain."""
        return cls(
            id=one.id,
            client_id=one.client,
            episode_id=one.episode,
            staff_id=one.staff,
            starts_at=one.starts_at,
            until_at=one.until_at,
            ended_at=one.ended_at,
            ended_by=one.ended_by,
            ended_why=one.ended_why,
            reason=one.reason,
            is_now=one.is_one(now),
        )


class KeyworkersOut(Wire, frozen=True, kw_only=True):
    """The keyworkers of a client, the latest first."""

    items: list[KeyworkerOut]


@writing("/clients/{client_id:uuid}/keyworkers", act=Act.HAND_OVER, name="name_keyworker")
async def name_keyworker(
    client_id: FromPath[UUID], data: JSONBody[KeyworkerIn], work: TheWork, key: TheKey
) -> KeyworkerOut:
    """Name a client's keyworker from now on; whoever was it is it no more."""
    caseloads, reach, new = caseloads_of(work), work.by.reach(Act.HAND_OVER), KeyworkerId(new_id())

    async def name() -> Keyworker:
        return await domain.name_keyworker(
            await caseloads.open_episode(ClientId(client_id), reach=reach, held=True),
            StaffId(data.staff_id),
            data.reason,
            until_at=data.until_at,
            as_id=new,
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Keyworker:
        found = await caseloads.keyworkers(ClientId(client_id), reach=reach)
        return next(each for each in found if each.id == kept.resource)

    return KeyworkerOut.of(await once(work, key, Kept(status=201, resource=new), do=name, again=again), now=work.now)


@reading("/clients/{client_id:uuid}/keyworkers", act=Act.SEE_CLIENT, name="list_keyworkers")
async def list_keyworkers(client_id: FromPath[UUID], work: TheWork) -> KeyworkersOut:
    """Who is and who was a client's keyworker."""
    found = await caseloads_of(work).keyworkers(ClientId(client_id), reach=work.by.reach(Act.SEE_CLIENT))
    return KeyworkersOut(items=[KeyworkerOut.of(each, now=work.now) for each in found])


@writing(
    "/clients/{client_id:uuid}/keyworkers/{keyworker_id:uuid}/end", act=Act.HAND_OVER, name="end_keywork", status=204
)
async def end_keywork(client_id: FromPath[UUID], keyworker_id: FromPath[UUID], work: TheWork, key: TheKey) -> None:
    """Somebody is a client's keyworker no more; nobody is, until another is named."""
    caseloads = caseloads_of(work)

    async def end() -> None:
        await domain.end_keywork(
            KeyworkerId(keyworker_id),
            await caseloads.open_episode(ClientId(client_id), reach=work.by.reach(Act.HAND_OVER), held=True),
            by=work.by,
            now=work.now,
            caseloads=caseloads,
            journal=work.journal,
        )

    await once(work, key, Kept(status=204, resource=keyworker_id), do=end, again=nothing_more)
