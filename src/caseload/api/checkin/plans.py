"""Plans of check-ins over HTTP."""

from datetime import date, datetime
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.checkin.terms import CheckInTermsIn, CheckInTermsOut
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, etag, require_version
from caseload.db.caseload import Caseloads
from caseload.db.checkin import Plans
from caseload.db.idempotency import Kept
from caseload.db.outreach import KeptContacts
from caseload.db.programme import Programmes
from caseload.domain import checkin as domain
from caseload.domain.access import Act
from caseload.domain.checkin import Occurred, Plan, StepUp, StepUpGround, Terms
from caseload.domain.ids import ClientId, PlanId, new_id
from caseload.domain.outreach import require_agreed
from caseload.request.idempotency import once
from caseload.request.work import Work


class CheckInPlanChangeIn(CheckInTermsIn, frozen=True, kw_only=True):
    """What a plan asks for from its first day on, and why it changes."""

    reason: str


class CheckInPlanStopIn(Wire, frozen=True, kw_only=True):
    """The end of a plan."""

    reason: str
    at: Instant | None = None
    """From when on nothing is due any more; now when left out. May lie in the past."""


class CheckInStepUpIn(Wire, frozen=True, kw_only=True):
    """Why a client is to be seen more often for a while."""

    ground: StepUpGround
    occurred_on: date
    """The local day on which it happened; from it the days of the profile are counted."""


class CheckInStepUpOut(Wire, frozen=True, kw_only=True):
    """That a client is seen more often for a while, and what it goes back to by itself."""

    ground: StepUpGround
    occurred_on: date
    last_on: date
    """The last local day of it."""
    base_version: int
    """The version of the plan whose phases count again afterwards."""
    record: UUID | None
    """What it follows from: an escalation, excused days; null where somebody decided it."""
    rule: str
    """Profile, version and rule that say how often and for how long."""

    @classmethod
    def of(cls, found: StepUp) -> "CheckInStepUpOut":
        """From the domain."""
        return cls(
            ground=found.ground,
            occurred_on=found.occurred_on,
            last_on=found.last_on,
            base_version=found.base_version,
            record=found.record,
            rule=found.rule,
        )


class CheckInPlanOut(Wire, frozen=True, kw_only=True):
    """A plan as it stands."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    version: int
    terms: CheckInTermsOut | None
    """What it asks for in its first phase; null once it was stopped."""
    later_phases: list[CheckInTermsOut]
    """What it asks for in the phases that follow, each from its first day on."""
    step_up: CheckInStepUpOut | None
    """Set where the first phase is more contact for a while."""
    in_force_from: datetime
    reason: str | None
    """Why it was changed or stopped."""
    decided_by: UUID
    decided_at: datetime
    scheduled_through: date

    @classmethod
    def of(cls, plan: Plan) -> "CheckInPlanOut":
        """From the domain."""
        version = plan.version
        return cls(
            id=plan.id,
            client_id=plan.client,
            programme_id=plan.programme,
            version=version.version,
            terms=None if version.terms is None else CheckInTermsOut.of(version.terms),
            later_phases=[CheckInTermsOut.of(each) for each in version.later],
            step_up=None if version.step_up is None else CheckInStepUpOut.of(version.step_up),
            in_force_from=version.replaces_from,
            reason=version.reason,
            decided_by=version.decided_by,
            decided_at=version.decided_at,
            scheduled_through=plan.scheduled_through,
        )


class CheckInPlansOut(Wire, frozen=True, kw_only=True):
    """A client's plans, oldest first."""

    items: list[CheckInPlanOut]


def _plans(work: Work) -> Plans:
    return Plans(work.connection, work.journal, now=work.now)


def _versioned(plan: Plan, status: int) -> Response[CheckInPlanOut]:
    return Response(CheckInPlanOut.of(plan), status_code=status, headers={"ETag": etag(plan.version.version)})


async def _require_agreed(work: Work, client: ClientId, terms: Terms) -> None:
    require_agreed(terms.mode, await KeptContacts(work.connection, work.journal).contact(client))


@writing("/clients/{client_id:uuid}/check-in-plans", act=Act.PLAN_CHECK_INS, name="plan_check_ins")
async def plan_check_ins(
    client_id: FromPath[UUID], data: JSONBody[CheckInTermsIn], work: TheWork, key: TheKey
) -> Response[CheckInPlanOut]:
    """Plan a client's regular check-ins; those of the coming weeks are made at once."""
    plans, new, reach = _plans(work), PlanId(new_id()), work.by.reach(Act.PLAN_CHECK_INS)

    async def plan() -> Plan:
        episode = await Caseloads(work.connection, work.journal, now=work.now).open_episode(
            ClientId(client_id), reach=reach, held=True
        )
        terms, *later = await data.read(episode.programme, work)
        await _require_agreed(work, episode.client, terms)
        made = await domain.plan_check_ins(
            episode,
            terms,
            later=tuple(later),
            as_id=new,
            by=work.by,
            now=work.now,
            plans=plans,
            journal=work.journal,
        )
        return await plans.get(made.id, reach=reach)

    async def again(kept: Kept) -> Plan:
        return await plans.get(PlanId(kept.resource), reach=reach)

    return _versioned(await once(work, key, Kept(status=201, resource=new, version=1), do=plan, again=again), 201)


