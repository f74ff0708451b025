"""A prescriber's signed take-home decisions, and their suspension."""

from datetime import date
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.proving import ProvedIn
from caseload.api.route import writing
from caseload.api.takehome.store import take_homes
from caseload.api.takehome.wire import AnswersIO, TakeHomeDecisionOut
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import takehome as domain
from caseload.domain.access import Act
from caseload.domain.ids import ClientId, SuspensionId, TakeHomeDecisionId, new_id
from caseload.domain.medicines import Medicine
from caseload.domain.takehome import Answer, TakeHomeDecision, TakeHomeWish
from caseload.request.idempotency import once
from caseload.request.sign_in import prove


class TakeHomeDecisionIn(ProvedIn, frozen=True, kw_only=True):
    """How many days of a medicine a client may take home at once; 0 decides that none may be."""

    medicine: Medicine
    days: int
    answers: AnswersIO
    rationale: str
    review_on: date


class SuspensionIn(ProvedIn, frozen=True, kw_only=True):
    """Why a decision ends before its time, and when it is looked at again."""

    reason: str
    review_on: date


@writing(
    "/clients/{client_id:uuid}/take-home-decisions",
    act=Act.DECIDE_MEDICATION,
    name="decide_take_home",
    problems=(404, 429),
)
async def decide(
    client_id: FromPath[UUID], data: JSONBody[TakeHomeDecisionIn], work: TheWork, key: TheKey
) -> TakeHomeDecisionOut:
    """Decide on the six criteria how many days may be taken home, signed with the password proved again.

    More than the strictest ladder of the profile is refused, with the rule, its version and the day of treatment.
    """
    proof = await prove(work, data.evidence())
    store, new = take_homes(work), TakeHomeDecisionId(new_id())

    async def do() -> TakeHomeDecision:
        wish = TakeHomeWish(
            medicine=data.medicine,
            days=data.days,
            answers={each: Answer(met=said.met, note=said.note) for each, said in data.answers.of_each().items()},
            rationale=data.rationale,
            review_on=data.review_on,
        )
        return await domain.decide_take_home(
            wish,
            ClientId(client_id),
            as_id=new,
            by=work.by,
            proof=proof,
            now=work.now,
            decisions=store,
            journal=work.journal,
        )

    async def again(kept: Kept) -> TakeHomeDecision:
        wanted = TakeHomeDecisionId(kept.resource)
        return await store.take_home_decision(wanted, by=work.by, act=Act.DECIDE_MEDICATION)

    return TakeHomeDecisionOut.of(await once(work, key, Kept(status=201, resource=new), do=do, again=again))


@writing(
    "/take-home-decisions/{decision_id:uuid}/suspension",
    act=Act.DECIDE_MEDICATION,
    name="suspend_take_home",
    problems=(404, 429),
)
async def suspend(
    decision_id: FromPath[UUID], data: JSONBody[SuspensionIn], work: TheWork, key: TheKey
) -> TakeHomeDecisionOut:
    """Suspend a take-home decision, signed. What is out stays out until it is accounted for."""
    proof = await prove(work, data.evidence())
    store, wanted = take_homes(work), TakeHomeDecisionId(decision_id)

    async def do() -> None:
        await domain.suspend_take_home(
            wanted,
            data.reason,
            data.review_on,
            as_id=SuspensionId(new_id()),
            by=work.by,
            proof=proof,
            now=work.now,
            decisions=store,
            journal=work.journal,
        )

    async def again(_: Kept) -> None:
        """The answer is read below."""

    await once(work, key, Kept(status=201, resource=wanted), do=do, again=again)
    return TakeHomeDecisionOut.of(await store.take_home_decision(wanted, by=work.by, act=Act.DECIDE_MEDICATION))
