"""What people do with a plan: make it, change it, stop it."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar

from caseload.domain.access import Act
from caseload.domain.caseload import Episode, NoOpenEpisode
from caseload.domain.checkin.phases import check_phases
from caseload.domain.checkin.plan import LONGEST_NOTE, Plan, Plans, PlanStopped, PlanVersion, StepUp
from caseload.domain.checkin.scheduling import schedule
from caseload.domain.checkin.terms import Terms
from caseload.domain.errors import Fault, Faults, Invalid
from caseload.domain.ids import ClientId, PlanId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.schedule import EARLIEST, LATEST, local_day, start_of_day

_ALWAYS = datetime.combine(EARLIEST, time.min, UTC)
"""Before any check-in was ever due."""
LATEST_START = timedelta(days=731)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInsPlanned(Event):
    """A plan of check-ins was made."""

    name: ClassVar[str] = "check_in.planned"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInPlanChanged(Event):
    """A plan of check-ins was changed."""

    name: ClassVar[str] = "check_in.plan_changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInPlanStopped(Event):
    """A plan of check-ins was stopped."""

    name: ClassVar[str] = "check_in.plan_stopped"


async def plan_check_ins(
    episode: Episode,
    terms: Terms,
    *,
    later: tuple[Terms, ...] = (),
    as_id: PlanId,
    by: Staff,
    now: datetime,
    plans: Plans,
    journal: Journal,
) -> Plan:
    """Plan a client's check-ins from the rule's first day on, phase after phase, and make those of the coming weeks.

    A plan never schedules what lay in the past when it was made. Raises `NotPermitted`, `NoOpenEpisode`, `Invalid`.
    """
    by.require(Act.PLAN_CHECK_INS, episode.programme)
    if episode.ends_at is not None:
        raise NoOpenEpisode("Admit the client before planning check-ins.")
    _check_start(terms, now)
    check_phases((terms, *later))
    plan = Plan(
        id=as_id,
        client=episode.client,
        programme=episode.programme,
        version=PlanVersion(
            version=1,
            terms=terms,
            later=later,
            replaces_from=_from(terms, now),
            reason=None,
            decided_by=by.id,
            decided_at=now,
        ),
        scheduled_through=terms.rule.starts_on - timedelta(days=1),
    )
    await plans.add(plan)
    await schedule(plan, now=now, settled=frozenset(), plans=plans)
    journal.tell(CheckInsPlanned(client=plan.client, records=(plan.id,), facts={"programme": str(plan.programme)}))
    return plan


async def change_plan(
    plan: Plan,
    terms: Terms,
    *,
    later: tuple[Terms, ...] = (),
    reason: str,
    by: Staff,
    now: datetime,
    plans: Plans,
    journal: Journal,
) -> Plan:
    """Change a plan from the rule's first day on: what the old version scheduled from then on is withdrawn.

    `plan` is held, so that nothing of it changes meanwhile. What is due already stays to be settled, and a day whose
    check-in has been completed ahead of time is not scheduled a second time. Raises `NotPermitted`, `Invalid`, `PlanStopped`, or `PlanChanged` on a race.
    """
    by.require(Act.PLAN_CHECK_INS, plan.programme)
    _check_start(terms, now)
    check_phases((terms, *later))
    changed = await replace_version(
        plan,
        terms,
        later=later,
        replaces_from=_from(terms, now),
        scheduled_through=terms.rule.starts_on - timedelta(days=1),
        reason=reason,
        by=by,
        now=now,
        plans=plans,
    )
    settled = await plans.settled_days(plan.id, since=terms.rule.starts_on)
    await schedule(changed, now=now, settled=settled, plans=plans)
    journal.tell(CheckInPlanChanged(client=plan.client, records=(plan.id,), facts={"version": changed.version.version}))
    return changed


async def stop_plan(
    plan: Plan, *, at: datetime, reason: str, by: Staff, now: datetime, plans: Plans, journal: Journal
) -> Plan:
    """Stop a plan: what it scheduled from `at` on is withdrawn, unless it has been settled.

    `at` may lie in the past: at a discharge nothing that still waits is left behind. Raises `NotPermitted`,
    `Invalid`, `PlanStopped`, or `PlanChanged` on a race.
    """
    by.require(Act.PLAN_CHECK_INS, plan.programme)
    if not _ALWAYS <= at <= now + LATEST_START:
        raise Invalid(Fault("at", f"must be from {_ALWAYS.date()} to two years from now"))
    return await _stop(plan, at=at, reason=reason, by=by, now=now, plans=plans, journal=journal)


async def stop_all(client: ClientId, *, reason: str, by: Staff, now: datetime, plans: Plans, journal: Journal) -> None:
    """Stop every plan of a client who has been discharged: nothing of theirs waits for anybody any more.

    What a plan that was stopped before had left waiting, because it was due by then, is withdrawn, too. It follows from
    the discharge, so whoever may discharge may do it. Raises `Invalid`.
    """
    for plan in await plans.held_of(client):
        if plan.version.terms is not None:
            await _stop(plan, at=_ALWAYS, reason=reason, by=by, now=now, plans=plans, journal=journal)
        else:
            await plans.withdraw(await plans.open_from(plan.id, _ALWAYS), reason=reason, by=by.id, now=now)


async def _stop(
    plan: Plan, *, at: datetime, reason: str, by: Staff, now: datetime, plans: Plans, journal: Journal
) -> Plan:
    stopped = await replace_version(
        plan, None, replaces_from=at, scheduled_through=LATEST, reason=reason, by=by, now=now, plans=plans
    )
    journal.tell(CheckInPlanStopped(client=plan.client, records=(plan.id,), facts={"version": stopped.version.version}))
    return stopped


async def replace_version(
    plan: Plan,
    terms: Terms | None,
    *,
    later: tuple[Terms, ...] = (),
    step_up: StepUp | None = None,
    replaces_from: datetime,
    scheduled_through: date,
    reason: str,
    by: Staff,
    now: datetime,
    plans: Plans,
) -> Plan:
    """Keep the next version of a held plan, and withdraw what it replaces. Raises `PlanStopped` or `Invalid`."""
    if plan.version.terms is None:
        raise PlanStopped("Make a new plan for the client instead.")
    faults = Faults()
    faults.check(when=not reason.strip(), where="reason", problem="say why the plan changes")
    faults.check(
        when=len(reason) > LONGEST_NOTE, where="reason", problem=f"must have at most {LONGEST_NOTE} characters"
    )
    faults.raise_if_any()
    changed = Plan(
        id=plan.id,
        client=plan.client,
        programme=plan.programme,
        version=PlanVersion(
            version=plan.version.version + 1,
            terms=terms,
            later=later,
            step_up=step_up,
            replaces_from=replaces_from,
            reason=reason,
            decided_by=by.id,
            decided_at=now,
        ),
        scheduled_through=scheduled_through,
    )
    await plans.add_version(changed)
    await plans.withdraw(await plans.open_from(plan.id, replaces_from), reason=reason, by=by.id, now=now)
    return changed


def _from(terms: Terms, now: datetime) -> datetime:
    """From when a plan counts: the beginning of its first day, and never the past."""
    return max(now, start_of_day(terms.rule.starts_on, terms.zone))


def _check_start(terms: Terms, now: datetime) -> None:
    starts_on, today = terms.rule.starts_on, local_day(now, terms.zone)
    faults = Faults()
    faults.check(when=starts_on < today, where="starts_on", problem="must not be before today")
    faults.check(when=starts_on > today + LATEST_START, where="starts_on", problem="must be within two years")
    faults.raise_if_any()
