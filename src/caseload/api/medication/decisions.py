"""A prescriber's signed decisions: a hold cleared, a dose allowed after missed ones."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from uuid import UUID

from litestar.params import FromPath, JSONBody

from caseload.api.amounts import Milligrams, milligrams, written
from caseload.api.dosing.store import charts
from caseload.api.medication.wire import ReasonedSignatureIn
from caseload.api.proving import ProvedIn
from caseload.api.route import writing
from caseload.api.wire import Wire
from caseload.api.work import TheKey, TheWork
from caseload.db.idempotency import Kept
from caseload.domain import medication as domain
from caseload.domain.access import Act
from caseload.domain.dosing import Wanted, allow_dose
from caseload.domain.ids import ClientId, DecisionId, HoldId, new_id
from caseload.domain.medication import Decision, DecisionKind
from caseload.domain.medicines import Medicine
from caseload.request.idempotency import once
from caseload.request.sign_in import prove
from caseload.request.work import Work


class DecisionIn(ProvedIn, frozen=True, kw_only=True):
    """One dose on one of these days, in spite of missed doses or days that nobody knows of."""

    days: tuple[date, ...]
    reason: str
    at_most_mg: Milligrams | None = None
    """The amount to restart with; needed when so many doses were missed that it is a new start."""
    medicine: Medicine | None = None
    """Which medicine; needed where two are ordered beside each other."""


class DecisionOut(Wire, frozen=True, kw_only=True):
    """A prescriber's signed decision, with the facts and the rules it rests on."""

    id: UUID
    client_id: UUID
    kind: DecisionKind
    hold_id: UUID | None
    days: list[date]
    at_most_mg: str | None
    reason: str
    decided_by: UUID
    decided_at: datetime
    profile: str
    rules: list[str]
    last_taken_on: date | None
    missed: int
    medicine: Medicine | None
    """The medicine that may be given; null for a cleared hold."""

    @classmethod
    def of(cls, decision: Decision) -> "DecisionOut":
        """From the domain."""
        return cls(
            id=decision.id,
            client_id=decision.client,
            kind=decision.kind,
            hold_id=decision.hold,
            days=list(decision.days),
            at_most_mg=written(decision.at_most_mg) if decision.at_most_mg is not None else None,
            reason=decision.reason,
            decided_by=decision.decided_by,
            decided_at=decision.decided_at,
            profile=f"{decision.profile}-{decision.profile_version}",
            rules=list(decision.rules),
            last_taken_on=decision.last_taken_on,
            missed=decision.missed,
            medicine=decision.medicine,
        )


@writing("/holds/{hold_id:uuid}/clearance", act=Act.DECIDE_MEDICATION, name="clear_hold", problems=(404, 429))
async def clear_hold(
    hold_id: FromPath[UUID], data: JSONBody[ReasonedSignatureIn], work: TheWork, key: TheKey
) -> DecisionOut:
    """Clear a hold by a prescriber's decision, signed with the password proved again."""
    proof = await prove(work, data.evidence())
    new = DecisionId(new_id())

    async def clear() -> Decision:
        return await domain.clear_hold(
            HoldId(hold_id),
            data.reason,
            as_id=new,
            by=work.by,
            proof=proof,
            now=work.now,
            holds=charts(work),
            journal=work.journal,
        )

    kept = Kept(status=201, resource=new)
    return DecisionOut.of(await once(work, key, kept, do=clear, again=_again(work)))


@writing(
    "/clients/{client_id:uuid}/dosing-decisions", act=Act.DECIDE_MEDICATION, name="allow_dose", problems=(404, 429)
)
async def allow(client_id: FromPath[UUID], data: JSONBody[DecisionIn], work: TheWork, key: TheKey) -> DecisionOut:
    """Allow one dose on one of the named days after missed ones, signed with the password proved again."""
    proof = await prove(work, data.evidence())
    new = DecisionId(new_id())

    async def decide() -> Decision:
        at_most = milligrams(data.at_most_mg) if data.at_most_mg is not None else None
        return await allow_dose(
            Wanted(days=data.days, reason=data.reason, at_most_mg=at_most, medicine=data.medicine),
            ClientId(client_id),
            as_id=new,
            by=work.by,
            proof=proof,
            now=work.now,
            histories=charts(work),
            journal=work.journal,
        )

    kept = Kept(status=201, resource=new)
    return DecisionOut.of(await once(work, key, kept, do=decide, again=_again(work)))


def _again(work: Work) -> Callable[[Kept], Awaitable[Decision]]:
    async def again(kept: Kept) -> Decision:
        return await charts(work).decision(DecisionId(kept.resource), by=work.by, act=Act.DECIDE_MEDICATION)

    return again
