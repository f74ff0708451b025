"""What happens to check-ins, over HTTP: each completed, attempted, moved, given up or corrected."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from uuid import UUID

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from caseload.api.checkin.answers import AnswersIn
from caseload.api.checkin.asking import asked_of, see_more_often_after_relapse, step_up_after
from caseload.api.checkin.plans import CheckInStepUpOut
from caseload.api.checkin.store import check_ins_of
from caseload.api.checkin.wire import CheckInOut, versioned
from caseload.api.escalation import EmergencyOut, escalations_of, told_on_the_spot
from caseload.api.observation import Answers as FilledAnswers
from caseload.api.observation import ObservationOut
from caseload.api.route import writing
from caseload.api.wire import Instant, Wire
from caseload.api.work import IfMatch, TheKey, TheWork, etag, require_version
from caseload.db.idempotency import Kept
from caseload.db.observation import KeptObservations
from caseload.domain import checkin as domain
from caseload.domain.access import Act
from caseload.domain.checkin import (
    AskedBy,
    Correction,
    Ended,
    Mode,
    Record,
    Result,
)
from caseload.domain.ids import CheckInId, StaffId, new_id
from caseload.domain.observation import InstrumentName
from caseload.request.idempotency import RequestKey, once
from caseload.request.work import Work


class CheckInCompletionIn(Wire, frozen=True, kw_only=True):
    """A check-in that took place."""

    mode: Mode
    occurred_at: Instant | None = None
    """When it took place; now when left out."""
    note: str | None = None
    answers: AnswersIn | None = None
    """What was asked and answered; everything that the programme asks must stand there, with null for no answer."""
    instruments: dict[InstrumentName, FilledAnswers] | None = None
    """BAM, TOP, PHQ-9 or GAD-7, each with every item; they are kept as observations of the client."""
    on_behalf_of: UUID | None = None
    """The colleague who spoke with the client, where that was not you."""


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
    answers: AnswersIn | None = None
    """What was asked and answered instead; as it stood when left out."""
    instruments: dict[InstrumentName, FilledAnswers] | None = None
    """What was filled in instead, or as well; the others stand as they did."""


class CheckInSettledOut(CheckInOut, frozen=True, kw_only=True):
    """A check-in as it stands after what you said of it."""

    emergency: EmergencyOut | None = None
    """Null where nothing of it has raised an escalation."""
    step_up: CheckInStepUpOut | None = None
    """Set where the client is seen more often for a while because of what was said in it, as long as that lasts."""
    observations: tuple[ObservationOut, ...] = ()
    """The instruments that were filled in, with their scores."""


@writing("/check-ins/{check_in_id:uuid}/completion", act=Act.COMPLETE_CHECK_IN, name="complete_check_in")
async def complete_check_in(
    check_in_id: FromPath[UUID], data: JSONBody[CheckInCompletionIn], work: TheWork, key: TheKey
) -> Response[CheckInSettledOut]:
    """Record that a check-in took place, with what was asked and answered; late is recorded as late.

    Whoever comes second learns when it was done. An answer that does not wait is escalated with it, and the answer to you
    says what to do on the spot.
    """

    async def complete() -> None:
        outcome = await domain.complete(
            CheckInId(check_in_id),
            occurred_at=data.occurred_at or work.now,
            mode=data.mode,
            note=data.note,
            by=work.by,
            now=work.now,
            check_ins=check_ins_of(work),
            journal=work.journal,
            asked=await asked_of(work, CheckInId(check_in_id), data.answers, data.instruments),
            on_behalf_of=None if data.on_behalf_of is None else StaffId(data.on_behalf_of),
        )
        await see_more_often_after_relapse(work, outcome)

    found = await _settle(work, key, check_in_id, complete)
    return await _with_emergency(work, found, 201)


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
            check_ins=check_ins_of(work),
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
            check_ins=check_ins_of(work),
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
            check_ins=check_ins_of(work),
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
) -> Response[CheckInSettledOut]:
    """Correct what was said of a check-in: a new version with its reason; the former ones stay readable."""
    check_ins, reach = check_ins_of(work), work.by.reach(Act.COMPLETE_CHECK_IN)
    record = await check_ins.hold(CheckInId(check_in_id), reach=reach)
    require_version(if_match, len(record.outcomes))
    outcome = await domain.correct(
        record.check_in.id,
        Correction(
            ended=Ended(data.ended),
            reason=data.reason,
            occurred_at=data.occurred_at,
            mode=data.mode,
            note=data.note,
            asked=await asked_of(work, CheckInId(check_in_id), data.answers, data.instruments),
        ),
        version=len(record.outcomes),
        by=work.by,
        now=work.now,
        check_ins=check_ins,
        journal=work.journal,
    )
    await see_more_often_after_relapse(work, outcome)
    return await _with_emergency(work, await check_ins.get(record.check_in.id, reach=reach), 200)


async def _with_emergency(work: Work, record: Record, status: int) -> Response[CheckInSettledOut]:
    """The check-in with what was filled in; and where its answers have raised something, what to do on the spot."""
    filled = await KeptObservations(work.connection, work.journal).of_check_in(record.check_in.id)
    raised = await escalations_of(work).of_check_in(record.check_in.id)
    told = await told_on_the_spot(work, raised, record.check_in.programme)
    observations = tuple(ObservationOut.of(each) for each in filled)
    more = await step_up_after(work, record)
    shown = msgspec.structs.replace(
        CheckInSettledOut.of(record),
        emergency=told,
        step_up=None if more is None else CheckInStepUpOut.of(more),
        observations=observations,
    )
    return Response(shown, status_code=status, headers={"ETag": etag(len(record.outcomes))})


async def _settled(
    work: Work, key: RequestKey | None, check_in_id: UUID, act: Callable[[], Awaitable[None]]
) -> Response[CheckInOut]:
    """Do it once, and answer with the check-in as it stands then."""
    return versioned(await _settle(work, key, check_in_id, act), 201)


async def _settle(work: Work, key: RequestKey | None, check_in_id: UUID, act: Callable[[], Awaitable[None]]) -> Record:
    check_ins, reach = check_ins_of(work), work.by.reach(Act.COMPLETE_CHECK_IN)

    async def do() -> Record:
        await act()
        return await check_ins.get(CheckInId(check_in_id), reach=reach)

    async def again(kept: Kept) -> Record:
        return await check_ins.get(CheckInId(kept.resource), reach=reach)

    return await once(work, key, Kept(status=201, resource=check_in_id), do=do, again=again)
