"""The redisclosure trail: what was told on, as far as it was heard of."""

from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.disclosure.making import kept
from caseload.api.disclosure.wire import RedisclosureIn, RedisclosureOut, RedisclosuresOut
from caseload.api.route import reading, writing
from caseload.api.work import TheKey, TheWork, concerns
from caseload.db.idempotency import Kept
from caseload.domain import disclosure as domain
from caseload.domain.access import Act
from caseload.domain.disclosure import Redisclosure
from caseload.domain.ids import DisclosureId, RedisclosureId, new_id
from caseload.request.idempotency import once


@writing("/disclosures/{disclosure_id:uuid}/redisclosures", act=Act.DISCLOSE, name="hear_of_redisclosure")
async def hear_of_redisclosure(
    disclosure_id: FromPath[UUID], data: JSONBody[RedisclosureIn], work: TheWork, key: TheKey
) -> RedisclosureOut:
    """Keep that somebody who was told has told somebody else."""
    made = await kept(work).disclosure(DisclosureId(disclosure_id), by=work.by, act=Act.DISCLOSE)
    concerns(work, made.programme, Act.DISCLOSE)
    new = RedisclosureId(new_id())

    async def do() -> Redisclosure:
        heard = Redisclosure(
            id=new,
            disclosure=made.id,
            to=data.to,
            learnt_from=data.learnt_from,
            why=data.why,
            learnt_at=data.learnt_at or work.now,
            recorded_by=work.by.id,
            recorded_at=work.now,
        )
        return await domain.hear_of_redisclosure(
            heard, of=made, by=work.by, now=work.now, redisclosures=kept(work), journal=work.journal
        )

    async def again(before: Kept) -> Redisclosure:
        heard = await kept(work).redisclosures_of(made)
        return next(each for each in heard if each.id == before.resource)

    return RedisclosureOut.of(await once(work, key, Kept(status=201, resource=new), do=do, again=again))


@reading("/disclosures/{disclosure_id:uuid}/redisclosures", act=Act.SEE_CONSENT, name="list_redisclosures")
async def list_redisclosures(disclosure_id: FromPath[UUID], work: TheWork) -> RedisclosuresOut:
    """Where it went from there, as far as it was heard of."""
    made = await kept(work).disclosure(DisclosureId(disclosure_id), by=work.by, act=Act.SEE_CONSENT)
    return RedisclosuresOut(items=[RedisclosureOut.of(each) for each in await kept(work).redisclosures_of(made)])
