"""Excused days of a client."""

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
from caseload.domain.ids import ExcusalId, new_id
from caseload.domain.window import Absence, Excusal, ExcuseReason
from caseload.request.idempotency import once


class ExcusalIn(Wire, frozen=True, kw_only=True):
    """Days on which the window does not expect a client. For tolerance they are days without medicine all the same."""

    reason: ExcuseReason
    first_on: date
    last_on: date | None = None
    """Left out while nobody knows."""
    told_by: str
    """Who told us, such as the ward."""
    note: str = ""


class ExcusalEndIn(Wire, frozen=True, kw_only=True):
    """From the day after this one the client is expected again."""

    last_on: date
    """The day before the first one, where it never was."""
    reason: str


class ExcusalEndOut(Wire, frozen=True, kw_only=True):
    """How it ended."""

    last_on: date
    reason: str
    recorded_by: UUID
    recorded_at: datetime


class ExcusalOut(Wire, frozen=True, kw_only=True):
    """Days on which the window does not expect a client."""

    id: UUID
    client_id: UUID
    reason: ExcuseReason
    first_on: date
    last_on: date | None
    """As it was recorded; the `end` says how it came out."""
    told_by: str
    note: str
    recorded_by: UUID
    recorded_at: datetime
    end: ExcusalEndOut | None

    @classmethod
    def of(cls, excusal: Excusal) -> "ExcusalOut":
        """From the domain."""
        absence, end = excusal.absence, excusal.end
        return cls(
            id=excusal.id,
            client_id=excusal.client,
            reason=absence.reason,
            first_on=absence.first_on,
            last_on=absence.last_on,
            told_by=absence.told_by,
            note=absence.note,
            recorded_by=excusal.recorded_by,
            recorded_at=excusal.recorded_at,
            end=None
            if end is None
            else ExcusalEndOut(
                last_on=end.last_on, reason=end.reason, recorded_by=end.recorded_by, recorded_at=end.recorded_at
            ),
        )


class ExcusalsOut(Wire, frozen=True, kw_only=True):
    """The excusals of a client, the last first."""

    items: list[ExcusalOut]


@writing("/clients/{client_id:uuid}/excusals", act=Act.EXCUSE_CLIENT, name="excuse_client")
async def excuse_client(client_id: FromPath[UUID], data: JSONBody[ExcusalIn], work: TheWork, key: TheKey) -> ExcusalOut:
    """Say that the window does not expect a client on some days: hospital, prison, travel."""
    client = await client_within(work, client_id, Act.EXCUSE_CLIENT)
    today = await today_of(client, work)
    store, new = records(work), ExcusalId(new_id())

    async def excuse() -> Excusal:
        absence = Absence(
            reason=data.reason, first_on=data.first_on, last_on=data.last_on, told_by=data.told_by, note=data.note
        )
        return await domain.excuse(
            client.id,
            client.programme,
            absence,
            as_id=new,
            today=today,
            by=work.by,
            now=work.now,
            excusals=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Excusal:
        return await store.excusal(ExcusalId(kept.resource), of=client.id)

    return ExcusalOut.of(await once(work, key, Kept(status=201, resource=new), do=excuse, again=again))


@reading("/clients/{client_id:uuid}/excusals", act=Act.EXCUSE_CLIENT, name="list_excusals")
async def list_excusals(client_id: FromPath[UUID], work: TheWork) -> ExcusalsOut:
    """Every excusal of a client, the last first."""
    client = await client_within(work, client_id, Act.EXCUSE_CLIENT)
    return ExcusalsOut(items=[ExcusalOut.of(each) for each in await records(work).excusals_of(client.id)])


@writing("/clients/{client_id:uuid}/excusals/{excusal_id:uuid}/end", act=Act.EXCUSE_CLIENT, name="end_excusal")
async def end_excusal(
    client_id: FromPath[UUID], excusal_id: FromPath[UUID], data: JSONBody[ExcusalEndIn], work: TheWork, key: TheKey
) -> ExcusalOut:
    """Say that a client is expected again, earlier than was thought or at last."""
    client = await client_within(work, client_id, Act.EXCUSE_CLIENT)
    store, wanted = records(work), ExcusalId(excusal_id)

    async def end() -> Excusal:
        return await domain.end_excusal(
            wanted,
            client.id,
            data.last_on,
            data.reason,
            by=work.by,
            now=work.now,
            excusals=store,
            journal=work.journal,
        )

    async def again(_: Kept) -> Excusal:
        return await store.excusal(wanted, of=client.id)

    return ExcusalOut.of(await once(work, key, Kept(status=201, resource=wanted), do=end, again=again))
