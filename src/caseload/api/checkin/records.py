"""What happened to check-ins, over HTTP."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.checkin.plans import CheckInTermsOut
from caseload.api.pages import USUAL, After, Limit, Page
from caseload.api.route import reading, writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, etag, require_version
from caseload.db.checkin import CheckIns
from caseload.db.idempotency import Kept
from caseload.domain import checkin as domain
from caseload.domain.access import Act
from caseload.domain.checkin import (
    AskedBy,
    Correction,
    Ended,
    Mode,
    Punctuality,
    Record,
    Result,
)
from caseload.domain.ids import CheckInId, ClientId, new_id
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class CheckInCompletionIn(Wire, frozen=True, kw_only=True):
    """A check-in that took place."""

    mode: Mode
    occurred_at: Instant | None = None
    """When it took place; now when left out."""
    note: str | None = None


class CheckInAttemptIn(Wire, frozen=True, kw_only=True):
    """An attempt to reach the client."""

    mode: Mode
    result: Result
    attempted_at: Instant | None = None
    """When it was made; now when left out."""
    note: str | None = None


class CheckInMoveIn(Wire, frozen=True, kw_only=True):
    """Another time for a check-in."""

    due_at: Instant
    asked_by: AskedBy
    reason: str | None = None


class CheckInMissIn(Wire, frozen=True, kw_only=True):
    """A check-in that is given up."""

    reason: str


class CorrectedEnd(StrEnum):
    """What a correction may say of a check-in."""

    COMPLETED = "completed"
    MISSED = "missed"
    RECORDED_IN_ERROR = "recorded_in_error"


class CheckInCorrectionIn(Wire, frozen=True, kw_only=True):
    """What is true of a check-in instead."""

    ended: CorrectedEnd
    reason: str
    occurred_at: Instant | None = None
    mode: Mode | None = None
    note: str | None = None


class CheckInOutcomeOut(Wire, frozen=True, kw_only=True):
    """One version of how a check-in was settled."""

    version: int
    ended: Ended
    occurred_at: datetime | None
    punctuality: Punctuality | None
    """Against when it was due; null where it did not take place."""
    mode: Mode | None
    note: str | None
    reason: str | None
    overtaken_by: UUID | None
    recorded_by: UUID
    recorded_at: datetime


class CheckInAttemptOut(Wire, frozen=True, kw_only=True):
    """An attempt."""

    id: UUID
    attempted_at: datetime
    mode: Mode
    result: Result
    note: str | None
    recorded_by: UUID
    recorded_at: datetime


class CheckInMoveOut(Wire, frozen=True, kw_only=True):
    """Another time that was given to a check-in."""

    number: int
    due_at: datetime
    asked_by: AskedBy
    reason: str | None
    recorded_by: UUID
    recorded_at: datetime


class CheckInOut(Wire, frozen=True, kw_only=True):
    """A check-in with everything that happened to it."""

    id: UUID
    client_id: UUID
    programme_id: UUID
    plan_id: UUID
    plan_version: int
    scheduled_on: date
    due_at: datetime
    grace_ends_at: datetime
    counts_from: datetime
    """From when a contact counts as this check-in."""
    movable_until: datetime
    """Until when it may be moved at the client's wish."""
    terms: CheckInTermsOut
    waiting: bool
    """Whether it still waits to be settled."""
    version: int
    """Of its outcome; also the ETag. 0 where there has been none."""
    outcome: CheckInOutcomeOut | None
    """The one that counts; null while it waits."""
    outcomes: list[CheckInOutcomeOut]
    moves: list[CheckInMoveOut]
    attempts: list[CheckInAttemptOut]

    @classmethod
    def of(cls, record: Record) -> "CheckInOut":
        """From the domain."""
        check_in = record.check_in
        outcomes = _outcomes(record)
        return cls(
            id=check_in.id,
            client_id=check_in.client,
            programme_id=check_in.programme,
            plan_id=check_in.plan,
            plan_version=check_in.plan_version,
            scheduled_on=check_in.scheduled_on,
            due_at=record.due_at,
            grace_ends_at=record.grace_ends_at,
            counts_from=record.counts_from,
            movable_until=record.movable_until,
            terms=CheckInTermsOut.of(record.terms),
            waiting=record.outcome is None,
            version=len(outcomes),
            outcome=None if record.outcome is None else outcomes[-1],
            outcomes=outcomes,
            moves=_moves(record),
            attempts=_attempts(record),
        )