@reading("/clients/{client_id:uuid}/check-in-plans", act=Act.SEE_CHECK_INS, name="list_check_in_plans")
async def list_check_in_plans(client_id: FromPath[UUID], work: TheWork) -> CheckInPlansOut:
    """A client's plans, also those that were stopped."""
    found = await _plans(work).of_client(ClientId(client_id), reach=work.by.reach(Act.SEE_CHECK_INS))
    return CheckInPlansOut(items=[CheckInPlanOut.of(each) for each in found])


@reading("/check-in-plans/{plan_id:uuid}", act=Act.SEE_CHECK_INS, name="read_check_in_plan")
async def read_check_in_plan(plan_id: FromPath[UUID], work: TheWork) -> Response[CheckInPlanOut]:
    """One plan as it stands."""
    return _versioned(await _plans(work).get(PlanId(plan_id), reach=work.by.reach(Act.SEE_CHECK_INS)), 200)


@writing(
    "/check-in-plans/{plan_id:uuid}",
    act=Act.PLAN_CHECK_INS,
    name="change_check_in_plan",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def change_check_in_plan(
    plan_id: FromPath[UUID], data: JSONBody[CheckInPlanChangeIn], work: TheWork, if_match: IfMatch = None
) -> Response[CheckInPlanOut]:
    """Change a plan from its new first day on; what was due before, and whatever was settled, stays as it was."""
    plans, reach = _plans(work), work.by.reach(Act.PLAN_CHECK_INS)
    plan = await plans.hold(PlanId(plan_id), reach=reach)
    require_version(if_match, plan.version.version)
    terms, *later = await data.read(plan.programme, work)
    await _require_agreed(work, plan.client, terms)
    await domain.change_plan(
        plan,
        terms,
        later=tuple(later),
        reason=data.reason,
        by=work.by,
        now=work.now,
        plans=plans,
        journal=work.journal,
    )
    return _versioned(await plans.get(plan.id, reach=reach), 200)


@writing(
    "/check-in-plans/{plan_id:uuid}/stop",
    act=Act.PLAN_CHECK_INS,
    name="stop_check_in_plan",
    status=200,
    problems=(404, 412, 428),
)
async def stop_check_in_plan(
    plan_id: FromPath[UUID], data: JSONBody[CheckInPlanStopIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[CheckInPlanOut]:
    """Stop a plan; what it scheduled from then on is withdrawn, unless it was settled."""
    plans, reach = _plans(work), work.by.reach(Act.PLAN_CHECK_INS)

    async def stop() -> Plan:
        plan = await plans.hold(PlanId(plan_id), reach=reach)
        require_version(if_match, plan.version.version)
        return await domain.stop_plan(
            plan,
            at=data.at or work.now,
            reason=data.reason,
            by=work.by,
            now=work.now,
            plans=plans,
            journal=work.journal,
        )

    async def again(kept: Kept) -> Plan:
        return await plans.get(PlanId(kept.resource), reach=reach)

    return _versioned(await once(work, key, Kept(status=200, resource=plan_id), do=stop, again=again), 200)


@writing(
    "/check-in-plans/{plan_id:uuid}/step-up",
    act=Act.PLAN_CHECK_INS,
    name="step_up_check_ins",
    status=200,
    problems=(404, 412, 428),
)
async def step_up_check_ins(
    plan_id: FromPath[UUID], data: JSONBody[CheckInStepUpIn], work: TheWork, key: TheKey, if_match: IfMatch = None
) -> Response[CheckInPlanOut]:
    """See a client one step more often from tomorrow, for as long as the profile says; it ends by itself."""
    plans, reach = _plans(work), work.by.reach(Act.PLAN_CHECK_INS)

    async def step_up() -> Plan:
        plan = await plans.hold(PlanId(plan_id), reach=reach)
        require_version(if_match, plan.version.version)
        programme = await Programmes(work.connection).get(plan.programme)
        await domain.decide_step_up(
            plan,
            Occurred(ground=data.ground, on=data.occurred_on),
            rules=programme.rules_on(programme.today(work.now)),
            by=work.by,
            now=work.now,
            plans=plans,
            journal=work.journal,
        )
        return await plans.get(plan.id, reach=reach)

    async def again(kept: Kept) -> Plan:
        return await plans.get(PlanId(kept.resource), reach=reach)

    return _versioned(await once(work, key, Kept(status=200, resource=plan_id), do=step_up, again=again), 200)
