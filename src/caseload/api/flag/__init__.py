"""Flags over HTTP: raised, ended and listed. What is shown beside a dose stands with the chart and the lists."""

from uuid import UUID

from litestar import Router
from litestar.params import FromPath, JSONBody

from caseload.api.flag.wire import FlagEndIn, FlagIn, FlagOut
from caseload.api.route import reading, writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork, client_within
from caseload.db.flag import KeptFlags
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import flag as domain
from caseload.domain.access import Act
from caseload.domain.flag import Flag, Raised
from caseload.domain.ids import FlagId, new_id
from caseload.request.idempotency import once
from caseload.request.work import Work


class FlagsOut(Wire, frozen=True, kw_only=True):
    """Every flag of a client, the last begun first."""

    items: list[FlagOut]


@reading("/clients/{client_id:uuid}/flags", act=Act.SEE_OBSERVATIONS, name="list_flags")
async def list_flags(client_id: FromPath[UUID], work: TheWork) -> FlagsOut:
    """What should be seen before a medicine is ordered or given, also what counts no longer."""
    client = await client_within(work, client_id, Act.SEE_OBSERVATIONS)
    return FlagsOut(items=[FlagOut.of(each) for each in await _kept(work).of(client.id)])


@writing("/clients/{client_id:uuid}/flags", act=Act.RECORD_OBSERVATION, name="raise_flag")
async def raise_flag(client_id: FromPath[UUID], data: JSONBody[FlagIn], work: TheWork, key: TheKey) -> FlagOut:
    """Raise a flag: an allergy, a pregnancy, a medicine that interacts. It is shown, and refuses nothing."""
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    today = (await Programmes(work.connection).get(client.programme)).today(work.now)
    new = FlagId(new_id())

    async def make() -> Flag:
        return await domain.raise_flag(
            client.id,
            Raised(kind=data.kind, what=data.what, since=data.since or today),
            as_id=new,
            programme=client.programme,
            today=today,
            by=work.by,
            now=work.now,
            flags=_kept(work),
            journal=work.journal,
        )

    async def again(kept: Kept) -> Flag:
        return await _kept(work).one(FlagId(kept.resource), of=client.id)

    return FlagOut.of(await once(work, key, Kept(status=201, resource=new), do=make, again=again))


@writing("/clients/{client_id:uuid}/flags/{flag_id:uuid}/end", act=Act.RECORD_OBSERVATION, name="end_flag")
async def end_flag(
    client_id: FromPath[UUID], flag_id: FromPath[UUID], data: JSONBody[FlagEndIn], work: TheWork, key: TheKey
) -> FlagOut:
    """Say from which day on a flag counts no longer, and why; also one that was raised by mistake."""
    client = await client_within(work, client_id, Act.RECORD_OBSERVATION)
    today = (await Programmes(work.connection).get(client.programme)).today(work.now)
    wanted = FlagId(flag_id)

    async def end() -> Flag:
        return await domain.end_flag(
            await _kept(work).one(wanted, of=client.id),
            data.ended_on or today,
            data.reason,
            today=today,
            by=work.by,
            now=work.now,
            flags=_kept(work),
            journal=work.journal,
        )

    async def again(_: Kept) -> Flag:
        return await _kept(work).one(wanted, of=client.id)

    return FlagOut.of(await once(work, key, Kept(status=201, resource=wanted), do=end, again=again))


def _kept(work: Work) -> KeptFlags:
    return KeptFlags(work.connection, work.journal)


router = Router("/", route_handlers=[list_flags, raise_flag, end_flag], tags=["Flags"])