def _outcomes(record: Record) -> list[CheckInOutcomeOut]:
    return [
        CheckInOutcomeOut(
            version=one.version,
            ended=one.ended,
            occurred_at=one.occurred_at,
            punctuality=None if one.occurred_at is None else record.punctuality(one.occurred_at),
            mode=one.mode,
            note=one.note,
            reason=one.reason,
            overtaken_by=one.overtaken_by,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )
        for one in record.outcomes
    ]


def _moves(record: Record) -> list[CheckInMoveOut]:
    return [
        CheckInMoveOut(
            number=one.number,
            due_at=one.due_at,
            asked_by=one.asked_by,
            reason=one.reason,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )
        for one in record.moves
    ]


def _attempts(record: Record) -> list[CheckInAttemptOut]:
    return [
        CheckInAttemptOut(
            id=one.id,
            attempted_at=one.attempted_at,
            mode=one.mode,
            result=one.result,
            note=one.note,
            recorded_by=one.recorded_by,
            recorded_at=one.recorded_at,
        )
        for one in record.attempts
    ]


def _check_ins(work: Work) -> CheckIns:
    return CheckIns(work.connection, work.journal, now=work.now)


def _versioned(record: Record, status: int) -> Response[CheckInOut]:
    return Response(CheckInOut.of(record), status_code=status, headers={"ETag": etag(len(record.outcomes))})


@reading("/clients/{client_id:uuid}/check-ins", act=Act.SEE_CHECK_INS, name="list_check_ins")
async def list_check_ins(
    client_id: FromPath[UUID], work: TheWork, after: After = None, limit: Limit = USUAL
) -> Page[CheckInOut]:
    """A client's check-ins by when they were scheduled, latest first, also those to come."""
    found = await _check_ins(work).of_client(
        ClientId(client_id),
        reach=work.by.reach(Act.SEE_CHECK_INS),
        after=None if after is None else CheckInId(after),
        limit=limit,
    )
    items = [CheckInOut.of(each) for each in found]
    return Page(items=items, next=items[-1].id if len(items) == limit else None)


@reading("/check-ins/{check_in_id:uuid}", act=Act.SEE_CHECK_INS, name="read_check_in")
async def read_check_in(check_in_id: FromPath[UUID], work: TheWork) -> Response[CheckInOut]:
    """One check-in with everything that happened to it."""
    found = await _check_ins(work).get(CheckInId(check_in_id), reach=work.by.reach(Act.SEE_CHECK_INS))
    return _versioned(found, 200)


@writing("/check-ins/{check_in_id:uuid}/completion", act=Act.COMPLETE_CHECK_IN, name="complete_check_in")
async def complete_check_in(
    check_in_id: FromPath[UUID], data: JSONBody[CheckInCompletionIn], work: TheWork, key: TheKey
) -> Response[CheckInOut]:
    """Record that a check-in took place; late is recorded as late. Whoever comes second learns when it was done."""

    async def complete() -> None:
        await domain.complete(
            CheckInId(check_in_id),
            occurred_at=data.occurred_at or work.now,
            mode=data.mode,
            note=data.note,
            by=work.by,
            now=work.now,
            check_ins=_check_ins(work),
            journal=work.journal,
        )

    return await _settled(work, key, check_in_id, complete)


