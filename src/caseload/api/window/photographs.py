"""From when a client's photograph is. The picture itself stays where the clinic keeps it."""

from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.window.store import records, today_of
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.idempotency import Kept
from caseload.domain import window as domain
from caseload.domain.access import Act
from caseload.domain.ids import PhotographId, new_id
from caseload.domain.window import Photograph
from caseload.request.idempotency import once


class PhotographIn(Wire, frozen=True, kw_only=True):
    """A photograph of a day; or, without one, why none is held any more."""

    taken_on: date | None
    kept_where: str


class PhotographOut(Wire, frozen=True, kw_only=True):
    """A record of the client's photograph."""

    id: UUID
    taken_on: date | None
    """Null where none is held any more."""
    kept_where: str
    recorded_by: UUID
    recorded_at: datetime

    @classmethod
    def of(cls, photograph: Photograph) -> "PhotographOut":
        """From the domain."""
        return cls(
            id=photograph.id,
            taken_on=photograph.taken_on,
            kept_where=photograph.kept_where,
            recorded_by=photograph.recorded_by,
            recorded_at=photograph.recorded_at,
        )


class PhotographsOut(Wire, frozen=True, kw_only=True):
    """Every record of the client's photograph, the newest, which counts, first."""

    items: list[PhotographOut]


@writing("/clients/{client_id:uuid}/photographs", act=Act.CORRECT_IDENTITY, name="record_photograph")
async def record_photograph(
    client_id: FromPath[UUID], data: JSONBody[PhotographIn], work: TheWork, key: TheKey
) -> PhotographOut:
    """Record from when the client's photograph is and where it lies; without a day, why none is held any more."""
    client = await client_within(work, client_id, Act.CORRECT_IDENTITY)
    today = await today_of(client, work)
    store, new = records(work), PhotographId(new_id())

    async def record() -> Photograph:
        return await domain.record_photograph(
            client.id,
            data.taken_on,
            data.kept_where,
            as_id=new,
            today=today,
            by=work.by,
            now=work.now,
            photographs=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Photograph:
        return next(each for each in await store.photographs_of(client.id) if each.id == kept.resource)

    return PhotographOut.of(await once(work, key, Kept(status=201, resource=new), do=record, again=again))


@reading("/clients/{client_id:uuid}/photographs", act=Act.SEE_IDENTITY, name="list_photographs")
async def list_photographs(client_id: FromPath[UUID], work: TheWork) -> PhotographsOut:
    """Every record of the client's photograph, the newest first."""
    client = await client_within(work, client_id, Act.SEE_IDENTITY)
    return PhotographsOut(items=[PhotographOut.of(each) for each in await records(work).photographs_of(client.id)])
