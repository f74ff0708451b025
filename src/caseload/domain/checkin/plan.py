"""Plans of check-ins: how often a client is to be seen or called, and the check-ins that follow from it.

A plan is a chain of versions. A change is a new version that says from which instant it replaces what was scheduled
before; what was already due, and whatever was already completed or missed, stays as it was.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol
from zoneinfo import ZoneInfo

from caseload.domain.access import Act
from caseload.domain.caseload import Episode, NoOpenEpisode
from caseload.domain.errors import Conflict, Fault, Faults, Invalid, NotFound
from caseload.domain.ids import CheckInId, ClientId, PlanId, ProgrammeId, StaffId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.profiles import LONGEST_SLACK_DAYS, profile_on
from caseload.domain.programme import Programme
from caseload.domain.schedule import (
    EARLIEST,
    LATEST,
    Recurrence,
    local_day,
    local_days_later,
    occurrences,
    one_interval_later,
    start_of_day,
)

HORIZON_DAYS = 60
"""How far ahead check-ins are made. However far the next one is, it is always made."""

_ALWAYS = datetime.combine(EARLIEST, time.min, UTC)
"""Before any check-in was ever due."""
LATEST_START = timedelta(days=731)
LONGEST_NOTE = 4000


class Mode(StrEnum):
    """How a check-in takes place."""

    IN_PERSON = "in_person"
    TELEPHONE = "telephone"
    VIDEO = "video"
    TEXT = "text"
    HOME_VISIT = "home_visit"


class PlanUnknown(NotFound):
    """No such check-in plan within your reach."""


class PlanChanged(Conflict):
    """The check-in plan has been changed since you read it."""


class PlanStopped(Conflict):
    """The check-in plan has been stopped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a plan asks for: how often, how, and how much slack. Raises `Invalid` with every fault at once."""

    rule: Recurrence
    grace_days: int
    """Local days after a check-in is due until it is overdue."""
    early_days: int
    """Local days before it is due from which a contact counts as this check-in."""
    mode: Mode
    zone: ZoneInfo
    """The zone the rule is worked out in: the programme's, when the plan was decided."""
    grace_rule: str | None = None
    """Profile, version and rule that the grace follows; None where whoever planned it said otherwise."""

    def __post_init__(self) -> None:
        """Refuse a grace or an early window that no clinic means."""
        faults = Faults()
        for field in ("grace_days", "early_days"):
            faults.check(
                when=not 0 <= getattr(self, field) <= LONGEST_SLACK_DAYS,
                where=field,
                problem=f"must be from 0 to {LONGEST_SLACK_DAYS} days",
            )
        faults.raise_if_any()

    def grace_ends_at(self, due_at: datetime) -> datetime:
        """The last instant at which a check-in due then is not overdue. Grace is counted in local days."""
        return local_days_later(due_at, self.grace_days, self.zone)

    def movable_until(self, due_at: datetime) -> datetime:
        """Until when a check-in due then may be moved at the client's wish: one interval later."""
        return one_interval_later(self.rule, due_at, self.zone)

    def counts_from(self, due_at: datetime) -> datetime:
        """From when a contact counts as the check-in that is due then."""
        return local_days_later(due_at, -self.early_days, self.zone)


