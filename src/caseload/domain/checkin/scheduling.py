"""Making the check-ins that follow from a plan, some weeks ahead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import ClassVar

from caseload.domain.checkin.closing import around
from caseload.domain.checkin.plan import CheckIn, Plan, Plans, Scheduled
from caseload.domain.checkin.terms import Terms
from caseload.domain.ids import CheckInId, ProgrammeId, new_id
from caseload.domain.journal import Event, Journal
from caseload.domain.schedule import LATEST, Occurrence, local_day, occurrences

HORIZON_DAYS = 60
"""How far ahead check-ins are made. However far the next one is, it is always made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInsScheduled(Event):
    """The next check-ins of a plan were made."""

    name: ClassVar[str] = "check_in.scheduled"


def horizon(now: datetime) -> date:
    """Up to which day every running plan is to be scheduled."""
    return now.date() + timedelta(days=HORIZON_DAYS)


async def schedule_ahead(*, now: datetime, plans: Plans, journal: Journal, at_most: int = 200) -> int:
    """Make the check-ins of running plans up to the horizon; return how many plans there were to do.

    Safe to run twice, at the same time, and to kill: a plan is held while it is extended, one that is scheduled
    far enough is not picked, and the day up to which it is scheduled is kept in the same transaction.
    """
    behind = await plans.behind(horizon(now), at_most=at_most)
    closed = await _closed(behind, plans=plans)
    made: list[Scheduled] = []
    for plan in behind:
        # Only under an earlier version can a day to come have been settled.
        again = plan.version.version > 1
        settled = await plans.settled_days(plan.id, since=plan.scheduled_through) if again else frozenset[date]()
        made.append(_next(plan, now=now, settled=settled, closed=closed[plan.programme]))
    if made:
        await plans.schedule(made)
    for one in made:
        facts: dict[str, str | int] = {"count": len(one.check_ins)}
        journal.tell(CheckInsScheduled(client=one.plan.client, records=(one.plan.id,), facts=facts))
    return len(behind)


async def _closed(behind: Sequence[Plan], *, plans: Plans) -> Mapping[ProgrammeId, frozenset[date]]:
    """The closure days of the programmes of these plans, from the first day that is to be scheduled."""
    return {
        programme: await plans.closed_days(
            programme, since=min(plan.scheduled_through for plan in behind if plan.programme == programme)
        )
        for programme in sorted({plan.programme for plan in behind})
    }


def upcoming(
    plan: Plan, *, now: datetime, settled: frozenset[date] = frozenset(), closed: frozenset[date] = frozenset()
) -> tuple[Sequence[CheckIn], date]:
    """The check-ins of a plan from where it stands to the horizon, but at least one; and up to which day that is.

    That is the day before the next one to be made, so that nobody looks at the plan before that comes into the horizon; or
    the one that was made beyond the horizon, since another follows as soon as it has come into it.

    Days in `settled` have had their check-in under an earlier version, on those in `closed` nobody is there.
    """
    version = plan.version
    terms = version.terms
    if terms is None:
        return (), LATEST
    horizon = local_day(now, terms.zone) + timedelta(days=HORIZON_DAYS)
    first = plan.scheduled_through + timedelta(days=1)
    made: list[CheckIn] = []
    found = _coming(version.phases, first=first)
    for occurrence in around(found, terms, closed) if closed else found:
        if occurrence.on > horizon and made:
            last = made[-1].scheduled_on
            return made, last if last > horizon else occurrence.on - timedelta(days=1)
        if occurrence.due_at >= version.replaces_from and occurrence.on not in settled:
            phase = version.phase_on(occurrence.on)
            made.append(
                CheckIn(
                    id=CheckInId(new_id()),
                    plan=plan.id,
                    plan_version=version.version,
                    phase=phase,
                    client=plan.client,
                    programme=plan.programme,
                    scheduled_on=occurrence.on,
                    due_at=occurrence.due_at,
                    grace_ends_at=version.phases[phase - 1].grace_ends_at(occurrence.due_at, closed),
                    made_at=now,
                )
            )
    return made, LATEST


def _coming(phases: Sequence[Terms], *, first: date) -> Iterator[Occurrence]:
    """The occurrences of every phase, in order: each ends before the next begins."""
    for terms in phases:
        yield from occurrences(terms.rule, terms.zone, first=first, last=terms.rule.ends_on or LATEST)


async def schedule(plan: Plan, *, now: datetime, settled: frozenset[date], plans: Plans) -> int:
    """Make the check-ins of one plan up to the horizon; return how many they are."""
    closed = await plans.closed_days(plan.programme, since=plan.scheduled_through)
    made = _next(plan, now=now, settled=settled, closed=closed)
    await plans.schedule([made])
    return len(made.check_ins)


def _next(plan: Plan, *, now: datetime, settled: frozenset[date], closed: frozenset[date]) -> Scheduled:
    check_ins, through = upcoming(plan, now=now, settled=settled, closed=closed)
    return Scheduled(plan=plan, check_ins=check_ins, through=through)
