"""What people do with a check-in: complete it, try to, move it, and give it up. Setting it right is in `correction`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from caseload.domain.access import Act
from caseload.domain.checkin.asked import Asked
from caseload.domain.checkin.plan import LONGEST_NOTE
from caseload.domain.checkin.record import (
    SETTLED_BY_PEOPLE,
    AlreadySettled,
    AskedBy,
    Attempt,
    CheckIns,
    Ended,
    Move,
    NoLongerOpen,
    Outcome,
    Record,
    Result,
    waiting,
)
from caseload.domain.checkin.terms import Mode
from caseload.domain.errors import Faults
from caseload.domain.ids import CheckInId, StaffId
from caseload.domain.journal import Event, Journal
from caseload.domain.people import Staff
from caseload.domain.schedule import local_day, local_days_later

FURTHEST_MOVE_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInCompleted(Event):
    """A check-in took place."""

    name: ClassVar[str] = "check_in.completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInAttempted(Event):
    """Somebody tried to reach a client for a check-in."""

    name: ClassVar[str] = "check_in.attempted"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInMoved(Event):
    """A check-in was given another time."""

    name: ClassVar[str] = "check_in.rescheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInMissed(Event):
    """A check-in was given up as missed."""

    name: ClassVar[str] = "check_in.missed"


async def complete(
    check_in: CheckInId,
    *,
    occurred_at: datetime,
    mode: Mode,
    note: str | None,
    by: Staff,
    now: datetime,
    check_ins: CheckIns,
    journal: Journal,
    asked: Asked | None = None,
    on_behalf_of: StaffId | None = None,
) -> Outcome:
    """Record that a check-in took place, early, on time or late, with what was asked and answered.

    With it the plan's earlier check-ins that still wait are closed as overtaken: the client has been seen. One that
    was overtaken or withdrawn can be completed too, since what has happened can always be recorded. An answer that does
    not wait is escalated in the same piece of work.
    Raises `CheckInUnknown`, `Invalid`, or `AlreadySettled` saying how and when.
    """
    record = await check_ins.hold(check_in, reach=by.reach(Act.COMPLETE_CHECK_IN))
    if record.outcome is not None and record.outcome.ended in SETTLED_BY_PEOPLE:
        raise _settled(record.outcome)
    faults = Faults()
    check_occurred(faults, record, occurred_at, now=now)
    check_text(faults, "note", note)
    if asked is not None:
        asked.check(faults)
    faults.raise_if_any()
    outcome = Outcome(
        check_in=check_in,
        version=len(record.outcomes) + 1,
        ended=Ended.COMPLETED,
        occurred_at=occurred_at,
        mode=mode,
        note=note,
        on_behalf_of=None if on_behalf_of == by.id else on_behalf_of,
        answers=None if asked is None else asked.answers,
        recorded_by=by.id,
        recorded_at=now,
    )
    overtaken = await overtaken_with(record, outcome, check_ins=check_ins)
    await check_ins.add_outcomes([outcome, *overtaken], [])
    journal.tell(
        CheckInCompleted(
            client=record.check_in.client,
            records=(check_in, *(one.check_in for one in overtaken)),
            facts={"version": outcome.version, "punctuality": record.punctuality(occurred_at).value},
        )
    )
    if asked is not None:
        await asked.keep(record, outcome, by=by, now=now, journal=journal)
    return outcome


async def attempt(
    check_in: CheckInId,
    *,
    as_id: UUID,
    attempted_at: datetime,
    mode: Mode,
    result: Result,
    note: str | None,
    by: Staff,
    now: datetime,
    check_ins: CheckIns,
    journal: Journal,
) -> Attempt:
    """Record that the client could not be reached, however the check-in stands by now.

    Raises `CheckInUnknown` or `Invalid`.
    """
    record = await check_ins.hold(check_in, reach=by.reach(Act.COMPLETE_CHECK_IN))
    faults = Faults()
    faults.check(when=attempted_at > now, where="attempted_at", problem="must not lie in the future")
    faults.check(
        when=attempted_at < record.check_in.made_at,
        where="attempted_at",
        problem="lies before this check-in was planned",
    )
    check_text(faults, "note", note)
    faults.raise_if_any()
    tried = Attempt(
        id=as_id,
        check_in=check_in,
        attempted_at=attempted_at,
        mode=mode,
        result=result,
        note=note,
        recorded_by=by.id,
        recorded_at=now,
    )
    await check_ins.add_attempt(tried, waiting(replace(record, attempts=(*record.attempts, tried))))
    journal.tell(
        CheckInAttempted(client=record.check_in.client, records=(check_in, tried.id), facts={"result": result.value})
    )
    return tried


async def reschedule(
    check_in: CheckInId,
    *,
    due_at: datetime,
    asked_by: AskedBy,
    reason: str | None,
    by: Staff,
    now: datetime,
    check_ins: CheckIns,
    journal: Journal,
) -> Move:
    """Give a check-in that waits another time; its grace is counted anew from then.

    Moved by the provider, it is as if it had always been due then. At the client's wish it goes no further than one
    interval of the plan, however often it is moved. Days on which the programme is closed are no days of grace.
    Raises `CheckInUnknown`, `Invalid`, `NoLongerOpen` or `AlreadySettled`.
    """
    record = await _hold_open(check_in, by=by, check_ins=check_ins)
    limit = local_days_later(now, FURTHEST_MOVE_DAYS, record.terms.zone)
    if asked_by is AskedBy.CLIENT:
        limit = min(limit, record.movable_until)
    faults = Faults()
    faults.check(when=due_at <= now, where="due_at", problem="must lie in the future")
    faults.check(when=due_at > limit, where="due_at", problem=f"must not be after {limit.isoformat()}")
    faults.check(
        when=asked_by not in (AskedBy.CLIENT, AskedBy.PROVIDER), where="asked_by", problem="must be client or provider"
    )
    check_text(faults, "reason", reason)
    faults.raise_if_any()
    new_day = local_day(due_at, record.terms.zone)
    closed = await check_ins.closed_days(record.check_in.programme, since=new_day)
    move = Move(
        check_in=check_in,
        number=len(record.moves) + 1,
        due_at=due_at,
        grace_ends_at=record.terms.grace_ends_at(due_at, closed),
        asked_by=asked_by,
        reason=reason,
        recorded_by=by.id,
        recorded_at=now,
    )
    await check_ins.add_move(move, waiting(replace(record, moves=(*record.moves, move))))
    journal.tell(
        CheckInMoved(
            client=record.check_in.client,
            records=(check_in,),
            facts={"number": move.number, "asked_by": asked_by.value},
        )
    )
    return move


async def miss(
    check_in: CheckInId, *, reason: str, by: Staff, now: datetime, check_ins: CheckIns, journal: Journal
) -> Outcome:
    """Give up a check-in that was due and did not take place, with the reason.

    Raises `CheckInUnknown`, `Invalid`, `NoLongerOpen` or `AlreadySettled`.
    """
    record = await _hold_open(check_in, by=by, check_ins=check_ins)
    faults = Faults()
    faults.check(when=now < record.due_at, where="", problem="it cannot be missed before it is due; reschedule it")
    faults.check(when=not reason.strip(), where="reason", problem="say why it did not take place")
    check_text(faults, "reason", reason)
    faults.raise_if_any()
    outcome = Outcome(
        check_in=check_in,
        version=len(record.outcomes) + 1,
        ended=Ended.MISSED,
        reason=reason,
        recorded_by=by.id,
        recorded_at=now,
    )
    await check_ins.add_outcomes([outcome], [])
    journal.tell(CheckInMissed(client=record.check_in.client, records=(check_in,), facts={"version": outcome.version}))
    return outcome


async def overtaken_with(record: Record, outcome: Outcome, *, check_ins: CheckIns) -> Sequence[Outcome]:
    """What a contact closes besides its own check-in: earlier ones that wait and whose window had begun by then."""
    if outcome.occurred_at is None:
        return []
    return [
        Outcome(
            check_in=one.check_in.id,
            version=len(one.outcomes) + 1,
            ended=Ended.OVERTAKEN,
            overtaken_by=record.check_in.id,
            recorded_by=outcome.recorded_by,
            recorded_at=outcome.recorded_at,
        )
        for one in await check_ins.open_before(record.check_in)
        if outcome.occurred_at >= one.terms.counts_from(one.due_at)
    ]


async def _hold_open(check_in: CheckInId, *, by: Staff, check_ins: CheckIns) -> Record:
    record = await check_ins.hold(check_in, reach=by.reach(Act.COMPLETE_CHECK_IN))
    if record.outcome is not None:
        raise _settled(record.outcome)
    return record


def _settled(outcome: Outcome) -> AlreadySettled | NoLongerOpen:
    """Say how and when a check-in was settled, so that whoever comes second need not ask."""
    when = (outcome.occurred_at or outcome.recorded_at).isoformat()
    if outcome.ended in SETTLED_BY_PEOPLE:
        return AlreadySettled(
            f"It was recorded as {outcome.ended.value} ({when}). If that is wrong, correct it with a reason.",
            ended=outcome.ended.value,
            at=when,
            recorded_at=outcome.recorded_at.isoformat(),
            version=outcome.version,
        )
    return NoLongerOpen(
        f"It was {outcome.ended.value} ({when}). If it took place all the same, record it as completed.",
        ended=outcome.ended.value,
        at=when,
    )


def check_occurred(faults: Faults, record: Record, occurred_at: datetime, *, now: datetime) -> None:
    faults.check(when=occurred_at > now, where="occurred_at", problem="must not lie in the future")
    faults.check(
        when=occurred_at < record.counts_from,
        where="occurred_at",
        problem=f"counts as this check-in only from {record.counts_from.isoformat()}",
    )


def check_text(faults: Faults, where: str, text: str | None) -> None:
    faults.check(
        when=text is not None and len(text) > LONGEST_NOTE,
        where=where,
        problem=f"must have at most {LONGEST_NOTE} characters",
    )
