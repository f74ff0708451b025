"""Counts by two people, and whence a dose came."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.amounts import milligrams
from caseload.api.dosing.store import charts
from caseload.api.dosing.wire import DoseOut, versioned
from caseload.api.route import reading, writing
from caseload.api.stock.containers import acts
from caseload.api.stock.wire import CountIn, CountOut, SignatureIn, WhenceIn
from caseload.api.work import IfMatch, TheKey, TheWork, require_version
from caseload.db.idempotency import Kept
from caseload.db.stock.taking import Takings
from caseload.domain.access import Act
from caseload.domain.ids import ContainerId, CountId, DoseId, new_id
from caseload.domain.stock import count as domain
from caseload.domain.stock.count import Count, Found
from caseload.domain.stock.taking import From, say_whence
from caseload.request.idempotency import once
from caseload.request.sign_in import prove


@writing(
    "/stock-containers/{container_id:uuid}/counts",
    act=Act.COUNT_STOCK,
    name="count_container",
    problems=(404, 412, 428, 429),
)
async def count_container(
    container_id: FromPath[UUID], data: JSONBody[CountIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> CountOut:
    """Sign what you counted in a container, as its books stood when you counted.

    Whatever was given from it meanwhile makes the version another: count again. Nothing in the books changes before a
    second person has signed.
    """
    proof = await prove(work, data.evidence())
    new = CountId(new_id())

    async def count() -> Count:
        store = acts(work)
        seen = await store.container(ContainerId(container_id), by=work.by, act=Act.COUNT_STOCK)
        require_version(if_match, seen.version)
        return await domain.count(
            seen.id,
            seen.version,
            Found(counted_mg=milligrams(data.counted_mg), cause=data.cause, explanation=data.explanation),
            as_id=new,
            by=work.by,
            proof=proof,
            now=work.now,
            counts=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Count:
        return await acts(work).count(CountId(kept.resource), by=work.by, act=Act.COUNT_STOCK)

    return CountOut.of(await once(work, key, Kept(status=201, resource=new), do=count, again=again))


@reading("/stock-counts/{count_id:uuid}", act=Act.SEE_STOCK, name="read_count")
async def read_count(count_id: FromPath[UUID], work: TheWork) -> CountOut:
    """What was counted beside what the books said, and who has signed for it."""
    return CountOut.of(await acts(work).count(CountId(count_id), by=work.by, act=Act.SEE_STOCK))


@writing("/stock-counts/{count_id:uuid}/confirmation", act=Act.COUNT_STOCK, name="confirm_count", problems=(404, 429))
async def confirm_count(count_id: FromPath[UUID], data: JSONBody[SignatureIn], work: TheWork, key: TheKey) -> CountOut:
    """Sign, as the second person who counted, what the first one found; from here on it is in the books."""
    proof = await prove(work, data.evidence())

    async def confirm() -> None:
        await domain.confirm_count(
            CountId(count_id), by=work.by, proof=proof, now=work.now, counts=acts(work), journal=work.journal
        )

    async def again(_: Kept) -> None:
        """The answer is read below."""

    await once(work, key, Kept(status=201, resource=count_id), do=confirm, again=again)
    return CountOut.of(await acts(work).count(CountId(count_id), by=work.by, act=Act.COUNT_STOCK))


@writing("/doses/{dose_id:uuid}/stock", act=Act.RECORD_DOSE, name="assign_dose", problems=(404, 412, 428))
async def assign_dose(
    dose_id: FromPath[UUID], data: JSONBody[WhenceIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[DoseOut]:
    """Say from which containers a dose in fact came; what it had taken is put back as lines of its own."""
    store, wanted = charts(work), DoseId(dose_id)
    sources = [
        From(container=ContainerId(each.container_id), amount_mg=milligrams(each.amount_mg)) for each in data.sources
    ]

    async def assign() -> None:
        seen = await store.dose(wanted, by=work.by, act=Act.RECORD_DOSE)
        require_version(if_match, seen.version)
        await say_whence(
            wanted,
            seen.version,
            sources,
            data.reason,
            by=work.by,
            now=work.now,
            doses=store,
            takings=Takings(work.connection),
            journal=work.journal,
        )

    async def again(_: Kept) -> None:
        """The answer is read below."""

    await once(work, key, Kept(status=201, resource=wanted), do=assign, again=again)
    return versioned((await store.versions(wanted, by=work.by, act=Act.RECORD_DOSE))[0])
