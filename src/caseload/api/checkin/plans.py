"""Plans of check-ins over HTTP."""

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, etag, require_version
from caseload.db.caseload import Caseloads
from caseload.db.checkin import Plans
from caseload.db.idempotency import Kept
from caseload.db.programme import Programmes
from caseload.domain import checkin as domain
from caseload.domain.access import Act
from caseload.domain.checkin import Mode, Plan, Terms, read_rule, rule_text, usual_terms
from caseload.domain.errors import Fault, Invalid
from caseload.domain.ids import ClientId, PlanId, ProgrammeId, new_id
from caseload.domain.schedule import Recurrence, Unit, Weekday
from caseload.request.idempotency import once
from caseload.request.work import Work

LocalTime = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description="Hours and minutes on the wall clock.",
        examples=["09:30"],
    ),
]


class CheckInTermsIn(Wire, frozen=True, kw_only=True):
    """How often a client is to be checked in with, in the programme's own time."""

    at: LocalTime
    starts_on: date
    mode: Mode
    rrule: str | None = None
    """How often, as RFC 5545 writes it (`FREQ=WEEKLY;INTERVAL=2;BYDAY=TU`), in the place of `every`, `unit` and what goes
    with them."""
    every: int | None = None
    unit: Unit | None = None
    weekday: Weekday | None = None
    """For weeks."""
    month_day: int | None = None
    """For months; 29 to 31 mean the last day of a shorter month."""
    ends_on: date | None = None
    grace_days: int | None = None
    """Local days until it is overdue; what the programme's profile says when left out."""
    early_days: int | None = None
    """Local days before it is due from which a contact counts; as the profile says when left out."""

    async def read(self, programme: ProgrammeId, work: Work) -> Terms:
        """As the domain speaks of it, in a programme."""
        found = await Programmes(work.connection).get(programme)
        return usual_terms(
            found,
            self._rule(found.zone),
            mode=self.mode,
            now=work.now,
            grace_days=self.grace_days,
            early_days=self.early_days,
        )

    def _rule(self, zone: ZoneInfo) -> Recurrence:
        at = time.fromisoformat(self.at)
        if self.rrule is not None:
            beside = ("every", "unit", "weekday", "month_day", "ends_on")
            said = [Fault(name, "stands in rrule") for name in beside if getattr(self, name) is not None]
            if said:
                raise Invalid(said)
            return read_rule(self.rrule, starts_on=self.starts_on, at=at, zone=zone)
        if self.every is None or self.unit is None:
            raise Invalid([Fault(name, "say how often, by these two or by rrule") for name in ("every", "unit")])
        return Recurrence(
            every=self.every,
            unit=self.unit,
            weekday=self.weekday,
            month_day=self.month_day,
            at=at,
            starts_on=self.starts_on,
            ends_on=self.ends_on,
        )


class CheckInPlanChangeIn(CheckInTermsIn, frozen=True, kw_only=True):
    """What a plan asks for from its first day on, and why it changes."""

    reason: str


class CheckInPlanStopIn(Wire, frozen=True, kw_only=True):
    """The end of a plan."""

    reason: str
    at: Instant | None = None
    """From when on nothing is due any more; now when left out. May lie in the past."""


class CheckInTermsOut(Wire, frozen=True, kw_only=True):
    """How often, how, and with how much slack."""

    rule: str
    """The rule in words."""
    rrule: str
    """The rule as RFC 5545 writes it, from `starts_on` at `at` in `time_zone`."""
    every: int
    unit: Unit
    weekday: Weekday | None
    month_day: int | None
    at: str
    starts_on: date
    ends_on: date | None
    time_zone: str
    mode: Mode
    grace_days: int
    grace_rule: str | None
    """Profile, version and rule that the grace follows; null where the plan says it itself."""
    early_days: int

    @classmethod
    def of(cls, terms: Terms) -> "CheckInTermsOut":
        """From the domain."""
        return cls(
            rule=terms.rule.words,
            rrule=rule_text(terms.rule, terms.zone),
            every=terms.rule.every,
            unit=terms.rule.unit,
            weekday=terms.rule.weekday,
            month_day=terms.rule.month_day,
            at=f"{terms.rule.at:%H:%M}",
            starts_on=terms.rule.starts_on,
            ends_on=terms.rule.ends_on,
            time_zone=terms.zone.key,
            mode=terms.mode,
            grace_days=terms.grace_days,
            grace_rule=terms.grace_rule,
            early_days=terms.early_days,
        )


class CheckInPlanOut(Wire, frozen=True, kw_only=True):
    """A plan as it stands."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    version: int
    terms: CheckInTermsOut | None
    """Null once it was stopped."""
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
        made = await domain.plan_check_ins(
            episode,
            await data.read(episode.programme, work),
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
    await domain.change_plan(
        plan,
        await data.read(plan.programme, work),
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
