"""Check-ins of a programme that moved to another time zone: from the next day on the same wall clock in the new one.

A plan goes on as its next version, whose phases are worked out in the new zone from the day after on. What it had made for
these days is withdrawn and made anew; what somebody has touched (moved, tried, reopened) stays the check-in that it is and
is moved, so that the clock shows the same. A day up to that one, and whatever is settled or late already, stays as it is.
So each day that the rule names has one check-in, whenever the plan comes to follow.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import ClassVar, Final, Protocol
from zoneinfo import ZoneInfo

from caseload.domain.checkin.phases import after, in_zone
from caseload.domain.checkin.plan import Plan, Plans, PlanStopped, PlanVersion, Replaced
from caseload.domain.checkin.record import AskedBy, Move, Record, Waiting, waiting
from caseload.domain.checkin.scheduling import schedule
from caseload.domain.ids import PlanId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.schedule import LATEST, local_day, start_of_day
from caseload.domain.zones import same_wall_clock

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInsFollowedZone(Event):
    """A plan goes on in the time zone to which its programme moved."""

    name: ClassVar[str] = "check_in.zone_followed"


class Following(Plans, Protocol):
    """The plans and what waits of them, as a programme that moves needs them."""

    async def waiting_of(self, plan: PlanId, /) -> Sequence[Record]:
        """What of a held plan waits, with everything that happened to it."""
        ...

    async def add_moves(self, moves: Sequence[Move], waiting: Sequence[Waiting], /) -> None:
        """Keep moves, and the check-ins as they now wait."""
        ...


def followed(version: PlanVersion, zone: ZoneInfo, *, last_on: date) -> PlanVersion:
    """The same version of a plan that goes on, in another zone from the day after `last_on` on."""
    rest = [each for each in (after(terms, last_on) for terms in version.phases) if each is not None]
    phases = in_zone(rest or version.phases, zone)
    return replace(
        version,
        version=version.version + 1,
        terms=phases[0],
        later=phases[1:],
        replaces_from=start_of_day(last_on + _DAY, zone),
    )


def last_day_before(version: PlanVersion, zone: ZoneInfo, *, now: datetime) -> date:
    """The day it is now, by the clock that is further on: it stays as it was planned. Raises `PlanStopped`."""
    if version.terms is None:
        raise PlanStopped("Make a new plan for the client instead.")
    return max(local_day(now, version.terms.zone), local_day(now, zone))


async def follow_zone(
    plan: Plan, zone: ZoneInfo, *, by: Staff, now: datetime, plans: Following, journal: Journal
) -> Plan:
    """Let a held plan go on in another zone from the next day on. Raises `PlanStopped`."""
    last_on = last_day_before(plan.version, zone, now=now)
    if plan.scheduled_through < last_on:
        await schedule(plan, now=now, settled=frozenset(), plans=plans)
    reason = f"The programme moved to the time zone {zone.key}."
    version = replace(followed(plan.version, zone, last_on=last_on), reason=reason, decided_by=by.id, decided_at=now)
    goes_on = any(each.rule.ends_on is None or each.rule.ends_on > last_on for each in version.phases)
    changed = replace(plan, version=version, scheduled_through=last_on if goes_on else LATEST)
    await plans.add_version(changed)
    anew: list[Record] = []
    kept: list[Record] = []
    for each in await plans.waiting_of(plan.id):
        (anew if each.check_in.scheduled_on > last_on and _is_untouched(each) else kept).append(each)
    withdrawn = [Replaced(check_in=each.check_in.id, outcome_version=1) for each in anew]
    await plans.withdraw(withdrawn, reason=reason, by=by.id, now=now)
    coming = [each for each in kept if local_day(each.due_at, each.terms.zone) > last_on]
    await _move(coming, zone, reason=reason, by=by, now=now, plans=plans)
    if goes_on:
        settled = await plans.settled_days(plan.id, since=last_on)
        await schedule(changed, now=now, settled=settled | {each.check_in.scheduled_on for each in kept}, plans=plans)
    facts: dict[str, str | int] = {"version": version.version, "zone": zone.key}
    journal.tell(CheckInsFollowedZone(client=plan.client, records=(plan.id,), facts=facts))
    return changed


def _is_untouched(record: Record) -> bool:
    """Whether nothing happened to it that a check-in made anew would not know."""
    moved = any(move.asked_by is not AskedBy.CLOSURE for move in record.moves)
    return not (moved or record.attempts or record.outcomes)


async def _move(
    records: Sequence[Record], zone: ZoneInfo, *, reason: str, by: Staff, now: datetime, plans: Following
) -> None:
    moves: list[Move] = []
    still: list[Waiting] = []
    for record in records:
        was = record.terms.zone
        move = Move(
            check_in=record.check_in.id,
            number=len(record.moves) + 1,
            due_at=same_wall_clock(record.due_at, was, zone),
            grace_ends_at=same_wall_clock(record.grace_ends_at, was, zone),
            asked_by=AskedBy.ZONE,
            reason=reason,
            recorded_by=by.id,
            recorded_at=now,
        )
        moves.append(move)
        waits = waiting(replace(record, moves=(*record.moves, move)))
        still += [] if waits is None else [waits]
    if moves:
        await plans.add_moves(moves, still)