@writing("/check-ins/{check_in_id:uuid}/attempts", act=Act.COMPLETE_CHECK_IN, name="attempt_check_in")
async def attempt_check_in(
    check_in_id: FromPath[UUID], data: JSONBody[CheckInAttemptIn], work: TheWork, key: TheKey
) -> Response[CheckInOut]:
    """Record that the client could not be reached: not a completion, however many attempts there are."""

    async def attempt() -> None:
        await domain.attempt(
            CheckInId(check_in_id),
            as_id=new_id(),
            attempted_at=data.attempted_at or work.now,
            mode=data.mode,
            result=data.result,
            note=data.note,
            by=work.by,
            now=work.now,
            check_ins=_check_ins(work),
            journal=work.journal,
        )

    return await _settled(work, key, check_in_id, attempt)


@writing("/check-ins/{check_in_id:uuid}/moves", act=Act.COMPLETE_CHECK_IN, name="reschedule_check_in")
async def reschedule_check_in(
    check_in_id: FromPath[UUID], data: JSONBody[CheckInMoveIn], work: TheWork, key: TheKey
) -> Response[CheckInOut]:
    """Give a check-in another time: at the client's wish within one interval, at the clinic's as if planned so."""

    async def move() -> None:
        await domain.reschedule(
            CheckInId(check_in_id),
            due_at=data.due_at,
            asked_by=data.asked_by,
            reason=data.reason,
            by=work.by,
            now=work.now,
            check_ins=_check_ins(work),
            journal=work.journal,
        )

    return await _settled(work, key, check_in_id, move)


@writing("/check-ins/{check_in_id:uuid}/miss", act=Act.COMPLETE_CHECK_IN, name="miss_check_in")
async def miss_check_in(
    check_in_id: FromPath[UUID], data: JSONBody[CheckInMissIn], work: TheWork, key: TheKey
) -> Response[CheckInOut]:
    """Give up a check-in that was due and did not take place, with the reason."""

    async def miss() -> None:
        await domain.miss(
            CheckInId(check_in_id),
            reason=data.reason,
            by=work.by,
            now=work.now,
            check_ins=_check_ins(work),
            journal=work.journal,
        )

    return await _settled(work, key, check_in_id, miss)


@writing(
    "/check-ins/{check_in_id:uuid}/outcome",
    act=Act.COMPLETE_CHECK_IN,
    name="correct_check_in",
    method="PUT",
    status=200,
    problems=(404, 412, 428),
)
async def correct_check_in(
    check_in_id: FromPath[UUID], data: JSONBody[CheckInCorrectionIn], work: TheWork, if_match: IfMatch = None
) -> Response[CheckInOut]:
    """Correct what was said of a check-in: a new version with its reason; the former ones stay readable."""
    check_ins, reach = _check_ins(work), work.by.reach(Act.COMPLETE_CHECK_IN)
    record = await check_ins.hold(CheckInId(check_in_id), reach=reach)
    require_version(if_match, len(record.outcomes))
    await domain.correct(
        record.check_in.id,
        Correction(
            ended=Ended(data.ended),
            reason=data.reason,
            occurred_at=data.occurred_at,
            mode=data.mode,
            note=data.note,
        ),
        version=len(record.outcomes),
        by=work.by,
        now=work.now,
        check_ins=check_ins,
        journal=work.journal,
    )
    return _versioned(await check_ins.get(record.check_in.id, reach=reach), 200)


async def _settled(
    work: Work, key: RequestKey | None, check_in_id: UUID, act: Callable[[], Awaitable[None]]
) -> Response[CheckInOut]:
    """Do it once, and answer with the check-in as it stands then."""
    check_ins, reach = _check_ins(work), work.by.reach(Act.COMPLETE_CHECK_IN)

    async def do() -> Record:
        await act()
        return await check_ins.get(CheckInId(check_in_id), reach=reach)

    async def again(kept: Kept) -> Record:
        return await check_ins.get(CheckInId(kept.resource), reach=reach)

    return _versioned(await once(work, key, Kept(status=201, resource=check_in_id), do=do, again=again), 201)