def usual_terms(
    programme: Programme,
    rule: Recurrence,
    *,
    mode: Mode,
    now: datetime,
    grace_days: int | None = None,
    early_days: int | None = None,
) -> Terms:
    """Terms in a programme's own zone; the slack that is not given follows its profile. Raises `Invalid`."""
    profile = profile_on(programme.profile, programme.today(now))
    slack = profile.check_ins.slack_for(rule.interval_days)
    return Terms(
        rule=rule,
        grace_days=slack.grace_days if grace_days is None else grace_days,
        early_days=slack.early_days if early_days is None else early_days,
        mode=mode,
        zone=programme.zone,
        grace_rule=f"{profile.label} {profile.check_ins.rule}" if grace_days is None else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion:
    """What a plan said from one decision to the next."""

    version: int
    terms: Terms | None
    """None where the decision was to stop."""
    replaces_from: datetime
    """What earlier versions scheduled from this instant on no longer stands, unless it has been settled."""
    reason: str | None
    decided_by: StaffId
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan as it stands: the version in force of one client's regular check-in."""

    id: PlanId
    client: ClientId
    programme: ProgrammeId
    version: PlanVersion
    scheduled_through: date
    """The last local day up to which its check-ins have been made; the day before its first where none have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """One check-in as a plan scheduled it. It never changes: what happens to it is kept beside it."""

    id: CheckInId
    plan: PlanId
    plan_version: int
    client: ClientId
    programme: ProgrammeId
    scheduled_on: date
    """The local day the rule named."""
    due_at: datetime
    grace_ends_at: datetime
    """The last instant at which it is not overdue."""
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """An open check-in that a new version of its plan withdraws."""

    check_in: CheckInId
    outcome_version: int
    """The number its outcome will have."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInsScheduled(Event):
    """The next check-ins of a plan were made."""

    name: ClassVar[str] = "check_in.scheduled"


class Plans(Protocol):
    """The plans that are kept."""

    async def add(self, plan: Plan) -> None:
        """Keep a new plan with its first version."""
        ...

    async def add_version(self, plan: Plan) -> None:
        """Keep the plan's new version; `PlanChanged` when that version exists."""
        ...

    async def open_from(self, plan: PlanId, moment: datetime) -> Sequence[Replaced]:
        """The plan's open check-ins that were scheduled for then or later, and have not been moved to earlier."""
        ...

    async def withdraw(self, check_ins: Sequence[Replaced], *, reason: str, by: StaffId, now: datetime) -> None:
        """Keep that these have been withdrawn, and no longer wait."""
        ...

    async def settled_days(self, plan: PlanId, *, since: date) -> frozenset[date]:
        """The local days from then on for which a check-in of the plan has been completed or missed."""
        ...

    async def schedule(self, plan: Plan, check_ins: Sequence[CheckIn], *, through: date) -> None:
        """Keep the check-ins, waiting, and that the plan is scheduled up to that day."""
        ...

    async def running(self, client: ClientId, /) -> Sequence[Plan]:
        """The client's plans that have not been stopped, held."""
        ...

    async def behind(self, day: date, *, at_most: int) -> Sequence[Plan]:
        """Running plans that are not scheduled up to that day, held; those another piece of work holds are left out."""
        ...


async def plan_check_ins(
    episode: Episode, terms: Terms, *, as_id: PlanId, by: Staff, now: datetime, plans: Plans, journal: Journal
) -> Plan:
    """Plan a client's check-ins from the rule's first day on, and make those of the coming weeks.

    A plan never schedules what lay in the past when it was made. Raises `NotPermitted`, `NoOpenEpisode`, `Invalid`.
    """
    by.require(Act.PLAN_CHECK_INS, episode.programme)
    if episode.ends_at is not None:
        raise NoOpenEpisode("Admit the client before planning check-ins.")
    _check_start(terms, now)
    plan = Plan(
        id=as_id,
        client=episode.client,
        programme=episode.programme,
        version=PlanVersion(
            version=1, terms=terms, replaces_from=_from(terms, now), reason=None, decided_by=by.id, decided_at=now
        ),
        scheduled_through=terms.rule.starts_on - timedelta(days=1),
    )
    await plans.add(plan)
    await _schedule(plan, now=now, settled=frozenset(), plans=plans)
    journal.tell(CheckInsPlanned(client=plan.client, records=(plan.id,), facts={"programme": str(plan.programme)}))
    return plan


async def change_plan(
    plan: Plan, terms: Terms, *, reason: str, by: Staff, now: datetime, plans: Plans, journal: Journal
) -> Plan:
    """Change a plan from the rule's first day on: what the old version scheduled from then on is withdrawn.

    `plan` is held, so that nothing of it changes meanwhile. What is due already stays to be settled, and a day whose check-in has been completed ahead of time is not
    scheduled a second time. Raises `NotPermitted`, `Invalid`, `PlanStopped`, or `PlanChanged` on a race.
    """
    by.require(Act.PLAN_CHECK_INS, plan.programme)
    _check_start(terms, now)
    changed = await _replace(
        plan,
        terms,
        replaces_from=_from(terms, now),
        scheduled_through=terms.rule.starts_on - timedelta(days=1),
        reason=reason,
        by=by,
        now=now,
        plans=plans,
    )
    settled = await plans.settled_days(plan.id, since=terms.rule.starts_on)
    await _schedule(changed, now=now, settled=settled, plans=plans)
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

    It follows from the discharge, so whoever may discharge may do it. Raises `Invalid`.
    """
    for plan in await plans.running(client):
        await _stop(plan, at=_ALWAYS, reason=reason, by=by, now=now, plans=plans, journal=journal)


def horizon(now: datetime) -> date:
    """Up to which day every running plan is to be scheduled."""
    return now.date() + timedelta(days=HORIZON_DAYS)


async def schedule_ahead(*, now: datetime, plans: Plans, journal: Journal, at_most: int = 200) -> int:
    """Make the check-ins of running plans up to the horizon; return how many plans there were to do.

    Safe to run twice, at the same time, and to kill: a plan is held while it is extended, one that is scheduled
    far enough is not picked, and the day up to which it is scheduled is kept in the same transaction.
    """
    behind = await plans.behind(horizon(now), at_most=at_most)
    for plan in behind:
        settled = await plans.settled_days(plan.id, since=plan.scheduled_through)
        made = await _schedule(plan, now=now, settled=settled, plans=plans)
        journal.tell(CheckInsScheduled(client=plan.client, records=(plan.id,), facts={"count": made}))
    return len(behind)


def upcoming(plan: Plan, *, now: datetime, settled: frozenset[date] = frozenset()) -> tuple[Sequence[CheckIn], date]:
    """The check-ins of a plan from where it stands to the horizon, but at least one; and up to which day that is.

    Days in `settled` have had their check-in under an earlier version.
    """
    terms = plan.version.terms
    if terms is None:
        return (), LATEST
    horizon = local_day(now, terms.zone) + timedelta(days=HORIZON_DAYS)
    first = plan.scheduled_through + timedelta(days=1)
    made: list[CheckIn] = []
    for occurrence in occurrences(terms.rule, terms.zone, first=first, last=terms.rule.ends_on or LATEST):
        if occurrence.on > horizon and made:
            return made, max(horizon, made[-1].scheduled_on)
        if occurrence.due_at >= plan.version.replaces_from and occurrence.on not in settled:
            made.append(
                CheckIn(
                    id=CheckInId(new_id()),
                    plan=plan.id,
                    plan_version=plan.version.version,
                    client=plan.client,
                    programme=plan.programme,
                    scheduled_on=occurrence.on,
                    due_at=occurrence.due_at,
                    grace_ends_at=terms.grace_ends_at(occurrence.due_at),
                    made_at=now,
                )
            )
    return made, LATEST


async def _schedule(plan: Plan, *, now: datetime, settled: frozenset[date], plans: Plans) -> int:
    check_ins, through = upcoming(plan, now=now, settled=settled)
    await plans.schedule(plan, check_ins, through=through)
    return len(check_ins)


async def _stop(
    plan: Plan, *, at: datetime, reason: str, by: Staff, now: datetime, plans: Plans, journal: Journal
) -> Plan:
    stopped = await _replace(
        plan, None, replaces_from=at, scheduled_through=LATEST, reason=reason, by=by, now=now, plans=plans
    )
    journal.tell(CheckInPlanStopped(client=plan.client, records=(plan.id,), facts={"version": stopped.version.version}))
    return stopped


async def _replace(
    plan: Plan,
    terms: Terms | None,
    *,
    replaces_from: datetime,
    scheduled_through: date,
    reason: str,
    by: Staff,
    now: datetime,
    plans: Plans,
) -> Plan:
    """Keep the next version of a plan, and withdraw what it replaces."""
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
