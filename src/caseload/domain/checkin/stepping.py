"""Seeing a client more often for a while: after a relapse, an overdose, missed doses, prison, hospital, a changed dose.

One step of the profile's phases more often than the plan asks for on the day it begins, on the same weekday, from the
day after it is known until so many days after it happened; then the plan's phases count again, as if nothing had been
between. Where the plan is as frequent as any phase already, it stays so until then and does not become rarer meanwhile.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar, Protocol
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.checkin.phases import after, in_zone, weekly
from caseload.domain.checkin.plan import Plan, Plans, PlanStopped, PlanVersion, StepUp, StepUpGround
from caseload.domain.checkin.planning import replace_version
from caseload.domain.checkin.scheduling import schedule
from caseload.domain.checkin.terms import Terms, with_slack
from caseload.domain.errors import Conflict, Fault, Invalid
from caseload.domain.ids import PlanId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import Profile
from caseload.domain.schedule import Recurrence, local_day, occurrences, start_of_day

_DAY = timedelta(days=1)


class NothingToStepUp(Conflict):
    """The client is seen as often already, for as long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurred:
    """Something for which a client is seen more often."""

    ground: StepUpGround
    on: date
    record: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInsSteppedUp(Event):
    """A client is seen more often for a while."""

    name: ClassVar[str] = "check_in.stepped_up"


class Versions(Plans, Protocol):
    """The plans, with the versions that they had."""

    async def version(self, plan: PlanId, number: int, /) -> PlanVersion:
        """One version of a plan, with its phases."""
        ...


def raised(base: PlanVersion, rules: Profile, *, begins_on: date, last_on: date) -> tuple[Terms, ...]:
    """The phases of a plan that is seen more often from a day to a day; nothing where that would change nothing."""
    ends_on = base.phases[-1].rule.ends_on if base.phases else None
    begins_on = max(begins_on, base.phases[0].rule.starts_on) if base.phases else begins_on
    last_on = last_on if ends_on is None else min(last_on, ends_on)
    if not base.phases or begins_on > last_on:
        return ()
    terms = base.phases[base.phase_on(begins_on) - 1]
    rarer = [step.every_weeks for step in rules.check_ins.phases if step.every_weeks * 7 < terms.rule.interval_days]
    if rarer:
        more = with_slack(terms, _more_often(terms, max(rarer), begins_on, last_on), rules)
    else:
        if base.phase_on(last_on) == base.phase_on(begins_on):
            return ()
        more = replace(terms, rule=replace(terms.rule, starts_on=begins_on, ends_on=last_on))
        kept = after(terms, begins_on - _DAY)
        more = more if kept is None else replace(kept, rule=replace(kept.rule, ends_on=last_on))
    rest = [after(each, last_on) for each in base.phases]
    return (more, *(each for each in rest if each is not None))


def _more_often(terms: Terms, every_weeks: int, begins_on: date, last_on: date) -> Recurrence:
    """Every so many weeks, on the weekday on which the client would have come next."""
    rule = terms.rule
    coming = next(occurrences(rule, terms.zone, first=begins_on, last=last_on + timedelta(days=366)), None)
    return weekly(rule, every_weeks, on=begins_on if coming is None else coming.on, first=begins_on, last=last_on)


async def step_up(
    plan: Plan, what: Occurred, *, rules: Profile, by: Staff, now: datetime, plans: Versions, journal: Journal
) -> Plan:
    """See the client of a held plan more often from tomorrow on; it ends by itself.

    Raises `PlanStopped`, or `NothingToStepUp` where it is too long ago, or the client is seen as often for as long already.
    """
    version, terms = plan.version, plan.version.terms
    if terms is None:
        raise PlanStopped("Make a new plan for the client instead.")
    begins_on = local_day(now, terms.zone) + _DAY
    last_on = what.on + timedelta(days=rules.check_ins.step_up.days)
    running = version.step_up
    base = version if running is None else await plans.version(plan.id, running.base_version)
    # What people decided before the programme moved to another time zone is decided for this one too.
    phases = in_zone(raised(base, rules, begins_on=begins_on, last_on=last_on), terms.zone)
    if not phases or (running is not None and running.last_on >= last_on):
        raise NothingToStepUp(f"It would have ended on {last_on}, and nothing would change before then.")
    changed = await replace_version(
        plan,
        phases[0],
        later=phases[1:],
        step_up=StepUp(
            ground=what.ground,
            occurred_on=what.on,
            last_on=last_on,
            base_version=base.version,
            record=what.record,
            rule=f"{rules.label} {rules.check_ins.step_up.rule}",
        ),
        replaces_from=start_of_day(begins_on, terms.zone),
        scheduled_through=begins_on - _DAY,
        reason=f"{rules.check_ins.step_up.says} Until {last_on}: {what.ground.value.replace('_', ' ')}.",
        by=by,
        now=now,
        plans=plans,
    )
    settled = await plans.settled_days(plan.id, since=begins_on)
    await schedule(changed, now=now, settled=settled, plans=plans)
    facts: dict[str, str | int] = {"version": changed.version.version, "ground": what.ground.value}
    journal.tell(CheckInsSteppedUp(client=plan.client, records=(plan.id,), facts=facts))
    return changed


async def decide_step_up(
    plan: Plan, what: Occurred, *, rules: Profile, by: Staff, now: datetime, plans: Versions, journal: Journal
) -> Plan:
    """The same because somebody says so. Raises `NotPermitted` and `Invalid`, too."""
    by.require(Act.PLAN_CHECK_INS, plan.programme)
    zone = None if plan.version.terms is None else plan.version.terms.zone
    if zone is not None and what.on > local_day(now, zone):
        raise Invalid(Fault("occurred_on", "must not be in the future"))
    return await step_up(plan, what, rules=rules, by=by, now=now, plans=plans, journal=journal)
